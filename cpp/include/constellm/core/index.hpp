#pragma once
#include <cstddef>
#include <cstdint>

namespace constellm::core {

/// A position (32 bits, -1 for none) as an offset into a vector.
constexpr std::size_t z(std::int32_t position) { return static_cast<std::size_t>(position); }

}  // namespace constellm::core
