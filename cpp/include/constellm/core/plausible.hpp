#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

// Figures that look like another unit's: Mbit/s given as bit/s, TFLOP/s as FLOP/s, ms as seconds.
namespace constellm::core {

/// What figures of a field are in any constellation, with some orders of magnitude to spare.
struct Usual {
  std::string_view field;
  double least = 0.0;
  double most = std::numeric_limits<double>::infinity();
};
inline constexpr Usual kUsual[] = {
    {.field = "rate_bps", .least = 1e4},     {.field = "flop_per_s", .least = 1e6},
    {.field = "memory_bytes", .least = 1e6}, {.field = "memory_bandwidth_bytes_per_s", .least = 1e6},
    {.field = "latency_s", .most = 10.0},
};

/// Of `of(item)`, figures of `field`, the one nearest to what is usual, where none that is positive and
/// finite is: one that may be meant speaks for the unit. Nothing for a field of which nothing is said.
template <class Items, class Of>
std::optional<double> implausible(std::string_view field, const Items& items, Of of) {
  const auto* const usual = std::find_if(std::begin(kUsual), std::end(kUsual),
                                         [field](const Usual& known) { return known.field == field; });
  std::optional<double> nearest;
  if (usual == std::end(kUsual)) return nearest;
  for (const auto& item : items) {
    const double value = std::invoke(of, item);
    if (!(value > 0.0) || std::isinf(value)) continue;
    if (value >= usual->least && value <= usual->most) return std::nullopt;
    const double other = nearest.value_or(value);
    nearest = value < usual->least ? std::max(value, other) : std::min(value, other);
  }
  return nearest;
}

}  // namespace constellm::core
