#include "contest.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "constellm/orbit/windows.hpp"
#include "crossing.hpp"

namespace constellm::orbit {
namespace {

/// Two satellites at a moment.
struct Apart {
  double range_m = 0.0;
  double speed_m_per_s = 0.0;
};

/// Two satellites between two moments: `bend` is what the second derivative of the range's square stays
/// within.
struct Course {
  double near_m;
  double far_m;
  double speed_m_per_s;
  double bend_m2_per_s2;
};

struct Moment {
  double time_s = 0.0;
  Apart link;
  std::vector<Apart> rivals;  ///< those that are asked about
};

using Undecided = std::vector<std::size_t>;  ///< positions of rivals
using Ahead = std::array<std::int64_t, 2>;

/// A rival is before where the margin (d +- tie)^2 - r^2 is not negative, of the distances d of the end that
/// is asked for and r of the rival, and + for one of smaller index; one of greater index is never before an
/// end that is nearer than the tie. Of d^2 - r^2 the second derivative is bounded, and so is its distance
/// from the chord between two moments; what the tie adds stays between its least and its most. What stays
/// uncertain so is halved, until each rival passes the end once or not at all.
class Search {
 public:
  Search(const Contest& contest, const Fleet& fleet, Memory& memory, Stretches& found)
      : contest_(contest), fleet_(fleet), memory_(memory), found_(found) {}

  [[nodiscard]] Moment look(double time_s, const Undecided& rivals) const {
    Moment made{.time_s = time_s, .link = {}, .rivals = std::vector<Apart>(contest_.rivals.size())};
    const std::array<State, 2> ends{memory_.state(contest_.pair.a, time_s),
                                    memory_.state(contest_.pair.b, time_s)};
    made.link = apart(ends[0], ends[1]);
    for (const std::size_t i : rivals) {
      const Rival& rival = contest_.rivals[i];
      made.rivals[i] = apart(ends[rival.asking], memory_.state(rival.satellite, time_s));
    }
    return made;
  }

  void halve(const Moment& x, const Moment& y, const Undecided& undecided, Ahead ahead) {
    const double h = y.time_s - x.time_s;
    const Course link = course(contest_.pair.a, contest_.pair.b, x.link, y.link, h);
    Undecided left;
    Ahead open{};
    for (const std::size_t i : undecided) {
      const Passing passing = judge(i, x, y, link);
      if (passing.never) continue;
      const std::size_t asking = contest_.rivals[i].asking;
      if (passing.always && ++ahead[asking] >= contest_.count) return;
      if (passing.always) continue;
      left.push_back(i);
      ++open[asking];
    }
    // An end that has places for the rest asks, whatever they do.
    std::erase_if(left, [&](std::size_t i) {
      const std::size_t asking = contest_.rivals[i].asking;
      return ahead[asking] + open[asking] < contest_.count;
    });
    const auto once = [&](std::size_t i) { return judge(i, x, y, link).once; };
    if (left.empty()) {
      append(found_, {x.time_s, y.time_s});
    } else if (h <= kShortestWindow_s || std::ranges::all_of(left, once)) {
      pass(x, y, left, ahead);
    } else {
      const Moment middle = look(0.5 * (x.time_s + y.time_s), left);
      halve(x, middle, left, ahead);
      halve(middle, y, left, ahead);
    }
  }

 private:
  struct Passing {
    bool never;   ///< before
    bool always;  ///< before
    bool once;    ///< at the most
  };

  static Apart apart(const State& one, const State& other) {
    return {.range_m = (other.position_m - one.position_m).norm(),
            .speed_m_per_s = (other.velocity_m_per_s - one.velocity_m_per_s).norm()};
  }

  [[nodiscard]] Course course(std::int32_t one, std::int32_t other, const Apart& x, const Apart& y,
                              double h) const {
    const Bounds& a = fleet_.bounds(one);
    const Bounds& b = fleet_.bounds(other);
    const double acceleration = a.acceleration_m_per_s2 + b.acceleration_m_per_s2;
    const double local =
        0.5 * (x.speed_m_per_s + y.speed_m_per_s + acceleration * h) + a.beside_m_per_s + b.beside_m_per_s;
    const double speed = std::min(local, a.speed_m_per_s + b.speed_m_per_s);
    const double middle = 0.5 * (x.range_m + y.range_m);
    const double far = middle + 0.5 * speed * h;
    return {.near_m = std::max(0.0, middle - 0.5 * speed * h),
            .far_m = far,
            .speed_m_per_s = speed,
            .bend_m2_per_s2 = 2.0 * (speed * speed + far * acceleration)};
  }

  [[nodiscard]] std::int32_t asked_for(const Rival& rival) const {
    return rival.asking == 0 ? contest_.pair.b : contest_.pair.a;
  }

  [[nodiscard]] double tie(const Rival& rival) const {
    return rival.satellite < asked_for(rival) ? kAsNear_m : -kAsNear_m;
  }

  [[nodiscard]] Passing judge(std::size_t i, const Moment& x, const Moment& y, const Course& link) const {
    const Rival& rival = contest_.rivals[i];
    const double h = y.time_s - x.time_s;
    const std::int32_t from = rival.asking == 0 ? contest_.pair.a : contest_.pair.b;
    const Course other = course(from, rival.satellite, x.rivals[i], y.rivals[i], h);
    const double bend = std::min(rival.swing_m2_per_s2, link.bend_m2_per_s2 + other.bend_m2_per_s2);
    const double bulge = bend * h * h / 8.0;
    const double m = farther(x.link, x.rivals[i]);
    const double n = farther(y.link, y.rivals[i]);
    const double d = tie(rival);
    const double one = tied(link.near_m, d);
    const double two = tied(link.far_m, d);
    return {.never = most(m, n, bulge) + std::max(one, two) < 0.0,
            .always = most(-m, -n, bulge) - std::min(one, two) <= 0.0,
            .once = std::abs(n - m) >= 4.0 * bulge + 2.0 * kAsNear_m * link.speed_m_per_s * h};
  }

  /// By how much the square of the one distance is above that of the other.
  static double farther(const Apart& one, const Apart& other) {
    return (one.range_m - other.range_m) * (one.range_m + other.range_m);
  }

  /// What a tie adds to the margin. Below one that is taken off the square would grow again.
  static double tied(double range_m, double tie_m) {
    return tie_m * (2.0 * std::max(range_m, -tie_m) + tie_m);
  }

  [[nodiscard]] double margin(std::size_t i, const Apart& link, const Apart& other) const {
    return farther(link, other) + tied(link.range_m, tie(contest_.rivals[i]));
  }

  /// Adds the parts in which both ends ask; each rival passes once, or not at all.
  void pass(const Moment& x, const Moment& y, const Undecided& rivals, Ahead ahead) {
    std::vector<std::tuple<double, std::size_t, std::int64_t>>
        passes;  // when, end that asks, one more or less
    for (const std::size_t i : rivals) {
      const std::size_t asking = contest_.rivals[i].asking;
      const double m = margin(i, x.link, x.rivals[i]);
      const double n = margin(i, y.link, y.rivals[i]);
      if (m >= 0.0) ++ahead[asking];
      if ((m >= 0.0) == (n >= 0.0)) continue;
      const double at_s = crossing(x.time_s, m, y.time_s, n, [&](double time_s) {
        const Moment at = look(time_s, {i});
        return margin(i, at.link, at.rivals[i]);
      });
      passes.emplace_back(at_s, asking, m >= 0.0 ? -1 : 1);
    }
    std::ranges::sort(passes);
    double from_s = x.time_s;
    const auto until = [&](double time_s) {
      if (from_s < time_s && ahead[0] < contest_.count && ahead[1] < contest_.count)
        append(found_, {from_s, time_s});
      from_s = time_s;
    };
    for (const auto& [at_s, asking, more] : passes) {
      until(at_s);
      ahead[asking] += more;
    }
    until(y.time_s);
  }

  const Contest& contest_;
  const Fleet& fleet_;
  Memory& memory_;
  Stretches& found_;
};

}  // namespace

void search(const Contest& contest, const Fleet& fleet, Memory& memory, double start_s, double stop_s,
            Stretches& found) {
  if (contest.ahead[0] >= contest.count || contest.ahead[1] >= contest.count) return;
  Undecided all(contest.rivals.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  Search contested(contest, fleet, memory, found);
  contested.halve(contested.look(start_s, all), contested.look(stop_s, all), all, contest.ahead);
}

}  // namespace constellm::orbit
