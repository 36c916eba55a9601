#include "constellm/moe/solve_chain.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/moe/chain_bound.hpp"
#include "constellm/moe/chain_exchange.hpp"
#include "constellm/moe/chain_layers.hpp"
#include "constellm/moe/chain_search.hpp"

namespace constellm::moe {
namespace {

using core::z;
/// A gap that is called optimal, and one that is rounding; relative.
constexpr double kProven = 1e-9;
constexpr double kRounding = 1e-12;

/// The best of what was found.
class Incumbent {
 public:
  Incumbent(const Chain& chain, std::vector<std::int32_t> hosts)
      : chain_(chain), hosts_(std::move(hosts)), value_s_(chain.token_latency_s(hosts_)) {}

  /// Hosts, or none.
  void offer(const std::vector<std::int32_t>& hosts) {
    if (hosts.empty()) return;
    const double value_s = chain_.token_latency_s(hosts);
    if (value_s >= value_s_) return;
    hosts_ = hosts;
    value_s_ = value_s;
  }
  [[nodiscard]] const std::vector<std::int32_t>& hosts() const { return hosts_; }
  [[nodiscard]] double value_s() const { return value_s_; }

 private:
  const Chain& chain_;
  std::vector<std::int32_t> hosts_;
  double value_s_;
};

/// Any placement, satellite by satellite; there are enough places.
std::vector<std::int32_t> any_hosts(const Chain& chain) {
  std::vector<std::int32_t> hosts;
  for (std::int32_t s = 0; hosts.size() < chain.experts(); ++s)
    hosts.insert(hosts.end(), std::min(z(chain.places()[z(s)]), chain.experts() - hosts.size()), s);
  return hosts;
}

void improve(const Chain& chain, Incumbent& best, std::uint64_t seed, core::StopToken& stop) {
  // One long annealing finds more than several short ones; small chains have time for both.
  constexpr std::uint64_t kChangesOfExpert = 20'000;
  const std::uint64_t rounds = chain.experts() < 256 ? 4 : 1;
  for (std::uint64_t round = 0; round < rounds && !stop.should_stop(0); ++round) {
    ChainExchange search(chain, best.hosts(), seed * rounds + round);
    search.anneal(kChangesOfExpert * chain.experts(), stop);
    search.descend(stop);
    std::vector<std::int32_t> hosts = search.hosts();
    alternate(chain, hosts, stop);
    best.offer(hosts);
  }
}

}  // namespace

ChainPlan solve_chain(const Chain& chain, std::uint64_t seed, core::StopToken& stop) {
  ChainPlan plan;
  const double places =
      std::accumulate(chain.places().begin(), chain.places().end(), 0.0);  // may leave the range of integers
  if (places < static_cast<double>(chain.experts())) return plan;

  Incumbent best(chain, any_hosts(chain));
  ChainBound bound(chain);
  bound.start(stop);
  if (!bound.hosts().empty()) {
    best.offer(bound.hosts());
    best.offer(successive_placement(chain, bound.cost_s(), stop));
  }
  plan.lower_bound_s = bound.bound_s();
  const auto proven = [&] { return plan.lower_bound_s >= best.value_s() * (1.0 - kProven); };

  // Trees of more would take more memory than is worth it, and are never done.
  constexpr std::size_t kSmall = 1U << 12U;
  const bool small = chain.experts() * chain.satellites() <= kSmall;
  const auto search = [&](std::uint64_t most_work) {
    ChainSearch tree(chain, bound.charges(), best.hosts(), best.value_s(), 1e-11 * best.value_s());
    plan.lower_bound_s = std::max(plan.lower_bound_s, tree.run(most_work, stop));
    best.offer(tree.best());
    plan.nodes += tree.nodes();
  };
  // Small ones are proven in less time than annealing takes.
  if (small && !proven()) {
    std::vector<std::int32_t> hosts = best.hosts();
    alternate(chain, hosts, stop);
    best.offer(hosts);
    search(1'000'000);
  }
  if (!proven()) improve(chain, best, seed, stop);
  if (!proven()) {
    bound.raise(60, best.value_s(), stop);
    plan.lower_bound_s = std::max(plan.lower_bound_s, bound.bound_s());
  }
  if (small && !proven()) search(100'000'000);

  plan.hosts = best.hosts();
  plan.token_latency_s = best.value_s();
  if (plan.lower_bound_s >= plan.token_latency_s * (1.0 - kRounding))
    plan.lower_bound_s = plan.token_latency_s;
  if (proven()) {
    plan.status = core::Status::optimal;
  } else if (stop.reason() == core::StopReason::none) {
    plan.status = core::Status::feasible;
  } else {
    plan.status =
        stop.reason() == core::StopReason::interrupted ? core::Status::interrupted : core::Status::time_limit;
  }
  return plan;
}

}  // namespace constellm::moe
