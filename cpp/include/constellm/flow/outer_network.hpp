#pragma once
#include <cstdint>
#include <vector>

#include "constellm/flow/time_cut.hpp"
#include "constellm/flow/time_network.hpp"

namespace constellm::flow {

/// A relaxation: what happens in a cell happens in any order. Its cut is one of the finest network, of the
/// same capacity there.
class OuterNetwork : public TimeNetwork {
 public:
  OuterNetwork(const Instance& instance, const Grid& grid, const Units& units);
  [[nodiscard]] TimeCut cut() const;

 private:
  [[nodiscard]] bool is_inside(std::int32_t node, std::int32_t cell) const {
    return inside_[static_cast<std::size_t>(first_[static_cast<std::size_t>(node)] + cell)] != 0;
  }
  std::vector<std::int32_t> first_;  // [nodes] copy of the first cell, the others follow
};

}  // namespace constellm::flow
