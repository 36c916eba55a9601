#include "constellm/moe/hosting/search.hpp"

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
constexpr std::uint64_t kStep = 1024;

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
  work_ = static_cast<std::uint64_t>(most / 100.0) + 1;
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
  const Problem& problem = hosting_->problem();
  placement_ = std::move(placement);
  on_.assign(problem.satellites().size(), {});
  for (const Seat seat : experts_)
    for (const std::int32_t s : copies(seat)) on_[z(s)].push_back(seat);
  served_.assign(placement_.size(), {});
  slot_s_.assign(placement_.size(), std::vector<double>(z(problem.slots())));
  for (std::size_t l = 0; l < placement_.size(); ++l) {
    for (std::int32_t t = 0; t < problem.slots(); ++t)
      for (const std::vector<std::int32_t>& own : placement_[l])
        served_[l].push_back(hosting_->served(problem.layers()[l], t, own));
  }
  offer();
  // An execution too many costs more than all that could be gained.
  excess_s_ = hosting_->limited() ? 10.0 * (value() + 1e-3) : 0.0;
}

void HostSearch::offer() {
  const Problem& problem = hosting_->problem();
  for (std::size_t l = 0; l < layer_s_.size(); ++l) {
    const std::size_t experts = placement_[l].size();
    double sum = 0.0;
    for (std::size_t t = 0; t < z(problem.slots()); ++t) {
      slot_s_[l][t] = queues_[l].expected_s(std::span(served_[l]).subspan(t * experts, experts));
      sum += slot_s_[l][t];
    }
    layer_s_[l] = sum / problem.slots();
  }
  if (hosting_->limited()) {
    load_ = executions_of(*hosting_, placement_);
    const std::size_t satellites = on_.size();
    excess_ = 0.0;
    for (std::size_t i = 0; i < load_.size(); ++i) {
      const double most = hosting_->most_activations(static_cast<std::int32_t>(i / satellites),
                                                     static_cast<std::int32_t>(i % satellites));
      excess_ += std::max(load_[i] - most, 0.0);
    }
  }
  if (excess_ > 0.0 || value() >= best_s_) return;
  best_s_ = value();
  best_ = placement_;
}

double HostSearch::value() const {
  return std::accumulate(layer_s_.begin(), layer_s_.end(), excess_s_ * excess_);
}

void HostSearch::carry(std::int32_t slot, std::int32_t satellite, double executions) {
  if (satellite < 0) return;
  double& load = load_[z(slot) * on_.size() + z(satellite)];
  const double most = hosting_->most_activations(slot, satellite);
  excess_ -= std::max(load - most, 0.0);
  load += executions;
  excess_ += std::max(load - most, 0.0);
}

/// The copies alone.
void HostSearch::move(const Edit& edit) {
  std::vector<std::int32_t>& own = copies(edit.seat);
  if (edit.from >= 0) {
    own.erase(std::find(own.begin(), own.end(), edit.from));
    std::vector<Seat>& on = on_[z(edit.from)];
    on.erase(std::find(on.begin(), on.end(), edit.seat));
  }
  if (edit.to >= 0) {
    own.push_back(edit.to);
    on_[z(edit.to)].push_back(edit.seat);
  }
}

/// By how much the slot costs less where the expert is served so, of one pick or two.
double HostSearch::slot_gain_s(Seat seat, std::int32_t slot, const Served& now) const {
  const Picks& picks = hosting_->problem().layers()[z(seat.layer)].picks;
  const auto experts = z(picks.experts());
  const Served* const served = &served_[z(seat.layer)][z(slot) * experts];
  const Served& was = served[seat.expert];
  if (picks.top_k() == 1) return picks.weights()[z(seat.expert)] * (was.latency_s - now.latency_s);
  const double* const pairs = picks.pairs_of(seat.expert);
  const auto both_s = [](const Served& a, const Served& b) {
    return a.server >= 0 && a.server == b.server ? a.latency_s + a.service_s
                                                 : std::max(a.latency_s, b.latency_s);
  };
  double gain = 0.0;
  for (std::size_t j = 0; j < experts; ++j) {
    if (j != z(seat.expert)) gain += pairs[j] * (both_s(was, served[j]) - both_s(now, served[j]));
  }
  return gain;
}

/// Who serves the expert now, and what that costs the layer; false where in some slot nobody does.
bool HostSearch::serve(const Edit& edit) {
  const Problem& problem = hosting_->problem();
  const Layer& layer = problem.layers()[z(edit.seat.layer)];
  const auto experts = z(layer.picks.experts());
  std::vector<Served>& served = served_[z(edit.seat.layer)];
  double gain_s = 0.0;
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    const Served now = hosting_->served(layer, t, copies(edit.seat));
    if (std::isnan(now.latency_s)) return false;
    Served& was = served[z(t) * experts + z(edit.seat.expert)];
    if (now.server == was.server) continue;
    if (hosting_->limited()) {
      const double share = hosting_->inclusion(z(edit.seat.layer))[z(edit.seat.expert)];
      carry(t, was.server, -share);
      carry(t, now.server, share);
    }
    if (problem.top_k() <= 2) {
      gain_s += slot_gain_s(edit.seat, t, now);
      was = now;
    } else {
      was = now;
      double& slot_s = slot_s_[z(edit.seat.layer)][z(t)];
      gain_s += slot_s;
      slot_s = queues_[z(edit.seat.layer)].expected_s(std::span(served).subspan(z(t) * experts, experts));
      gain_s -= slot_s;
    }
  }
  layer_s_[z(edit.seat.layer)] -= gain_s / problem.slots();
  return true;
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
  const double before = value();
  excess_before_ = excess_;
  bool alive = true;
  for (done_ = 0; done_ < edits_.size() && alive;) {
    const Edit& edit = edits_[done_];
    Before& was = before_[done_++];
    was.layer_s = layer_s_[z(edit.seat.layer)];
    was.slot_s = slot_s_[z(edit.seat.layer)];
    was.copies = copies(edit.seat);
    const std::vector<Served>& served = served_[z(edit.seat.layer)];
    const std::size_t experts = placement_[z(edit.seat.layer)].size();
    was.served.clear();
    for (std::size_t i = z(edit.seat.expert); i < served.size(); i += experts)
      was.served.push_back(served[i]);
    move(edit);
    alive = serve(edit);
  }
  return alive ? before - value() : -kNever;
}

void HostSearch::undo() {
  while (done_ > 0) {
    const Edit& edit = edits_[--done_];
    const Before& was = before_[done_];
    move({edit.seat, edit.to, edit.from});
    copies(edit.seat) = was.copies;
    std::vector<Served>& served = served_[z(edit.seat.layer)];
    const std::size_t experts = placement_[z(edit.seat.layer)].size();
    for (std::size_t t = 0; t < was.served.size(); ++t) {
      Served& now = served[t * experts + z(edit.seat.expert)];
      if (hosting_->limited() && now.server != was.served[t].server) {
        const double share = hosting_->inclusion(z(edit.seat.layer))[z(edit.seat.expert)];
        carry(static_cast<std::int32_t>(t), now.server, -share);
        carry(static_cast<std::int32_t>(t), was.served[t].server, share);
      }
      now = was.served[t];
    }
    layer_s_[z(edit.seat.layer)] = was.layer_s;
    slot_s_[z(edit.seat.layer)] = was.slot_s;
  }
  excess_ = excess_before_;
}

/// A change by chance, in edits_; false where it cannot be.
bool HostSearch::some() {
  const auto below = [&](std::size_t count) {
    return static_cast<std::size_t>(random_.below(static_cast<std::uint32_t>(count)));
  };
  const Seat seat = experts_[below(experts_.size())];
  const std::vector<std::int32_t>& near = near_[z(seat.layer)];
  const std::size_t which = below(std::max(most_copies(seat), copies(seat).size()));
  const std::int32_t from = which < copies(seat).size() ? copies(seat)[which] : -1;
  const bool drop = from >= 0 && copies(seat).size() > 1 && below(4) == 0;
  const std::int32_t to = drop ? -1 : near[below(near.size())];
  return propose(seat, from, to, to >= 0 && !on_[z(to)].empty() ? below(on_[z(to)].size()) : 0);
}

/// A tenth of the changes that lose lose less; 0 where none does.
double HostSearch::first_temperature(core::StopToken& stop) {
  std::vector<double> losses;
  for (std::uint64_t i = 0; i < kStep && !stop.should_stop(work_); ++i) {
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
  double temperature = first_temperature(stop);
  if (temperature == 0.0) return;
  const double cooling = std::pow(kCooled, static_cast<double>(kStep) / static_cast<double>(changes));
  for (std::uint64_t i = 0; i < changes; ++i) {
    if (i % kStep == 0) {
      temperature *= cooling;
      offer();
    }
    if (stop.should_stop(work_)) return;
    if (!some()) continue;
    const double gain = apply();
    if (gain < 0.0 && random_.uniform() >= std::exp(gain / temperature)) undo();
  }
  offer();
}

/// Every change of one expert, taken where it gains.
bool HostSearch::all_from(Seat seat, core::StopToken& stop) {
  bool found = false;
  const std::size_t most = most_copies(seat);
  const double least = 1e-12 * (value() + 1e-300);
  const auto attempt = [&](std::int32_t from, std::int32_t to, std::size_t occupant) {
    if (stop.should_stop(work_) || !propose(seat, from, to, occupant)) return false;
    if (apply() > least) {
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
  // A swap passes through placements that may cost far more than both its ends, so that what it seems to gain
  // may be rounding, and once more when it is swapped back: a round has to gain by sums made anew.
  bool found = true;
  while (found && !stop.should_stop()) {
    const double before_s = value();
    found = false;
    for (const Seat seat : experts_) found = all_from(seat, stop) || found;
    offer();
    found = found && value() < before_s - 1e-12 * std::abs(before_s);
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
