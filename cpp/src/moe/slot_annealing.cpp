#include "constellm/moe/slot_annealing.hpp"

#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/moe/annealing.hpp"

namespace constellm::moe {

using core::z;

SlotAnnealing::SlotAnnealing(std::span<const SlotLayer> layers, std::size_t satellites, Placement placement,
                             std::uint64_t seed)
    : layers_(layers),
      placement_(std::move(placement)),
      on_(satellites),
      open_(satellites, Seat::open),
      random_(seed) {
  for (std::size_t l = 0; l < placement_.size(); ++l) {
    for (std::size_t e = 0; e < placement_[l].size(); ++e) {
      experts_.push_back({static_cast<std::int32_t>(l), static_cast<std::int32_t>(e)});
      on_[z(placement_[l][e])] = experts_.back();
    }
    value_s_.push_back(layers_[l].bound_s(placement_[l], open_));
  }
}

std::int32_t& SlotAnnealing::host(Expert expert) { return placement_[z(expert.layer)][z(expert.in_layer)]; }

void SlotAnnealing::swap(Expert expert, std::int32_t to) {
  const Expert other = on_[z(to)];
  const std::int32_t from = std::exchange(host(expert), to);
  if (other.layer >= 0) host(other) = from;
  on_[z(from)] = other;
  on_[z(to)] = expert;
}

SlotAnnealing::Change SlotAnnealing::some() {
  Change change{};
  change.expert = experts_[random_.below(static_cast<std::uint32_t>(experts_.size()))];
  const std::size_t layer = z(change.expert.layer);
  const std::vector<std::int32_t>& satellites = layers_[layer].by_mean();
  change.to = satellites[random_.below(static_cast<std::uint32_t>(satellites.size()))];
  const std::int32_t from = host(change.expert);
  if (change.to == from) return change;
  const Expert other = on_[z(change.to)];
  swap(change.expert, change.to);
  change.value_s = layers_[layer].bound_s(placement_[layer], open_);
  change.gain = value_s_[layer] - change.value_s;
  if (other.layer >= 0 && other.layer != change.expert.layer) {
    change.other_value_s = layers_[z(other.layer)].bound_s(placement_[z(other.layer)], open_);
    change.gain += value_s_[z(other.layer)] - change.other_value_s;
  }
  swap(change.expert, from);
  return change;
}

void SlotAnnealing::take(const Change& change) {
  const Expert other = on_[z(change.to)];
  swap(change.expert, change.to);
  if (other.layer >= 0) value_s_[z(other.layer)] = change.other_value_s;
  value_s_[z(change.expert.layer)] = change.value_s;
}

void SlotAnnealing::run(std::uint64_t changes, core::StopToken& stop) {
  const std::uint64_t work = 2 * layers_[0].work();
  anneal(changes, work, random_, stop, [&] { return some(); }, [&](const Change& change) { take(change); });
}

}  // namespace constellm::moe
