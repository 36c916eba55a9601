#include "held.hpp"

#include <algorithm>
#include <string>

#include "constellm/core/error.hpp"
#include "constellm/orbit/windows.hpp"
#include "known.hpp"
#include "line.hpp"
#include "line_search.hpp"

namespace constellm::orbit {

Held::Held(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
           const std::optional<Past>& past, core::StopToken& stop)
    : layout_(layout), rules_(rules), past_(past), stop_(stop) {
  double longest_s = 0.0;
  for (std::size_t r = 0; r < rules.size(); ++r) {
    longest_s = std::max(longest_s, acquisition_s(rules[r]));
    check_nearest(layout, rules[r], "links[" + std::to_string(r) + "].", acquisition_s(rules[r]));
    if (longest_s == 0.0 || past) continue;
    throw core::InvalidInput("links[" + std::to_string(r) + "].acquisition_s: " + core::to_text(longest_s) +
                             " asks for the motions before the instant");
  }
  if (longest_s == 0.0) return;
  const double start_s = past->time_s - longest_s;
  check_known(layout, past->motions, start_s, past->time_s);
  fleet_.emplace(past->motions, stations,
                 Span{.epoch = past->epoch, .start_s = start_s, .stop_s = past->time_s, .slot_s = {}});
  memory_.emplace(*fleet_);
  lost_ = fleet_->with_ends(past->outages);
}

bool Held::operator()(Pair pair, std::int32_t position) {
  const auto r = static_cast<std::size_t>(position);
  const LinkRule& rule = rules_[r];
  if (acquisition_s(rule) == 0.0) return true;
  if (stop_.should_stop(16)) throw core::Stopped();
  if (!fleet_->is_there(pair.a) || !fleet_->is_there(pair.b) || fleet_->until_s(pair) < past_->time_s)
    return false;
  const double start_s = past_->time_s - acquisition_s(rule);
  if (rule.pattern == Pattern::nearest && !near_all_the_time(pair, r, start_s)) return false;
  const bool in_one_plane = fleet_->is_satellite(pair.b) && layout_.in_one_plane(pair);
  Stretches found;
  search(Line(*fleet_, *memory_, pair, rule, in_one_plane), start_s, past_->time_s, found);
  return is_whole(without(bridged(found, kShortestWindow_s), lost_.of(pair)), start_s);
}

bool Held::is_whole(const Stretches& held, double start_s) const {
  return held.size() == 1 && held[0].open_s == start_s && held[0].close_s == past_->time_s;
}

bool Held::near_all_the_time(Pair pair, std::size_t r, double start_s) {
  auto at = nearest_.find(r);
  if (at == nearest_.end()) {
    at = nearest_
             .emplace(r, mutual(*fleet_, lost_, layout_.satellites_of(rules_[r]), *rules_[r].count, start_s,
                                past_->time_s, 1, stop_))
             .first;
  }
  const auto found = std::ranges::lower_bound(at->second, pair, {}, &Mutual::pair);
  return found != at->second.end() && found->pair == pair &&
         is_whole(bridged(found->stretches, kShortestWindow_s), start_s);
}

}  // namespace constellm::orbit
