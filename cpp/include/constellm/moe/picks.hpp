#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

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

  /// farthest[j] = P(order[j] is picked, and all other picks stand before it in `order`), to about 1e-12 of
  /// itself. `order` has every expert once. With latencies ascending along `order`, the expected maximum over
  /// the picks is the sum of latency times this.
  void farthest(std::span<const std::int32_t> order, std::span<double> farthest) const;

  /// P(all picks are among these experts), where `tabulated()`: bit i stands for expert i.
  [[nodiscard]] double within(std::uint32_t experts) const { return within_[experts]; }
  [[nodiscard]] bool tabulated() const { return !within_.empty(); }

  /// Probability that each expert is picked; they add up to `top_k`.
  [[nodiscard]] std::vector<double> inclusion() const;

  /// P(both are picked), for top_k = 2.
  [[nodiscard]] double pair(std::int32_t i, std::int32_t j) const;

 private:
  void tabulate();
  void choose_nodes();
  void make_nodes(double step);
  void farthest_by_integral(std::span<const std::int32_t> order, std::span<double> farthest) const;

  std::vector<double> weights_;
  std::vector<double> rest_;  ///< of each expert: the sum of the other weights
  std::int32_t top_k_;
  std::vector<double> within_;  ///< [2^experts], or empty

  // Trapezoidal rule over the logarithm of time, node by node.
  double step_ = 0.0;
  std::vector<double> time_;     ///< [nodes]
  std::vector<double> arrived_;  ///< [nodes][experts]: P(has arrived by then)
  std::vector<double> waiting_;  ///< [nodes][experts]: P(has not)
};

/// Weights (adding up to 1) under which each expert is picked top_k * share times in the mean; the inverse of
/// Picks::inclusion. Throws core::InvalidInput for shares that are not positive, or at least 1 / top_k of
/// all, which no weights give.
std::vector<double> weights_of_shares(std::span<const double> shares, std::int32_t top_k);

}  // namespace constellm::moe
