#pragma once
#include <cstdint>
#include <limits>

#include "constellm/services/exact/root.hpp"

namespace constellm::services::exact {

inline constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// What a search came to.
struct Outcome {
  bool proven = false;  ///< no plan has a better aim than the incumbent
  double bound = 0.0;   ///< of the aim; infinite where there is no plan
  Hosts left;           ///< of each slot, nodes of what is still open, where it is not proven
  std::int64_t nodes = 0;
  std::int64_t bounds = 0;
};

/// Branch and bound: on tasks that may be rejected, on replicas, then on slots. The best bound comes first,
/// and each is followed down to its end. What is decided altogether is judged by the one evaluator, so that
/// rules which bounds do not know hold too. Not proven after `most` nodes. The root is tightened before.
Outcome branch(Root& root, Incumbent& incumbent, core::StopToken& stop, std::int64_t most_nodes = kNoLimit);

}  // namespace constellm::services::exact
