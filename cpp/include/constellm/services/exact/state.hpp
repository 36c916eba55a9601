#pragma once
#include <cstdint>
#include <vector>

#include "constellm/services/exact/model.hpp"

namespace constellm::services::exact {

/// What a search minimises, and what it holds: any of the three terms may be the aim or have a cap.
struct Aim {
  Objective objective = Objective::cost;
  bool second = false;  ///< the second term is minimised, and the first has a cap
  double cost_cap = kNone;
  double delay_cap_s = kNone;
  double rejected_cap = kNone;

  [[nodiscard]] bool counts_cost() const {
    return second ? objective != Objective::cost : objective == Objective::cost;
  }
  [[nodiscard]] bool counts_delay() const {
    return second ? objective == Objective::cost : objective == Objective::delay;
  }
  [[nodiscard]] bool counts_rejected() const { return !second && objective == Objective::admitted; }
  [[nodiscard]] double of(const Evaluation& found) const {
    return second ? found.second(objective) : found.first(objective);
  }
};

enum class Choice : std::uint8_t { open, in, out };

/// What is decided in a node of the tree. A task that is out has no alive places.
struct State {
  std::vector<std::uint8_t> alive;  ///< [places]
  std::vector<Choice> host;         ///< [hosts]
  std::vector<Choice> task;         ///< [tasks] admitted?

  // What follows from it.
  std::vector<std::uint8_t> single;  ///< [services] one replica, which serves every slot
  std::vector<double> least;         ///< [services] replicas
  std::vector<double> most;
  double cost = 0.0;  ///< of replicas that there must be
};

State root_state(const Model& model);

/// Draws conclusions until there are none left. False: there is no plan with this state whose aim is at most
/// `upper`. Keeps scratch; one for each thread.
class Propagation {
 public:
  Propagation(const Model& model, const Aim& aim) : model_(model), aim_(aim), times_(make_times(model)) {}

  bool run(State& state, double upper);
  /// Of the last run: earliest arrivals over cut ways.
  [[nodiscard]] const Times& times() const { return times_; }

 private:
  bool slots(State& state);
  bool deadlines(State& state);
  bool singles(State& state);
  bool nodes(State& state);
  bool costs(State& state, double upper);
  bool tasks(State& state, double upper);
  void kill(State& state, std::int32_t place);
  void shut(State& state, std::int32_t host);
  bool fits(std::int32_t node, std::int32_t extra_slot);

  const Model& model_;
  const Aim& aim_;
  Times times_;
  bool changed_ = false;
  std::vector<std::uint8_t> dirty_;            // [tasks] whose alive places changed
  std::vector<std::vector<std::int32_t>> at_;  // [nodes] slots that are certainly served there
  std::vector<double> raise_;
  std::vector<double> nominal_;    // [tasks]
  std::vector<std::int32_t> sure_;  // [slots] their only place, or -1
};

/// The only alive place of a slot, or -1.
std::int32_t only_place(const Model& model, const State& state, std::int32_t slot);

}  // namespace constellm::services::exact
