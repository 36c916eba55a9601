#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "constellm/core/status.hpp"

namespace constellm::flow {

/// What contacts carry, each at a constant rate from start to end. [flows] each
struct Flows {
  std::vector<std::int32_t> contact;
  std::vector<double> start_s;
  std::vector<double> end_s;
  std::vector<double> sent_bytes;
};

/// The nodes on the source side of a cut of the network in time: as they are in [start_s[i], start_s[i + 1]),
/// the last ones for ever.
struct Cut {
  std::vector<double> start_s;       ///< [stretches], the first is 0; empty: no cut
  std::vector<std::uint8_t> inside;  ///< [stretches][nodes]
};

struct Counters {
  std::int64_t flows = 0;   ///< maximum flows computed
  std::int64_t rounds = 0;  ///< grids of time tried
  std::int64_t nodes = 0;   ///< of the largest network
  std::int64_t arcs = 0;
};

/// What is known of the quickest transfer.
struct Plan {
  core::Status status = core::Status::no_plan_found;
  double finish_s = std::numeric_limits<double>::quiet_NaN();
  double lower_bound_s = 0.0;
  Flows flows;
  Cut cut;  ///< that proves the bound, or that there is no plan
  Counters counters;
};

}  // namespace constellm::flow
