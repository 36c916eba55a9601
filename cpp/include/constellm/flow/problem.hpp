#pragma once
#include <cstdint>
#include <vector>

#include "constellm/network/contact_plan.hpp"

namespace constellm::flow {

/// Bytes are at most so many, a contact opens and closes no later and has no higher rate: sums and products
/// of such figures stay numbers.
inline constexpr double kMostBytes = 1e30;
inline constexpr double kMostSeconds = 1e15;
inline constexpr double kMostBps = 1e30;
/// What is wanted, if anything, is at least so much, and of each node such a share of the supply that may be
/// of use: less is lost in rounding.
inline constexpr double kLeastBytes = 1e-30;
inline constexpr double kLeastShare = 1e-14;

/// Where data is, and where it is wanted. [nodes] each but `sinks`
struct Amounts {
  std::vector<double> supply_bytes;   ///< there at time 0
  std::vector<double> storage_bytes;  ///< most that it holds; infinite: no limit
  std::vector<double> demand_bytes;   ///< wanted there; all 0 where there are sinks
  std::vector<std::int32_t> sinks;    ///< all data is wanted at any of them
};

/// How soon can all data be where it is wanted, over contacts that come and go? Nodes store and forward, data
/// is divisible and of one kind, light time is left out. Format `constellm.transfer-problem`.
class Problem {
 public:
  /// Throws core::InvalidInput, which names the field.
  Problem(network::ContactPlan contacts, Amounts amounts);

  [[nodiscard]] const network::ContactPlan& contacts() const { return contacts_; }
  [[nodiscard]] const Amounts& amounts() const { return amounts_; }
  [[nodiscard]] std::size_t node_count() const { return contacts_.node_count(); }
  [[nodiscard]] bool has_sinks() const { return !amounts_.sinks.empty(); }
  [[nodiscard]] bool is_sink(std::int32_t node) const {
    return is_sink_[static_cast<std::size_t>(node)] != 0;
  }
  /// What has to arrive: the supplies of nodes that are no sinks, or the demands.
  [[nodiscard]] double wanted_bytes() const { return wanted_bytes_; }

 private:
  network::ContactPlan contacts_;
  Amounts amounts_;
  std::vector<std::uint8_t> is_sink_;
  double wanted_bytes_ = 0.0;
};

}  // namespace constellm::flow
