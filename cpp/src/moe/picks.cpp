#include "constellm/moe/picks.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <numeric>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/moe/arrivals.hpp"

namespace constellm::moe {
namespace {

using core::z;

/// Up to here a table over all sets of experts is small, and made in about a millisecond.
constexpr std::size_t kTabulated = 16;
/// A table's differences err by 1e-16, which must be little beside the least probability of a pick.
constexpr double kLeastTabulated = 1e-6;

void require_weights(std::span<const double> weights, std::string_view where, const char* field) {
  double sum = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0.0) || !std::isfinite(weights[i]))
      core::throw_out_of_range(where, field + ("[" + std::to_string(i) + "]"), weights[i], "(0, inf)");
    sum += weights[i];
  }
  if (!std::isfinite(sum)) core::throw_out_of_range(where, field + std::string(" added up"), sum, "(0, inf)");
}

void require_top_k(std::size_t experts, std::int32_t top_k, std::string_view where, const char* field) {
  if (top_k < 1 || z(top_k) > experts) {
    throw core::InvalidInput("top_k: " + std::to_string(top_k) + " is not in [1, " + std::to_string(experts) +
                             "], the number of " + std::string(where) + field);
  }
}

void divide_by_sum(std::vector<double>& values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value /= sum;
}

/// Of each the sum of all others, without a difference that cancels.
std::vector<double> sums_of_others(std::span<const double> values) {
  std::vector<double> others(values.size(), 0.0);
  double before = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    others[i] = before;
    before += values[i];
  }
  double after = 0.0;
  for (std::size_t i = values.size(); i-- > 0;) {
    others[i] += after;
    after += values[i];
  }
  return others;
}

}  // namespace

Picks::Picks(std::vector<double> weights, std::int32_t top_k, std::string_view where)
    : weights_(std::move(weights)), top_k_(top_k) {
  require_weights(weights_, where, "weights");
  require_top_k(weights_.size(), top_k_, where, "weights");
  divide_by_sum(weights_);
  const auto lightest = std::min_element(weights_.begin(), weights_.end());
  const double least = *lightest;
  if (!(least >= 1e-100)) {
    const std::string field = "weights[" + std::to_string(lightest - weights_.begin()) + "] over their sum";
    core::throw_out_of_range(where, field, least, "[1e-100, 1]");
  }
  rest_ = sums_of_others(weights_);
  if (top_k_ > 2 && z(top_k_) < weights_.size()) {
    if (weights_.size() <= kTabulated && least >= kLeastTabulated) tabulate();
    choose_nodes();
  }
  if (top_k_ > 1) fill_pairs();
}

void Picks::fill_pairs() {
  const std::size_t n = weights_.size();
  const std::vector<double> alone = inclusion();
  pair_.assign(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      pair_[i * n + j] =
          top_k_ == 2 ? weights_[i] * weights_[j] * (1.0 / rest_[i] + 1.0 / rest_[j]) : alone[i] * alone[j];
    }
  }
}

void Picks::tabulate() {
  const std::size_t n = weights_.size();
  std::vector<double> left(std::size_t{1} << n);  // weight of those that are not in the set
  for (std::size_t set = left.size() - 1; set-- > 0;) {
    const int lowest = std::countr_one(set);  // the first that is missing
    left[set] = left[set | (std::size_t{1} << lowest)] + weights_[static_cast<std::size_t>(lowest)];
  }
  // P(the first |set| picks are this set), for up to top_k of them.
  within_.assign(left.size(), 0.0);
  std::vector<double>& first = within_;
  first[0] = 1.0;
  for (std::size_t set = 1; set < first.size(); ++set) {
    if (std::popcount(set) > top_k_) continue;
    for (std::size_t rest = set; rest != 0; rest &= rest - 1) {
      const std::size_t bit = rest & (~rest + 1);
      const std::size_t before = set ^ bit;
      first[set] += first[before] * weights_[static_cast<std::size_t>(std::countr_zero(bit))] / left[before];
    }
  }
  for (std::size_t set = 0; set < within_.size(); ++set)
    if (std::popcount(set) != top_k_) within_[set] = 0.0;
  for (std::size_t bit = 1; bit < within_.size(); bit <<= 1) {
    for (std::size_t set = 0; set < within_.size(); ++set)
      if ((set & bit) != 0) within_[set] += within_[set ^ bit];
  }
}

/// Halves the step until two orders, the heaviest first and the heaviest last, change no more. The integrand
/// is analytic in the logarithm of time, and the rule converges geometrically.
void Picks::choose_nodes() {
  const std::vector<std::int32_t> order = heaviest_first();
  const std::vector<std::int32_t> turned(order.rbegin(), order.rend());
  std::vector<double> last;
  for (double step = 0.5; step > 0.01; step /= 2.0) {
    make_nodes(step);
    std::vector<double> now(2 * order.size());
    const std::span<double> both(now);
    farthest_by_integral(order, both.first(order.size()));
    farthest_by_integral(turned, both.last(order.size()));
    bool settled = !last.empty();
    for (std::size_t i = 0; settled && i < now.size(); ++i)
      settled = std::abs(now[i] - last[i]) <= 1e-13 + 1e-10 * now[i];
    if (settled) return;
    last = std::move(now);
  }
}

/// The density of the top_k-th arrival is below t^(top_k - 1) near 0. At large t it is below the number of
/// sets of top_k - 1 times exp(-t * least), where `least` adds up the lightest experts - top_k + 1: so many
/// wait still.
void Picks::make_nodes(double step) {
  std::vector<double> sorted = weights_;
  std::sort(sorted.begin(), sorted.end());
  const double least = std::accumulate(sorted.begin(), sorted.end() - (top_k_ - 1), 0.0);
  const auto n = static_cast<double>(weights_.size());
  const double sets =
      std::lgamma(n + 1.0) - std::lgamma(static_cast<double>(top_k_)) - std::lgamma(n - top_k_ + 2.0);
  const double begin = std::log(1e-18) / top_k_;
  const double end = std::log((45.0 + sets) / least);
  step_ = step;
  time_.clear();
  arrived_.clear();
  waiting_.clear();
  for (std::size_t node = 0;; ++node) {
    const double at = begin + step * static_cast<double>(node);
    if (at > end + step) break;
    time_.push_back(std::exp(at));
    for (const double weight : weights_) {
      arrived_.push_back(-std::expm1(-weight * time_.back()));
      waiting_.push_back(std::exp(-weight * time_.back()));
    }
  }
}

void Picks::farthest(std::span<const std::int32_t> order, std::span<double> farthest) const {
  if (top_k_ == 1) {
    for (std::size_t j = 0; j < order.size(); ++j) farthest[j] = weights_[z(order[j])];
  } else if (z(top_k_) == order.size()) {  // all of them
    std::fill(farthest.begin(), farthest.end(), 0.0);
    farthest[order.size() - 1] = 1.0;
  } else if (top_k_ == 2) {
    double before = 0.0;
    double ratios = 0.0;
    for (std::size_t j = 0; j < order.size(); ++j) {
      const double weight = weights_[z(order[j])];
      farthest[j] = j == 0 ? 0.0 : weight * (before / rest_[z(order[j])] + ratios);
      before += weight;
      ratios += weight / rest_[z(order[j])];
    }
  } else if (tabulated()) {
    std::uint32_t set = 0;
    for (std::size_t j = 0; j < order.size(); ++j) {
      const double before = within_[set];
      set |= 1U << order[j];
      farthest[j] = within_[set] - before;
    }
  } else {
    farthest_by_integral(order, farthest);
  }
}

/// An integral has a sum over picks for each node and expert, which takes some time by itself as well.
double Picks::work() const {
  const double looked_up = static_cast<double>(weights_.size()) / 8.0;
  if (tabulated()) return looked_up;
  return looked_up * (1.0 + static_cast<double>(time_.size()) * (8.0 + top_k_) / 16.0);
}

/// j is farthest where the last pick comes at t from among those before it and j has arrived, or is j itself,
/// and all behind j are waiting. Every term is positive.
void Picks::farthest_by_integral(std::span<const std::int32_t> order, std::span<double> farthest) const {
  const std::size_t n = order.size();
  const std::size_t k = z(top_k_);
  thread_local std::vector<double> behind;
  behind.resize(n);
  Arrivals before(k);
  std::fill(farthest.begin(), farthest.end(), 0.0);
  for (std::size_t node = 0; node < time_.size(); ++node) {
    const double* const arrived = &arrived_[node * n];
    const double* const waiting = &waiting_[node * n];
    double all_wait = step_ * time_[node];
    for (std::size_t j = n; j-- > 0;) {
      behind[j] = all_wait;
      all_wait *= waiting[order[j]];
    }
    before.clear();
    for (std::size_t j = 0; j < n; ++j) {
      const double p = arrived[order[j]];
      const double q = waiting[order[j]];
      const double weight = weights_[z(order[j])];
      farthest[j] += behind[j] * (p * before.density[k - 2] + weight * q * before.counts[k - 1]);
      before.add(weight, p, q);
    }
  }
}

std::vector<std::int32_t> Picks::heaviest_first() const {
  std::vector<std::int32_t> order(weights_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return weights_[z(a)] > weights_[z(b)]; });
  return order;
}

/// Expert i is picked where the last pick comes at t from among the others and i has arrived, or is i itself.
std::vector<double> Picks::inclusion() const {
  const std::size_t n = weights_.size();
  const std::size_t k = z(top_k_);
  if (k == 1) return weights_;
  if (k == n) return std::vector<double>(n, 1.0);
  std::vector<double> picked(n, 0.0);
  if (k == 2) {
    std::vector<double> ratios(n);
    for (std::size_t i = 0; i < n; ++i) ratios[i] = weights_[i] / rest_[i];
    const std::vector<double> others = sums_of_others(ratios);
    for (std::size_t i = 0; i < n; ++i) picked[i] = weights_[i] * (1.0 + others[i]);
    return picked;
  }
  std::vector<Arrivals> before(n, Arrivals(k));
  Arrivals behind(k);
  for (std::size_t node = 0; node < time_.size(); ++node) {
    const double* const arrived = &arrived_[node * n];
    const double* const waiting = &waiting_[node * n];
    before[0].clear();
    for (std::size_t i = 0; i + 1 < n; ++i) {
      before[i + 1] = before[i];
      before[i + 1].add(weights_[i], arrived[i], waiting[i]);
    }
    behind.clear();
    for (std::size_t i = n; i-- > 0;) {
      const Arrivals& left = before[i];
      double last = 0.0;   // i arrives when k - 1 others have
      double other = 0.0;  // another one arrives when k - 2 more have
      for (std::size_t m = 0; m < k; ++m) last += left.counts[m] * behind.counts[k - 1 - m];
      for (std::size_t m = 0; m + 1 < k; ++m) {
        other += left.counts[m] * behind.density[k - 2 - m] + left.density[m] * behind.counts[k - 2 - m];
      }
      picked[i] += step_ * time_[node] * (weights_[i] * waiting[i] * last + arrived[i] * other);
      behind.add(weights_[i], arrived[i], waiting[i]);
    }
  }
  return picked;
}

namespace {

/// Shares times top_k; throws where no weights give them.
std::vector<double> wanted_inclusion(std::span<const double> shares, std::int32_t top_k) {
  require_weights(shares, {}, "shares");
  require_top_k(shares.size(), top_k, {}, "shares");
  std::vector<double> wanted(shares.begin(), shares.end());
  divide_by_sum(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] *= top_k;
    // As many picks as experts: every share is 1 / top_k, and any weights give that.
    if (z(top_k) == wanted.size() && std::abs(wanted[i] - 1.0) <= 1e-12) continue;
    if (top_k > 1 && !(wanted[i] < 1.0)) {
      core::throw_out_of_range("shares[" + std::to_string(i) + "] over their sum", "", wanted[i] / top_k,
                               "(0, 1 / top_k = " + core::to_text(1.0 / top_k) + ")");
    }
  }
  return wanted;
}

}  // namespace

std::vector<double> weights_of_shares(std::span<const double> shares, std::int32_t top_k,
                                      core::StopToken& stop) {
  const std::vector<double> wanted = wanted_inclusion(shares, top_k);
  const std::size_t n = wanted.size();
  if (top_k == 1) return wanted;
  if (z(top_k) == n) return std::vector<double>(n, 1.0 / top_k);
  constexpr int kMost = 500;
  constexpr int kRemembered = 6;
  constexpr double kLongest = 3.0;  // a step in a logarithm
  const auto size = static_cast<Eigen::Index>(n);
  const Eigen::ArrayXd goal = Eigen::Map<const Eigen::ArrayXd>(wanted.data(), size).log();
  Eigen::VectorXd x = goal;
  std::deque<std::pair<Eigen::VectorXd, Eigen::VectorXd>>
      past;  // logarithms of weights, and what they miss by
  for (int round = 0; round < kMost; ++round) {
    if (stop.should_stop(1024)) throw core::Stopped();
    const Eigen::VectorXd shifted = (x.array() - x.maxCoeff()).exp();
    std::vector<double> weights(shifted.begin(), shifted.end());
    divide_by_sum(weights);
    const std::vector<double> found = Picks(weights, top_k).inclusion();
    const Eigen::VectorXd miss = goal - Eigen::Map<const Eigen::ArrayXd>(found.data(), size).log();
    if (miss.cwiseAbs().maxCoeff() <= 1e-12) return weights;
    Eigen::VectorXd step = miss;
    if (!past.empty()) {
      const auto columns = static_cast<Eigen::Index>(past.size());
      Eigen::MatrixXd moved(size, columns);
      Eigen::MatrixXd missed(size, columns);
      for (Eigen::Index k = 0; k < columns; ++k) {
        moved.col(k) = x - past[z(static_cast<std::int32_t>(k))].first;
        missed.col(k) = miss - past[z(static_cast<std::int32_t>(k))].second;
      }
      step -= (moved + missed) * missed.completeOrthogonalDecomposition().solve(miss);
    }
    past.emplace_back(x, miss);
    if (past.size() > kRemembered) past.pop_front();
    x += step * std::min(1.0, kLongest / step.cwiseAbs().maxCoeff());
  }
  throw core::InvalidInput(
      "shares: no weights found that give them; the largest is too close to 1 / top_k = " +
      core::to_text(1.0 / top_k));
}

}  // namespace constellm::moe
