#pragma once
#include <cstdint>

#include "constellm/flow/instance.hpp"

namespace constellm::flow {

/// Bytes as whole units, of which all supplies together have 2^60: a double keeps no more of them, and sums
/// of capacities stay in 64 bits. Rounded down, so that no flow is above its rate.
class Units {
 public:
  explicit Units(const Instance& instance);
  [[nodiscard]] std::int64_t of(double bytes) const;
  [[nodiscard]] double bytes(std::int64_t units) const { return static_cast<double>(units) / per_byte_; }
  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] std::int64_t left() const { return left_; }
  static constexpr std::int64_t kUnlimited = std::int64_t{1} << 61;

 private:
  double per_byte_;
  std::int64_t total_ = 0;
  std::int64_t left_ = 0;
};

}  // namespace constellm::flow
