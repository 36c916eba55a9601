#include "constellm/orbit/link_rule.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <variant>

#include "constellm/core/error.hpp"
#include "constellm/core/random.hpp"

namespace constellm::orbit {
namespace {

using core::InvalidInput;

std::string word(Pattern pattern) {
  return "'" + std::string(words(pattern)[static_cast<std::size_t>(pattern)]) + "'";
}

}  // namespace

void validate(const LinkRule& rule, const core::Place& where) {
  core::check_ranges(rule, where);
  using enum Pattern;
  const auto check = [&](const char* key, bool given, std::initializer_list<Pattern> patterns) {
    if (!given || std::ranges::find(patterns, rule.pattern) != patterns.end()) return;
    std::string known;
    for (const Pattern pattern : patterns) known += (known.empty() ? "" : ", ") + word(pattern);
    throw InvalidInput(where.text() + key + ": means nothing for the pattern " + word(rule.pattern) +
                       ", only for " + known);
  };
  check("seam", rule.seam.has_value(), {plus_grid});
  check("shift", rule.shift.has_value(), {plus_grid});
  check("count", rule.count.has_value(), {nearest});
  check("max_links", rule.max_links.has_value(), {all});
  check("grazing_altitude_m", rule.grazing_altitude_m.has_value(), {plus_grid, ring, nearest, all});
  check("max_latitude_deg", rule.max_latitude_deg.has_value(), {plus_grid, nearest, all});
  const auto need = [&](const char* key, bool given, std::initializer_list<Pattern> patterns) {
    if (!given && std::ranges::find(patterns, rule.pattern) != patterns.end())
      throw InvalidInput(where.text() + key + ": missing; the pattern " + word(rule.pattern) + " needs it");
  };
  need("shell", rule.shell.has_value(), {plus_grid, ring});
  need("count", rule.count.has_value(), {nearest});
  if (!rule.budget) return;
  if (rule.rate_bps)
    throw InvalidInput(where.text() + "rate_bps: " + core::to_text(*rule.rate_bps) +
                       " beside a budget, which gives the rate; one of them is enough");
  const std::string place = where.text() + "budget.";
  std::visit([&](const auto& budget) { validate(budget, std::string_view(place)); }, *rule.budget);
}

double longest_m(const LinkRule& rule) {
  const double by_rule_m = rule.max_range_m.value_or(std::numeric_limits<double>::infinity());
  if (!rule.budget) return by_rule_m;
  return std::min(by_rule_m,
                  std::visit([](const auto& budget) { return max_range_m(budget); }, *rule.budget));
}

double rate_bps(const LinkRule& rule, double range_m) {
  if (!rule.budget) return rule.rate_bps.value_or(kRate_bps);
  // No link is longer than the budget allows but by rounding.
  return std::visit(
      [&](const auto& budget) { return rate_bps(budget, std::min(range_m, max_range_m(budget))); },
      *rule.budget);
}

bool survives(const LinkRule& rule, std::int64_t slot, std::int32_t a, std::int32_t b) {
  if (rule.survival >= 1.0) return true;
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;
  const auto [low, high] = std::minmax(a, b);
  const std::uint64_t pair = (static_cast<std::uint64_t>(high) << 32) | static_cast<std::uint64_t>(low);
  std::uint64_t hash = core::mixed(static_cast<std::uint64_t>(rule.seed) + kGolden);
  hash = core::mixed((hash ^ static_cast<std::uint64_t>(slot)) + kGolden);
  hash = core::mixed((hash ^ pair) + kGolden);
  return static_cast<double>(hash >> 11) * 0x1.0p-53 < rule.survival;
}

}  // namespace constellm::orbit
