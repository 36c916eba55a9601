#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/stretch.hpp"

namespace constellm::orbit {

/// When nodes and links are lost by schedule.
class Outages {
 public:
  /// The link of the pair, or where both are one that node, is lost in [open, close); either may be infinite.
  void add(Pair pair, const Stretch& stretch);

  [[nodiscard]] bool empty() const { return lost_.empty(); }
  /// When there can be no link of the pair, since it or an end is lost: in the order of opening.
  [[nodiscard]] Stretches of(Pair pair) const;
  /// Which of them are lost at a moment: pairs, and nodes as pairs of one with itself; in rising order.
  [[nodiscard]] std::vector<Pair> at(double time_s) const;

 private:
  std::map<Pair, Stretches> lost_;
};

}  // namespace constellm::orbit
