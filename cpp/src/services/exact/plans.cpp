#include "constellm/services/exact/plans.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/core/random.hpp"
#include "constellm/services/exact/root.hpp"
#include "constellm/services/exact/tree.hpp"
#include "constellm/services/heuristics/annealing.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

constexpr std::int64_t kMovesOfASlot = 40'000;     // of annealing
constexpr std::int64_t kFewMovesOfASlot = 10'000;  // of a start more
constexpr std::uint64_t kStarts = 4;
constexpr std::int32_t kSteps = 400;     // of the bound of two tasks
constexpr std::int64_t kNodes = 30;      // of their tree
constexpr std::size_t kMostPairs = 200;  // one after the other without a better plan
constexpr std::int32_t kLeastTasks = 3;  // two of two are the whole problem

void offer_annealed(const heuristics::Slots& slots, const heuristics::AnnealingOptions& options,
                    const Placement* start, Incumbent& incumbent, core::StopToken& stop) {
  const Answer found = heuristics::anneal(slots, options, stop, start);
  if (!found.placement.assignment.empty()) incumbent.offer(found.placement);
}

/// Two tasks at a time, until no two can be placed better.
class Exchange {
 public:
  Exchange(const Root& root, core::StopToken& stop) : root_(root), hosts_(root.hosts()), stop_(stop) {
    const auto tasks = static_cast<std::int32_t>(root.problem.tasks().size());
    for (std::int32_t a = 0; a < tasks; ++a)
      for (std::int32_t b = a + 1; b < tasks; ++b) pairs_.emplace_back(a, b);
  }

  void run(Incumbent& incumbent) {
    core::Random random(1);
    for (std::size_t i = pairs_.size(); i > 1; --i)
      std::swap(pairs_[i - 1], pairs_[random.below(static_cast<std::uint32_t>(i))]);
    const std::size_t enough = std::min(pairs_.size(), kMostPairs);
    std::size_t failed = 0;
    for (std::size_t i = 0; failed < enough && stop_.reason() == core::StopReason::none;
         i = (i + 1) % pairs_.size()) {
      const double before = incumbent.of(root_.aim);
      place_anew(pairs_[i].first, pairs_[i].second, incumbent);
      failed = incumbent.of(root_.aim) < before ? 1 : failed + 1;
    }
  }

 private:
  void place_anew(std::int32_t a, std::int32_t b, Incumbent& incumbent) {
    Hosts hosts;
    const Assignment& assignment = incumbent.placement().assignment;
    for (std::int32_t t = 0; z(t) < assignment.size(); ++t)
      for (std::size_t k = 0; k < root_.problem.tasks()[z(t)].stages.size(); ++k) {
        const bool is_free = t == a || t == b;
        if (is_free)
          hosts.push_back(hosts_[hosts.size()]);
        else if (assignment[z(t)].empty())
          hosts.emplace_back();
        else
          hosts.push_back({assignment[z(t)][k]});
      }
    Root root(root_.problem, root_.routes, root_.aim, hosts);
    if (root.tighten(kSteps, incumbent, true, stop_)) branch(root, incumbent, stop_, kNodes);
  }

  const Root& root_;
  const Hosts hosts_;
  core::StopToken& stop_;
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs_;
};

}  // namespace

void anneal(const Root& root, Incumbent& incumbent, core::StopToken& stop) {
  core::StopToken half = stop.with_half_the_time();
  try {
    const heuristics::Slots slots(root.problem, root.routes, half);
    heuristics::AnnealingOptions options;
    options.moves = kMovesOfASlot * static_cast<std::int64_t>(slots.count());
    offer_annealed(slots, options, incumbent.exists() ? &incumbent.placement() : nullptr, incumbent, half);
  } catch (const core::Stopped&) {  // without a plan then
  }
  stop.take_interrupt_from(half);
}

void improve(const Root& root, Incumbent& incumbent, core::StopToken& stop) {
  if (static_cast<std::int32_t>(root.problem.tasks().size()) < kLeastTasks) return;
  core::StopToken half = stop.with_half_the_time();
  const auto is_over = [&] {
    return root.bound() > root.upper(incumbent, true) || half.reason() != core::StopReason::none;
  };
  try {
    Exchange exchange(root, half);
    if (incumbent.exists()) exchange.run(incumbent);
    const heuristics::Slots slots(root.problem, root.routes, half);
    heuristics::AnnealingOptions options;
    options.moves = kFewMovesOfASlot * static_cast<std::int64_t>(slots.count());
    options.chains = 1;
    for (options.seed = 1; options.seed <= kStarts && !is_over(); ++options.seed) {
      Incumbent other(root.problem, root.routes);
      offer_annealed(slots, options, nullptr, other, half);
      if (!other.exists()) continue;
      exchange.run(other);
      incumbent.offer(other.placement());
    }
  } catch (const core::Stopped&) {  // with what there is
  }
  stop.take_interrupt_from(half);
}

}  // namespace constellm::services::exact
