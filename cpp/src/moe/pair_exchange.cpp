#include "constellm/moe/pair_exchange.hpp"

#include <limits>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

PairExchange::PairExchange(std::span<const PairLayer> layers, std::size_t satellites, Placement placement)
    : layers_(layers), placement_(std::move(placement)), host_of_(satellites, -1) {
  std::size_t row = 0;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const PairLayer& layer = layers_[l];
    first_.push_back(experts_.size());
    for (std::int32_t i = 0; i < layer.experts(); ++i) {
      const std::int32_t satellite = placement_[l][z(i)];
      host_of_[z(satellite)] = static_cast<std::int32_t>(experts_.size());
      experts_.push_back({static_cast<std::int32_t>(l), i, layer.place_of(satellite), row});
      row += layer.size();
    }
  }
  beside_.assign(row, 0.0);
  for (const Expert& expert : experts_) {
    const PairLayer& layer = layers_[z(expert.layer)];
    for (std::int32_t j = 0; j < layer.experts(); ++j) {
      const double pair = layer.pair(expert.in_layer, j);
      const double* const mean = layer.mean_row_s(experts_[first_[z(expert.layer)] + z(j)].place);
      for (std::size_t b = 0; b < layer.size(); ++b) beside_[expert.row + b] += pair * mean[b];
    }
  }
}

/// By how much the sum falls.
double PairExchange::move_gain(const Expert& expert, std::int32_t place) const {
  return beside_[expert.row + z(expert.place)] - beside_[expert.row + z(place)];
}

double PairExchange::swap_gain(const Expert& a, const Expert& b) const {
  const PairLayer& layer = layers_[z(a.layer)];
  if (a.layer == b.layer) {
    // The pair of the two costs the same after as before, and stands in both rows.
    const double pair = layer.pair(a.in_layer, b.in_layer);
    return move_gain(a, b.place) + move_gain(b, a.place) -
           pair * (2.0 * layer.mean_s(a.place, b.place) - layer.mean_s(a.place, a.place) -
                   layer.mean_s(b.place, b.place));
  }
  const std::int32_t to_a = layer.place_of(layers_[z(b.layer)].satellites()[z(b.place)]);
  const std::int32_t to_b = layers_[z(b.layer)].place_of(layer.satellites()[z(a.place)]);
  if (to_a < 0 || to_b < 0) return -std::numeric_limits<double>::infinity();
  return move_gain(a, to_a) + move_gain(b, to_b);
}

void PairExchange::put(std::size_t expert, std::int32_t place) {
  Expert& moved = experts_[expert];
  const PairLayer& layer = layers_[z(moved.layer)];
  const double* const before = layer.mean_row_s(moved.place);
  const double* const after = layer.mean_row_s(place);
  for (std::int32_t j = 0; j < layer.experts(); ++j) {
    const double pair = layer.pair(moved.in_layer, j);
    double* const row = &beside_[experts_[first_[z(moved.layer)] + z(j)].row];
    for (std::size_t b = 0; b < layer.size(); ++b) row[b] += pair * (after[b] - before[b]);
  }
  moved.place = place;
  const std::int32_t satellite = layer.satellites()[z(place)];
  placement_[z(moved.layer)][z(moved.in_layer)] = satellite;
  host_of_[z(satellite)] = static_cast<std::int32_t>(expert);
}

double PairExchange::gain(const Expert& expert, std::int32_t place) const {
  const std::int32_t other = host_of_[z(layers_[z(expert.layer)].satellites()[z(place)])];
  return other < 0 ? move_gain(expert, place) : swap_gain(expert, experts_[z(other)]);
}

void PairExchange::change(std::size_t expert, std::int32_t place) {
  const PairLayer& layer = layers_[z(experts_[expert].layer)];
  const std::int32_t left = layer.satellites()[z(experts_[expert].place)];
  const std::int32_t other = host_of_[z(layer.satellites()[z(place)])];
  host_of_[z(left)] = -1;
  put(expert, place);
  if (other >= 0) put(z(other), layers_[z(experts_[z(other)].layer)].place_of(left));
}

void PairExchange::descend(core::StopToken& stop) {
  // Smaller gains are rounding, and need not end; beside latencies that are far larger all may be.
  const double least = 1e-12 * value_s();
  bool found = true;
  while (found) {
    found = false;
    const double before_s = value_s();
    for (std::size_t e = 0; e < experts_.size(); ++e) {
      const auto places = static_cast<std::int32_t>(layers_[z(experts_[e].layer)].size());
      for (std::int32_t b = 0; b < places; ++b) {
        if (stop.should_stop()) return;
        if (b == experts_[e].place || gain(experts_[e], b) <= least) continue;
        found = true;
        change(e, b);
      }
    }
    found = found && value_s() < before_s - least;
  }
}

double PairExchange::value_s() const {
  double twice = 0.0;  // every pair stands in two rows
  for (const Expert& expert : experts_) twice += beside_[expert.row + z(expert.place)];
  return 0.5 * twice;
}

}  // namespace constellm::moe
