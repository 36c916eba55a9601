#pragma once
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
  [[nodiscard]] std::vector<std::int32_t> near_of(std::size_t layer) const;
  /// Of an expert's from-th copy to that satellite, with whoever has to make room; false where it cannot be.
  bool propose(Seat seat, std::int32_t from, std::int32_t to, std::size_t occupant);
  /// What the change gains; it stays until undo() or keep().
  double apply();
  void undo();
  void keep();
  void edit(const Edit& edit);
  void shift(Seat seat, double sign);
  void count_loads();
  void offer();
  [[nodiscard]] double value() const;
  [[nodiscard]] double first_temperature();
  bool some();
  bool all_from(Seat seat, core::StopToken& stop);

  const Hosting* hosting_;
  core::Random random_;
  std::uint64_t work_ = 1;
  std::vector<Queues> queues_;                   ///< by layer
  std::vector<std::vector<std::int32_t>> near_;  ///< of each layer the satellites that are tried
  std::vector<Seat> experts_;

  Copies placement_;
  std::vector<std::vector<Seat>> on_;  ///< by satellite
  std::vector<double> layer_s_;
  std::vector<double> load_;  ///< [slots][satellites]
  double excess_ = 0.0;       ///< of load_ over what is allowed
  double excess_s_ = 0.0;     ///< what one of it costs

  std::vector<Edit> edits_;                                ///< of the change that is tried
  std::vector<std::pair<std::int32_t, double>> before_s_;  ///< layers that it touches
  double excess_before_ = 0.0;

  Copies best_;
  double best_s_;
};

}  // namespace constellm::moe
