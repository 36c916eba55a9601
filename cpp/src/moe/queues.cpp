#include "constellm/moe/queues.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "constellm/core/index.hpp"
#include "constellm/moe/arrivals.hpp"
#include "constellm/moe/evaluate.hpp"

namespace constellm::moe {
namespace {

using core::z;

/// Up to here all sets of picks are looked at one by one, which is faster than the race.
constexpr std::size_t kTabulated = 16;
constexpr double kMostSets = 5000.0;

double sets_of(std::size_t experts, std::int32_t top_k) {
  double count = 1.0;
  for (std::int32_t i = 0; i < top_k; ++i) count *= static_cast<double>(experts - z(i)) / (i + 1);
  return std::round(count);
}

/// into += a * b, of polynomials of `k` counts and then `k` densities: one arrives when n others have in one
/// of both parts.
void add_product(const double* a, const double* b, double* into, std::size_t k) {
  for (std::size_t m = 0; m < k; ++m) {
    if (a[m] == 0.0 && a[k + m] == 0.0) continue;
    for (std::size_t n = 0; m + n < k; ++n) {
      into[m + n] += a[m] * b[n];
      into[k + m + n] += a[m] * b[k + n] + a[k + m] * b[n];
    }
  }
}

}  // namespace

Queues::Queues(const Picks& picks) : picks_(&picks), latency_s_(z(picks.experts())), at_(latency_s_.size()) {
  const std::size_t experts = latency_s_.size();
  if (picks.top_k() > 2 && z(picks.top_k()) < experts && experts <= kTabulated &&
      sets_of(experts, picks.top_k()) <= kMostSets)
    list_sets();
}

/// P(the first |set| picks are this set), for all sets of up to top_k; kept are those of top_k.
void Queues::list_sets() {
  const std::span<const double> weights = picks_->weights();
  const std::uint32_t all = (1U << weights.size()) - 1U;
  std::vector<double> first(std::size_t{all} + 1, 0.0);
  first[0] = 1.0;
  for (std::uint32_t set = 0; set <= all; ++set) {
    const int size = std::popcount(set);
    if (size == picks_->top_k()) sets_.push_back({set, first[set]});
    if (size >= picks_->top_k()) continue;
    double left = 0.0;
    for (std::uint32_t rest = all & ~set; rest != 0; rest &= rest - 1)
      left += weights[static_cast<std::size_t>(std::countr_zero(rest))];
    for (std::uint32_t rest = all & ~set; rest != 0; rest &= rest - 1) {
      const auto next = static_cast<std::size_t>(std::countr_zero(rest));
      first[set | 1U << next] += first[set] * weights[next] / left;
    }
  }
}

/// Servers by their first expert; who is served by nobody is by itself.
void Queues::group(std::span<const Served> experts) {
  used_ = 0;
  for (std::size_t e = 0; e < experts.size(); ++e) {
    std::size_t s = used_;
    if (experts[e].server >= 0) {
      for (s = 0; s < used_ && at_[s] != experts[e].server;) ++s;
    }
    if (s == used_) {
      if (servers_.size() == used_) servers_.emplace_back();
      at_[used_++] = experts[e].server;
      servers_[s].latency_s = experts[e].latency_s;
      servers_[s].service_s = experts[e].service_s;
      servers_[s].experts.clear();
    }
    servers_[s].experts.push_back(static_cast<std::int32_t>(e));
  }
}

double Queues::alone_s(std::span<const Served> experts) {
  for (std::size_t e = 0; e < experts.size(); ++e) latency_s_[e] = experts[e].latency_s;
  return expected_latency_s(*picks_, latency_s_);
}

double Queues::expected_s(std::span<const Served> experts) {
  if (picks_->top_k() == 1) return alone_s(experts);
  group(experts);
  const bool queue = std::any_of(servers_.begin(), servers_.begin() + static_cast<std::ptrdiff_t>(used_),
                                 [](const Server& s) { return s.experts.size() > 1 && s.service_s > 0.0; });
  if (!queue) return alone_s(experts);
  if (picks_->top_k() == picks_->experts()) return all_s();
  if (picks_->top_k() == 2) return alone_s(experts) + by_pairs_s();
  return sets_.empty() ? by_race_s() : by_sets_s();
}

/// Two picks on one server have its latency without the queue.
double Queues::by_pairs_s() const {
  double sum = 0.0;
  for (std::size_t s = 0; s < used_; ++s) {
    const std::vector<std::int32_t>& experts = servers_[s].experts;
    double both = 0.0;
    for (std::size_t i = 0; i < experts.size(); ++i) {
      const double* const pairs = picks_->pairs_of(experts[i]);
      for (std::size_t j = 0; j < i; ++j) both += pairs[experts[j]];
    }
    sum += servers_[s].service_s * both;
  }
  return sum;
}

double Queues::all_s() const {
  double slowest = 0.0;
  for (std::size_t s = 0; s < used_; ++s) {
    const auto others = static_cast<double>(servers_[s].experts.size() - 1);
    slowest = std::max(slowest, servers_[s].latency_s + others * servers_[s].service_s);
  }
  return slowest;
}

double Queues::by_sets_s() {
  masks_.assign(used_, 0);
  for (std::size_t s = 0; s < used_; ++s)
    for (const std::int32_t e : servers_[s].experts) masks_[s] |= 1U << e;
  double expected = 0.0;
  for (const Set& set : sets_) {
    double slowest = 0.0;
    for (std::size_t s = 0; s < used_; ++s) {
      const int picked = std::popcount(set.experts & masks_[s]);
      if (picked > 0)
        slowest = std::max(slowest, servers_[s].latency_s + (picked - 1) * servers_[s].service_s);
    }
    expected += set.probability * slowest;
  }
  return expected;
}

/// The layer waits so long as a level says where just `count` picks are on its server and no other server has
/// more than its levels before that one: the last pick comes at t, the first top_k arrivals are spread so. A
/// product of polynomials over the servers has all counts at once; a binary tree over the servers holds it
/// while levels come one after the other. Every term is positive.
double Queues::by_race_s() {
  const std::size_t k = z(picks_->top_k());
  const std::size_t width = 2 * k;
  const std::size_t leaves = std::bit_ceil(used_);
  levels_.clear();
  for (std::size_t s = 0; s < used_; ++s) {
    for (std::size_t n = 1; n <= std::min(servers_[s].experts.size(), k); ++n)
      levels_.push_back({servers_[s].latency_s + static_cast<double>(n - 1) * servers_[s].service_s,
                         static_cast<std::int32_t>(s), static_cast<std::int32_t>(n)});
  }
  std::sort(levels_.begin(), levels_.end(), [](const Level& a, const Level& b) {
    if (a.latency_s != b.latency_s) return a.latency_s < b.latency_s;
    return a.server != b.server ? a.server < b.server : a.count < b.count;
  });
  whole_.resize(used_ * width);
  std::vector<double> grown(width);
  std::vector<double> above(width);
  Arrivals arrivals(k);
  double expected = 0.0;
  for (std::size_t node = 0; node < picks_->nodes(); ++node) {
    const double* const arrived = picks_->arrived(node);
    const double* const waiting = picks_->waiting(node);
    tree_.assign(2 * leaves * width, 0.0);
    for (std::size_t s = 0; s < leaves; ++s) tree_[(leaves + s) * width] = 1.0;
    for (std::size_t s = 0; s < used_; ++s) {
      arrivals.clear();
      for (const std::int32_t e : servers_[s].experts)
        arrivals.add(picks_->weights()[z(e)], arrived[e], waiting[e]);
      std::copy(arrivals.counts.begin(), arrivals.counts.end(), &whole_[s * width]);
      std::copy(arrivals.density.begin(), arrivals.density.end(), &whole_[s * width + k]);
      tree_[(leaves + s) * width] = arrivals.counts[0];
    }
    for (std::size_t v = leaves; v-- > 1;)
      add_product(&tree_[2 * v * width], &tree_[(2 * v + 1) * width], &tree_[v * width], k);
    double sum = 0.0;
    for (const Level& level : levels_) {
      const double* const whole = &whole_[z(level.server) * width];
      const std::size_t n = z(level.count);
      std::fill(grown.begin(), grown.end(), 0.0);
      if (n < k) grown[n] = whole[n];
      grown[k + n - 1] = whole[k + n - 1];
      for (std::size_t v = leaves + z(level.server);; v /= 2) {
        double* const here = &tree_[v * width];
        for (std::size_t i = 0; i < width; ++i) here[i] += grown[i];
        if (v == 1) break;
        std::fill(above.begin(), above.end(), 0.0);
        add_product(grown.data(), &tree_[(v ^ 1) * width], above.data(), k);
        std::swap(grown, above);
      }
      sum += level.latency_s * grown[2 * k - 1];
    }
    expected += picks_->node_weight(node) * sum;
  }
  return expected;
}

double Queues::most_work() const {
  const auto k = static_cast<double>(picks_->top_k());
  const auto experts = static_cast<double>(picks_->experts());
  if (picks_->top_k() <= 2 || picks_->top_k() == picks_->experts()) return experts * experts;
  if (!sets_.empty()) return static_cast<double>(sets_.size()) * experts;
  return static_cast<double>(picks_->nodes()) * experts * 1.5 * k * k * std::log2(2.0 * experts);
}

}  // namespace constellm::moe
