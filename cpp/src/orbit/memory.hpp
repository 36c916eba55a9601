#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "fleet.hpp"

namespace constellm::orbit {

/// States of satellites, and turns of the Earth, that were asked for: links are looked at in the same
/// moments, halves of halves of a span. Some are forgotten, and made anew.
class Memory {
 public:
  /// Of about so many states.
  explicit Memory(const Fleet& fleet, std::size_t size = 1024)
      : fleet_(fleet),
        states_(std::bit_ceil(std::clamp<std::size_t>(size, 64, 1 << 18))),
        turns_(1024),
        shift_(64 - std::countr_zero(states_.size())) {}

  State state(std::int32_t satellite, double time_s) {
    const std::uint64_t key = std::bit_cast<std::uint64_t>(time_s) + static_cast<std::uint64_t>(satellite);
    StateThen& then = states_[(key * kGolden) >> shift_];
    if (then.time_s != time_s || then.satellite != satellite)
      then = {.time_s = time_s, .satellite = satellite, .state = fleet_.satellite(satellite, time_s)};
    return then.state;
  }

  EarthTurn turn(double time_s) {
    TurnThen& then = turns_[(std::bit_cast<std::uint64_t>(time_s) * kGolden) >> 54];
    if (then.time_s != time_s) then = {.time_s = time_s, .turn = fleet_.turn(time_s)};
    return then.turn;
  }

 private:
  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;
  struct StateThen {
    double time_s = std::numeric_limits<double>::quiet_NaN();
    std::int32_t satellite = -1;
    State state;
  };
  struct TurnThen {
    double time_s = std::numeric_limits<double>::quiet_NaN();
    EarthTurn turn{0.0};
  };

  const Fleet& fleet_;
  std::vector<StateThen> states_;
  std::vector<TurnThen> turns_;
  int shift_;
};

}  // namespace constellm::orbit
