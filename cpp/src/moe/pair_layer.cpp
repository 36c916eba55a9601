#include "constellm/moe/pair_layer.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/moe/slower.hpp"

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

PairLayer::PairLayer(const Problem& problem, const Layer& layer, core::StopToken& stop)
    : PairLayer(layer.picks, layer.usable, problem.satellites().size(), by_satellite(problem, layer), stop) {
  if (!problem.sharing()) return;
  std::vector<std::int32_t> host;
  for (const std::int32_t s : satellites_) host.push_back(problem.sharing()->host[z(s)]);
  share(std::move(host), problem.mean_service_s(layer), problem.layers().size() == 1, stop);
}

PairLayer::PairLayer(const Picks& picks, std::vector<std::int32_t> satellites, std::size_t all,
                     std::span<const double> latency_s, core::StopToken& stop)
    : picks_(&picks),
      satellites_(std::move(satellites)),
      place_of_(all, -1),
      heaviest_first_(picks.heaviest_first()) {
  const std::size_t n = size();
  const std::size_t slots = latency_s.size() / n;
  for (std::size_t a = 0; a < n; ++a) place_of_[z(satellites_[a])] = static_cast<std::int32_t>(a);
  mean_s_.resize(n * n);
  for (std::size_t a = 0; a < n; ++a) {
    if (stop.should_stop(n * slots / 64 + 1)) throw core::Stopped();
    for (std::size_t b = a; b < n; ++b) {
      const double mean = mean_of_slower(&latency_s[a * slots], &latency_s[b * slots], slots);
      mean_s_[a * n + b] = mean;
      mean_s_[b * n + a] = mean;
    }
  }
  sort_nearest(stop);
}

void PairLayer::share(std::vector<std::int32_t> host, std::vector<double> service_s, bool alone,
                      core::StopToken& stop) {
  host_ = std::move(host);
  service_s_ = std::move(service_s);
  for (std::size_t a = 0; a < size(); ++a)
    for (std::size_t b = 0; b < size(); ++b)
      if (a != b && host_[a] == host_[b]) mean_s_[a * size() + b] += service_s_[a];
  if (alone && picks_->top_k() == 2) {
    for (auto one = heaviest_first_.rbegin(); one != heaviest_first_.rend(); ++one) {
      double more = 0.0;
      for (auto other = heaviest_first_.rbegin(); other != one; ++other) more += pair(*one, *other);
      more_pairs_.push_back(more);
    }
  }
  sort_nearest(stop);
}

PairLayer::PairLayer(const PairLayer& whole, const std::vector<std::int32_t>& places)
    : picks_(whole.picks_), place_of_(whole.place_of_.size(), -1), heaviest_first_(whole.heaviest_first_) {
  for (const std::int32_t a : places) {
    place_of_[z(whole.satellites_[z(a)])] = static_cast<std::int32_t>(satellites_.size());
    satellites_.push_back(whole.satellites_[z(a)]);
    for (const std::int32_t b : places) mean_s_.push_back(whole.mean_s(a, b));
  }
  core::StopToken never;
  sort_nearest(never);
}

void PairLayer::sort_nearest(core::StopToken& stop) {
  const std::size_t n = size();
  nearest_.resize(n * (n - 1));
  for (std::size_t a = 0; a < n; ++a) {
    if (stop.should_stop(n / 4 + 1)) throw core::Stopped();
    std::int32_t* const row = nearest_.data() + a * (n - 1);
    std::int32_t* end = row;
    for (std::size_t b = 0; b < n; ++b)
      if (b != a) *end++ = static_cast<std::int32_t>(b);
    const auto place = static_cast<std::int32_t>(a);
    std::sort(row, end, [&](std::int32_t b, std::int32_t c) {
      const double to_b = near_s(place, b);
      const double to_c = near_s(place, c);
      return to_b < to_c || (to_b == to_c && b < c);
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

}  // namespace constellm::moe
