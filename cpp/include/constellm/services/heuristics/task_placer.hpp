#pragma once
#include <cstdint>
#include <vector>

#include "constellm/services/heuristics/state.hpp"

namespace constellm::services::heuristics {

/// Places all stages of one task at once, by dynamic programming over the nodes that each may be on, given
/// what the other tasks have there: a replica that is there costs nothing more. Exact for chains of different
/// services, but for limits that several stages break together; where stages join, each way in is chosen by
/// itself, and a stage that feeds two others goes where the later one wants it. For one thread.
class TaskPlacer {
 public:
  explicit TaskPlacer(const Slots& slots, std::size_t width = 64);

  /// A replica that must not be used.
  struct Ban {
    std::int32_t service;
    std::int32_t node;
  };

  /// Takes the task out of `state` and puts it where it is cheapest, seconds dear enough to keep its deadline
  /// where that is found. Part of a change: `settle` stays to be called. False, and the task is out, where it
  /// has no way.
  bool place(State& state, std::int32_t task, Ban ban);
  bool place(State& state, std::int32_t task) { return place(state, task, {-1, -1}); }

  /// Slots that must not be on a node, kept until they are cleared.
  void forbid(std::int32_t slot, std::int32_t node) { forbidden_.push_back({slot, node}); }
  [[nodiscard]] bool forbids(std::int32_t slot, std::int32_t node) const;
  void allow_all() { forbidden_.clear(); }

 private:
  struct Label {
    double price, end_s, total;
  };
  void choose_nodes(const State& state, std::int32_t task, Ban ban);
  bool run(std::int32_t task, double per_second);

  const Slots* slots_;
  std::size_t width_;
  std::vector<std::vector<std::int32_t>> nodes_;  // [slots] tried now
  std::vector<std::vector<double>> own_;          // their prices
  std::vector<std::vector<Label>> labels_;
  std::vector<std::vector<std::int32_t>> best_from_;  // [transfers] by place of the target
  std::vector<std::int32_t> chosen_;                  // [slots] place among nodes_
  std::vector<std::uint8_t> listed_;
  std::vector<Ban> forbidden_;  // slot in place of a service
};

}  // namespace constellm::services::heuristics
