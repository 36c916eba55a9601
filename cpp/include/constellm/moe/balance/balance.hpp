#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace constellm::moe {

/// Copies of experts on devices that all hold equally many, no two of one expert on one device. Each copy
/// has an equal part of its expert's load.
struct Balance {
  std::vector<std::int32_t> copies;     ///< [experts]
  std::vector<std::int32_t> expert_on;  ///< [devices][places], ascending on each device
  std::vector<double> load;             ///< [devices]
  double lower_bound = 0.0;  ///< whatever the copies and devices, the largest load is at least this
};

/// So that the largest load is small: the published greedy of DeepSeek's balancer (EPLB), its devices then
/// improved by swaps. `loads` are finite and not negative; at least as many places as experts, on no more
/// devices than let every copy have one of its own: experts <= devices * places <= experts * devices.
Balance balance(std::span<const double> loads, std::int32_t devices, std::int32_t places);

}  // namespace constellm::moe
