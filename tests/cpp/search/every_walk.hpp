#pragma once
#include <algorithm>
#include <array>
#include <vector>

#include "constellm/search/goal.hpp"
#include "constellm/search/tolerance.hpp"

namespace constellm::tests {

/// Sums over a part of a walk.
struct Sums {
  double cost = 0.0;
  double peak = 0.0;       ///< longest stage or hop
  double bare_peak = 0.0;  ///< the same without entering and leaving times, as tables of peaks have it
  std::array<double, search::kMaxResources> used{};
};

/// Every way to complete a walk, by the definitions of `LayeredGraph` and `Meter` alone. `visit` is called
/// with the sums; `walk()` is what was walked since the start. No stage without its entering and leaving
/// times, and no hop, is longer than `cap`.
class EveryWalk {
 public:
  EveryWalk(const search::LayeredGraph& graph, const search::Goal& goal, double cap = search::kInfinity)
      : g_(graph), goal_(goal), cap_(search::with_room(cap)), visited_(z(graph.sites()), false) {}

  [[nodiscard]] const search::Walk& walk() const { return walk_; }

  /// Forgets what was walked, and stands at a position.
  void stand_at(std::int32_t p) {
    visited_.assign(visited_.size(), false);
    visit(p);
  }
  void visit(std::int32_t p) { visited_[z(g_.site[z(p)])] = true; }

  template <class Visit>
  void from_source(Visit&& visit) {
    arrive(g_.source, 0, 0, {}, visit);
  }

  /// From the arrival at a position with `level` units done, in `form`.
  template <class Visit>
  void arrive(std::int32_t p, std::int32_t level, std::int32_t form, const Sums& sums, Visit&& visit) {
    const std::int32_t site = g_.site[z(p)];
    visited_[z(site)] = true;
    walk_.positions.push_back(p);
    if (p == g_.sink && level == g_.levels) {
      visit(sums);
    } else {
      leave(p, level, form, sums, visit);
      if (g_.can_host[z(site)] != 0) {
        const double enter_s = g_.form_scale[z(site)] * g_.enter_s[g_.options_at(0, level) + z(form)];
        Sums next = sums;
        add(next, [&](const search::Meter& m) {
          return at(m.stage_rate, z(site)) * enter_s +
                 at(m.enter_extra, g_.options_at(site, level) + z(form));
        });
        stage(p, level, enter_s, next, visit);
      }
    }
    walk_.positions.pop_back();
    visited_[z(site)] = false;
  }

  /// From the beginning of a stage whose entering time is in `sums` already.
  template <class Visit>
  void stage(std::int32_t p, std::int32_t level, double enter_s, const Sums& sums, Visit&& visit) {
    const std::int32_t site = g_.site[z(p)];
    const double* work = &g_.work_s[g_.at(site, 0)];
    for (std::int32_t end = level + 1; end <= g_.reach[g_.at(site, level)]; ++end) {
      const double work_s = g_.stage_fixed_s[z(site)] + (work[end] - work[level]);
      if (work_s > cap_) continue;
      for (std::int32_t k = 0; k < (end == g_.levels ? 1 : g_.options); ++k) {
        const auto option = g_.options_at(0, end) + z(k);
        const bool last = end == g_.levels;
        const double leave_s = last ? 0.0 : g_.form_scale[z(site)] * g_.leave_s[option];
        Sums next = sums;
        next.peak = std::max(next.peak, enter_s + work_s + leave_s);
        next.bare_peak = std::max(next.bare_peak, work_s);
        add(next, [&](const search::Meter& m) {
          const double ending =
              last ? at(m.final_extra, z(site))
                   : at(m.option, option) + at(m.leave_extra, g_.options_at(site, end) + z(k));
          return at(m.stage_rate, z(site)) * (work_s + leave_s) + at(m.work_extra, g_.at(site, end)) -
                 at(m.work_extra, g_.at(site, level)) + ending;
        });
        walk_.blocks.push_back({p, level, end, k});
        leave(p, end, k, next, visit);
        walk_.blocks.pop_back();
      }
    }
  }

  /// From leaving a position in `form`.
  template <class Visit>
  void leave(std::int32_t p, std::int32_t level, std::int32_t form, const Sums& sums, Visit&& visit) {
    if (p == g_.sink) {
      if (level == g_.levels) visit(sums);
      return;
    }
    for (auto a = g_.arc_begin[z(p)]; a < g_.arc_begin[z(p) + 1]; ++a) {
      const std::int32_t to = g_.arc_to[z(a)];
      const double hop_s = g_.hop_s[g_.options_at(g_.arc_line[z(a)], level) + z(form)];
      if (visited_[z(g_.site[z(to)])] || !(hop_s <= cap_)) continue;
      Sums next = sums;
      next.peak = std::max(next.peak, hop_s);
      next.bare_peak = std::max(next.bare_peak, hop_s);
      add(next, [&](const search::Meter& m) {
        return at(m.hop_fixed, z(a)) + at(m.hop_rate, z(a)) * hop_s +
               m.amount_rate * g_.amount[g_.options_at(0, level) + z(form)] +
               at(m.hop_extra, g_.options_at(a, level) + z(form));
      });
      arrive(to, level, form, next, visit);
    }
  }

 private:
  static std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }
  static double at(const std::vector<double>& values, std::size_t i) {
    return values.empty() ? 0.0 : values[i];
  }

  template <class Share>
  void add(Sums& sums, Share share) const {
    sums.cost += share(goal_.cost);
    for (std::size_t r = 0; r < goal_.resources.size(); ++r) sums.used[r] += share(goal_.resources[r]);
  }

  const search::LayeredGraph& g_;
  const search::Goal& goal_;
  double cap_;
  std::vector<bool> visited_;  ///< [sites]
  search::Walk walk_;
};

/// Whether the limits of the goal are kept.
inline bool keeps_limits(const search::Goal& goal, const Sums& sums) {
  for (std::size_t r = 0; r < goal.resources.size(); ++r) {
    if (sums.used[r] > goal.limits[r]) return false;
  }
  return true;
}

}  // namespace constellm::tests
