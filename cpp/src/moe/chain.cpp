#include "constellm/moe/chain.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
/// Sums over all experts stay in the range of numbers.
constexpr double kMostSeconds = 1e290;
/// By how much the shares of an expert may differ that the affinities on both of its sides give.
constexpr double kAgree = 1e-6;

std::string named(const std::string& name, std::size_t i) { return name + "[" + std::to_string(i) + "]"; }

/// Checked, and divided by the sum of all.
std::vector<double> normalised(std::vector<double> affinity, std::size_t rows, std::size_t columns,
                               const std::string& name) {
  if (affinity.size() != rows * columns) {
    throw core::InvalidInput(name + ": " + std::to_string(affinity.size()) + " numbers are not " +
                             std::to_string(rows) + " experts by " + std::to_string(columns));
  }
  double sum = 0.0;
  for (std::size_t i = 0; i < affinity.size(); ++i) {
    if (!(affinity[i] >= 0.0) || !std::isfinite(affinity[i]))
      core::throw_out_of_range(named(named(name, i / columns), i % columns), affinity[i], "[0, inf)");
    sum += affinity[i];
  }
  if (!(sum > 0.0) || !std::isfinite(sum)) core::throw_out_of_range("the sum of " + name, sum, "(0, inf)");
  for (double& one : affinity) one /= sum;
  return affinity;
}

std::vector<double> transposed(const std::vector<double>& matrix, std::size_t columns) {
  const std::size_t rows = matrix.size() / columns;
  std::vector<double> turned(matrix.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) turned[j * rows + i] = matrix[i * columns + j];
  return turned;
}

std::vector<double> sums_of_rows(const std::vector<double>& matrix, std::size_t rows) {
  std::vector<double> sums;
  const std::size_t columns = matrix.size() / rows;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = matrix.begin() + static_cast<std::ptrdiff_t>(i * columns);
    sums.push_back(std::accumulate(row, row + static_cast<std::ptrdiff_t>(columns), 0.0));
  }
  return sums;
}

void require_seconds(const std::string& name, double value) {
  if (!(value >= 0.0 && value <= kMostSeconds)) core::throw_out_of_range(name, value, "[0, 1e+290]");
}

}  // namespace

Chain::Chain(ChainFields fields)
    : first_{0},
      closed_(fields.closing.has_value()),
      distance_s_(std::move(fields.distance_s)),
      compute_s_(std::move(fields.compute_s)),
      places_(std::move(fields.places)) {
  const std::size_t layers = fields.experts.size();
  if (layers < 2 || fields.affinities.size() + 1 != layers)
    throw core::InvalidInput("affinities: must not be empty");
  for (const std::int32_t experts : fields.experts) {
    layer_of_.insert(layer_of_.end(), z(experts), first_.size() - 1);
    first_.push_back(first_.back() + experts);
  }
  const std::size_t satellites = places_.size();
  if (distance_s_.size() != satellites * satellites || compute_s_.size() != satellites)
    throw core::InvalidInput("distance_s, compute_s, places: of different satellites");
  for (std::size_t i = 0; i < distance_s_.size(); ++i)
    require_seconds(named(named("distance_s", i / satellites), i % satellites), distance_s_[i]);
  for (std::size_t s = 0; s < satellites; ++s) {
    require_seconds(named("compute_s", s), compute_s_[s]);
    if (places_[s] < 0) core::throw_out_of_range(named("places", s), places_[s], "[0, inf)");
  }
  onward_.resize(layers);
  before_.resize(layers);
  for (std::size_t l = 0; l < layers; ++l) {
    const std::size_t next = (l + 1) % layers;
    const std::string name = next == 0 ? "closing" : named("affinities", l);
    if (next == 0 && !closed_) continue;
    onward_[l] = normalised(std::move(next == 0 ? *fields.closing : fields.affinities[l]),
                            z(fields.experts[l]), z(fields.experts[next]), name);
    before_[next] = transposed(onward_[l], z(fields.experts[next]));
  }
  for (std::size_t l = 0; l < layers; ++l) {
    // The closing is counted over fewer tokens, those that another one follows.
    const std::vector<double> share =
        sums_of_rows(l + 1 < layers ? onward_[l] : before_[l], z(fields.experts[l]));
    if (l > 0 && l + 1 < layers) {
      const std::vector<double> other = sums_of_rows(before_[l], share.size());
      for (std::size_t i = 0; i < share.size(); ++i) {
        if (std::abs(share[i] - other[i]) <= kAgree) continue;
        throw core::InvalidInput(named("affinities", l) + ": expert " + std::to_string(i) +
                                 " has a share of " + core::to_text(share[i]) + " there, and of " +
                                 core::to_text(other[i]) + " in " + named("affinities", l - 1));
      }
    }
    share_.insert(share_.end(), share.begin(), share.end());
  }
  reverse_s_ = transposed(distance_s_, satellites);
}

double Chain::nearer_s(std::int32_t a, std::int32_t b) const {
  return std::min(distance_s(a, b), distance_s(b, a));
}

Chain::Sides Chain::sides_of(std::int32_t expert) const {
  const std::size_t layer = layer_of(expert);
  const std::size_t i = z(expert - first_[layer]);
  const std::size_t before = layer == 0 ? layers() - 1 : layer - 1;
  const std::size_t next = layer + 1 == layers() ? 0 : layer + 1;
  const auto row = [&](const std::vector<double>& matrix, std::size_t other) {
    const std::size_t columns = z(first_[other + 1] - first_[other]);
    return std::span(matrix).subspan(i * columns, columns);
  };
  Sides found{};
  if (!onward_[layer].empty()) found.side[found.count++] = {first_[next], row(onward_[layer], next), true};
  if (!before_[layer].empty())
    found.side[found.count++] = {first_[before], row(before_[layer], before), false};
  return found;
}

double Chain::beside_s(std::int32_t expert, std::int32_t satellite,
                       std::span<const std::int32_t> hosts) const {
  double cost = compute_s(expert, satellite);
  for (const Side& side : sides_of(expert)) {
    const double* const away = &(side.onward ? distance_s_ : reverse_s_)[at(satellite)];
    const std::int32_t* const host = &hosts[z(side.first)];
    for (std::size_t j = 0; j < side.affinity.size(); ++j)
      if (host[j] >= 0) cost += side.affinity[j] * away[host[j]];
  }
  return cost;
}

double Chain::move_gain_s(std::int32_t expert, std::int32_t to, std::span<const std::int32_t> hosts) const {
  const std::int32_t from = hosts[z(expert)];
  double gain = compute_s(expert, from) - compute_s(expert, to);
  for (const Side& side : sides_of(expert)) {
    const std::vector<double>& distance_s = side.onward ? distance_s_ : reverse_s_;
    const double* const now = &distance_s[at(from)];
    const double* const then = &distance_s[at(to)];
    const std::int32_t* const host = &hosts[z(side.first)];
    const double* const affinity = side.affinity.data();
    const std::size_t count = side.affinity.size();
    // Four sums, so that the processor need not wait for one addition after the other.
    double sum[4] = {};
    std::size_t j = 0;
    for (; j + 4 <= count; j += 4)
      for (std::size_t u = 0; u < 4; ++u) sum[u] += affinity[j + u] * (now[host[j + u]] - then[host[j + u]]);
    for (; j < count; ++j) sum[0] += affinity[j] * (now[host[j]] - then[host[j]]);
    gain += (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  return gain;
}

double Chain::swap_gain_s(std::int32_t a, std::int32_t b, std::span<const std::int32_t> hosts) const {
  const std::int32_t from = hosts[z(a)];
  const std::int32_t to = hosts[z(b)];
  double gain = move_gain_s(a, to, hosts) + move_gain_s(b, from, hosts);
  // Each was moved as if the other stayed: what one hands on to the other was taken to cost nothing twice.
  for (const Side& side : sides_of(a)) {
    const std::int32_t j = b - side.first;
    if (j < 0 || z(j) >= side.affinity.size()) continue;
    gain -= side.affinity[z(j)] *
            (distance_s(from, to) + distance_s(to, from) - distance_s(from, from) - distance_s(to, to));
  }
  return gain;
}

std::vector<double> Chain::hop_s(std::span<const std::int32_t> hosts) const {
  std::vector<double> found;
  for (std::size_t l = 0; l < layers(); ++l) {
    if (onward_[l].empty()) continue;
    const std::size_t next = (l + 1) % layers();
    double sum = 0.0;
    const double* affinity = onward_[l].data();
    for (std::int32_t i = first_[l]; i < first_[l + 1]; ++i)
      for (std::int32_t j = first_[next]; j < first_[next + 1]; ++j)
        sum += *affinity++ * distance_s(hosts[z(i)], hosts[z(j)]);
    found.push_back(sum);
  }
  return found;
}

std::vector<double> Chain::computing_s(std::span<const std::int32_t> hosts) const {
  std::vector<double> found(layers(), 0.0);
  for (std::size_t l = 0; l < layers(); ++l)
    for (std::int32_t i = first_[l]; i < first_[l + 1]; ++i) found[l] += compute_s(i, hosts[z(i)]);
  return found;
}

double Chain::token_latency_s(std::span<const std::int32_t> hosts) const {
  const std::vector<double> hops = hop_s(hosts);
  const std::vector<double> computing = computing_s(hosts);
  return std::accumulate(hops.begin(), hops.end(), 0.0) +
         std::accumulate(computing.begin(), computing.end(), 0.0);
}

void Chain::require(std::span<const std::int32_t> hosts) const {
  std::vector<std::int32_t> hosted(satellites(), 0);
  for (std::size_t l = 0; l < layers(); ++l) {
    for (std::int32_t i = first_[l]; i < first_[l + 1]; ++i) {
      const std::int32_t s = hosts[z(i)];
      const std::string field = named(named("placement", l), z(i - first_[l])) + ": ";
      if (s < 0 || z(s) >= satellites()) {
        throw core::InvalidInput(field + std::to_string(s) + " is not in [0, " +
                                 std::to_string(satellites() - 1) + "]");
      }
      if (++hosted[z(s)] > places_[z(s)]) {
        throw core::InvalidInput(field + "satellite " + std::to_string(s) + " hosts more experts than its " +
                                 std::to_string(places_[z(s)]) + " places");
      }
    }
  }
}

}  // namespace constellm::moe
