#include "constellm/moe/host_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
/// Changes at one temperature, and changes that say how much one matters.
constexpr std::uint64_t kStep = 256;

double latency_or(const Hosting& hosting, const Layer& layer, std::int32_t slot, std::int32_t satellite,
                  double otherwise_s) {
  const double latency_s = hosting.problem().latency_s(layer, slot, satellite);
  return std::isnan(latency_s) ? otherwise_s : latency_s;
}

}  // namespace

HostSearch::HostSearch(const Hosting& hosting, std::uint64_t seed)
    : hosting_(&hosting), random_(seed), layer_s_(hosting.problem().layers().size(), 0.0), best_s_(kNever) {
  const Problem& problem = hosting.problem();
  double most = 0.0;
  for (std::size_t l = 0; l < problem.layers().size(); ++l) {
    const Layer& layer = problem.layers()[l];
    queues_.emplace_back(layer.picks);
    near_.push_back(near_of(l));
    const auto experts = static_cast<double>(layer.picks.experts());
    most = std::max(most,
                    problem.slots() * (20.0 * experts + (hosting.queues() ? queues_[l].most_work() : 0.0)));
    for (std::int32_t e = 0; e < layer.picks.experts(); ++e)
      experts_.push_back({static_cast<std::int32_t>(l), e});
  }
  work_ = static_cast<std::uint64_t>(most / 64.0) + 1;
}

/// The nearest by mean latency, and the nearest of every slot, so that copies may be near in some slots
/// alone; all where they are few.
std::vector<std::int32_t> HostSearch::near_of(std::size_t l) const {
  constexpr std::size_t kNearest = 40;
  const Problem& problem = hosting_->problem();
  const Layer& layer = problem.layers()[l];
  double far_s = 0.0;  // where a copy is not live
  for (const double latency_s : layer.latency_s)
    if (latency_s > far_s) far_s = latency_s;
  std::vector<std::int32_t> open;
  for (std::int32_t s = 0; s < problem.satellite_count(); ++s) {
    bool alive = false;
    for (std::int32_t t = 0; t < problem.slots(); ++t)
      alive = alive || !std::isnan(problem.latency_s(layer, t, s));
    if (alive && hosting_->places(s) > 0) open.push_back(s);
  }
  std::vector<double> sum(problem.satellites().size(), 0.0);
  std::vector<char> chosen(sum.size(), 0);
  const auto choose = [&](auto cost_s, std::size_t most) {
    std::stable_sort(open.begin(), open.end(),
                     [&](std::int32_t a, std::int32_t b) { return cost_s(a) < cost_s(b); });
    for (std::size_t i = 0; i < std::min(most, open.size()); ++i) chosen[z(open[i])] = 1;
  };
  const std::size_t experts = z(layer.picks.experts());
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    const auto here_s = [&](std::int32_t s) { return latency_or(*hosting_, layer, t, s, far_s); };
    for (const std::int32_t s : open) sum[z(s)] += here_s(s);
    if (hosting_->copied()) choose(here_s, std::min<std::size_t>(experts, 4));
  }
  choose([&](std::int32_t s) { return sum[z(s)]; }, std::max(kNearest, 2 * experts));
  std::erase_if(open, [&](std::int32_t s) { return chosen[z(s)] == 0; });
  return open;
}

void HostSearch::start(Copies placement) {
  placement_ = std::move(placement);
  on_.assign(hosting_->problem().satellites().size(), {});
  for (const Seat seat : experts_)
    for (const std::int32_t s : copies(seat)) on_[z(s)].push_back(seat);
  for (std::size_t l = 0; l < layer_s_.size(); ++l)
    layer_s_[l] = layer_latency_s(*hosting_, l, queues_[l], placement_[l]);
  excess_s_ = 0.0;
  count_loads();
  // An execution too many costs more than all that could be gained.
  excess_s_ = hosting_->limited() ? 10.0 * (value() + 1e-3) : 0.0;
  offer();
}

void HostSearch::count_loads() {
  if (!hosting_->limited()) return;
  load_ = executions_of(*hosting_, placement_);
  const std::size_t satellites = on_.size();
  excess_ = 0.0;
  for (std::size_t i = 0; i < load_.size(); ++i) {
    const double most = hosting_->most_activations(static_cast<std::int32_t>(i / satellites),
                                                   static_cast<std::int32_t>(i % satellites));
    excess_ += std::max(load_[i] - most, 0.0);
  }
}

double HostSearch::value() const {
  return std::accumulate(layer_s_.begin(), layer_s_.end(), excess_s_ * excess_);
}

/// The loads of one expert, as its copies are, more or less.
void HostSearch::shift(Seat seat, double sign) {
  if (!hosting_->limited()) return;
  const Layer& layer = hosting_->problem().layers()[z(seat.layer)];
  const double more = sign * hosting_->inclusion(z(seat.layer))[z(seat.expert)];
  for (std::int32_t t = 0; t < hosting_->problem().slots(); ++t) {
    const std::int32_t s = hosting_->served(layer, t, copies(seat)).server;
    if (s < 0) continue;
    double& load = load_[z(t) * on_.size() + z(s)];
    const double most = hosting_->most_activations(t, s);
    excess_ -= std::max(load - most, 0.0);
    load += more;
    excess_ += std::max(load - most, 0.0);
  }
}

void HostSearch::edit(const Edit& edit) {
  std::vector<std::int32_t>& own = copies(edit.seat);
  shift(edit.seat, -1.0);
  if (edit.from >= 0) {
    own.erase(std::find(own.begin(), own.end(), edit.from));
    std::vector<Seat>& on = on_[z(edit.from)];
    on.erase(std::find(on.begin(), on.end(), edit.seat));
  }
  if (edit.to >= 0) {
    own.push_back(edit.to);
    on_[z(edit.to)].push_back(edit.seat);
  }
  shift(edit.seat, 1.0);
}

bool HostSearch::propose(Seat seat, std::int32_t from, std::int32_t to, std::size_t occupant) {
  edits_.clear();
  const auto has = [&](Seat who, std::int32_t s) {
    return std::find(copies(who).begin(), copies(who).end(), s) != copies(who).end();
  };
  if (to < 0) {
    if (copies(seat).size() < 2) return false;
  } else if (has(seat, to)) {
    return false;
  } else if (on_[z(to)].size() >= z(hosting_->places(to))) {
    const Seat other = on_[z(to)][occupant];
    const std::int32_t back = from >= 0 && !has(other, from) ? from : -1;
    if (back < 0 && copies(other).size() < 2) return false;
    edits_.push_back({other, to, back});
  }
  edits_.push_back({seat, from, to});
  return true;
}

double HostSearch::apply() {
  excess_before_ = excess_;
  before_s_.clear();
  for (const Edit& one : edits_) {
    edit(one);
    const std::int32_t l = one.seat.layer;
    if (before_s_.empty() || before_s_[0].first != l) before_s_.emplace_back(l, layer_s_[z(l)]);
  }
  for (const Edit& one : edits_) {
    const Layer& layer = hosting_->problem().layers()[z(one.seat.layer)];
    if (!hosting_->lives(layer, copies(one.seat))) return -kNever;
  }
  double gain = excess_s_ * (excess_before_ - excess_);
  for (const auto& [l, before_s] : before_s_) {
    layer_s_[z(l)] = layer_latency_s(*hosting_, z(l), queues_[z(l)], placement_[z(l)]);
    gain += before_s - layer_s_[z(l)];
  }
  return gain;
}

void HostSearch::undo() {
  for (std::size_t i = edits_.size(); i-- > 0;) edit({edits_[i].seat, edits_[i].to, edits_[i].from});
  for (const auto& [l, before_s] : before_s_) layer_s_[z(l)] = before_s;
  excess_ = excess_before_;
}

void HostSearch::keep() {
  if (value() - excess_s_ * excess_ < best_s_) offer();
}

void HostSearch::offer() {
  count_loads();  // free of rounding that adds up
  if (excess_ > 0.0) return;
  const double value_s = value();
  if (value_s >= best_s_) return;
  best_s_ = value_s;
  best_ = placement_;
}

/// A change by chance, in edits_; false where it cannot be.
bool HostSearch::some() {
  const auto below = [&](std::size_t count) {
    return static_cast<std::size_t>(random_.below(static_cast<std::uint32_t>(count)));
  };
  const Seat seat = experts_[below(experts_.size())];
  const std::vector<std::int32_t>& near = near_[z(seat.layer)];
  const std::size_t which = below(z(hosting_->copies(z(seat.layer), seat.expert)));
  const std::int32_t from = which < copies(seat).size() ? copies(seat)[which] : -1;
  const bool drop = from >= 0 && copies(seat).size() > 1 && below(4) == 0;
  const std::int32_t to = drop ? -1 : near[below(near.size())];
  return propose(seat, from, to, to >= 0 && !on_[z(to)].empty() ? below(on_[z(to)].size()) : 0);
}

/// A tenth of the changes that lose lose less; 0 where none does.
double HostSearch::first_temperature() {
  std::vector<double> losses;
  for (std::uint64_t i = 0; i < kStep; ++i) {
    if (!some()) continue;
    const double loss = -apply();
    undo();
    if (loss > 0.0 && loss < kNever) losses.push_back(loss);
  }
  if (losses.empty()) return 0.0;
  const auto tenth = losses.begin() + static_cast<std::ptrdiff_t>(losses.size() / 10);
  std::nth_element(losses.begin(), tenth, losses.end());
  return *tenth;
}

void HostSearch::anneal(std::uint64_t changes, core::StopToken& stop) {
  constexpr double kCooled = 1e-3;  // the last temperature over the first
  if (stop.should_stop(kStep * work_)) return;
  double temperature = first_temperature();
  if (temperature == 0.0) return;
  const double cooling = std::pow(kCooled, static_cast<double>(kStep) / static_cast<double>(changes));
  for (std::uint64_t i = 0; i < changes; ++i) {
    if (i % kStep == 0) {
      temperature *= cooling;
      count_loads();
    }
    if (stop.should_stop(work_)) return;
    if (!some()) continue;
    const double gain = apply();
    if (gain < 0.0 && random_.uniform() >= std::exp(gain / temperature))
      undo();
    else
      keep();
  }
}

/// Every change of one expert, taken where it gains.
bool HostSearch::all_from(Seat seat, core::StopToken& stop) {
  bool found = false;
  const std::size_t most = z(hosting_->copies(z(seat.layer), seat.expert));
  const double least = 1e-12 * (value() + 1e-300);
  const auto attempt = [&](std::int32_t from, std::int32_t to, std::size_t occupant) {
    if (stop.should_stop(work_) || !propose(seat, from, to, occupant)) return false;
    if (apply() > least) {
      keep();
      found = true;
      return true;
    }
    undo();
    return false;
  };
  for (std::size_t which = 0; which < most; ++which) {
    if (which < copies(seat).size()) attempt(copies(seat)[which], -1, 0);
    for (const std::int32_t to : near_[z(seat.layer)]) {
      if (stop.should_stop()) return found;
      const bool full = on_[z(to)].size() >= z(hosting_->places(to));
      const std::size_t occupants = full ? on_[z(to)].size() : 1;
      for (std::size_t o = 0; o < occupants; ++o) {
        const std::int32_t from = which < copies(seat).size() ? copies(seat)[which] : -1;
        if (attempt(from, to, o)) break;
      }
    }
  }
  return found;
}

void HostSearch::descend(core::StopToken& stop) {
  if (stop.should_stop()) return;
  bool found = true;
  while (found) {
    found = false;
    count_loads();
    for (const Seat seat : experts_) {
      if (stop.should_stop()) return;
      found = all_from(seat, stop) || found;
    }
  }
}

/// Of an expert: satellites that cost the least where it is served by them beside those it has; one after the
/// other until it lives.
bool HostSearch::construct() {
  const Problem& problem = hosting_->problem();
  std::vector<Seat> order = experts_;
  std::stable_sort(order.begin(), order.end(), [&](Seat a, Seat b) {
    return hosting_->inclusion(z(a.layer))[z(a.expert)] > hosting_->inclusion(z(b.layer))[z(b.expert)];
  });
  std::vector<std::int32_t> room;
  for (std::int32_t s = 0; s < problem.satellite_count(); ++s) room.push_back(hosting_->places(s));
  std::vector<double> load(z(problem.slots()) * room.size(), 0.0);
  Copies placement;
  for (const Layer& layer : problem.layers()) placement.emplace_back(z(layer.picks.experts()));
  for (const Seat seat : order) {
    const Layer& layer = problem.layers()[z(seat.layer)];
    const double share = hosting_->inclusion(z(seat.layer))[z(seat.expert)];
    std::vector<std::int32_t>& own = placement[z(seat.layer)][z(seat.expert)];
    do {
      std::int32_t best = -1;
      double least = kNever;
      for (std::int32_t s = 0; s < problem.satellite_count(); ++s) {
        if (room[z(s)] == 0 || std::find(own.begin(), own.end(), s) != own.end()) continue;
        own.push_back(s);
        double cost = 0.0;
        for (std::int32_t t = 0; t < problem.slots(); ++t) {
          constexpr double kDead = 1e12;
          const Served served = hosting_->served(layer, t, own);
          if (served.server < 0 && !problem.unreachable_s()) {
            cost += kDead;
            continue;
          }
          cost += served.latency_s;
          if (served.server < 0) continue;
          const double loaded = load[z(t) * room.size() + z(served.server)];
          cost += served.service_s * loaded;
          if (loaded + share > hosting_->most_activations(t, served.server)) cost += 1e6;
        }
        own.pop_back();
        if (cost < least) {
          least = cost;
          best = s;
        }
      }
      if (best < 0) return false;
      own.push_back(best);
      --room[z(best)];
    } while (!hosting_->lives(layer, own) && own.size() < z(hosting_->copies(z(seat.layer), seat.expert)));
    if (!hosting_->lives(layer, own)) return false;
    for (std::int32_t t = 0; t < problem.slots(); ++t) {
      const std::int32_t s = hosting_->served(layer, t, own).server;
      if (s >= 0) load[z(t) * room.size() + z(s)] += share;
    }
  }
  start(std::move(placement));
  return true;
}

}  // namespace constellm::moe
