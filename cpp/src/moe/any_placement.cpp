#include "constellm/moe/any_placement.hpp"

#include <algorithm>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr std::int32_t kNobody = -1;

/// Which layer has each satellite, while layers take one more after the other.
class Owners {
 public:
  Owners(const Problem& problem, std::span<const std::size_t> layers)
      : problem_(problem),
        layers_(layers),
        layer_on_(problem.satellites().size(), kNobody),
        through_(layers.size()),
        from_(layers.size()) {}

  [[nodiscard]] const std::vector<std::int32_t>& layer_on() const { return layer_on_; }

  /// One more for the layer, others giving theirs away for another one where that helps.
  bool add(std::int32_t start) {
    std::fill(from_.begin(), from_.end(), kNobody);
    from_[z(start)] = start;
    std::vector<std::int32_t> queue{start};
    for (std::size_t head = 0; head < queue.size(); ++head) {
      const std::int32_t g = queue[head];
      for (const std::int32_t s : problem_.layers()[layers_[z(g)]].usable) {
        const std::int32_t other = layer_on_[z(s)];
        if (other == kNobody) {
          std::int32_t free = s;
          for (std::int32_t at = g; at != start; at = from_[z(at)])
            layer_on_[z(std::exchange(free, through_[z(at)]))] = at;
          layer_on_[z(free)] = start;
          return true;
        }
        if (from_[z(other)] != kNobody) continue;
        from_[z(other)] = g;
        through_[z(other)] = s;
        queue.push_back(other);
      }
    }
    return false;
  }

 private:
  const Problem& problem_;
  std::span<const std::size_t> layers_;
  std::vector<std::int32_t> layer_on_;
  std::vector<std::int32_t> through_;  ///< the satellite by which a layer was reached
  std::vector<std::int32_t> from_;     ///< whose experts go to it
};

}  // namespace

std::optional<Placement> any_placement(const Problem& problem, std::span<const std::size_t> layers) {
  Owners owners(problem, layers);
  for (std::size_t g = 0; g < layers.size(); ++g) {
    for (std::int32_t e = 0; e < problem.layers()[layers[g]].picks.experts(); ++e)
      if (!owners.add(static_cast<std::int32_t>(g))) return std::nullopt;
  }
  Placement placement(layers.size());
  for (std::size_t s = 0; s < owners.layer_on().size(); ++s) {
    if (owners.layer_on()[s] != kNobody)
      placement[z(owners.layer_on()[s])].push_back(static_cast<std::int32_t>(s));
  }
  return placement;
}

}  // namespace constellm::moe
