#include "constellm/orbit/windows.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "candidates.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/orbit/stretch.hpp"
#include "fleet.hpp"
#include "line.hpp"
#include "line_search.hpp"
#include "memory.hpp"

namespace constellm::orbit {
namespace {

using core::InvalidInput;

struct Window {
  Pair pair;
  std::int32_t rule;
  Stretch stretch;
  double range_m;
};

std::vector<Window> windows_of(std::int32_t satellite, const Fleet& fleet, const Layout& layout,
                               std::span<const LinkRule> rules, const Candidates& candidates,
                               const Outages& outages, const Span& span) {
  std::vector<Window> windows;
  if (!fleet.is_there(satellite)) return windows;
  Memory memory(fleet, satellite);
  Stretches found;
  Stretches taken;  // by outages and by earlier rules of the pair
  Pair pair{};
  for (const auto& [next, position] : candidates.of(satellite)) {
    if (!fleet.is_there(next.b)) continue;
    if (next != pair) taken = outages.of(next);
    pair = next;
    const LinkRule& rule = rules[static_cast<std::size_t>(position)];
    const bool in_one_plane = fleet.is_satellite(pair.b) && layout.in_one_plane(pair);
    const Line line(fleet, memory, pair, rule, in_one_plane);
    found.clear();
    search(line, span.start_s, span.stop_s, found);
    for (const Stretch& stretch : without(found, taken)) {
      const double middle_s = stretch.open_s + 0.5 * (stretch.close_s - stretch.open_s);
      windows.push_back(
          {.pair = pair, .rule = position, .stretch = stretch, .range_m = line.look(middle_s, 0).range_m});
    }
    taken.insert(taken.end(), found.begin(), found.end());
    std::ranges::sort(taken, {}, &Stretch::open_s);
  }
  return windows;
}

void check(const Layout& layout, std::span<const LinkRule> rules,
           std::span<const std::shared_ptr<const Motion>> motions, const Span& span) {
  core::check_range({}, "start_s", core::kReal, span.start_s);
  if (!(span.stop_s >= span.start_s && span.stop_s <= core::kLargest)) {
    core::throw_out_of_range("stop_s", span.stop_s, "[" + core::to_text(span.start_s) + ", inf)");
  }
  layout.check(rules);
  for (std::size_t r = 0; r < rules.size(); ++r) {
    const std::string where = "links[" + std::to_string(r) + "].";
    if (rules[r].pattern == Pattern::nearest) {
      throw InvalidInput(where +
                         "pattern: 'nearest' has no fixed pairs, of which windows could be found; "
                         "its links are known at instants");
    }
    if (rules[r].max_links) {
      throw InvalidInput(
          where + "max_links: " + std::to_string(*rules[r].max_links) +
          " is a choice among the links of an instant, and windows have none; they are known at "
          "instants");
    }
    if (rules[r].survival < 1.0) {
      throw InvalidInput(where + "survival: " + core::to_text(rules[r].survival) +
                         " is drawn for slots, and windows have none; its links are known at instants");
    }
  }
  std::size_t satellites = 0;
  for (const auto& motion : motions) {
    satellites += motion->satellites();
    if (motion->from_s() <= span.start_s && span.stop_s <= motion->to_s()) continue;
    throw InvalidInput("motions: states are known in [" + core::to_text(motion->from_s()) + ", " +
                       core::to_text(motion->to_s()) + "] s, windows are asked for in [" +
                       core::to_text(span.start_s) + ", " + core::to_text(span.stop_s) + "] s");
  }
  if (satellites != static_cast<std::size_t>(layout.satellites())) {
    throw InvalidInput("motions: they have " + std::to_string(satellites) + " satellites of " +
                       std::to_string(layout.satellites()));
  }
}

/// Both directions, in order, as columns.
Windows columns(const std::vector<std::vector<Window>>& by_satellite, std::span<const LinkRule> rules) {
  std::vector<Window> all;
  for (const std::vector<Window>& some : by_satellite) {
    for (Window window : some) {
      all.push_back(window);
      std::swap(window.pair.a, window.pair.b);
      all.push_back(window);
    }
  }
  std::ranges::sort(all, {}, [](const Window& w) { return std::tuple(w.stretch.open_s, w.pair); });
  Windows made;
  for (const Window& window : all) {
    const LinkRule& rule = rules[static_cast<std::size_t>(window.rule)];
    made.from.push_back(window.pair.a);
    made.to.push_back(window.pair.b);
    made.rule.push_back(window.rule);
    made.open_s.push_back(window.stretch.open_s);
    made.close_s.push_back(window.stretch.close_s);
    made.range_m.push_back(window.range_m);
    made.rate_bps.push_back(rate_bps(rule, window.range_m));
    made.overhead_s.push_back(rule.overhead_s);
  }
  return made;
}

}  // namespace

Windows windows(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
                std::span<const std::shared_ptr<const Motion>> motions, const Outages& outages,
                const Span& span, int threads, core::StopToken& stop) {
  check(layout, rules, motions, span);
  const Fleet fleet(motions, stations, span);
  const Candidates candidates(layout, rules);
  std::vector<std::vector<Window>> by_satellite(fleet.satellites());
  const auto worker = [&] {
    return [&](std::size_t s) {
      by_satellite[s] =
          windows_of(static_cast<std::int32_t>(s), fleet, layout, rules, candidates, outages, span);
    };
  };
  // The links of a satellite take milliseconds; the token looks after each.
  const auto interrupted = [&] { return stop.should_stop(std::uint64_t{1} << 20); };
  if (!core::parallel_for(by_satellite.size(), threads, worker, interrupted)) throw core::Stopped();
  return columns(by_satellite, rules);
}

}  // namespace constellm::orbit
