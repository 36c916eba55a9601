#pragma once
#include <cstdint>

#include "constellm/core/fields.hpp"

namespace constellm::search {

/// What a search counted.
struct Counters {
  std::int64_t labels = 0;
  std::int64_t dominated = 0;
  std::int64_t expanded = 0;
  std::int64_t most_open = 0;
  std::int64_t passes = 0;
  std::int64_t intervals = 0;

  bool operator==(const Counters&) const = default;
};

constexpr auto fields(const Counters*) {
  using core::optional;
  return core::record(
      "Counters", "What a search counted.", optional("labels", &Counters::labels, "partial walks kept"),
      optional("dominated", &Counters::dominated, "partial walks dropped because another was no worse"),
      optional("expanded", &Counters::expanded, "partial walks extended"),
      optional("most_open", &Counters::most_open, "most partial walks waiting at a time"),
      optional("passes", &Counters::passes, "backward passes"),
      optional("intervals", &Counters::intervals, "bottleneck intervals looked at"));
}

}  // namespace constellm::search
