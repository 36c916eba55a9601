#include "mutual.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "asking.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/orbit/near.hpp"
#include "contest.hpp"
#include "memory.hpp"

namespace constellm::orbit {
namespace {

constexpr double kShortestBlock_s = 4.0;
constexpr double kLongestBlock_s = 64.0;
constexpr std::size_t kAtOnce = 64;  // blocks, of which the results are kept beside each other

/// The satellites of a range, of which some are not there.
struct Present {
  const Fleet& fleet;
  Layout::Range range;
  std::vector<char> is_there;  ///< [range]

  /// Of one that is not there NaN. [range][3]
  [[nodiscard]] std::vector<double> positions(double time_s) const {
    std::vector<double> made;
    for (std::int32_t i = range.first; i < range.end; ++i) {
      const bool there = is_there[static_cast<std::size_t>(i - range.first)] != 0;
      const Eigen::Vector3d at = there ? fleet.satellite(i, time_s).position_m
                                       : Eigen::Vector3d::Constant(std::numeric_limits<double>::quiet_NaN());
      made.insert(made.end(), at.begin(), at.end());
    }
    return made;
  }
};

struct Neighbour {
  std::int32_t satellite;
  double range_m;  ///< in the middle of a block
};

/// One after the other: within a block no satellite moves so far that those who may be among the nearest are
/// many.
class Block {
 public:
  Block(const Present& present, std::int64_t count)
      : present_(present),
        fleet_(present.fleet),
        range_(present.range),
        count_(count),
        memory_(fleet_, 4 * present.is_there.size()),
        near_(present.is_there.size()) {}

  std::vector<Mutual> run(double start_s, double stop_s) {
    half_s_ = 0.5 * (stop_s - start_s);
    find_neighbours(start_s + half_s_);
    std::vector<Mutual> found;
    for (std::int32_t a = range_.first; a < range_.end; ++a) {
      for (const Neighbour& there : of(a)) {
        if (there.satellite < a) continue;
        const Pair pair{.a = a, .b = there.satellite};
        rivals_.clear();
        Contest contest{.pair = pair, .count = count_, .ahead = {}, .rivals = {}};
        contest.ahead = {rank(pair.a, pair.b, there.range_m, 0), rank(pair.b, pair.a, there.range_m, 1)};
        contest.rivals = rivals_;
        Stretches stretches;
        search(contest, fleet_, memory_, start_s, stop_s, stretches);
        if (!stretches.empty()) found.push_back({.pair = pair, .stretches = stretches});
      }
    }
    return found;
  }

 private:
  [[nodiscard]] std::vector<Neighbour>& of(std::int32_t satellite) {
    return near_[static_cast<std::size_t>(satellite - range_.first)];
  }
  /// How much the distance of two changes at the most, to either end of the block.
  [[nodiscard]] double reach_m(std::int32_t one, std::int32_t other) const {
    return half_s_ * (fleet_.bounds(one).speed_m_per_s + fleet_.bounds(other).speed_m_per_s);
  }

  /// Those that each may ask for. There are always as many as it asks for within the distance of the last of
  /// them in the middle and their reach: who stays beyond is asked for never, nor counted before who is.
  void find_neighbours(double middle_s) {
    const std::vector<double> field = present_.positions(middle_s);
    const NearPoints near(field);
    double fastest = 0.0;
    for (std::int32_t i = range_.first; i < range_.end; ++i)
      fastest = std::max(fastest, fleet_.bounds(i).speed_m_per_s);
    std::vector<std::int32_t> found;
    for (std::int32_t i = range_.first; i < range_.end; ++i) {
      std::vector<Neighbour>& neighbours = of(i);
      neighbours.clear();
      const std::int32_t point = i - range_.first;
      if (!near.is_there(point)) continue;
      near.nearest(point, static_cast<std::size_t>(count_), found);
      double radius_m = std::numeric_limits<double>::infinity();
      if (found.size() == static_cast<std::size_t>(count_)) {
        radius_m = near.distance_m(point, found.back()) + 3.0 * kAsNear_m +
                   2.0 * half_s_ * (fleet_.bounds(i).speed_m_per_s + fastest);
      }
      near.within(point, radius_m, found);
      for (const std::int32_t other : found) {
        neighbours.push_back({.satellite = range_.first + other, .range_m = near.distance_m(point, other)});
      }
    }
  }

  /// How many are surely before `to` where `from` asks; those that may be become rivals.
  std::int64_t rank(std::int32_t from, std::int32_t to, double range_m, std::size_t asking) {
    std::int64_t ahead = 0;
    bool is_near = false;
    for (const Neighbour& other : of(from)) {
      if (other.satellite == to) {
        is_near = true;
        continue;
      }
      const double room_m = reach_m(from, to) + reach_m(from, other.satellite) + kAsNear_m;
      if (other.range_m > range_m + room_m) continue;
      if (other.range_m < range_m - room_m) {
        ++ahead;
        continue;
      }
      rivals_.push_back({.satellite = other.satellite,
                         .asking = asking,
                         .swing_m2_per_s2 = fleet_.swing_m2_per_s2(from, to, other.satellite)});
    }
    return is_near ? ahead : count_;
  }

  const Present& present_;
  const Fleet& fleet_;
  Layout::Range range_;
  std::int64_t count_;
  Memory memory_;
  std::vector<std::vector<Neighbour>> near_;
  std::vector<Rival> rivals_;
  double half_s_ = 0.0;
};

/// Such that in half a block two satellites come nearer to each other by a quarter of what is usual between
/// one and the last that it asks for.
double block_s(const Present& present, std::int64_t count, double time_s) {
  const auto& [fleet, range, _] = present;
  const std::vector<double> field = present.positions(time_s);
  const NearPoints near(field);
  std::vector<std::int32_t> found;
  std::vector<double> last_s;
  for (std::int32_t i = range.first; i < range.end; i += std::max((range.end - range.first) / 100, 1)) {
    near.nearest(i - range.first, static_cast<std::size_t>(count), found);
    if (!found.empty())
      last_s.push_back(near.distance_m(i - range.first, found.back()) / fleet.bounds(i).speed_m_per_s);
  }
  if (last_s.empty()) return kLongestBlock_s;
  const auto middle = last_s.begin() + static_cast<std::ptrdiff_t>(last_s.size() / 2);
  std::ranges::nth_element(last_s, middle);
  return std::clamp(0.25 * *middle, kShortestBlock_s, kLongestBlock_s);
}

/// Adds who asks for each other while those that are there are the same.
void find(const Present& present, std::int64_t count, double start_s, double stop_s, int threads,
          core::StopToken& stop, std::map<Pair, Stretches>& by_pair) {
  const double span_s = stop_s - start_s;
  const auto blocks = static_cast<std::size_t>(std::ceil(span_s / block_s(present, count, start_s)));
  const auto begin_s = [&](std::size_t block) {
    return block == blocks ? stop_s
                           : start_s + span_s * (static_cast<double>(block) / static_cast<double>(blocks));
  };
  for (std::size_t first = 0; first < blocks; first += kAtOnce) {
    std::vector<std::vector<Mutual>> found(std::min(kAtOnce, blocks - first));
    const auto worker = [&] {
      return [&, block = Block(present, count)](std::size_t i) mutable {
        found[i] = block.run(begin_s(first + i), begin_s(first + i + 1));
      };
    };
    const auto interrupted = [&] { return stop.should_stop(std::uint64_t{1} << 20); };
    if (!core::parallel_for(found.size(), threads, worker, interrupted)) throw core::Stopped();
    for (const std::vector<Mutual>& block : found) {
      for (const Mutual& some : block) {
        for (const Stretch& stretch : some.stretches) append(by_pair[some.pair], stretch);
      }
    }
  }
}

}  // namespace

std::vector<Mutual> mutual(const Fleet& fleet, const Outages& outages, Layout::Range satellites,
                           std::int64_t count, double start_s, double stop_s, int threads,
                           core::StopToken& stop) {
  std::vector<Stretches> lost;  // of each
  std::vector<double> edges_s{start_s, stop_s};
  for (std::int32_t i = satellites.first; i < satellites.end; ++i) {
    lost.push_back(outages.of({.a = i, .b = i}));
    for (const auto& [open_s, close_s] : lost.back()) {
      for (const double edge_s : {open_s, close_s}) {
        if (start_s < edge_s && edge_s < stop_s) edges_s.push_back(edge_s);
      }
    }
  }
  std::ranges::sort(edges_s);
  std::map<Pair, Stretches> by_pair;
  for (std::size_t k = 0; k + 1 < edges_s.size(); ++k) {
    if (edges_s[k] == edges_s[k + 1]) continue;
    Present present{.fleet = fleet, .range = satellites, .is_there = {}};
    for (std::int32_t i = satellites.first; i < satellites.end; ++i) {
      const bool is_lost = std::ranges::any_of(lost[present.is_there.size()], [&](const Stretch& stretch) {
        return stretch.open_s <= edges_s[k] && edges_s[k] < stretch.close_s;
      });
      present.is_there.push_back(fleet.is_there(i) && !is_lost ? 1 : 0);
    }
    find(present, count, edges_s[k], edges_s[k + 1], threads, stop, by_pair);
  }
  std::vector<Mutual> made;
  for (auto& [pair, stretches] : by_pair) made.push_back({.pair = pair, .stretches = std::move(stretches)});
  return made;
}

}  // namespace constellm::orbit
