#include "constellm/orbit/windows.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "constellm/core/constants.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/orbit/angles.hpp"

namespace constellm::orbit {
namespace {

using core::InvalidInput;
using Eigen::Vector3d;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kCrossing_s = 1e-6;  // to which a crossing is met

/// The Earth's turn during a span. Its rate changes so little that in a year the Earth is off by 0.3 m.
class Turning {
 public:
  explicit Turning(const Span& span)
      : start_s_(span.start_s), gmst_rad_(gmst_rad(span.epoch, span.start_s)) {}
  [[nodiscard]] EarthTurn at(double time_s) const {
    return EarthTurn(gmst_rad_ + core::kEarthRotation.value * (time_s - start_s_));
  }

 private:
  double start_s_;
  double gmst_rad_;
};

/// All satellites and stations.
class Fleet {
 public:
  Fleet(std::span<const std::shared_ptr<const Motion>> motions, std::span<const Horizon> stations,
        const Span& span)
      : stations_(stations), turning_(span) {
    for (const auto& motion : motions) {
      for (std::size_t i = 0; i < motion->satellites(); ++i) {
        places_.push_back({.motion = motion.get(), .index = i});
        bounds_.push_back(motion->is_there(i) ? motion->bounds(i) : Bounds{});
      }
    }
  }

  [[nodiscard]] std::size_t satellites() const { return places_.size(); }
  [[nodiscard]] bool is_satellite(std::int32_t node) const { return z(node) < places_.size(); }
  [[nodiscard]] bool is_there(std::int32_t node) const {
    return !is_satellite(node) || bounds_[z(node)].near_m > 0.0;
  }
  [[nodiscard]] State satellite(std::int32_t node, double time_s) const {
    return places_[z(node)].motion->state(places_[z(node)].index, time_s);
  }
  [[nodiscard]] const Horizon& station(std::int32_t node) const {
    return stations_[z(node) - places_.size()];
  }
  [[nodiscard]] EarthTurn turn(double time_s) const { return turning_.at(time_s); }
  [[nodiscard]] bool on_one_circle(Pair pair) const {
    if (!is_satellite(pair.b)) return false;
    const Place& a = places_[z(pair.a)];
    const Place& b = places_[z(pair.b)];
    return a.motion == b.motion && a.motion->on_one_circle(a.index, b.index);
  }
  [[nodiscard]] Bounds bounds(std::int32_t node) const {
    if (is_satellite(node)) return bounds_[z(node)];
    constexpr double w = core::kEarthRotation.value;
    const double r = station(node).position_m.norm();
    return {.near_m = r,
            .far_m = r,
            .speed_m_per_s = w * r,
            .acceleration_m_per_s2 = w * w * r,
            .jerk_m_per_s3 = w * w * w * r};
  }

 private:
  struct Place {
    const Motion* motion;
    std::size_t index;
  };
  static std::size_t z(std::int32_t node) { return static_cast<std::size_t>(node); }

  std::vector<Place> places_;
  std::vector<Bounds> bounds_;
  std::span<const Horizon> stations_;
  Turning turning_;
};

/// States of one satellite that were asked for, with the Earth's turn: its links with others are looked at in
/// the same moments, halves of halves of the span.
class Memory {
 public:
  Memory(const Fleet& fleet, std::int32_t satellite) : fleet_(fleet), satellite_(satellite) {}

  struct Entry {
    double time_s = std::numeric_limits<double>::quiet_NaN();
    State state;
    EarthTurn turn{0.0};
  };
  const Entry& at(double time_s) {
    const std::uint64_t hash = std::bit_cast<std::uint64_t>(time_s) * 0x9e3779b97f4a7c15u;
    Entry& entry = entries_[hash >> 54];
    if (entry.time_s != time_s) {
      entry = {.time_s = time_s, .state = fleet_.satellite(satellite_, time_s), .turn = fleet_.turn(time_s)};
    }
    return entry;
  }

 private:
  const Fleet& fleet_;
  std::int32_t satellite_;
  std::vector<Entry> entries_ = std::vector<Entry>(1024);
};

enum Condition : std::size_t { range, grazing, turning, latitude_a, latitude_b, above_a, above_b, mask };
constexpr std::size_t kConditions = 8;

/// A set of conditions.
using Set = std::uint32_t;
constexpr Set set_of(std::size_t condition) { return Set{1} << condition; }

/// A link at a moment: each condition has a margin, which is smooth, and not negative where it holds.
struct Look {
  double time_s;
  double range_m;
  double speed_m_per_s;  ///< of the ends against each other
  std::array<double, 2> tangent_m2;
  std::array<double, kConditions> margin;
};

/// Between two looks.
struct Between {
  double duration_s;
  double speed_m_per_s;  ///< no more than this
  double near_m;         ///< range, no less
  double far_m;          ///< range, no more
};

/// The line between a satellite and another, or a station, under the conditions of a rule.
class Line {
 public:
  Line(const Fleet& fleet, Memory& memory, Pair pair, const LinkRule& rule, bool in_one_plane)
      : fleet_(fleet),
        memory_(memory),
        other_(pair.b),
        bounds_{fleet.bounds(pair.a), fleet.bounds(pair.b)},
        is_fixed_(fleet.on_one_circle(pair)) {
    const auto demand = [this](Condition condition) { conditions_ |= set_of(condition); };
    double longest_m = rule.max_range_m.value_or(kInfinity);
    if (between_satellites(rule)) {
      sphere_m_ = core::kEarthRadius.value + rule.grazing_altitude_m.value_or(kGrazingAltitude_m);
      demand(grazing);
      for (const Condition above : {above_a, above_b}) {
        const Bounds& of = bounds_[above - above_a];
        if (of.near_m < sphere_m_) demand(above);
        if (of.far_m < sphere_m_) never_ = true;
        tangent_m_[above - above_a] = std::sqrt(std::max(0.0, of.far_m * of.far_m - sphere_m_ * sphere_m_));
      }
      if (rule.max_latitude_deg && !in_one_plane) {
        sin_latitude_ = std::sin(*rule.max_latitude_deg * kDegree_rad);
        demand(latitude_a);
        demand(latitude_b);
      }
    } else {
      demand(mask);
      longest_m = std::min(longest_m, fleet.station(other_).max_range_m);
    }
    if (longest_m < kInfinity) {
      longest_m_ = longest_m;
      demand(range);
    }
    if (rule.max_angular_rate_rad_per_s) {
      fastest_rad_per_s_ = *rule.max_angular_rate_rad_per_s;
      demand(turning);
    }
  }

  [[nodiscard]] Set conditions() const { return conditions_; }
  [[nodiscard]] bool never() const { return never_; }

  /// With the margins of `conditions` alone.
  ///   range     R^2 - l^2                       turning   w^2 l^4 - |l x v|^2
  ///   latitude  (r sin L)^2 - z^2               above     r^2 - D^2
  ///   grazing   a . b - D^2 + Ta Tb, T^2 = r^2 - D^2: the line clears the sphere of radius D where it is no
  ///             longer than both ends' tangents, l <= Ta + Tb, squared and halved
  ///   mask      l . up - |l| sin(elevation)
  Look look(double time_s, Set conditions) const {
    const Memory::Entry& here = memory_.at(time_s);
    const Vector3d& a = here.state.position_m;
    State there;
    if (fleet_.is_satellite(other_)) {
      there = fleet_.satellite(other_, time_s);
    } else {
      there.position_m = here.turn.to_teme(fleet_.station(other_).position_m);
      there.velocity_m_per_s = with_the_earth(there.position_m);
    }
    const Vector3d& b = there.position_m;
    const Vector3d line = b - a;
    const Vector3d change = there.velocity_m_per_s - here.state.velocity_m_per_s;
    const double squared = line.squaredNorm();
    Look look{};
    look.time_s = time_s;
    look.range_m = std::sqrt(squared);
    look.speed_m_per_s = change.norm();
    const auto wanted = [&](Condition condition) { return (conditions & set_of(condition)) != 0; };
    if (wanted(range)) look.margin[range] = longest_m_ * longest_m_ - squared;
    if (wanted(turning)) {
      const double turn = fastest_rad_per_s_ * squared;
      look.margin[turning] = turn * turn - line.cross(change).squaredNorm();
    }
    if (wanted(mask)) {
      const Horizon& station = fleet_.station(other_);
      look.margin[mask] = -line.dot(here.turn.to_teme(station.up)) - look.range_m * station.sin_mask;
    }
    if (wanted(grazing) || wanted(above_a) || wanted(above_b)) {
      const double sphere = sphere_m_ * sphere_m_;
      look.tangent_m2 = {a.squaredNorm() - sphere, b.squaredNorm() - sphere};
      look.margin[grazing] =
          a.dot(b) - sphere +
          std::sqrt(std::max(0.0, look.tangent_m2[0])) * std::sqrt(std::max(0.0, look.tangent_m2[1]));
      look.margin[above_a] = look.tangent_m2[0];
      look.margin[above_b] = look.tangent_m2[1];
    }
    const double sine = sin_latitude_ * sin_latitude_;
    if (wanted(latitude_a)) look.margin[latitude_a] = sine * a.squaredNorm() - a.z() * a.z();
    if (wanted(latitude_b)) look.margin[latitude_b] = sine * b.squaredNorm() - b.z() * b.z();
    return look;
  }

  [[nodiscard]] Between between(const Look& x, const Look& y) const {
    const double h = y.time_s - x.time_s;
    const double most = bounds_[0].speed_m_per_s + bounds_[1].speed_m_per_s;
    const double local = 0.5 * (x.speed_m_per_s + y.speed_m_per_s + acceleration() * h) +
                         bounds_[0].beside_m_per_s + bounds_[1].beside_m_per_s;
    const double speed = std::min(most, local);
    const double middle = 0.5 * (x.range_m + y.range_m);
    return {.duration_s = h,
            .speed_m_per_s = speed,
            .near_m = std::max(0.0, middle - 0.5 * speed * h),
            .far_m = middle + 0.5 * speed * h};
  }

  /// What the second derivative of a margin stays within between two looks: products of the bounds, by
  /// Leibniz's rule and the triangle inequality.
  [[nodiscard]] double curvature(std::size_t condition, const Look& x, const Look& y,
                                 const Between& at) const {
    const double v = at.speed_m_per_s;
    const double l = at.far_m;
    const double g = acceleration();
    switch (condition) {
      case range: return is_fixed_ ? 0.0 : 2.0 * (v * v + l * g);
      case turning: return is_fixed_ ? 0.0 : turning_curvature(at);
      case mask: {
        constexpr double w = core::kEarthRotation.value;
        const double sine = std::abs(fleet_.station(other_).sin_mask);
        const double of_range = sine > 0.0 ? sine * (v * v / at.near_m + g) : 0.0;
        return g + 2.0 * v * w + l * w * w + of_range;
      }
      case latitude_a:
      case latitude_b: {
        const Bounds& of = bounds_[condition - latitude_a];
        const double sine = sin_latitude_ * sin_latitude_;
        return 2.0 * sine * of.climb_rate_m2_per_s2 +
               2.0 * (of.speed_m_per_s * of.speed_m_per_s + of.far_m * of.acceleration_m_per_s2);
      }
      case above_a:
      case above_b: return 2.0 * bounds_[condition - above_a].climb_rate_m2_per_s2;
      default: return is_fixed_ ? 0.0 : grazing_curvature(x, y, at);
    }
  }

 private:
  [[nodiscard]] double acceleration() const {
    return bounds_[0].acceleration_m_per_s2 + bounds_[1].acceleration_m_per_s2;
  }

  [[nodiscard]] double turning_curvature(const Between& at) const {
    const double v = at.speed_m_per_s;
    const double l = at.far_m;
    const double g = acceleration();
    const double jerk = bounds_[0].jerk_m_per_s3 + bounds_[1].jerk_m_per_s3;
    const double beside = bounds_[0].beside_m_per_s + bounds_[1].beside_m_per_s;
    const double w2 = fastest_rad_per_s_ * fastest_rad_per_s_;
    // (l^2)^2, then |l x v|^2 with its first derivative, which would be l x g were v that of l, and second.
    const double first = beside * v + l * g;
    const double second = 3.0 * g * v + l * jerk;
    return w2 * l * l * (12.0 * v * v + 4.0 * l * g) + 2.0 * (first * first + l * v * second);
  }

  /// Of a . b = (a^2 + b^2 - l^2) / 2, and of Ta Tb: T' = r r' / T, T'' = (r r')' / T - (r r')^2 / T^3.
  [[nodiscard]] double grazing_curvature(const Look& x, const Look& y, const Between& at) const {
    std::array<double, 2> first{};
    std::array<double, 2> second{};
    for (std::size_t i = 0; i < 2; ++i) {
      const Bounds& of = bounds_[i];
      if (of.climb_m2_per_s == 0.0 && of.climb_rate_m2_per_s2 == 0.0) continue;
      const double always = of.near_m * of.near_m - sphere_m_ * sphere_m_;
      const double here = 0.5 * (x.tangent_m2[i] + y.tangent_m2[i]) - of.climb_m2_per_s * at.duration_s;
      const double least = std::sqrt(std::max({always, here, 0.0}));
      first[i] = of.climb_m2_per_s / least;
      second[i] = of.climb_rate_m2_per_s2 / least + first[i] * first[i] / least;
    }
    const double v = at.speed_m_per_s;
    const double product =
        bounds_[0].climb_rate_m2_per_s2 + bounds_[1].climb_rate_m2_per_s2 + v * v + at.far_m * acceleration();
    return product + second[0] * tangent_m_[1] + 2.0 * first[0] * first[1] + tangent_m_[0] * second[1];
  }

  const Fleet& fleet_;
  Memory& memory_;
  std::int32_t other_;
  std::array<Bounds, 2> bounds_;
  bool is_fixed_;  ///< ranges, rates and heights of the line never change
  bool never_ = false;
  Set conditions_ = 0;
  double longest_m_ = 0.0;
  double fastest_rad_per_s_ = 0.0;
  double sin_latitude_ = 0.0;
  double sphere_m_ = 0.0;
  std::array<double, 2> tangent_m_{};  ///< longest
};

struct Stretch {
  double open_s;
  double close_s;
};

/// When all conditions of a line hold. A margin m between looks a time h apart, where |m''| <= K, leaves its
/// chord by no more than K s (h - s) / 2 at the time s. Where that does not reach 0, its sign is certain; and
/// where its ends differ by K h^2 / 2 it rises or falls all the way, so that it crosses 0 once or not at all.
/// What is uncertain is halved.
class Search {
 public:
  Search(const Line& line, std::vector<Stretch>& found) : line_(line), found_(found) {}

  void run(double start_s, double stop_s) {
    found_.clear();
    if (line_.never() || !(start_s < stop_s)) return;
    const Set all = line_.conditions();
    halve(line_.look(start_s, all), line_.look(stop_s, all), all);
  }

 private:
  /// The most that a margin reaches between two looks; `bulge` is K h^2 / 8.
  static double most(double m, double n, double bulge) {
    const double apart = std::abs(n - m);
    if (apart >= 4.0 * bulge) return std::max(m, n);
    return 0.5 * (m + n) + bulge + apart * apart / (16.0 * bulge);
  }

  void halve(const Look& x, const Look& y, Set undecided) {
    const Between between = line_.between(x, y);
    const double h = between.duration_s;
    Set uncertain = 0;
    bool one_crossing_each = true;
    for (Set rest = undecided; rest != 0; rest &= rest - 1) {
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
      add(x.time_s, y.time_s);
    } else if (one_crossing_each || h <= kShortestWindow_s) {
      cross(x, y, uncertain);
    } else {
      const Look middle = line_.look(0.5 * (x.time_s + y.time_s), uncertain);
      halve(x, middle, uncertain);
      halve(middle, y, uncertain);
    }
  }

  /// Adds the part in which every margin is not negative; each crosses once, or not at all.
  void cross(const Look& x, const Look& y, Set conditions) {
    double open_s = x.time_s;
    double close_s = y.time_s;
    for (Set rest = conditions; rest != 0; rest &= rest - 1) {
      const auto condition = static_cast<std::size_t>(std::countr_zero(rest));
      const bool before = x.margin[condition] >= 0.0;
      const bool after = y.margin[condition] >= 0.0;
      if (!before && !after) return;
      if (before && after) continue;
      const double at_s = crossing(condition, x, y);
      if (before)
        close_s = std::min(close_s, at_s);
      else
        open_s = std::max(open_s, at_s);
    }
    if (open_s < close_s) add(open_s, close_s);
  }

  /// Ridders's method (IEEE Transactions on Circuits and Systems 26 (1979), 979-980).
  [[nodiscard]] double crossing(std::size_t condition, const Look& x, const Look& y) const {
    double a = x.time_s;
    double b = y.time_s;
    double at_a = x.margin[condition];
    double at_b = y.margin[condition];
    double last = a;
    const auto margin = [&](double time_s) {
      return line_.look(time_s, set_of(condition)).margin[condition];
    };
    while (b - a > kCrossing_s) {
      const double middle = 0.5 * (a + b);
      if (!(a < middle && middle < b)) break;  // no room for rounding left
      const double at_middle = margin(middle);
      const double root = std::sqrt(at_middle * at_middle - at_a * at_b);
      if (root == 0.0) return middle;
      const double sign = at_a >= at_b ? 1.0 : -1.0;
      const double next = std::clamp(middle + sign * (middle - a) * at_middle / root, a, b);
      if (std::abs(next - last) <= kCrossing_s) return next;
      last = next;
      const double at_next = margin(next);
      // The two neighbours, of a, middle, next and b, between which the sign changes.
      const bool ordered = middle < next;
      const std::array<std::pair<double, double>, 4> points{
          {{a, at_a},
           ordered ? std::pair(middle, at_middle) : std::pair(next, at_next),
           ordered ? std::pair(next, at_next) : std::pair(middle, at_middle),
           {b, at_b}}};
      for (std::size_t i = 0; i < 3; ++i) {
        if ((points[i].second >= 0.0) == (points[i + 1].second >= 0.0)) continue;
        std::tie(a, at_a) = points[i];
        std::tie(b, at_b) = points[i + 1];
        break;
      }
    }
    return 0.5 * (a + b);
  }

  void add(double open_s, double close_s) {
    if (!found_.empty() && found_.back().close_s == open_s)
      found_.back().close_s = close_s;
    else
      found_.push_back({open_s, close_s});
  }

  const Line& line_;
  std::vector<Stretch>& found_;
};

/// What of `stretches` is not in `taken`; both rise.
std::vector<Stretch> without(const std::vector<Stretch>& stretches, const std::vector<Stretch>& taken) {
  std::vector<Stretch> left;
  for (const Stretch& stretch : stretches) {
    double open_s = stretch.open_s;
    for (const Stretch& gone : taken) {
      if (gone.close_s <= open_s) continue;
      if (gone.open_s >= stretch.close_s) break;
      if (gone.open_s > open_s) left.push_back({open_s, gone.open_s});
      open_s = gone.close_s;
    }
    if (open_s < stretch.close_s) left.push_back({open_s, stretch.close_s});
  }
  return left;
}

struct Candidate {
  Pair pair;
  std::int32_t rule;

  auto operator<=>(const Candidate&) const = default;
};

struct Window {
  Pair pair;
  std::int32_t rule;
  Stretch stretch;
  double range_m;
};

/// Which links there may be, by the satellite that is first in the pair.
class Candidates {
 public:
  Candidates(const Layout& layout, std::span<const LinkRule> rules) : layout_(layout), rules_(rules) {
    for (std::size_t r = 0; r < rules.size(); ++r) {
      if (rules[r].pattern != Pattern::plus_grid && rules[r].pattern != Pattern::ring) continue;
      for (const Pair& pair : layout.grid(rules[r]))
        in_grids_.push_back({.pair = pair, .rule = static_cast<std::int32_t>(r)});
    }
    std::ranges::sort(in_grids_);
  }

  /// In rising order.
  [[nodiscard]] std::vector<Candidate> of(std::int32_t satellite) const {
    const auto before = [](const Candidate& candidate, std::int32_t first) {
      return candidate.pair.a < first;
    };
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

 private:
  const Layout& layout_;
  std::span<const LinkRule> rules_;
  std::vector<Candidate> in_grids_;
};

std::vector<Window> windows_of(std::int32_t satellite, const Fleet& fleet, const Layout& layout,
                               std::span<const LinkRule> rules, const Candidates& candidates,
                               const Span& span) {
  std::vector<Window> windows;
  if (!fleet.is_there(satellite)) return windows;
  Memory memory(fleet, satellite);
  std::vector<Stretch> found;
  std::vector<Stretch> taken;  // by earlier rules of the pair
  Pair pair{};
  for (const auto& [next, position] : candidates.of(satellite)) {
    if (!fleet.is_there(next.b)) continue;
    if (next != pair) taken.clear();
    pair = next;
    const LinkRule& rule = rules[static_cast<std::size_t>(position)];
    const bool in_one_plane = fleet.is_satellite(pair.b) && layout.in_one_plane(pair);
    const Line line(fleet, memory, pair, rule, in_one_plane);
    Search(line, found).run(span.start_s, span.stop_s);
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
    made.rate_bps.push_back(rule.rate_bps);
    made.overhead_s.push_back(rule.overhead_s);
  }
  return made;
}

}  // namespace

Windows windows(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
                std::span<const std::shared_ptr<const Motion>> motions, const Span& span, int threads,
                core::StopToken& stop) {
  check(layout, rules, motions, span);
  const Fleet fleet(motions, stations, span);
  const Candidates candidates(layout, rules);
  std::vector<std::vector<Window>> by_satellite(fleet.satellites());
  const auto worker = [&] {
    return [&](std::size_t s) {
      by_satellite[s] = windows_of(static_cast<std::int32_t>(s), fleet, layout, rules, candidates, span);
    };
  };
  // The links of a satellite take milliseconds; the token looks after each.
  const auto interrupted = [&] { return stop.should_stop(std::uint64_t{1} << 20); };
  if (!core::parallel_for(by_satellite.size(), threads, worker, interrupted)) throw core::Stopped();
  return columns(by_satellite, rules);
}

}  // namespace constellm::orbit
