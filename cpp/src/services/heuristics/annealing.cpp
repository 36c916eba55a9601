#include "constellm/services/heuristics/annealing.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include "constellm/core/parallel.hpp"
#include "constellm/core/random.hpp"
#include "constellm/services/heuristics/baselines.hpp"
#include "constellm/services/heuristics/construct.hpp"
#include "constellm/services/heuristics/incumbent.hpp"
#include "constellm/services/heuristics/moves.hpp"

namespace constellm::services::heuristics {
namespace {

using core::z;

constexpr double kHot = 1.0;   // in units of the scales: a whole replica or task
constexpr double kWarm = 0.2;  // of reheats
constexpr double kCold = 5e-4;
constexpr std::int64_t kRounds = 4;      // of a chain
constexpr std::int64_t kStep = 256;      // moves at one temperature and one weight of limits
constexpr std::int64_t kExact = 65'536;  // moves after which sums are made anew

/// Chains differ in how dear broken limits are too: hard problems want it otherwise than easy ones.
Scales scales_of_chain(const Slots& slots, int chain) {
  constexpr std::array<double, 3> kDear{1.0, 0.4, 2.5};
  Scales scales = scales_of(slots);
  scales.penalty *= kDear[static_cast<std::size_t>(chain) % kDear.size()];
  return scales;
}

class Chain {
 public:
  Chain(const Slots& slots, std::uint64_t seed, int number, std::int64_t moves, core::StopToken& stop,
        const std::atomic<bool>& ended)
      : slots_(slots),
        random_(core::mixed(seed + 1) + static_cast<std::uint64_t>(number)),
        moves_left_(moves),
        stop_(stop),
        ended_(ended),
        state_(slots, scales_of_chain(slots, number)),
        moves_(slots, random_),
        best_(slots) {}

  void run(const Placement* start, bool greedy) {
    begin(start, greedy);
    const std::int64_t round = std::max<std::int64_t>(moves_left_ / kRounds, 10 * kStep);
    for (bool again = false; moves_left_ > 0; again = true) {
      cool(again && best_.found() ? kWarm : kHot, std::min(round, moves_left_));
      if (stopped_) return;
      polish();
      if (best_.found()) state_.set(best_.node_of());
    }
  }

  [[nodiscard]] const Incumbent& best() const { return best_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }

 private:
  void begin(const Placement* start, bool greedy) {
    if (start != nullptr) state_.set(usable(*start));
    std::vector<std::int32_t> order = heaviest_first(slots_);
    if (!greedy) {
      for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[random_.below(static_cast<std::uint32_t>(i))]);
    }
    std::erase_if(order, [&](std::int32_t t) { return state_.admitted(t); });
    construct(state_, moves_.placer(), order);
    best_.offer(state_);
  }

  /// Tasks on nodes that are no candidates are placed anew.
  std::vector<std::int32_t> usable(const Placement& start) const {
    std::vector<std::int32_t> node_of = slots_.nodes_of(start.assignment);
    for (std::int32_t t = 0; t < slots_.task_count(); ++t) {
      bool usable = node_of[z(slots_.first(t))] >= 0;
      for (std::int32_t k = slots_.first(t); usable && k < slots_.end(t); ++k)
        usable = slots_.may_host(k, node_of[z(k)]);
      if (!usable) std::fill(node_of.begin() + slots_.first(t), node_of.begin() + slots_.end(t), -1);
    }
    return node_of;
  }

  void cool(double hot, std::int64_t moves) {
    double temperature = hot;
    const double cooling = std::pow(kCold / hot, static_cast<double>(kStep) / static_cast<double>(moves));
    double energy = state_.energy();
    for (std::int64_t i = 0; i < moves; ++i) {
      if (i % kStep == 0) {
        temperature *= cooling;
        if (i % kExact == 0) state_.set(state_.node_of());
        state_.reweigh();
        energy = state_.energy();
      }
      std::uint64_t work = 0;
      const bool moved = moves_.some(state_, work);
      ++steps_;
      --moves_left_;
      if (stop_.should_stop(work) || ended_) {
        state_.undo();
        stopped_ = true;
        return;
      }
      if (!moved) {
        state_.undo();
        continue;
      }
      const double after = state_.settle();
      if (after > energy && random_.uniform() >= std::exp((energy - after) / temperature)) {
        state_.undo();
        continue;
      }
      state_.keep();
      energy = after;
      if (state_.broken() == 0 && best_.offer(state_)) continue;
      energy = state_.energy();
    }
  }

  /// Under limits that outweigh the objective: what is broken is mended first, and what is kept stays so.
  void polish() {
    constexpr double kFirm = 1e3;
    const std::vector<double> learned = state_.weights();
    state_.weigh(std::vector<double>(learned.size(), kFirm * state_.scales().penalty));
    descend_and_offer();
    if (best_.found()) {
      state_.set(best_.node_of());
      descend_and_offer();
    }
    state_.weigh(learned);
  }

  void descend_and_offer() {
    steps_ += descend(state_, moves_.placer(), stop_);
    best_.offer(state_);
  }

  const Slots& slots_;
  core::Random random_;
  std::int64_t moves_left_;
  core::StopToken& stop_;
  const std::atomic<bool>& ended_;
  State state_;
  Moves moves_;
  Incumbent best_;
  std::int64_t steps_ = 0;
  bool stopped_ = false;
};

}  // namespace

Answer anneal(const Slots& slots, const AnnealingOptions& options, core::StopToken& stop,
              const Placement* start) {
  Incumbent best(slots);
  for (std::int32_t t = 0; t < slots.task_count(); ++t) {
    if (slots.problem().objective() != Objective::admitted && !slots.placeable(t))
      return best.answer(0, stop);
  }
  const int chains = std::max(options.chains, 1);
  std::vector<Incumbent> found(z(chains), Incumbent(slots));
  std::vector<std::int64_t> steps(z(chains), 0);
  std::vector<core::StopToken> stops(z(chains), stop);
  std::atomic<bool> ended{false};
  const auto worker = [&] {
    return [&](std::size_t i) {
      const int number = static_cast<int>(i);
      Chain chain(slots, options.seed, number, options.moves / chains, stops[i], ended);
      chain.run(number == 0 ? start : nullptr, number == 0);
      if (stops[i].reason() == core::StopReason::interrupted) ended = true;
      found[i] = chain.best();
      steps[i] = chain.steps();
    };
  };
  core::parallel_for(z(chains), options.threads, worker, [&] { return ended.load(); });
  for (std::size_t i = 0; i < found.size(); ++i) {  // in this order whatever thread it was
    stop.take_interrupt_from(stops[i]);
    best.offer(found[i]);
  }
  if (!best.found() && stop.reason() == core::StopReason::none) {
    const Answer simple = greedy(slots, stop);
    if (simple.status == core::Status::feasible) {
      Chain chain(slots, options.seed, chains, options.moves / chains, stop, ended);
      chain.run(&simple.placement, false);
      best.offer(chain.best());
      steps.push_back(chain.steps());
    }
  }
  return best.answer(std::accumulate(steps.begin(), steps.end(), std::int64_t{0}), stop);
}

Answer anneal(const Problem& problem, const Routes& routes, const AnnealingOptions& options,
              core::StopToken& stop, const Placement* start) {
  return with_slots(problem, routes, stop, [&](const Slots& slots, core::StopToken& token) {
    return anneal(slots, options, token, start);
  });
}

std::int64_t moves_worth(const Slots& slots) {
  constexpr std::int64_t kOfAPair = 1'000, kOfASlot = 50'000;
  const std::int64_t count = slots.count();
  return std::min(kOfAPair * count * count, kOfASlot * count);
}

}  // namespace constellm::services::heuristics
