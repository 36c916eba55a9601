#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace constellm::moe {

/// What a chain is made from.
struct ChainFields {
  std::vector<std::int32_t> experts;            ///< of each layer
  std::vector<std::vector<double>> affinities;  ///< of each layer but the last: [its experts][the next one's]
  std::optional<std::vector<double>> closing;   ///< [experts of the last layer][of the first]
  std::vector<double> distance_s;               ///< [satellites][satellites]
  std::vector<double> compute_s;                ///< of an expert, by satellite
  std::vector<std::int32_t> places;             ///< by satellite: experts that it may host
};

/// Experts of layers whose tokens go straight from an expert of one layer to one of the next, without
/// gateways (Yao et al., arXiv 2401.08383). Experts of all layers are numbered through.
class Chain {
 public:
  /// Affinities are divided by their sums. Throws core::InvalidInput, which names the field.
  explicit Chain(ChainFields fields);

  [[nodiscard]] std::size_t layers() const { return first_.size() - 1; }
  /// The first expert of a layer; of `layers()`: how many there are in all.
  [[nodiscard]] std::int32_t first(std::size_t layer) const { return first_[layer]; }
  [[nodiscard]] std::size_t experts() const { return share_.size(); }
  [[nodiscard]] std::size_t layer_of(std::int32_t expert) const {
    return layer_of_[static_cast<std::size_t>(expert)];
  }
  [[nodiscard]] std::size_t satellites() const { return places_.size(); }
  [[nodiscard]] std::span<const std::int32_t> places() const { return places_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] double distance_s(std::int32_t from, std::int32_t to) const {
    return distance_s_[at(from) + static_cast<std::size_t>(to)];
  }
  /// What a pair costs at least, whoever of the two hands on.
  [[nodiscard]] double nearer_s(std::int32_t a, std::int32_t b) const;
  [[nodiscard]] double compute_s(std::int32_t expert, std::int32_t satellite) const {
    return share_[static_cast<std::size_t>(expert)] * compute_s_[static_cast<std::size_t>(satellite)];
  }

  /// Experts of a neighbouring layer, with what an expert hands on to each or gets from each.
  struct Side {
    std::int32_t first;
    std::span<const double> affinity;
    bool onward;  ///< to the next layer
  };
  /// Up to two: the layer before and the one behind.
  struct Sides {
    Side side[2];
    std::size_t count;
    [[nodiscard]] const Side* begin() const { return side; }
    [[nodiscard]] const Side* end() const { return side + count; }
  };
  [[nodiscard]] Sides sides_of(std::int32_t expert) const;

  /// What an expert costs on a satellite beside its neighbours; those with host -1 count nothing.
  [[nodiscard]] double beside_s(std::int32_t expert, std::int32_t satellite,
                                std::span<const std::int32_t> hosts) const;
  /// By how much the token latency falls where an expert goes from its host to that satellite.
  [[nodiscard]] double move_gain_s(std::int32_t expert, std::int32_t to,
                                   std::span<const std::int32_t> hosts) const;
  /// The same where two change theirs.
  [[nodiscard]] double swap_gain_s(std::int32_t a, std::int32_t b, std::span<const std::int32_t> hosts) const;

  /// [layers - 1], or of a closed one [layers]: mean time from each layer to the next.
  [[nodiscard]] std::vector<double> hop_s(std::span<const std::int32_t> hosts) const;
  /// [layers]: mean time that its experts compute.
  [[nodiscard]] std::vector<double> computing_s(std::span<const std::int32_t> hosts) const;
  /// Their sum.
  [[nodiscard]] double token_latency_s(std::span<const std::int32_t> hosts) const;

  /// Throws core::InvalidInput unless every expert has a satellite, and none more than its places.
  void require(std::span<const std::int32_t> hosts) const;

 private:
  [[nodiscard]] std::size_t at(std::int32_t satellite) const {
    return static_cast<std::size_t>(satellite) * places_.size();
  }

  std::vector<std::int32_t> first_;
  std::vector<std::size_t> layer_of_;
  bool closed_;
  std::vector<std::vector<double>> onward_;  ///< of each layer that has a next one: [experts][next]
  std::vector<std::vector<double>> before_;  ///< of each layer that has one before: [experts][before]
  std::vector<double> share_;                ///< P(the expert is picked), by expert
  std::vector<double> distance_s_;
  std::vector<double> reverse_s_;  ///< distance_s_ with its indices changed
  std::vector<double> compute_s_;
  std::vector<std::int32_t> places_;
};

}  // namespace constellm::moe
