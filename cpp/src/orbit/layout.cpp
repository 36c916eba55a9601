#include "constellm/orbit/layout.hpp"

#include <algorithm>

#include "constellm/core/error.hpp"

namespace constellm::orbit {

using core::InvalidInput;

constexpr double kMostAsked = 1e8;  // in a few gigabytes, and a minute

Layout::Layout(std::span<const Shell> shells, std::int32_t satellites, std::int32_t stations)
    : plane_(static_cast<std::size_t>(satellites)), satellites_(satellites), stations_(stations) {
  std::int64_t first = 0;
  std::int32_t plane = 0;
  for (const Shell& shell : shells) {
    if (first + shell.satellites() > satellites) {
      throw InvalidInput("shells: they have more than the " + std::to_string(satellites) +
                         " satellites that have positions");
    }
    if (find(shell.name) != nullptr) throw InvalidInput("shells: two have the name '" + shell.name + "'");
    parts_.push_back({.name = shell.name,
                      .first = static_cast<std::int32_t>(first),
                      .planes = static_cast<std::int32_t>(shell.planes),
                      .in_plane = static_cast<std::int32_t>(shell.satellites_per_plane)});
    const Part& part = parts_.back();
    for (std::int32_t k = 0; k < part.satellites(); ++k)
      plane_[static_cast<std::size_t>(part.first + k)] = plane + k / part.in_plane;
    plane += part.planes;
    first += shell.satellites();
  }
  for (auto k = static_cast<std::size_t>(first); k < plane_.size(); ++k) plane_[k] = plane++;
}

const Layout::Part* Layout::find(const std::string& shell) const {
  const auto at = std::ranges::find(parts_, shell, &Part::name);
  return at == parts_.end() ? nullptr : &*at;
}

Layout::Range Layout::satellites_of(const LinkRule& rule) const {
  if (!rule.shell) return {.first = 0, .end = satellites_};
  const Part* part = find(*rule.shell);
  return {.first = part->first, .end = part->first + part->satellites()};
}

void Layout::check_asked(const LinkRule& rule, std::size_t position) const {
  if (rule.pattern != Pattern::nearest) return;
  const Range range = satellites_of(rule);
  const double asked = static_cast<double>(range.end - range.first) *
                       static_cast<double>(std::min<std::int64_t>(*rule.count, range.end - range.first));
  if (asked <= kMostAsked) return;
  throw InvalidInput("links[" + std::to_string(position) + "].count: " + std::to_string(*rule.count) +
                     " nearest of each of " + std::to_string(range.end - range.first) +
                     " satellites are more than 1e8; rule 'all' joins every pair in sight");
}

void Layout::check(std::span<const LinkRule> rules) const {
  for (std::size_t r = 0; r < rules.size(); ++r) {
    if (!rules[r].shell || find(*rules[r].shell) != nullptr) {
      check_asked(rules[r], r);
      continue;
    }
    std::string known;
    for (const Part& part : parts_) known += (known.empty() ? "; there are '" : ", '") + part.name + "'";
    throw InvalidInput("links[" + std::to_string(r) + "].shell: '" + *rules[r].shell + "' is no shell" +
                       known);
  }
}

std::vector<Pair> Layout::grid(const LinkRule& rule) const {
  const Part& part = *find(*rule.shell);
  const std::int32_t n = part.in_plane;
  const auto at = [&](std::int32_t plane, std::int64_t k) {
    const std::int64_t wrapped = (k % n + n) % n;
    return part.first + plane * n + static_cast<std::int32_t>(wrapped);
  };
  std::vector<Pair> pairs;
  const auto join = [&](std::int32_t one, std::int32_t other) {
    if (one != other) pairs.push_back({.a = std::min(one, other), .b = std::max(one, other)});
  };
  for (std::int32_t p = 0; p < part.planes; ++p) {
    const bool at_seam = p == part.planes - 1;
    const bool across = rule.pattern == Pattern::plus_grid && part.planes > 1 &&
                        (!at_seam || rule.seam.value_or(Seam::closed) == Seam::closed);
    for (std::int32_t k = 0; k < n; ++k) {
      join(at(p, k), at(p, k + 1));
      if (across) join(at(p, k), at(at_seam ? 0 : p + 1, k + rule.shift.value_or(0)));
    }
  }
  std::ranges::sort(pairs);
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

}  // namespace constellm::orbit
