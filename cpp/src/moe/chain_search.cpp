#include "constellm/moe/chain_search.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

ChainSearch::ChainSearch(const Chain& chain, std::vector<std::vector<ChainBound::Charge>> charges,
                         std::vector<std::int32_t> best, double best_s, double slack_s)
    : chain_(chain),
      charges_(std::move(charges)),
      nearest_(nearest_satellites(chain)),
      room_(chain.places().begin(), chain.places().end()),
      hosts_(chain.experts(), -1),
      best_(std::move(best)),
      best_s_(best_s),
      slack_s_(slack_s),
      levels_(chain.experts() + 1) {}

bool ChainSearch::ended(core::StopToken& stop, std::uint64_t work) {
  work_ += work;
  return work_ > most_work_ || stop.should_stop(work);
}

double ChainSearch::run(std::uint64_t most_work, core::StopToken& stop) {
  most_work_ = most_work;
  return node(0, 0.0, stop);
}

/// What each expert that is left costs at least on each satellite that has room.
void ChainSearch::fill(Level& level) {
  const std::size_t satellites = chain_.satellites();
  level.rows.clear();
  for (std::int32_t e = 0; z(e) < hosts_.size(); ++e)
    if (hosts_[z(e)] < 0) level.rows.push_back(e);
  level.cost_s.assign(level.rows.size() * satellites, kNever);
  const std::size_t of_place = partners_of_place(chain_);
  const std::size_t most = level.rows.size() * of_place;
  for (std::int32_t a = 0; z(a) < satellites; ++a) {
    if (room_[z(a)] == 0) continue;
    near_s_.clear();
    for (std::size_t n = 0; n < satellites && near_s_.size() < most; ++n) {
      const std::int32_t b = nearest_[z(a) * satellites + n];
      const std::size_t places = z(room_[z(b)] - (b == a ? 1 : 0)) * of_place;
      near_s_.insert(near_s_.end(), std::min(places, most - near_s_.size()), chain_.nearer_s(a, b));
    }
    for (std::size_t r = 0; r < level.rows.size(); ++r) {
      const std::int32_t e = level.rows[r];
      double cost_s = chain_.beside_s(e, a, hosts_);
      std::size_t k = 0;
      for (const ChainBound::Charge& charge : charges_[z(e)])
        if (hosts_[z(charge.partner)] < 0) cost_s += charge.affinity * near_s_[k++];
      level.cost_s[r * satellites + z(a)] = cost_s;
    }
  }
}

/// The assignment of a node is a placement: the best so far?
void ChainSearch::take(const Level& level) {
  for (std::size_t r = 0; r < level.rows.size(); ++r)
    hosts_[z(level.rows[r])] = level.transport.column_of_row()[r];
  if (const double value_s = chain_.token_latency_s(hosts_); value_s < best_s_) {
    best_s_ = value_s;
    best_ = hosts_;
  }
  for (const std::int32_t e : level.rows) hosts_[z(e)] = -1;
}

std::size_t ChainSearch::fewest_left(const Level& level, double bound_s) const {
  const std::size_t satellites = chain_.satellites();
  std::size_t found = 0;
  std::size_t fewest = satellites + 1;
  for (std::size_t r = 0; r < level.rows.size(); ++r) {
    std::size_t left = 0;
    for (std::size_t s = 0; s < satellites; ++s) {
      const double child_s = bound_s + level.transport.reduced(r, s, level.cost_s[r * satellites + s]);
      if (child_s < best_s_ - slack_s_) ++left;
    }
    if (left >= fewest) continue;
    fewest = left;
    found = r;
  }
  return found;
}

double ChainSearch::node(std::size_t depth, double placed_s, core::StopToken& stop) {
  ++nodes_;
  Level& level = levels_[depth];
  fill(level);
  const std::size_t satellites = chain_.satellites();
  if (level.rows.empty()) {
    take(level);
    return placed_s;
  }
  if (ended(stop, level.rows.size() * satellites)) return placed_s;
  try {
    if (!level.transport.solve(level.rows.size(), room_, level.cost_s, stop)) return kNever;
  } catch (const core::Stopped&) {
    return placed_s;
  }
  take(level);
  const double bound_s = placed_s + level.transport.value();
  if (bound_s >= best_s_ - slack_s_) return bound_s;

  const std::size_t branch = fewest_left(level, bound_s);
  level.children.clear();
  for (std::size_t s = 0; s < satellites; ++s) {
    const double reduced_s = level.transport.reduced(branch, s, level.cost_s[branch * satellites + s]);
    if (reduced_s < kNever)
      level.children.push_back({static_cast<std::int32_t>(s), bound_s + std::max(reduced_s, 0.0)});
  }
  std::sort(level.children.begin(), level.children.end(), [](const Child& a, const Child& b) {
    return a.bound_s < b.bound_s || (a.bound_s == b.bound_s && a.satellite < b.satellite);
  });

  double least_s = kNever;
  const std::int32_t expert = level.rows[branch];
  for (std::size_t c = 0; c < level.children.size(); ++c) {
    const Child child = level.children[c];
    if (child.bound_s >= best_s_ - slack_s_ || ended(stop, 0)) {
      least_s = std::min(least_s, child.bound_s);  // and of all behind it
      break;
    }
    const double here_s = placed_s + chain_.beside_s(expert, child.satellite, hosts_);
    hosts_[z(expert)] = child.satellite;
    --room_[z(child.satellite)];
    least_s = std::min(least_s, std::max(node(depth + 1, here_s, stop), child.bound_s));
    ++room_[z(child.satellite)];
    hosts_[z(expert)] = -1;
  }
  return std::max(least_s, bound_s);
}

}  // namespace constellm::moe
