#include "constellm/moe/pair_annealing.hpp"

#include <limits>

#include "constellm/core/index.hpp"
#include "constellm/moe/annealing.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

PairAnnealing::PairAnnealing(std::span<const PairLayer> layers, std::size_t satellites,
                             const Placement& placement, std::uint64_t seed)
    : layers_(layers), places_(placement), host_of_(satellites), random_(seed) {
  for (std::size_t l = 0; l < placement.size(); ++l) {
    for (std::size_t e = 0; e < placement[l].size(); ++e) {
      const Seat seat{static_cast<std::int32_t>(l), static_cast<std::int32_t>(e)};
      experts_.push_back(seat);
      host_of_[z(placement[l][e])] = seat;
      places_[l][e] = layers_[l].place_of(placement[l][e]);
    }
  }
}

Placement PairAnnealing::placement() const {
  Placement placement = places_;
  for (std::size_t l = 0; l < placement.size(); ++l)
    for (std::int32_t& place : placement[l]) place = layers_[l].satellites()[z(place)];
  return placement;
}

/// By how much the layer costs less.
double PairAnnealing::move_gain(Seat expert, std::int32_t from, std::int32_t to) const {
  const PairLayer& layer = layers_[z(expert.layer)];
  const std::vector<std::int32_t>& places = places_[z(expert.layer)];
  const double* const before = layer.mean_row_s(from);
  const double* const after = layer.mean_row_s(to);
  const double* const pair = layer.pair_row(expert.expert);
  double gain = 0.0;
  for (std::size_t k = 0; k < places.size(); ++k) gain += pair[k] * (before[places[k]] - after[places[k]]);
  return gain;
}

/// Of two experts of one layer.
double PairAnnealing::swap_gain(const Change& change) const {
  const PairLayer& layer = layers_[z(change.expert.layer)];
  const std::vector<std::int32_t>& places = places_[z(change.expert.layer)];
  const double* const before = layer.mean_row_s(change.from);
  const double* const after = layer.mean_row_s(change.to);
  const double* const pair = layer.pair_row(change.expert.expert);
  const double* const other = layer.pair_row(change.other.expert);
  double gain = 0.0;
  for (std::size_t k = 0; k < places.size(); ++k)
    gain += (pair[k] - other[k]) * (before[places[k]] - after[places[k]]);
  // The pair of the two costs the same after as before.
  const double both = pair[change.other.expert];
  return gain + both * (before[change.from] - after[change.from]) -
         both * (before[change.to] - after[change.to]);
}

PairAnnealing::Change PairAnnealing::some() {
  Change change{};
  change.expert = experts_[random_.below(static_cast<std::uint32_t>(experts_.size()))];
  const PairLayer& layer = layers_[z(change.expert.layer)];
  change.from = places_[z(change.expert.layer)][z(change.expert.expert)];
  change.to = static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(layer.size())));
  if (change.to == change.from) return change;
  change.other = host_of_[z(layer.satellites()[z(change.to)])];
  if (change.other.expert < 0) {
    change.gain = move_gain(change.expert, change.from, change.to);
  } else if (change.other.layer == change.expert.layer) {
    change.other_to = change.from;
    change.gain = swap_gain(change);
  } else {
    const PairLayer& others = layers_[z(change.other.layer)];
    change.other_to = others.place_of(layer.satellites()[z(change.from)]);
    const std::int32_t other_from = places_[z(change.other.layer)][z(change.other.expert)];
    change.gain = change.other_to < 0 ? -kNever
                                      : move_gain(change.expert, change.from, change.to) +
                                            move_gain(change.other, other_from, change.other_to);
  }
  return change;
}

void PairAnnealing::take(const Change& change) {
  const PairLayer& layer = layers_[z(change.expert.layer)];
  host_of_[z(layer.satellites()[z(change.from)])] = change.other;
  host_of_[z(layer.satellites()[z(change.to)])] = change.expert;
  places_[z(change.expert.layer)][z(change.expert.expert)] = change.to;
  if (change.other.expert >= 0) places_[z(change.other.layer)][z(change.other.expert)] = change.other_to;
}

void PairAnnealing::run(std::uint64_t changes, core::StopToken& stop) {
  anneal(changes, 1, random_, stop, [&] { return some(); }, [&](const Change& change) { take(change); });
}

}  // namespace constellm::moe
