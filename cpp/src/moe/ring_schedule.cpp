#include "constellm/moe/ring_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "constellm/core/index.hpp"
#include "constellm/moe/gateways.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kProven = 1e-9;     // relative gap
constexpr double kRounding = 1e-12;  // what two sums of the same terms may differ by, relatively
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr int kSteps = 1000;   // of the bound's ascent
constexpr int kPatience = 10;  // steps without a better bound, after which they get shorter
constexpr double kShorter = 0.8;
constexpr double kShortest = 1e-3;
constexpr double kKept = 0.9;      // of the way gone before, in every step
constexpr int kDescendEvery = 10;  // steps, from what rings and chains have chosen there

using Gateways = std::vector<std::vector<std::int32_t>>;  // [windows][layers]
using Unary = std::vector<std::vector<double>>;           // [layers][gateways]

class Scheduler {
 public:
  Scheduler(const RingWindows& of, core::StopToken& stop)
      : of_(of), count_(of.value_s.size()), layers_(of.gateways.size()), stop_(stop) {}

  RingSchedule found() {
    const Gateways apart = start();
    if (apart.empty())
      return {
          .gateways = {}, .cost_s = kNever, .lower_bound_s = kNever, .apart_s = kNever, .still_s = still_s_};
    const double apart_s = cost_s(apart);
    if (!is_proven()) ascend();
    return {.gateways = best_,
            .cost_s = best_s_,
            .lower_bound_s = std::min(bound_s_, best_s_),
            .apart_s = apart_s,
            .still_s = still_s_};
  }

 private:
  [[nodiscard]] bool is_proven() const { return best_s_ - bound_s_ <= kProven * best_s_; }

  [[nodiscard]] double cost_s(const Gateways& gateways) const {
    double sum_s = 0.0;
    for (std::size_t w = 0; w < count_; ++w) {
      for (std::size_t l = 0; l < layers_; ++l) {
        sum_s += between_s(w, l, gateways[w][l], gateways[w][(l + 1) % layers_]);
        if (w > 0 && gateways[w][l] != gateways[w - 1][l]) sum_s += of_.move_s;
      }
    }
    return sum_s;
  }

  [[nodiscard]] double between_s(std::size_t window, std::size_t layer, std::int32_t from,
                                 std::int32_t to) const {
    return of_.value_s[window][layer][z(from) * z(of_.gateways[(layer + 1) % layers_]) + z(to)];
  }

  CheapestRing ring(const RingCosts& cost_s) {
    // About a nanosecond for each sum, of which a programme has so many.
    std::uint64_t work = 1;
    for (const std::vector<double>& one_s : cost_s) work += one_s.size() * z(of_.gateways[0]) / 100;
    if (stop_.should_stop(work)) throw core::Stopped();
    return cheapest_ring(cost_s, of_.gateways);
  }

  /// The cheapest ring where each gateway costs something more by itself.
  CheapestRing ring(const RingCosts& cost_s, const Unary& more_s) {
    scratch_ = cost_s;
    for (std::size_t l = 0; l < layers_; ++l) {
      const std::size_t next = z(of_.gateways[(l + 1) % layers_]);
      for (std::size_t i = 0; i < scratch_[l].size(); ++i) scratch_[l][i] += more_s[l][i / next];
    }
    return ring(scratch_);
  }

  /// The best schedule to begin with, and a bound. Gives the windows' own rings, none where one has none.
  ///
  /// Between two moves of any gateway all of them stand still: a schedule is cut into parts without a move,
  /// each of which costs no less than its best ring, with at least one move from part to part. The best cut
  /// is a bound that is exact where moves cost nothing, and where they cost so much that there are none.
  Gateways start() {
    Gateways apart;
    std::vector<double> until_s{0.0};  // of the best cut of the windows before
    std::vector<std::size_t> begin;    // of its last part
    std::vector<std::vector<std::vector<std::int32_t>>> rings(count_);  // by begin and length of a part
    for (std::size_t end = 1; end <= count_; ++end) {
      until_s.push_back(kNever);
      begin.push_back(0);
    }
    for (std::size_t first = 0; first < count_; ++first) {
      RingCosts value_s;
      RingCosts bound_s;
      for (std::size_t last = first; last < count_; ++last) {
        add(value_s, of_.value_s[last]);
        add(bound_s, of_.bound_s[last]);
        const CheapestRing one = ring(value_s);
        rings[first].push_back(one.gateways);
        if (first == last) apart.push_back(one.gateways);
        if (first == 0 && last + 1 == count_) still_s_ = one.cost_s;
        const double least_s = until_s[first] + ring(bound_s).cost_s + (first > 0 ? of_.move_s : 0.0);
        if (least_s >= until_s[last + 1]) continue;
        until_s[last + 1] = least_s;
        begin[last] = first;
      }
    }
    if (std::ranges::any_of(apart, [](const auto& one) { return one.empty(); })) return {};
    bound_s_ = until_s.back();
    offer(apart);
    const std::vector<std::int32_t>& still = rings[0].back();
    if (!still.empty()) offer(Gateways(count_, still));
    Gateways cut(count_);
    for (std::size_t end = count_; end > 0; end = begin[end - 1]) {
      const std::size_t first = begin[end - 1];
      const std::vector<std::int32_t>& one = rings[first][end - 1 - first];
      if (one.empty()) return apart;  // bounds know of a ring where none was found
      std::fill(cut.begin() + static_cast<std::ptrdiff_t>(first),
                cut.begin() + static_cast<std::ptrdiff_t>(end), one);
    }
    offer(cut);
    return apart;
  }

  static void add(RingCosts& sum_s, const RingCosts& more_s) {
    sum_s.resize(more_s.size());
    for (std::size_t l = 0; l < more_s.size(); ++l) {
      sum_s[l].resize(more_s[l].size(), 0.0);
      for (std::size_t i = 0; i < more_s[l].size(); ++i) sum_s[l][i] += more_s[l][i];
    }
  }

  /// Makes a schedule better, window by window and layer by layer, and keeps it if it is the best so far.
  void offer(Gateways gateways) {
    double now_s = cost_s(gateways);
    const auto keep_better = [&](const Gateways& changed) {
      const double changed_s = cost_s(changed);
      if (!(changed_s < now_s * (1.0 - kRounding))) return false;
      gateways = changed;
      now_s = changed_s;
      return true;
    };
    for (bool gains = true; gains;) {
      gains = false;
      for (std::size_t w = 0; w < count_; ++w) {
        Gateways changed = gateways;
        changed[w] = ring(of_.value_s[w], moves_s(gateways, w)).gateways;
        if (!changed[w].empty()) gains |= keep_better(changed);
      }
      for (std::size_t l = 0; l < layers_; ++l) {
        Gateways changed = gateways;
        chain(beside_s(gateways, l), changed, l);
        gains |= keep_better(changed);
      }
    }
    if (now_s >= best_s_) return;
    best_s_ = now_s;
    best_ = std::move(gateways);
  }

  /// What each gateway of a window costs by moves from the window before and to the next.
  [[nodiscard]] Unary moves_s(const Gateways& gateways, std::size_t window) const {
    Unary more_s;
    for (std::size_t l = 0; l < layers_; ++l) {
      more_s.emplace_back(z(of_.gateways[l]), 0.0);
      for (const std::size_t beside : {window - 1, window + 1}) {
        if (beside >= count_) continue;
        for (double& one_s : more_s[l]) one_s += of_.move_s;
        more_s[l][z(gateways[beside][l])] -= of_.move_s;
      }
    }
    return more_s;
  }

  /// What each gateway of a layer costs in each window, beside those of the other layers.
  [[nodiscard]] Unary beside_s(const Gateways& gateways, std::size_t layer) const {
    Unary cost_s(count_, std::vector<double>(z(of_.gateways[layer])));
    const std::size_t before = (layer + layers_ - 1) % layers_;
    const std::size_t after = (layer + 1) % layers_;
    for (std::size_t w = 0; w < count_; ++w) {
      for (std::int32_t g = 0; g < of_.gateways[layer]; ++g) {
        cost_s[w][z(g)] = layers_ == 1 ? between_s(w, 0, g, g)
                                       : between_s(w, before, gateways[w][before], g) +
                                             between_s(w, layer, g, gateways[w][after]);
      }
    }
    return cost_s;
  }

  /// The best gateways of a layer over the windows, where each costs so much [windows][gateways] and every
  /// move the same: so the best one before is the same gateway, or the best of all.
  double chain(const Unary& cost_s, Gateways& gateways, std::size_t layer) {
    const std::size_t states = cost_s[0].size();
    until_s_.assign(1, cost_s[0]);
    std::vector<std::size_t> best(count_, 0);  // by window, of what is until there
    for (std::size_t w = 0; w < count_; ++w) {
      if (w > 0) {
        until_s_.push_back(cost_s[w]);
        const double moved_s = until_s_[w - 1][best[w - 1]] + of_.move_s;
        for (std::size_t g = 0; g < states; ++g) until_s_[w][g] += std::min(until_s_[w - 1][g], moved_s);
      }
      best[w] = static_cast<std::size_t>(std::ranges::min_element(until_s_[w]) - until_s_[w].begin());
    }
    const double least_s = until_s_.back()[best.back()];
    std::size_t at = best.back();
    for (std::size_t w = count_; w-- > 0;) {
      gateways[w][layer] = static_cast<std::int32_t>(at);
      if (w > 0 && until_s_[w - 1][best[w - 1]] + of_.move_s < until_s_[w - 1][at]) at = best[w - 1];
    }
    return least_s;
  }

  /// Dual decomposition: rings, a window each, and chains, a layer each, choose gateways for themselves, and
  /// prices of gateways, which rings pay and chains get, bring them together. Whatever the prices, the sum of
  /// both is a bound. Subgradients, with Polyak's step (1969) and some of the ways that were gone before
  /// (Camerini, Fratta and Maffioli, 1975).
  void ascend() {
    std::vector<Unary> price_s(count_);
    for (Unary& of_window : price_s)
      for (const std::int32_t many : of_.gateways) of_window.emplace_back(z(many), 0.0);
    std::vector<Unary> way = price_s;
    Gateways rings(count_);
    Gateways chains(count_, std::vector<std::int32_t>(layers_));
    double highest_s = -kNever;
    double length = 1.0;
    int patience = kPatience;
    for (int step = 0; step < kSteps && length > kShortest; ++step) {
      const double sum_s = choose(price_s, rings, chains);
      bound_s_ = std::max(bound_s_, sum_s);
      if (step % kDescendEvery == 0 || rings == chains) {
        offer(rings);
        offer(chains);
      }
      if (rings == chains || is_proven()) return;
      if (sum_s > highest_s) {
        highest_s = sum_s;
        patience = kPatience;
      } else if (--patience == 0) {
        length *= kShorter;
        patience = kPatience;
      }
      turn(way, rings, chains);
      go(price_s, way, length * (best_s_ - sum_s));
    }
  }

  /// What rings and chains take at these prices, and what that costs together.
  double choose(const std::vector<Unary>& price_s, Gateways& rings, Gateways& chains) {
    double sum_s = 0.0;
    for (std::size_t w = 0; w < count_; ++w) {
      CheapestRing one = ring(of_.bound_s[w], price_s[w]);
      sum_s += one.cost_s;
      rings[w] = std::move(one.gateways);
    }
    for (std::size_t l = 0; l < layers_; ++l) {
      Unary refund_s;
      for (const Unary& of_window : price_s) {
        refund_s.push_back(of_window[l]);
        for (double& one_s : refund_s.back()) one_s = -one_s;
      }
      sum_s += chain(refund_s, chains, l);
    }
    // Prices are paid and paid back, but for rounding.
    double sizes_s = 0.0;
    for (const Unary& of_window : price_s)
      for (const std::vector<double>& of_layer : of_window)
        for (const double one_s : of_layer) sizes_s += std::abs(one_s);
    return sum_s - kEpsilon * static_cast<double>(count_ + layers_) * sizes_s;
  }

  /// Dearer what rings take, cheaper what chains take.
  void turn(std::vector<Unary>& way, const Gateways& rings, const Gateways& chains) const {
    for (std::size_t w = 0; w < count_; ++w) {
      for (std::size_t l = 0; l < layers_; ++l) {
        for (double& one : way[w][l]) one *= kKept;
        way[w][l][z(rings[w][l])] += 1.0;
        way[w][l][z(chains[w][l])] -= 1.0;
      }
    }
  }

  /// As far as would close a gap of `missing_s`, were the bound to rise all the way as it does here.
  static void go(std::vector<Unary>& price_s, const std::vector<Unary>& way, double missing_s) {
    double squared = 0.0;
    for (const Unary& of_window : way)
      for (const std::vector<double>& of_layer : of_window)
        for (const double one : of_layer) squared += one * one;
    const double by_s = squared > 0.0 ? missing_s / squared : 0.0;
    for (std::size_t w = 0; w < way.size(); ++w)
      for (std::size_t l = 0; l < way[w].size(); ++l)
        for (std::size_t g = 0; g < way[w][l].size(); ++g) price_s[w][l][g] += by_s * way[w][l][g];
  }

  const RingWindows& of_;
  std::size_t count_;
  std::size_t layers_;
  core::StopToken& stop_;
  Gateways best_;
  double best_s_ = kNever;
  double bound_s_ = -kNever;
  double still_s_ = kNever;
  RingCosts scratch_;
  Unary until_s_;
};

}  // namespace

RingSchedule schedule_rings(const RingWindows& windows, core::StopToken& stop) {
  return Scheduler(windows, stop).found();
}

}  // namespace constellm::moe
