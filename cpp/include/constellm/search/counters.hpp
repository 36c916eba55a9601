#pragma once
#include <cstdint>

namespace constellm::search {

/// What a search counted.
struct Counters {
  std::int64_t labels = 0;     ///< partial walks kept
  std::int64_t dominated = 0;  ///< partial walks dropped because another was no worse
  std::int64_t expanded = 0;   ///< partial walks extended
  std::int64_t most_open = 0;  ///< most partial walks waiting at a time
  std::int64_t passes = 0;     ///< backward passes
  std::int64_t intervals = 0;  ///< bottleneck intervals looked at

  bool operator==(const Counters&) const = default;
};

}  // namespace constellm::search
