#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "constellm/core/stop.hpp"

namespace constellm::moe {

/// `top_k` of several experts, drawn one after the other without replacement with probability proportional
/// to the remaining weights (successive sampling). The same as the first `top_k` arrivals where each expert
/// arrives after a time of its own, exponential with its weight as the rate; from that the integrals below.
class Picks {
 public:
  /// Weights are divided by their sum. Throws core::InvalidInput for weights that are not positive and
  /// finite, and a `top_k` that is not in [1, weights]; `where` goes before the field's name.
  Picks(std::vector<double> weights, std::int32_t top_k, std::string_view where = {});

  [[nodiscard]] std::int32_t experts() const { return static_cast<std::int32_t>(weights_.size()); }
  [[nodiscard]] std::int32_t top_k() const { return top_k_; }
  [[nodiscard]] std::span<const double> weights() const { return weights_; }
  /// Experts by falling weight.
  [[nodiscard]] std::vector<std::int32_t> heaviest_first() const;

  /// farthest[j] = P(order[j] is picked, and all other picks stand before it in `order`); the sum of them is
  /// 1, and what latencies it weighs errs by 1e-10 of itself at most. `order` has every expert once. With
  /// latencies ascending along `order`, the expected maximum over the picks is the sum of latency times this.
  void farthest(std::span<const std::int32_t> order, std::span<double> farthest) const;

  /// What that takes, in the units of stop tokens.
  [[nodiscard]] double work() const;

  /// Whether it is looked up in a table over all sets of experts, which is for few of them.
  [[nodiscard]] bool tabulated() const { return !within_.empty(); }

  /// Probability that each expert is picked; they add up to `top_k`.
  [[nodiscard]] std::vector<double> inclusion() const;

  /// The race's integrals are sums over nodes of weight times what is integrated; for three picks and more,
  /// where not all are picked. Every expert has arrived by a node with one probability, and else waits.
  [[nodiscard]] std::size_t nodes() const { return time_.size(); }
  [[nodiscard]] double node_weight(std::size_t node) const { return step_ * time_[node]; }
  [[nodiscard]] const double* arrived(std::size_t node) const { return &arrived_[node * weights_.size()]; }
  [[nodiscard]] const double* waiting(std::size_t node) const { return &waiting_[node * weights_.size()]; }

  /// P(both are picked), for two picks; 0 for an expert and itself. For more picks the product of what each
  /// has, a guide to placements that no bound rests on. [experts]
  [[nodiscard]] const double* pairs_of(std::int32_t i) const {
    return &pair_[static_cast<std::size_t>(i) * weights_.size()];
  }

 private:
  void fill_pairs();
  void tabulate();
  void choose_nodes();
  void make_nodes(double step);
  void farthest_by_integral(std::span<const std::int32_t> order, std::span<double> farthest) const;

  std::vector<double> weights_;
  std::vector<double> rest_;  ///< of each expert: the sum of the other weights
  std::int32_t top_k_;
  std::vector<double> pair_;    ///< [experts][experts], empty for one pick
  std::vector<double> within_;  ///< [2^experts]: P(all picks are among these), or empty

  // Trapezoidal rule over the logarithm of time, node by node.
  double step_ = 0.0;
  std::vector<double> time_;     ///< [nodes]
  std::vector<double> arrived_;  ///< [nodes][experts]: P(has arrived by then)
  std::vector<double> waiting_;  ///< [nodes][experts]: P(has not)
};

/// Weights (adding up to 1) under which each expert is picked top_k * share times in the mean; the inverse of
/// Picks::inclusion, by Anderson's acceleration of w <- w * top_k * share / inclusion. Throws
/// core::InvalidInput for shares that are not positive, or at least 1 / top_k of all, which no weights give,
/// and core::Stopped.
std::vector<double> weights_of_shares(std::span<const double> shares, std::int32_t top_k,
                                      core::StopToken& stop);

}  // namespace constellm::moe
