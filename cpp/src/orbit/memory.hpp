#pragma once
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "fleet.hpp"

namespace constellm::orbit {

/// States of one satellite that were asked for, with the Earth's turn: its links with others are looked at in
/// the same moments, halves of halves of the span.
class Memory {
 public:
  Memory(const Fleet& fleet, std::int32_t satellite) : fleet_(fleet), satellite_(satellite) {}

  struct Entry {
    double time_s = std::numeric_limits<double>::quiet_NaN();
    State state;
    EarthTurn turn{0.0};
  };
  const Entry& at(double time_s) {
    const std::uint64_t hash = std::bit_cast<std::uint64_t>(time_s) * 0x9e3779b97f4a7c15u;
    Entry& entry = entries_[hash >> 54];
    if (entry.time_s != time_s) {
      entry = {.time_s = time_s, .state = fleet_.satellite(satellite_, time_s), .turn = fleet_.turn(time_s)};
    }
    return entry;
  }

 private:
  const Fleet& fleet_;
  std::int32_t satellite_;
  std::vector<Entry> entries_ = std::vector<Entry>(1024);
};

}  // namespace constellm::orbit
