#include <algorithm>
#include <limits>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/services/heuristics/baselines.hpp"
#include "constellm/services/heuristics/construct.hpp"
#include "constellm/services/heuristics/incumbent.hpp"
#include "constellm/services/heuristics/state.hpp"
#include "constellm/services/heuristics/task_placer.hpp"

namespace constellm::services::heuristics {
namespace {

using core::z;
constexpr std::size_t kNearest = 64;  // nodes that a slot is tried on, beside those with a replica

class Tabu {
 public:
  Tabu(const Slots& slots, const TabuOptions& options, core::StopToken& stop)
      : slots_(slots),
        options_(options),
        stop_(stop),
        nodes_(z(slots.problem().node_count())),
        tenure_(5 + static_cast<std::uint32_t>(slots.count()) / 4),
        random_(options.seed),
        state_(slots, scales_of(slots)),
        placer_(slots),
        best_(slots),
        until_(z(slots.count()) * nodes_, 0),
        task_until_(z(slots.task_count()), 0) {}

  Answer run() {
    construct(state_, placer_, heaviest_first(slots_));
    best_.offer(state_);
    while (tried_ < options_.moves) {
      ++step_;
      const std::int64_t before = tried_;
      chosen_ = {};
      for (std::int32_t k = 0; k < slots_.count(); ++k) try_slot(k);
      if (slots_.problem().objective() == Objective::admitted) {
        for (std::int32_t t = 0; t < slots_.task_count(); ++t) try_task(t);
      }
      if (stop_.reason() != core::StopReason::none || tried_ == before) break;
      make();
      best_.offer(state_);
      state_.reweigh();
    }
    return best_.answer(tried_, stop_);
  }

 private:
  struct Move {
    double energy = std::numeric_limits<double>::infinity();
    std::int32_t task = -1;  // that goes in or out, where it is no slot's move
    std::int32_t slot = -1, node = -1;
  };

  /// Of a change that is placed; takes it back.
  void consider(bool is_tabu, Move move) {
    move.energy = state_.settle();
    const bool is_best = state_.broken() == 0 && (!best_.found() || state_.first() < best_.first());
    state_.undo();
    if (move.energy < chosen_.energy && (!is_tabu || is_best)) chosen_ = move;
  }

  void try_slot(std::int32_t slot) {
    if (state_.node(slot) < 0) return;
    list_nodes(slot);
    for (const std::int32_t v : listed_) {
      if (v == state_.node(slot)) continue;
      ++tried_;
      if (stop_.should_stop(5)) return;
      state_.place(slot, v);
      consider(until_[z(slot) * nodes_ + z(v)] >= step_, {.slot = slot, .node = v});
    }
  }

  void try_task(std::int32_t task) {
    if (!slots_.placeable(task) || stop_.should_stop(500)) return;
    ++tried_;
    if (flip(task))
      consider(task_until_[z(task)] >= step_, {.task = task});
    else
      state_.undo();
  }

  /// Takes a task in or out.
  bool flip(std::int32_t task) {
    if (!state_.admitted(task)) return placer_.place(state_, task);
    for (std::int32_t k = slots_.first(task); k < slots_.end(task); ++k) state_.place(k, -1);
    return true;
  }

  void make() {
    const std::int64_t until = step_ + tenure_ + random_.below(tenure_);
    if (chosen_.task >= 0) {
      task_until_[z(chosen_.task)] = until;
      flip(chosen_.task);
    } else if (chosen_.slot >= 0) {
      until_[z(chosen_.slot) * nodes_ + z(state_.node(chosen_.slot))] = until;
      state_.place(chosen_.slot, chosen_.node);
    }
    state_.settle();
    state_.keep();
  }

  /// Replicas of its service, and the nodes that are best for its task alone.
  void list_nodes(std::int32_t slot) {
    const std::vector<std::int32_t>& all = slots_.candidates(slot);
    const std::size_t count = std::min(all.size(), kNearest);
    listed_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    if (count == all.size()) return;
    for (const std::int32_t k : slots_.of_service(slots_.service(slot))) {
      const std::int32_t v = state_.node(k);
      if (v >= 0 && slots_.may_host(slot, v) && std::find(listed_.begin(), listed_.end(), v) == listed_.end())
        listed_.push_back(v);
    }
  }

  const Slots& slots_;
  TabuOptions options_;
  core::StopToken& stop_;
  std::size_t nodes_;
  std::uint32_t tenure_;
  core::Random random_;
  State state_;
  TaskPlacer placer_;
  Incumbent best_;
  std::vector<std::int64_t> until_;       // [slots, nodes] the step from which a slot may be there again
  std::vector<std::int64_t> task_until_;  // [tasks]
  std::vector<std::int32_t> listed_;
  std::int64_t step_ = 0, tried_ = 0;
  Move chosen_;
};

}  // namespace

Answer tabu(const Slots& slots, const TabuOptions& options, core::StopToken& stop) {
  return Tabu(slots, options, stop).run();
}

}  // namespace constellm::services::heuristics
