#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/link_rule.hpp"
#include "constellm/orbit/outages.hpp"
#include "constellm/orbit/stretch.hpp"
#include "constellm/orbit/windows.hpp"
#include "fleet.hpp"
#include "mutual.hpp"

namespace constellm::orbit {

/// The moments that windows of a rule depend on: before those of the span there have to be as many as it
/// takes to acquire a link.
inline Stretch looked_at(const LinkRule& rule, const Span& span) {
  return {.open_s = span.start_s - acquisition_s(rule), .close_s = span.stop_s};
}

/// A link that there may be, the position of the rule that makes it, and when its conditions are asked.
struct Candidate {
  Pair pair;
  std::int32_t rule;
  std::span<const Stretch> when;
};

/// Which links there may be, by the satellite that is first in the pair.
class Candidates {
 public:
  /// Finds who is near whom; throws core::Stopped.
  Candidates(const Layout& layout, std::span<const LinkRule> rules, const Fleet& fleet,
             const Outages& outages, const Span& span, int threads, core::StopToken& stop);

  /// By pair, then by rule.
  [[nodiscard]] std::vector<Candidate> of(std::int32_t satellite) const;

 private:
  const Layout& layout_;
  std::span<const LinkRule> rules_;
  std::vector<Stretch> spans_;                ///< of each rule
  std::vector<std::vector<Mutual>> nearest_;  ///< of each rule
  std::vector<Candidate> known_;              ///< of rules that join fixed pairs, or the nearest
};

}  // namespace constellm::orbit
