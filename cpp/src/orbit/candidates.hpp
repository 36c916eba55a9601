#pragma once
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/link_rule.hpp"

namespace constellm::orbit {

/// A link that there may be, and the position of the rule that makes it.
struct Candidate {
  Pair pair;
  std::int32_t rule;

  auto operator<=>(const Candidate&) const = default;
};

/// Which links there may be, by the satellite that is first in the pair.
class Candidates {
 public:
  Candidates(const Layout& layout, std::span<const LinkRule> rules);

  /// In rising order.
  [[nodiscard]] std::vector<Candidate> of(std::int32_t satellite) const;

 private:
  const Layout& layout_;
  std::span<const LinkRule> rules_;
  std::vector<Candidate> in_grids_;
};

}  // namespace constellm::orbit
