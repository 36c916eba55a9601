#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "constellm/moe/picks.hpp"

namespace constellm::moe {

/// What a layer is made from.
struct LayerFields {
  std::vector<double> weights;    ///< [experts]
  std::vector<double> latency_s;  ///< [slots][satellites]; NaN: not reachable
  double base_s = 0.0;
};

struct Layer {
  Picks picks;
  std::vector<double> latency_s;  ///< [slots][satellites]; NaN: not reachable
  double base_s;
  std::vector<std::int32_t> usable;  ///< satellites that may host its experts, ascending
};

/// Satellites that are places of the same one: of two picks of a layer there, one waits for the other.
struct Sharing {
  std::vector<std::int32_t> host;  ///< [satellites]: of whom it is a place
  std::vector<double> service_s;   ///< [slots][satellites]: what the second pick adds
};

/// Of each layer the satellite of each expert.
using Placement = std::vector<std::vector<std::int32_t>>;

/// Experts of several layers that want satellites, each one of its own. Format `constellm.moe-problem`.
class Problem {
 public:
  /// Throws core::InvalidInput, which names the field.
  Problem(std::string name, std::int32_t top_k, std::vector<std::string> satellites,
          std::optional<double> unreachable_s, std::int32_t slots, std::vector<LayerFields> layers,
          std::optional<Sharing> sharing = {});

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int32_t top_k() const { return top_k_; }
  [[nodiscard]] const std::vector<std::string>& satellites() const { return satellites_; }
  [[nodiscard]] std::int32_t satellite_count() const { return static_cast<std::int32_t>(satellites_.size()); }
  [[nodiscard]] const std::optional<double>& unreachable_s() const { return unreachable_s_; }
  [[nodiscard]] std::int32_t slots() const { return slots_; }
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }

  /// What counts in a slot: `unreachable_s` in place of NaN.
  [[nodiscard]] double latency_s(const Layer& layer, std::int32_t slot, std::int32_t satellite) const;

  /// No part of the format. What placements cost has it for two picks; for more it is left out there, and
  /// only bounds over pairs of satellites know of it.
  [[nodiscard]] const std::optional<Sharing>& sharing() const { return sharing_; }
  /// Of each usable satellite of the layer the mean over the slots of what a second pick adds: 0 where it is
  /// not reachable. Only where satellites are shared.
  [[nodiscard]] std::vector<double> mean_service_s(const Layer& layer) const;

  /// What keeps a placement from being one: every expert has a usable satellite of its own.
  [[nodiscard]] std::vector<std::string> broken(const Placement& placement) const;

  /// Throws core::InvalidInput for the first of them.
  void require(const Placement& placement) const;

 private:
  std::string name_;
  std::int32_t top_k_;
  std::vector<std::string> satellites_;
  std::optional<double> unreachable_s_;
  std::int32_t slots_;
  std::vector<Layer> layers_;
  std::optional<Sharing> sharing_;
};

}  // namespace constellm::moe
