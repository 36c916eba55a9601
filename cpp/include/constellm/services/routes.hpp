#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "constellm/core/stop.hpp"
#include "constellm/services/problem.hpp"

namespace constellm::services {

/// Routes of the least time for every size of a problem's transfers. Time over a route is the sum over its
/// links of latency + 8 · bytes / rate, from the origin on, compared exactly; of equal ones the fewest links
/// count, then the sequence of the nodes' positions from the origin. Made once for a problem, then only read,
/// by any number of threads; copies share it.
class Routes {
 public:
  /// Throws core::Stopped.
  Routes(const Problem& problem, core::StopToken& stop);

  /// Whether a transfer can start at a node: its task's source, or a host of its stage.
  [[nodiscard]] bool starts(std::int32_t transfer, std::int32_t origin) const;

  /// Of transfer `transfer` of the problem. [nodes] seconds to every node; 0 to the origin itself, infinite
  /// where no way leads. Only for origins that the transfer can have.
  [[nodiscard]] std::span<const double> seconds(std::int32_t transfer, std::int32_t origin) const;
  [[nodiscard]] double seconds(std::int32_t transfer, std::int32_t origin, std::int32_t target) const {
    return seconds(transfer, origin)[static_cast<std::size_t>(target)];
  }
  /// The links of the route in the order of travel; none on one node. Only where a way leads. Found when
  /// first asked for, by any thread, and kept as long as the routes.
  [[nodiscard]] std::span<const std::int32_t> links(std::int32_t transfer, std::int32_t origin,
                                                    std::int32_t target) const;

 private:
  struct Tables;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace constellm::services
