#include "candidates.hpp"

#include <algorithm>

namespace constellm::orbit {

Candidates::Candidates(const Layout& layout, std::span<const LinkRule> rules)
    : layout_(layout), rules_(rules) {
  for (std::size_t r = 0; r < rules.size(); ++r) {
    if (rules[r].pattern != Pattern::plus_grid && rules[r].pattern != Pattern::ring) continue;
    for (const Pair& pair : layout.grid(rules[r]))
      in_grids_.push_back({.pair = pair, .rule = static_cast<std::int32_t>(r)});
  }
  std::ranges::sort(in_grids_);
}

std::vector<Candidate> Candidates::of(std::int32_t satellite) const {
  const auto before = [](const Candidate& candidate, std::int32_t first) { return candidate.pair.a < first; };
  const auto begin = std::lower_bound(in_grids_.begin(), in_grids_.end(), satellite, before);
  const auto end = std::lower_bound(begin, in_grids_.end(), satellite + 1, before);
  std::vector<Candidate> found(begin, end);
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    const LinkRule& rule = rules_[r];
    if (rule.pattern != Pattern::all && rule.pattern != Pattern::ground) continue;
    const Layout::Range about = layout_.satellites_of(rule);
    if (satellite < about.first || satellite >= about.end) continue;
    const bool ground = rule.pattern == Pattern::ground;
    const std::int32_t from = ground ? layout_.satellites() : satellite + 1;
    const std::int32_t to = ground ? layout_.satellites() + layout_.stations() : about.end;
    for (std::int32_t other = from; other < to; ++other)
      found.push_back({.pair = {.a = satellite, .b = other}, .rule = static_cast<std::int32_t>(r)});
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace constellm::orbit
