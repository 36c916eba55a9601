#include "constellm/moe/problem.hpp"

#include <cmath>
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

void require_latencies(const std::vector<double>& latency_s, std::size_t satellites,
                       const std::string& where) {
  for (std::size_t i = 0; i < latency_s.size(); ++i) {
    if (std::isnan(latency_s[i]) || (latency_s[i] >= 0.0 && std::isfinite(latency_s[i]))) continue;
    core::throw_out_of_range(
        where, "latency_s[" + std::to_string(i / satellites) + "][" + std::to_string(i % satellites) + "]",
        latency_s[i], "[0, inf), nor NaN where it is not reachable");
  }
}

std::vector<std::int32_t> usable(const std::vector<double>& latency_s, std::size_t satellites, bool all) {
  std::vector<bool> banned(satellites, false);
  for (std::size_t i = 0; i < latency_s.size() && !all; ++i)
    if (std::isnan(latency_s[i])) banned[i % satellites] = true;
  std::vector<std::int32_t> found;
  for (std::size_t s = 0; s < satellites; ++s)
    if (!banned[s]) found.push_back(static_cast<std::int32_t>(s));
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

void Problem::require(const Placement& placement) const {
  if (placement.size() != layers_.size()) {
    throw core::InvalidInput("placement: has " + std::to_string(placement.size()) + " layers, the problem " +
                             std::to_string(layers_.size()));
  }
  constexpr std::pair<std::size_t, std::size_t> kFree{static_cast<std::size_t>(-1), 0};
  std::vector<std::pair<std::size_t, std::size_t>> hosts(satellites_.size(), kFree);
  for (std::size_t l = 0; l < placement.size(); ++l) {
    const std::string where = "placement[" + std::to_string(l) + "]";
    if (placement[l].size() != z(layers_[l].picks.experts())) {
      throw core::InvalidInput(where + ": has " + std::to_string(placement[l].size()) + " satellites for " +
                               std::to_string(layers_[l].picks.experts()) + " experts");
    }
    for (std::size_t e = 0; e < placement[l].size(); ++e) {
      const std::int32_t s = placement[l][e];
      const std::string field = where + "[" + std::to_string(e) + "]: ";
      if (s < 0 || s >= satellite_count()) {
        throw core::InvalidInput(field + std::to_string(s) + " is not in [0, " +
                                 std::to_string(satellite_count() - 1) + "]");
      }
      if (hosts[z(s)] != kFree) {
        throw core::InvalidInput(field + "'" + satellites_[z(s)] + "' hosts expert " +
                                 std::to_string(hosts[z(s)].second) + " of layer " +
                                 std::to_string(hosts[z(s)].first) + " already");
      }
      hosts[z(s)] = {l, e};
      for (std::int32_t t = 0; t < slots_; ++t) {
        if (std::isnan(latency_s(layers_[l], t, s))) {
          throw core::InvalidInput(field + "'" + satellites_[z(s)] + "' is not reachable in slot " +
                                   std::to_string(t) + ", and unreachable_s is not given");
        }
      }
    }
  }
}

}  // namespace constellm::moe
