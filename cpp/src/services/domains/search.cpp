#include <algorithm>

#include "constellm/core/index.hpp"
#include "constellm/services/domains/domains.hpp"

namespace constellm::services::domains {
namespace {

using core::z;

/// About what conclusions from one node take, for the stop token.
constexpr std::uint64_t kProbeWork = 200;

struct Searcher {
  const Rules& rules;
  double cost_limit;
  std::int64_t most;
  core::StopToken& stop;
  Outcome outcome;

  /// Whether all below was seen.
  bool visit(const Domains& domains) {
    if (outcome.branches >= most || stop.should_stop(kProbeWork)) return false;
    ++outcome.branches;
    const std::vector<std::int32_t> group = smallest(domains);
    if (group.empty()) {
      judge(domains);
      return true;
    }
    for (const std::int32_t v : nearest_first(domains, group)) {
      Domains tried = domains;
      if (!rules.assign(tried, group, v)) continue;
      if (!visit(tried)) return false;
      if (outcome.is_found) return true;
    }
    return true;
  }

  /// The open group with the fewest nodes; of these with the most slots.
  [[nodiscard]] std::vector<std::int32_t> smallest(const Domains& domains) const {
    std::vector<std::int32_t> best;
    for (const std::vector<std::int32_t>& group : rules.groups(domains)) {
      const std::int32_t count = domains.count[z(group[0])];
      if (count == 1) continue;
      const std::int32_t least = best.empty() ? 0 : domains.count[z(best[0])];
      if (best.empty() || count < least || (count == least && group.size() > best.size())) best = group;
    }
    return best;
  }

  /// By the room that a node leaves the tasks.
  [[nodiscard]] std::vector<std::int32_t> nearest_first(const Domains& domains,
                                                        const std::vector<std::int32_t>& group) const {
    std::vector<std::pair<double, std::int32_t>> order;
    for (std::int32_t v = 0; v < rules.node_count(); ++v) {
      if (domains.allowed[rules.at(group[0], v)] == 0) continue;
      double through_s = 0.0;
      for (const std::int32_t k : group)
        through_s += domains.head_s[rules.at(k, v)] + domains.tail_s[rules.at(k, v)];
      order.emplace_back(through_s, v);
    }
    std::sort(order.begin(), order.end());
    std::vector<std::int32_t> nodes;
    for (const auto& [_, v] : order) nodes.push_back(v);
    return nodes;
  }

  void judge(const Domains& domains) {
    Placement placement = rules.placement(domains);
    const Evaluation found = evaluate(rules.problem(), rules.routes(), placement);
    if (found.cost > cost_limit * kLimitRoom ||
        !keeps_limits(rules.problem(), rules.routes(), placement, found))
      return;
    outcome.is_found = true;
    outcome.placement = std::move(placement);
  }
};

}  // namespace

bool shave(const Rules& rules, Domains& domains, core::StopToken& stop) {
  if (!rules.conclude(domains)) return false;
  for (bool is_open = true; is_open;) {
    is_open = false;
    // Services that get one replica meanwhile are grouped in the next pass.
    for (const std::vector<std::int32_t>& group : rules.groups(domains)) {
      for (std::int32_t v = 0; v < rules.node_count(); ++v) {
        if (domains.allowed[rules.at(group[0], v)] == 0 || domains.count[z(group[0])] == 1) continue;
        if (stop.should_stop(kProbeWork)) return true;
        Domains tried = domains;
        if (rules.assign(tried, group, v)) continue;
        is_open = true;
        if (!rules.remove(domains, group, v)) return false;
      }
    }
  }
  return true;
}

Outcome search(const Rules& rules, const Domains& domains, double cost_limit, std::int64_t most,
               core::StopToken& stop) {
  Searcher searcher{rules, cost_limit, most, stop, {}};
  searcher.outcome.is_complete = searcher.visit(domains);
  return std::move(searcher.outcome);
}

}  // namespace constellm::services::domains
