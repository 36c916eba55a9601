#include "constellm/orbit/windows.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "candidates.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/orbit/stretch.hpp"
#include "fleet.hpp"
#include "known.hpp"
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

/// Later by what it takes to acquire the link, where there is that much time.
Stretches acquired(const Stretches& held, const LinkRule& rule, const Span& span) {
  const double wait_s = acquisition_s(rule);
  if (wait_s == 0.0) return held;
  const double first_s = looked_at(rule, span).open_s;
  Stretches made;
  for (const auto& [open_s, close_s] : held) {
    const double from_s = open_s == first_s ? span.start_s : std::max(open_s + wait_s, span.start_s);
    if (from_s < close_s) made.push_back({from_s, close_s});
  }
  return made;
}

/// The slots for which the link is drawn.
Stretches drawn(const Stretches& stretches, const LinkRule& rule, Pair pair, const Span& span) {
  if (rule.survival >= 1.0) return stretches;
  const auto begin_s = [&](std::int64_t slot) {
    return span.start_s + *span.slot_s * static_cast<double>(slot);
  };
  Stretches made;
  for (const auto& [open_s, close_s] : stretches) {
    auto slot = static_cast<std::int64_t>((open_s - span.start_s) / *span.slot_s);
    while (slot > 0 && begin_s(slot) > open_s) --slot;
    for (; begin_s(slot) < close_s; ++slot) {
      const Stretch part{std::max(open_s, begin_s(slot)), std::min(close_s, begin_s(slot + 1))};
      if (part.open_s < part.close_s && survives(rule, slot, pair.a, pair.b)) append(made, part);
    }
  }
  return made;
}

std::vector<Window> windows_of(std::int32_t satellite, const Fleet& fleet, const Layout& layout,
                               std::span<const LinkRule> rules, const Candidates& candidates,
                               const Outages& outages, const Span& span) {
  std::vector<Window> windows;
  if (!fleet.is_there(satellite)) return windows;
  Memory memory(fleet);
  Stretches found;
  Stretches taken;  // by earlier rules of the pair
  Pair pair{};
  for (const auto& [next, position, when] : candidates.of(satellite)) {
    if (!fleet.is_there(next.b)) continue;
    if (next != pair) taken.clear();
    pair = next;
    const LinkRule& rule = rules[static_cast<std::size_t>(position)];
    const bool in_one_plane = fleet.is_satellite(pair.b) && layout.in_one_plane(pair);
    const Line line(fleet, memory, pair, rule, in_one_plane);
    found.clear();
    for (const Stretch& stretch : when)
      search(line, stretch.open_s, std::min(stretch.close_s, fleet.until_s(pair)), found);
    // A gap that might have been missed must not make a link be acquired anew.
    if (acquisition_s(rule) > 0.0) found = bridged(found, kShortestWindow_s);
    found = without(found, outages.of(pair));
    found = drawn(acquired(found, rule, span), rule, pair, span);
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

void check_slots(const LinkRule& rule, const std::string& where, const Span& span) {
  if (rule.survival >= 1.0) return;
  if (!span.slot_s) {
    throw InvalidInput(where + "survival: " + core::to_text(rule.survival) +
                       " is drawn for slots; windows need slot_s, how long each lasts");
  }
  core::require_positive("slot_s", *span.slot_s);
  const double slots = (span.stop_s - span.start_s) / *span.slot_s;
  if (slots <= kMostSlots) return;
  throw InvalidInput("slot_s: " + core::to_text(*span.slot_s) + " from " + core::to_text(span.start_s) +
                     " to " + core::to_text(span.stop_s) + " makes more than 10000000 slots");
}

void check(const Layout& layout, std::span<const LinkRule> rules,
           std::span<const std::shared_ptr<const Motion>> motions, const Span& span) {
  core::check_range({}, "start_s", core::kReal, span.start_s);
  if (!(span.stop_s >= span.start_s && span.stop_s <= core::kLargest)) {
    core::throw_out_of_range("stop_s", span.stop_s, "[" + core::to_text(span.start_s) + ", inf)");
  }
  layout.check(rules);
  double from_s = span.start_s;
  for (std::size_t r = 0; r < rules.size(); ++r) {
    const std::string where = "links[" + std::to_string(r) + "].";
    check_slots(rules[r], where, span);
    check_nearest(layout, rules[r], where, span.stop_s - looked_at(rules[r], span).open_s);
    if (rules[r].max_links) {
      throw InvalidInput(
          where + "max_links: " + std::to_string(*rules[r].max_links) +
          " is a choice among the links of an instant, and windows have none; they are known at "
          "instants");
    }
    from_s = std::min(from_s, looked_at(rules[r], span).open_s);
  }
  check_known(layout, motions, from_s, span.stop_s);
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
  const Outages lost = fleet.with_ends(outages);
  const Candidates candidates(layout, rules, fleet, lost, span, threads, stop);
  std::vector<std::vector<Window>> by_satellite(fleet.satellites());
  const auto worker = [&] {
    return [&](std::size_t s) {
      by_satellite[s] =
          windows_of(static_cast<std::int32_t>(s), fleet, layout, rules, candidates, lost, span);
    };
  };
  // The links of a satellite take milliseconds; the token looks after each.
  const auto interrupted = [&] { return stop.should_stop(std::uint64_t{1} << 20); };
  if (!core::parallel_for(by_satellite.size(), threads, worker, interrupted)) throw core::Stopped();
  return columns(by_satellite, rules);
}

}  // namespace constellm::orbit
