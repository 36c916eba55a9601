#include "constellm/moe/balance/balance.hpp"

#include <algorithm>
#include <numeric>
#include <queue>

#include "constellm/core/index.hpp"
#include "constellm/moe/balance/bound.hpp"

namespace constellm::moe {
namespace {

using core::z;

/// The next copy goes to the expert of the largest load per copy.
std::vector<std::int32_t> count_copies(std::span<const double> loads, std::int32_t devices,
                                       std::int32_t all) {
  struct Expert {
    double load;  ///< per copy
    std::int32_t number;
    bool operator<(const Expert& other) const {
      return load < other.load || (load == other.load && number > other.number);
    }
  };
  const auto experts = static_cast<std::int32_t>(loads.size());
  std::vector<std::int32_t> copies(loads.size(), 1);
  std::priority_queue<Expert> heaviest;
  if (devices > 1)
    for (std::int32_t e = 0; e < experts; ++e) heaviest.push({loads[z(e)], e});
  for (std::int32_t left = all - experts; left > 0; --left) {
    const std::int32_t e = heaviest.top().number;
    heaviest.pop();
    if (++copies[z(e)] < devices) heaviest.push({loads[z(e)] / copies[z(e)], e});
  }
  return copies;
}

/// Devices while copies come onto them and are swapped.
class Devices {
 public:
  Devices(std::span<const double> loads, std::span<const std::int32_t> copies, std::int32_t devices,
          std::int32_t places)
      : places_(places),
        experts_on_(z(devices)),
        load_(z(devices), 0.0),
        holds_(z(devices) * loads.size(), 0) {
    for (std::size_t e = 0; e < loads.size(); ++e) per_copy_.push_back(loads[e] / copies[e]);
  }

  /// On the least loaded device that has a free place and none of the expert.
  void add(std::int32_t expert) {
    std::int32_t best = -1;
    for (std::int32_t d = 0; d < count(); ++d)
      if (is_free(d) && !holds(d, expert) && (best < 0 || load_[z(d)] < load_[z(best)])) best = d;
    if (best < 0) best = make_room(expert);
    put(expert, best);
  }

  /// Swaps copies of the most loaded device for others' while that gains.
  void descend() {
    const double least = 1e-12 * std::accumulate(load_.begin(), load_.end(), 0.0) / count();
    while (true) {
      const std::int32_t from = most_loaded();
      Swap best{0, 0, 0, load_[z(from)] - least};
      for (std::int32_t to = 0; to < count(); ++to)
        if (to != from) look(from, to, best);
      if (best.largest >= load_[z(from)] - least) return;
      swap(from, best);
    }
  }

  [[nodiscard]] std::vector<std::int32_t> experts() const {
    std::vector<std::int32_t> all;
    for (std::vector<std::int32_t> some : experts_on_) {
      std::sort(some.begin(), some.end());
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  /// Summed anew, in the order of experts().
  [[nodiscard]] std::vector<double> load() const {
    const std::vector<std::int32_t> all = experts();
    std::vector<double> sums(load_.size(), 0.0);
    for (std::size_t i = 0; i < all.size(); ++i) sums[i / z(places_)] += per_copy_[z(all[i])];
    return sums;
  }

 private:
  struct Swap {
    std::size_t at;        ///< among the experts of the most loaded device
    std::int32_t to;       ///< the other device
    std::size_t other_at;  ///< among its experts
    double largest;        ///< load of the two after it
  };

  [[nodiscard]] std::int32_t count() const { return static_cast<std::int32_t>(load_.size()); }
  [[nodiscard]] bool is_free(std::int32_t d) const { return experts_on_[z(d)].size() < z(places_); }
  [[nodiscard]] bool holds(std::int32_t d, std::int32_t expert) const {
    return holds_[z(d) * per_copy_.size() + z(expert)] != 0;
  }
  char& held(std::int32_t d, std::int32_t expert) { return holds_[z(d) * per_copy_.size() + z(expert)]; }
  [[nodiscard]] std::int32_t most_loaded() const {
    return static_cast<std::int32_t>(std::max_element(load_.begin(), load_.end()) - load_.begin());
  }

  void put(std::int32_t expert, std::int32_t d) {
    experts_on_[z(d)].push_back(expert);
    held(d, expert) = 1;
    load_[z(d)] += per_copy_[z(expert)];
  }

  /// All devices with free places hold the expert. One of the others, which are full, gives such a device a
  /// copy that it has not; there is one, since it holds more experts beside this one.
  std::int32_t make_room(std::int32_t expert) {
    std::int32_t free = 0;
    while (!is_free(free)) ++free;
    std::int32_t full = 0;
    while (holds(full, expert)) ++full;
    std::vector<std::int32_t>& there = experts_on_[z(full)];
    const auto moved =
        std::find_if(there.begin(), there.end(), [&](std::int32_t e) { return !holds(free, e); });
    const std::int32_t other = *moved;
    there.erase(moved);
    held(full, other) = 0;
    load_[z(full)] -= per_copy_[z(other)];
    put(other, free);
    return full;
  }

  void look(std::int32_t from, std::int32_t to, Swap& best) const {
    const std::vector<std::int32_t>& here = experts_on_[z(from)];
    const std::vector<std::int32_t>& there = experts_on_[z(to)];
    for (std::size_t a = 0; a < here.size(); ++a) {
      if (holds(to, here[a])) continue;
      for (std::size_t b = 0; b < there.size(); ++b) {
        const double shift = per_copy_[z(here[a])] - per_copy_[z(there[b])];
        const double largest = std::max(load_[z(from)] - shift, load_[z(to)] + shift);
        if (largest < best.largest && !holds(from, there[b])) best = {a, to, b, largest};
      }
    }
  }

  void swap(std::int32_t from, const Swap& best) {
    std::int32_t& a = experts_on_[z(from)][best.at];
    std::int32_t& b = experts_on_[z(best.to)][best.other_at];
    const double shift = per_copy_[z(a)] - per_copy_[z(b)];
    held(from, a) = held(best.to, b) = 0;
    held(from, b) = held(best.to, a) = 1;
    load_[z(from)] -= shift;
    load_[z(best.to)] += shift;
    std::swap(a, b);
  }

  std::int32_t places_;
  std::vector<double> per_copy_;  ///< [experts]
  std::vector<std::vector<std::int32_t>> experts_on_;
  std::vector<double> load_;
  std::vector<char> holds_;  ///< [devices][experts]
};

}  // namespace

Balance balance(std::span<const double> loads, std::int32_t devices, std::int32_t places) {
  Balance found;
  found.copies = count_copies(loads, devices, devices * places);
  Devices on(loads, found.copies, devices, places);
  std::vector<std::int32_t> order(loads.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return loads[z(a)] / found.copies[z(a)] > loads[z(b)] / found.copies[z(b)];
  });
  for (const std::int32_t e : order)
    for (std::int32_t copy = 0; copy < found.copies[z(e)]; ++copy) on.add(e);
  on.descend();
  found.expert_on = on.experts();
  found.load = on.load();
  found.lower_bound =
      balance_bound(loads, devices, places, *std::max_element(found.load.begin(), found.load.end()));
  return found;
}

}  // namespace constellm::moe
