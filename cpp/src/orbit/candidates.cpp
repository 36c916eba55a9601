#include "candidates.hpp"

#include <algorithm>
#include <tuple>

namespace constellm::orbit {
namespace {

void sort(std::vector<Candidate>& candidates) {
  std::ranges::sort(candidates, {}, [](const Candidate& c) { return std::tuple(c.pair, c.rule); });
}

}  // namespace

Candidates::Candidates(const Layout& layout, std::span<const LinkRule> rules, const Fleet& fleet,
                       const Outages& outages, const Span& span, int threads, core::StopToken& stop)
    : layout_(layout), rules_(rules), nearest_(rules.size()) {
  for (const LinkRule& rule : rules) spans_.push_back(looked_at(rule, span));
  for (std::size_t r = 0; r < rules.size(); ++r) {
    const LinkRule& rule = rules[r];
    const auto position = static_cast<std::int32_t>(r);
    if (rule.pattern == Pattern::plus_grid || rule.pattern == Pattern::ring) {
      for (const Pair& pair : layout.grid(rule))
        known_.push_back({.pair = pair, .rule = position, .when = {&spans_[r], 1}});
    } else if (rule.pattern == Pattern::nearest) {
      nearest_[r] = mutual(fleet, outages, layout.satellites_of(rule), *rule.count, spans_[r].open_s,
                           spans_[r].close_s, threads, stop);
      for (const Mutual& both : nearest_[r])
        known_.push_back({.pair = both.pair, .rule = position, .when = both.stretches});
    }
  }
  sort(known_);
}

std::vector<Candidate> Candidates::of(std::int32_t satellite) const {
  const auto before = [](const Candidate& candidate, std::int32_t first) { return candidate.pair.a < first; };
  const auto begin = std::lower_bound(known_.begin(), known_.end(), satellite, before);
  const auto end = std::lower_bound(begin, known_.end(), satellite + 1, before);
  std::vector<Candidate> found(begin, end);
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    const LinkRule& rule = rules_[r];
    if (rule.pattern != Pattern::all && rule.pattern != Pattern::ground) continue;
    const Layout::Range about = layout_.satellites_of(rule);
    if (satellite < about.first || satellite >= about.end) continue;
    const bool ground = rule.pattern == Pattern::ground;
    const std::int32_t from = ground ? layout_.satellites() : satellite + 1;
    const std::int32_t to = ground ? layout_.satellites() + layout_.stations() : about.end;
    for (std::int32_t other = from; other < to; ++other) {
      found.push_back({.pair = {.a = satellite, .b = other},
                       .rule = static_cast<std::int32_t>(r),
                       .when = {&spans_[r], 1}});
    }
  }
  sort(found);
  return found;
}

}  // namespace constellm::orbit
