#pragma once
#include <cstdint>
#include <vector>

#include "constellm/flow/problem.hpp"

namespace constellm::flow {

/// A contact that can carry something useful, in bytes.
struct Channel {
  std::int32_t contact;  ///< of the plan
  std::int32_t from;
  std::int32_t to;
  double open_s;
  double close_s;
  double bytes_per_s;
};

/// A problem as the networks in time want it: everything that is supplied has to end somewhere, with demands
/// what is over anywhere. Nodes of no limit of storage keep what all demands together would not take.
struct Instance {
  explicit Instance(const Problem& problem);

  std::int32_t nodes;
  bool has_sinks;
  std::vector<std::uint8_t> is_sink;  ///< [nodes]
  std::vector<double> supply_bytes;   ///< [nodes] 0 at sinks
  std::vector<double> storage_bytes;  ///< [nodes]
  std::vector<double> demand_bytes;   ///< [nodes]
  double total_bytes;                 ///< all supplies
  double left_bytes;                  ///< what is over
  bool is_done;                       ///< all is where it is wanted
  std::vector<Channel> channels;      ///< of some length, none from a sink
  std::vector<double> moments_s;      ///< 0 and when channels open and close, ascending
};

}  // namespace constellm::flow
