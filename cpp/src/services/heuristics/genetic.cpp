#include <algorithm>
#include <utility>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/services/heuristics/baselines.hpp"
#include "constellm/services/heuristics/construct.hpp"
#include "constellm/services/heuristics/incumbent.hpp"
#include "constellm/services/heuristics/moves.hpp"
#include "constellm/services/heuristics/state.hpp"

namespace constellm::services::heuristics {
namespace {

using core::z;

struct Individual {
  double energy;
  std::vector<std::int32_t> node_of;
};

class Population {
 public:
  Population(const Slots& slots, const GeneticOptions& options, core::StopToken& stop)
      : slots_(slots),
        options_(options),
        stop_(stop),
        random_(options.seed),
        state_(slots, scales_of(slots)),
        moves_(slots, random_),
        best_(slots) {}

  Answer run() {
    populate();
    std::int64_t generation = 0;
    while (generation < options_.generations && !stop_.should_stop()) {
      ++generation;
      std::vector<Individual> next(all_.begin(), all_.begin() + std::min<std::ptrdiff_t>(2, size()));
      while (next.size() < all_.size()) {
        if (stop_.should_stop(2000)) return best_.answer(generation, stop_);
        next.push_back(child(tournament(), tournament()));
      }
      all_ = std::move(next);
      rank();
      // Limits that the best breaks weigh more from now on, for all.
      state_.set(all_.front().node_of);
      state_.reweigh();
      for (Individual& one : all_) {
        state_.set(one.node_of);
        one.energy = state_.energy();
      }
      rank();
    }
    return best_.answer(generation, stop_);
  }

 private:
  [[nodiscard]] std::ptrdiff_t size() const { return static_cast<std::ptrdiff_t>(all_.size()); }

  void populate() {
    std::vector<std::int32_t> order = heaviest_first(slots_);
    const std::vector<std::int32_t> empty(z(slots_.count()), -1);
    for (int i = 0; i < std::max(options_.population, 2); ++i) {
      if (stop_.should_stop(5000)) break;
      state_.set(empty);
      if (i % 2 == 0) {  // half of them built in some order, half at random
        construct(state_, moves_.placer(), order);
      } else {
        for (std::int32_t t = 0; t < slots_.task_count(); ++t) {
          if (!slots_.placeable(t)) continue;
          for (std::int32_t k = slots_.first(t); k < slots_.end(t); ++k)
            state_.place(k, moves_.some_node(state_, k));
        }
        state_.settle();
        state_.keep();
      }
      add(all_);
      for (std::size_t j = order.size(); j > 1; --j)
        std::swap(order[j - 1], order[random_.below(static_cast<std::uint32_t>(j))]);
    }
    rank();
  }

  void add(std::vector<Individual>& to) {
    best_.offer(state_);
    to.push_back({state_.energy(), {state_.node_of().begin(), state_.node_of().end()}});
  }

  void rank() {
    std::stable_sort(all_.begin(), all_.end(),
                     [](const Individual& a, const Individual& b) { return a.energy < b.energy; });
  }

  const Individual& tournament() {
    std::uint32_t least = static_cast<std::uint32_t>(all_.size());
    for (int i = 0; i < 3; ++i)
      least = std::min(least, random_.below(static_cast<std::uint32_t>(all_.size())));
    return all_[least];
  }

  Individual child(const Individual& one, const Individual& other) {
    std::vector<std::int32_t> node_of = one.node_of;
    for (std::int32_t t = 0; t < slots_.task_count(); ++t) {
      if (random_.uniform() < 0.5) continue;
      std::copy(other.node_of.begin() + slots_.first(t), other.node_of.begin() + slots_.end(t),
                node_of.begin() + slots_.first(t));
    }
    state_.set(node_of);
    mutate();
    repair();
    std::vector<Individual> made;
    add(made);
    return std::move(made.front());
  }

  /// One slot on average, now and then a whole task or replica.
  void mutate() {
    for (std::int32_t k = 0; k < slots_.count(); ++k) {
      if (state_.node(k) < 0 || random_.below(static_cast<std::uint32_t>(slots_.count())) != 0) continue;
      state_.place(k, moves_.some_node(state_, k));
    }
    state_.settle();
    state_.keep();
    std::uint64_t work = 0;
    if (moves_.some(state_, work)) {
      state_.settle();
      state_.keep();
    } else {
      state_.undo();
    }
  }

  /// Tasks on nodes with too much, or too late, are placed anew where that helps.
  void repair() {
    for (std::int32_t t = 0; t < slots_.task_count() && state_.broken() > 0; ++t) {
      if (!slots_.placeable(t)) continue;
      bool broken = !state_.admitted(t) || state_.delay_s(t) > slots_.problem().deadline_limit_s(t);
      for (std::int32_t k = slots_.first(t); !broken && k < slots_.end(t); ++k)
        broken = state_.node_broken(state_.node(k));
      if (!broken) continue;
      const double before = state_.energy();
      if (moves_.placer().place(state_, t) && state_.settle() < before)
        state_.keep();
      else
        state_.undo();
    }
  }

  const Slots& slots_;
  GeneticOptions options_;
  core::StopToken& stop_;
  core::Random random_;
  State state_;
  Moves moves_;
  Incumbent best_;
  std::vector<Individual> all_;
};

}  // namespace

Answer genetic(const Slots& slots, const GeneticOptions& options, core::StopToken& stop) {
  return Population(slots, options, stop).run();
}

}  // namespace constellm::services::heuristics
