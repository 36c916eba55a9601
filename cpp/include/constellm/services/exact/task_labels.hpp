#pragma once
#include <cstdint>
#include <vector>

#include "constellm/services/exact/task_paths.hpp"

namespace constellm::services::exact {

/// The cheapest places of one task's slots with joins and the deadline as they are, by label setting: a label
/// of a slot at a place is a price and an end, and one that is both dearer and later than another of its
/// place goes. Labels also go where the least that can follow is too late or, by the bound of TaskPaths, too
/// dear. Second ways out of a slot stay relaxed.
class TaskLabels {
 public:
  explicit TaskLabels(const Model& model);

  /// Whether the task's delay is more than a sum: slots with several ways in.
  [[nodiscard]] bool joins(std::int32_t task) const { return joins_[static_cast<std::size_t>(task)] != 0; }

  /// The least Σ price + second · delay within the deadline, and its places; infinite where there is none.
  /// `paths` has just solved the same with through(), its seconds dearer by a price of lateness, `late` for
  /// all of the deadline; `enough`: of a choice that is known, or infinite. Also infinite above a fixed
  /// number of labels.
  double solve(const State& state, const Times& times, std::int32_t task, const PathPrices& prices,
               const TaskPaths& paths, double enough, double late, std::int32_t* places);
  /// Whether the last solve has seen all labels that count, and not too many.
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  struct Label {
    double price = 0.0;
    double end_s = 0.0;  // of the slot; of an arrival: there
    std::int32_t back =
        -1;  // where its labels of the slots before are listed, one for each way that is coupled
  };

  void at_place(const Times& times, std::int32_t slot, std::int32_t place, const PathPrices& prices,
                const TaskPaths& paths);
  void arrivals(std::int32_t way, std::int32_t place, double floor_s, const TaskPaths& paths, double rest);
  void join(std::int32_t inputs);
  void trace(std::int32_t task, std::int32_t label, std::int32_t* places) const;

  const Model& model_;
  std::vector<std::uint8_t> joins_;  // [tasks]
  std::vector<std::uint8_t> timed_;  // [slots] a join comes after it: its end matters by itself
  std::vector<Label> labels_;
  std::vector<std::int32_t> first_label_;  // [places]
  std::vector<std::int32_t> end_label_;
  std::vector<std::int32_t> back_;
  std::vector<Label> come_, joined_, both_;
  std::vector<std::int32_t> chain_;  // of the labels that are joined, `width_` each
  std::vector<std::int32_t> next_chain_;
  double limit_s_ = kNone;
  double enough_ = kNone;
  double second_ = 0.0;
  bool complete_ = true;
};

}  // namespace constellm::services::exact
