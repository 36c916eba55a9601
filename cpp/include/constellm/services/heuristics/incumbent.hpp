#pragma once
#include <cstdint>
#include <vector>

#include "constellm/services/answer.hpp"
#include "constellm/services/heuristics/state.hpp"

namespace constellm::services::heuristics {

/// The best placement of a search: nothing that `keeps_limits` refuses.
class Incumbent {
 public:
  explicit Incumbent(const Slots& slots) : slots_(&slots) {}

  /// Takes what `state` has, where it breaks nothing and is better. A state that does not watch links learns
  /// to where they are what breaks.
  bool offer(State& state);
  /// The same of a placement, whose replicas may be more than those that serve.
  bool offer(const Assignment& assignment);
  void offer(const Incumbent& other);

  [[nodiscard]] bool found() const { return found_; }
  [[nodiscard]] double first() const { return first_; }
  [[nodiscard]] double second() const { return second_; }
  [[nodiscard]] const std::vector<std::int32_t>& node_of() const { return node_of_; }
  [[nodiscard]] Answer answer(std::int64_t steps, const core::StopToken& stop) const;

 private:
  [[nodiscard]] bool beats(double first, double second) const;

  const Slots* slots_;
  bool found_ = false;
  double first_ = 0.0, second_ = 0.0;
  std::vector<std::int32_t> node_of_;
};

}  // namespace constellm::services::heuristics
