#include "line_search.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "constellm/orbit/windows.hpp"
#include "crossing.hpp"

namespace constellm::orbit {
namespace {

/// A margin m between glances a time h apart, where |m''| <= K, leaves its chord by no more than
/// K s (h - s) / 2 at the time s. Where that does not reach 0, its sign is certain; and where its ends differ
/// by K h^2 / 2 it rises or falls all the way, so that it crosses 0 once or not at all. What is uncertain is
/// halved.
class Search {
 public:
  Search(const Line& line, Stretches& found) : line_(line), found_(found) {}

  void halve(const Glance& x, const Glance& y, Conditions undecided) {
    const Between between = line_.between(x, y);
    const double h = between.duration_s;
    Conditions uncertain = 0;
    bool one_crossing_each = true;
    for (Conditions rest = undecided; rest != 0; rest &= rest - 1) {
      const auto condition = static_cast<std::size_t>(std::countr_zero(rest));
      const double m = x.margin[condition];
      const double n = y.margin[condition];
      const double bulge = line_.curvature(condition, x, y, between) * h * h / 8.0;
      if (most(m, n, bulge) < 0.0) return;
      if (most(-m, -n, bulge) <= 0.0) continue;
      uncertain |= set_of(condition);
      one_crossing_each &= std::abs(n - m) >= 4.0 * bulge;
    }
    if (uncertain == 0) {
      append(found_, {x.time_s, y.time_s});
    } else if (one_crossing_each || h <= kShortestWindow_s) {
      cross(x, y, uncertain);
    } else {
      const Glance middle = line_.look(0.5 * (x.time_s + y.time_s), uncertain);
      halve(x, middle, uncertain);
      halve(middle, y, uncertain);
    }
  }

 private:
  /// Adds the part in which every margin is not negative; each crosses once, or not at all.
  void cross(const Glance& x, const Glance& y, Conditions conditions) {
    double open_s = x.time_s;
    double close_s = y.time_s;
    for (Conditions rest = conditions; rest != 0; rest &= rest - 1) {
      const auto condition = static_cast<std::size_t>(std::countr_zero(rest));
      const double m = x.margin[condition];
      const double n = y.margin[condition];
      if (m < 0.0 && n < 0.0) return;
      if (m >= 0.0 && n >= 0.0) continue;
      const double at_s = crossing(x.time_s, m, y.time_s, n, [&](double time_s) {
        return line_.look(time_s, set_of(condition)).margin[condition];
      });
      if (m >= 0.0)
        close_s = std::min(close_s, at_s);
      else
        open_s = std::max(open_s, at_s);
    }
    if (open_s < close_s) append(found_, {open_s, close_s});
  }

  const Line& line_;
  Stretches& found_;
};

}  // namespace

void search(const Line& line, double start_s, double stop_s, Stretches& found) {
  if (line.never() || !(start_s < stop_s)) return;
  const Conditions all = line.conditions();
  Search(line, found).halve(line.look(start_s, all), line.look(stop_s, all), all);
}

}  // namespace constellm::orbit
