#include "constellm/moe/problem.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;

void require_ids(const std::vector<std::string>& ids) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string field = "satellites[" + std::to_string(i) + "]: ";
    if (ids[i].empty()) throw core::InvalidInput(field + "must not be empty");
    const auto [before, fresh] = places.emplace(ids[i], i);
    if (!fresh) {
      throw core::InvalidInput(field + "'" + ids[i] + "' is satellites[" + std::to_string(before->second) +
                               "] too");
    }
  }
}

bool is_latency(double value) { return !(value < 0.0) && !std::isinf(value); }  // NaN is one

void require_latencies(const std::vector<double>& latency_s, std::size_t satellites,
                       const std::string& where) {
  std::size_t bad = 0;
  for (const double value : latency_s) bad += is_latency(value) ? 0 : 1;  // without a branch, to be quick
  if (bad == 0) return;
  const auto i =
      static_cast<std::size_t>(std::ranges::find_if_not(latency_s, is_latency) - latency_s.begin());
  core::throw_out_of_range(
      where, "latency_s[" + std::to_string(i / satellites) + "][" + std::to_string(i % satellites) + "]",
      latency_s[i], "[0, inf), nor NaN where it is not reachable");
}

std::vector<std::int32_t> usable(const std::vector<double>& latency_s, std::size_t satellites, bool all) {
  std::vector<std::uint8_t> banned(satellites, 0);
  for (std::size_t row = 0; row < latency_s.size() && !all; row += satellites)
    for (std::size_t s = 0; s < satellites; ++s)
      banned[s] = std::isnan(latency_s[row + s]) ? std::uint8_t{1} : banned[s];
  std::vector<std::int32_t> found;
  for (std::size_t s = 0; s < satellites; ++s)
    if (banned[s] == 0) found.push_back(static_cast<std::int32_t>(s));
  return found;
}

}  // namespace

Problem::Problem(std::string name, std::int32_t top_k, std::vector<std::string> satellites,
                 std::optional<double> unreachable_s, std::int32_t slots, std::vector<LayerFields> layers,
                 std::optional<Sharing> sharing)
    : name_(std::move(name)),
      top_k_(top_k),
      satellites_(std::move(satellites)),
      unreachable_s_(unreachable_s),
      slots_(slots),
      sharing_(std::move(sharing)) {
  if (satellites_.empty()) throw core::InvalidInput("satellites: must not be empty");
  require_ids(satellites_);
  if (unreachable_s_) core::require_non_negative("unreachable_s", *unreachable_s_);
  if (layers.empty()) throw core::InvalidInput("layers: must not be empty");
  if (slots_ < 1) throw core::InvalidInput("layers[0].latency_s: has no slot");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string where = "layers[" + std::to_string(l) + "].";
    LayerFields& given = layers[l];
    Picks picks(std::move(given.weights), top_k_, where);
    if (given.latency_s.size() != z(slots_) * satellites_.size()) {
      throw core::InvalidInput(where + "latency_s: " + std::to_string(given.latency_s.size()) +
                               " numbers are not " + std::to_string(slots_) + " slots of " +
                               std::to_string(satellites_.size()) + " satellites");
    }
    require_latencies(given.latency_s, satellites_.size(), where);
    core::require_non_negative(where, "base_s", given.base_s);
    std::vector<std::int32_t> open = usable(given.latency_s, satellites_.size(), unreachable_s_.has_value());
    layers_.push_back({std::move(picks), std::move(given.latency_s), given.base_s, std::move(open)});
  }
}

double Problem::latency_s(const Layer& layer, std::int32_t slot, std::int32_t satellite) const {
  const double given = layer.latency_s[z(slot) * satellites_.size() + z(satellite)];
  return std::isnan(given) && unreachable_s_ ? *unreachable_s_ : given;
}

std::vector<double> Problem::mean_service_s(const Layer& layer) const {
  std::vector<double> mean_s;
  for (const std::int32_t s : layer.usable) {
    double sum = 0.0;
    for (std::int32_t t = 0; t < slots_; ++t) {
      const std::size_t at = z(t) * satellites_.size() + z(s);
      if (!std::isnan(layer.latency_s[at])) sum += sharing_->service_s[at];
    }
    mean_s.push_back(sum / slots_);
  }
  return mean_s;
}

std::vector<std::string> Problem::broken(const Placement& placement) const {
  if (placement.size() != layers_.size()) {
    return {"placement: has " + std::to_string(placement.size()) + " layers, the problem " +
            std::to_string(layers_.size())};
  }
  std::vector<std::string> found;
  constexpr std::pair<std::size_t, std::size_t> kFree{static_cast<std::size_t>(-1), 0};
  std::vector<std::pair<std::size_t, std::size_t>> hosts(satellites_.size(), kFree);
  for (std::size_t l = 0; l < placement.size(); ++l) {
    const std::string where = "placement[" + std::to_string(l) + "]";
    if (placement[l].size() != z(layers_[l].picks.experts())) {
      found.push_back(where + ": has " + std::to_string(placement[l].size()) + " satellites for " +
                      std::to_string(layers_[l].picks.experts()) + " experts");
    }
    for (std::size_t e = 0; e < placement[l].size(); ++e) {
      const std::int32_t s = placement[l][e];
      const std::string field = where + "[" + std::to_string(e) + "]: ";
      if (s < 0 || s >= satellite_count()) {
        found.push_back(field + std::to_string(s) + " is not in [0, " +
                        std::to_string(satellite_count() - 1) + "]");
        continue;
      }
      if (hosts[z(s)] != kFree) {
        found.push_back(field + "'" + satellites_[z(s)] + "' hosts expert " +
                        std::to_string(hosts[z(s)].second) + " of layer " +
                        std::to_string(hosts[z(s)].first) + " already");
      } else {
        hosts[z(s)] = {l, e};
      }
      std::int32_t slot = 0;
      while (slot < slots_ && !std::isnan(latency_s(layers_[l], slot, s))) ++slot;
      if (slot < slots_) {
        found.push_back(field + "'" + satellites_[z(s)] + "' is not reachable in slot " +
                        std::to_string(slot) + ", and unreachable_s is not given");
      }
    }
  }
  return found;
}

void Problem::require(const Placement& placement) const {
  const std::vector<std::string> rules = broken(placement);
  if (!rules.empty()) throw core::InvalidInput(rules.front());
}

}  // namespace constellm::moe
