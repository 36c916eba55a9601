#pragma once
#include <cstdint>
#include <span>

#include "constellm/core/simd.hpp"
#include "constellm/network/least_costs.hpp"

namespace constellm::network {

/// Costs at places and links between them.
struct Sweeping {
  const std::int32_t* begin;  ///< [places + 1]
  const LeastCosts::Arc* arcs;
  LeastCosts::Costs* cost;  ///< [places]
  /// A bit for each place whose cost fell since its links were followed.
  std::span<std::uint64_t> waiting;
};

/// Follows links from waiting places, up and down the order in turn, until none waits.
CONSTELLM_AVX2 void sweep_avx2(Sweeping at);

}  // namespace constellm::network
