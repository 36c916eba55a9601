#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/hosting.hpp"

namespace constellm::moe {

/// Local search and simulated annealing for hostings, for any number of picks: a copy goes to another
/// satellite, two experts change theirs, a copy comes or goes. Every change is judged by evaluating the
/// layers that it touches; what exceeds the activations of a satellite costs dearly, so that a placement that
/// does may be mended.
class HostSearch {
 public:
  HostSearch(const Hosting& hosting, std::uint64_t seed);

  /// Takes a placement to start from: within the places, and every expert lives.
  void start(Copies placement);
  /// Looks for one, heaviest experts first, each where it costs the least; returns whether it found one.
  bool construct();

  /// From now on experts have no more copies than this, or than they may.
  void allow(std::int32_t copies) { most_copies_ = copies; }
  /// Tries so many changes, a loss with a chance that falls.
  void anneal(std::uint64_t changes, core::StopToken& stop);
  /// Takes changes that gain until none does.
  void descend(core::StopToken& stop);

  /// What a change takes, in the units of stop tokens.
  [[nodiscard]] std::uint64_t work() const { return work_; }

  /// The best that is within all limits; empty where none was found.
  [[nodiscard]] const Copies& best() const { return best_; }
  [[nodiscard]] double best_s() const { return best_s_; }  ///< without base_s

 private:
  struct Seat {
    std::int32_t layer;
    std::int32_t expert;
    bool operator==(const Seat&) const = default;
  };
  struct Edit {
    Seat seat;
    std::int32_t from;  ///< -1: none goes
    std::int32_t to;    ///< -1: none comes
  };

  [[nodiscard]] std::vector<std::int32_t>& copies(Seat seat) {
    return placement_[static_cast<std::size_t>(seat.layer)][static_cast<std::size_t>(seat.expert)];
  }
  [[nodiscard]] std::size_t most_copies(Seat seat) const {
    return static_cast<std::size_t>(
        std::min(most_copies_, hosting_->copies(static_cast<std::size_t>(seat.layer), seat.expert)));
  }
  [[nodiscard]] std::vector<std::int32_t> near_of(std::size_t layer) const;
  /// Of an expert's from-th copy to that satellite, with whoever has to make room; false where it cannot be.
  bool propose(Seat seat, std::int32_t from, std::int32_t to, std::size_t occupant);
  /// What the change gains; minus infinity where an expert would not live.
  double apply();
  void undo();
  void move(const Edit& edit);
  bool serve(const Edit& edit);
  [[nodiscard]] double slot_gain_s(Seat seat, std::int32_t slot, const Served& now) const;
  void carry(std::int32_t slot, std::int32_t satellite, double executions);
  /// Sums free of rounding that adds up, and the placement kept where it is the best.
  void offer();
  [[nodiscard]] double value() const;
  [[nodiscard]] double first_temperature(core::StopToken& stop);
  bool some();
  bool all_from(Seat seat, core::StopToken& stop);

  const Hosting* hosting_;
  core::Random random_;
  std::uint64_t work_ = 1;
  std::int32_t most_copies_ = 1;
  std::vector<Queues> queues_;                   ///< by layer
  std::vector<std::vector<std::int32_t>> near_;  ///< of each layer the satellites that are tried
  std::vector<Seat> experts_;

  Copies placement_;
  std::vector<std::vector<Seat>> on_;        ///< by satellite
  std::vector<std::vector<Served>> served_;  ///< of each layer [slots][experts]
  std::vector<std::vector<double>> slot_s_;  ///< of each layer [slots], for three picks and more
  std::vector<double> layer_s_;
  std::vector<double> load_;  ///< [slots][satellites]
  double excess_ = 0.0;       ///< of load_ over what is allowed
  double excess_s_ = 0.0;     ///< what one of it costs

  struct Before {
    std::vector<std::int32_t> copies;
    std::vector<Served> served;  ///< [slots]
    std::vector<double> slot_s;
    double layer_s = 0.0;
  };
  std::vector<Edit> edits_;  ///< of the change that is tried
  Before before_[2];         ///< of each of them
  std::size_t done_ = 0;     ///< of them
  double excess_before_ = 0.0;

  Copies best_;
  double best_s_;
};

}  // namespace constellm::moe
