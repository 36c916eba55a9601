#include "constellm/moe/pair_layer.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

namespace {

std::vector<double> by_satellite(const Problem& problem, const Layer& layer) {
  std::vector<double> latency_s;
  latency_s.reserve(layer.usable.size() * z(problem.slots()));
  for (const std::int32_t s : layer.usable)
    for (std::int32_t t = 0; t < problem.slots(); ++t) latency_s.push_back(problem.latency_s(layer, t, s));
  return latency_s;
}

}  // namespace

PairLayer::PairLayer(const Problem& problem, const Layer& layer)
    : PairLayer(layer.picks, layer.usable, problem.satellites().size(), by_satellite(problem, layer)) {}

PairLayer::PairLayer(const Picks& picks, std::vector<std::int32_t> satellites, std::size_t all,
                     std::span<const double> latency_s)
    : picks_(&picks),
      satellites_(std::move(satellites)),
      place_of_(all, -1),
      heaviest_first_(picks.heaviest_first()) {
  const std::size_t n = size();
  const std::size_t slots = latency_s.size() / n;
  for (std::size_t a = 0; a < n; ++a) place_of_[z(satellites_[a])] = static_cast<std::int32_t>(a);
  mean_s_.resize(n * n);
  for (std::size_t a = 0; a < n; ++a) {
    const double* const of_a = &latency_s[a * slots];
    for (std::size_t b = a; b < n; ++b) {
      const double* const of_b = &latency_s[b * slots];
      // Four sums, so that the processor need not wait for one addition after the other.
      double sum[4] = {};
      std::size_t t = 0;
      for (; t + 4 <= slots; t += 4)
        for (std::size_t u = 0; u < 4; ++u) sum[u] += std::max(of_a[t + u], of_b[t + u]);
      for (; t < slots; ++t) sum[0] += std::max(of_a[t], of_b[t]);
      const double mean = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / static_cast<double>(slots);
      mean_s_[a * n + b] = mean;
      mean_s_[b * n + a] = mean;
    }
  }
  sort_nearest();
  const std::int32_t e = experts();
  const std::vector<double> alone = picks.inclusion();
  pair_.assign(z(e) * z(e), 0.0);
  for (std::int32_t i = 0; i < e; ++i) {
    for (std::int32_t j = 0; j < e; ++j) {
      if (i != j) pair_[z(i * e + j)] = picks.top_k() == 2 ? picks.pair(i, j) : alone[z(i)] * alone[z(j)];
    }
  }
}

PairLayer::PairLayer(const PairLayer& whole, const std::vector<std::int32_t>& places)
    : picks_(whole.picks_),
      place_of_(whole.place_of_.size(), -1),
      pair_(whole.pair_),
      heaviest_first_(whole.heaviest_first_) {
  for (const std::int32_t a : places) {
    place_of_[z(whole.satellites_[z(a)])] = static_cast<std::int32_t>(satellites_.size());
    satellites_.push_back(whole.satellites_[z(a)]);
    for (const std::int32_t b : places) mean_s_.push_back(whole.mean_s(a, b));
  }
  sort_nearest();
}

void PairLayer::sort_nearest() {
  const std::size_t n = size();
  nearest_.resize(n * (n - 1));
  for (std::size_t a = 0; a < n; ++a) {
    std::int32_t* const row = &nearest_[a * (n - 1)];
    std::int32_t* end = row;
    for (std::size_t b = 0; b < n; ++b)
      if (b != a) *end++ = static_cast<std::int32_t>(b);
    const double* const mean = &mean_s_[a * n];
    std::sort(row, end, [&](std::int32_t b, std::int32_t c) {
      return mean[b] < mean[c] || (mean[b] == mean[c] && b < c);
    });
  }
}

std::vector<std::int32_t> PairLayer::by_mean() const {
  std::vector<std::int32_t> order(size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return mean_s(a, a) < mean_s(b, b); });
  return order;
}

double PairLayer::value_s(const std::vector<std::int32_t>& places) const {
  double value = 0.0;
  for (std::int32_t i = 0; i < experts(); ++i)
    for (std::int32_t j = 0; j < i; ++j) value += pair(i, j) * mean_s(places[z(i)], places[z(j)]);
  return value;
}

}  // namespace constellm::moe
