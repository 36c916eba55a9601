#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/moe/problem.hpp"
#include "constellm/moe/queues.hpp"

namespace constellm::moe {

/// What a hosting allows beyond its problem.
struct HostingFields {
  std::vector<std::int32_t> places;               ///< [satellites]: experts in its memory
  std::vector<double> service_s;                  ///< [slots][satellites]: of each further pick of a layer
  std::vector<std::vector<std::int32_t>> copies;  ///< [layers][experts]: at most so many satellites
  std::vector<double> most_activations;  ///< [slots][satellites]: executions a token; may be infinite
};

/// Of each layer and expert the satellites that have a copy, ascending.
using Copies = std::vector<std::vector<std::vector<std::int32_t>>>;

/// A problem whose satellites may host several experts, and whose experts may have several copies.
class Hosting {
 public:
  /// `problem` outlives it. Throws core::InvalidInput, which names the field.
  Hosting(const Problem& problem, HostingFields fields);

  /// The same of some of its layers, whose problem that is.
  [[nodiscard]] Hosting of(const Problem& some, std::span<const std::size_t> layers) const;
  /// Throws core::InvalidInput where a single evaluation takes more than a minute.
  void require_time() const;

  [[nodiscard]] const Problem& problem() const { return *problem_; }
  [[nodiscard]] std::int32_t places(std::int32_t satellite) const {
    return fields_.places[static_cast<std::size_t>(satellite)];
  }
  [[nodiscard]] std::int32_t copies(std::size_t layer, std::int32_t expert) const {
    return fields_.copies[layer][static_cast<std::size_t>(expert)];
  }
  [[nodiscard]] double service_s(std::int32_t slot, std::int32_t satellite) const {
    return fields_.service_s[at(slot, satellite)];
  }
  /// With the room that rounding needs.
  [[nodiscard]] double most_activations(std::int32_t slot, std::int32_t satellite) const {
    return most_activations_[at(slot, satellite)];
  }
  /// Whether any satellite's activations are limited.
  [[nodiscard]] bool limited() const { return limited_; }
  /// Whether any expert may have more than one copy.
  [[nodiscard]] bool copied() const { return copied_; }
  /// Whether picks that share a satellite may wait for each other.
  [[nodiscard]] bool queues() const { return queues_; }
  /// P(a token picks the expert): [experts]
  [[nodiscard]] std::span<const double> inclusion(std::size_t layer) const { return inclusion_[layer]; }

  /// How many of the layer's experts may be served there in a slot: their places, or so many of the lightest
  /// as its activations allow.
  [[nodiscard]] std::int32_t most_served(std::size_t layer, std::int32_t slot, std::int32_t satellite) const;
  /// Who serves an expert with these copies: the nearest live one, the first of equally near ones.
  [[nodiscard]] Served served(const Layer& layer, std::int32_t slot,
                              std::span<const std::int32_t> copies) const;
  /// Whether an expert with these copies is served in every slot, or may be missed.
  [[nodiscard]] bool lives(const Layer& layer, std::span<const std::int32_t> copies) const;

  /// The placement with its copies ascending. Throws core::InvalidInput unless every expert has copies enough
  /// and not too many, every satellite room for its own, and all that is limited is within its limits.
  [[nodiscard]] Copies checked(Copies placement) const;

 private:
  [[nodiscard]] std::size_t at(std::int32_t slot, std::int32_t satellite) const {
    return static_cast<std::size_t>(slot) * problem_->satellites().size() +
           static_cast<std::size_t>(satellite);
  }
  void require_copies(const Layer& layer, std::size_t l, std::size_t expert,
                      std::span<const std::int32_t> copies) const;
  void require_within_limits(const Copies& placement) const;

  const Problem* problem_;
  HostingFields fields_;
  std::vector<double> most_activations_;
  std::vector<std::vector<double>> inclusion_;
  std::vector<std::vector<double>> lightest_;  ///< of each layer: what the n lightest experts have together
  bool limited_ = false;
  bool copied_ = false;
  bool queues_ = false;
};

/// [slots][satellites]: how many of these experts a token has executed there in the mean.
std::vector<double> executions_of(const Hosting& hosting, const Copies& placement);

/// What a placement costs, and how it loads the satellites.
struct HostingEvaluation {
  double token_latency_s = 0.0;
  std::vector<double> layer_latency_s;  ///< [layers], with base_s
  std::vector<double> slot_latency_s;   ///< [layers][slots], with base_s
  std::vector<double> executions;       ///< [slots][satellites]
};

/// Throws core::InvalidInput for what is no placement, and for more work than is done in a minute.
HostingEvaluation evaluate(const Hosting& hosting, const Copies& placement);

/// Mean over the slots, without base_s, of a layer whose copies are these; `slot_s`, if any, gets each
/// slot's. `queues` are of the layer's picks.
double layer_latency_s(const Hosting& hosting, std::size_t layer, Queues& queues,
                       std::span<const std::vector<std::int32_t>> copies, std::span<double> slot_s = {});

}  // namespace constellm::moe
