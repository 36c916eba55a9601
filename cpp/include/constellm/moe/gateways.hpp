#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/picks.hpp"

namespace constellm::moe {

/// A layer of a ring whose gateway and whose next gateway are still open.
struct OpenLayer {
  const Picks& picks;
  std::int32_t slots;
  std::int32_t satellites;         ///< of the layer
  std::int32_t gateways;           ///< that it may have
  std::int32_t next;               ///< that the next layer may have
  std::span<const double> from_s;  ///< [slots][gateways][satellites], computing included; infinite: no way
  std::span<const double> to_s;    ///< [slots][next][satellites]
  /// By gateway: which of the layer's satellites it is, which then hosts no expert; -1 where it is none.
  std::span<const std::int32_t> own;
  /// What counts where no way leads; without it such a satellite hosts nothing.
  std::optional<double> unreachable_s;
};

/// [gateways][next]: the latency of a good placement between two gateways, and a bound of all. Infinite where
/// there is none.
struct GatewayCosts {
  std::vector<double> value_s;
  std::vector<double> bound_s;
};

/// Pairs of gateways are placed each for itself, on up to `threads` threads. Throws core::Stopped.
GatewayCosts gateway_costs(const OpenLayer& layer, int threads, core::StopToken& stop);

/// One gateway of each layer, so that the costs around the ring are least.
struct CheapestRing {
  std::vector<std::int32_t> gateways;
  double cost_s;  ///< infinite where every ring is
};

/// `cost_s` of layer l is [gateways of l][gateways of l + 1], the last layer's [...][gateways of 0];
/// `gateways` is how many each layer may have. Exact, by a programme from every gateway of the first layer.
CheapestRing cheapest_ring(std::span<const std::vector<double>> cost_s,
                           std::span<const std::int32_t> gateways);

}  // namespace constellm::moe
