#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "constellm/search/graph.hpp"

namespace constellm::search {

/// A partial walk that has come to a vertex with `level` units done and the result in `choice`,
/// and is about to begin a stage there, or else to pass on what came. What it has used of the
/// goal's resources stands beside it, in LabelScratch.
struct Label {
  double bound = 0.0;  ///< no completion has a lower value
  double cost = 0.0;   ///< of the objective
  double bottleneck = 0.0;
  double entered_s = 0.0;  ///< time spent on entering the stage about to begin
  std::int32_t vertex = 0;
  std::int32_t level = 0;
  std::int32_t choice = 0;
  std::int32_t parent = -1;  ///< label
  std::int32_t next_in_state = -1;
  bool begins_stage = false;
  bool dominated = false;
};

/// Memory of label runs, to be used again.
struct LabelScratch {
  std::vector<Label> labels;
  std::vector<double> used;            ///< [labels, resources]
  std::vector<std::uint64_t> visited;  ///< [labels, words] nodes, for graphs with cycles
  std::vector<std::int32_t> head;      ///< first label of every state
  std::vector<std::size_t> touched;    ///< states with labels
  struct Open {
    double bound;
    std::int32_t label;
  };
  std::vector<Open> open;
  Walk walk;
};

}  // namespace constellm::search
