#include "constellm/moe/chain_layers.hpp"

#include <algorithm>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;

/// Experts of some layers, no two of them neighbours, and where they go.
class Reassignment {
 public:
  explicit Reassignment(const Chain& chain) : chain_(chain), room_(chain.satellites()) {}

  /// Those with a host keep it but for `experts`, which get the best of the places that are left. Throws
  /// core::Stopped.
  void place(std::span<const std::int32_t> experts, std::vector<std::int32_t>& hosts, core::StopToken& stop) {
    for (const std::int32_t e : experts) hosts[z(e)] = -1;
    room_.assign(chain_.places().begin(), chain_.places().end());
    for (const std::int32_t s : hosts)
      if (s >= 0) --room_[z(s)];
    cost_s_.clear();
    const auto satellites = static_cast<std::int32_t>(chain_.satellites());
    for (const std::int32_t e : experts) {
      if (stop.should_stop(z(satellites))) throw core::Stopped();
      for (std::int32_t s = 0; s < satellites; ++s) cost_s_.push_back(chain_.beside_s(e, s, hosts));
    }
    transport_.solve(experts.size(), room_, cost_s_, stop);
    for (std::size_t r = 0; r < experts.size(); ++r) hosts[z(experts[r])] = transport_.column_of_row()[r];
  }

 private:
  const Chain& chain_;
  Transport transport_;
  std::vector<std::int32_t> room_;
  std::vector<double> cost_s_;
};

std::vector<std::int32_t> experts_of(const Chain& chain, std::size_t first, std::size_t step) {
  std::vector<std::int32_t> experts;
  for (std::size_t l = first; l < chain.layers(); l += step) {
    // The last layer of a closed chain may be the first one's neighbour.
    if (chain.closed() && first == 0 && l > 0 && l + 1 == chain.layers()) continue;
    for (std::int32_t e = chain.first(l); e < chain.first(l + 1); ++e) experts.push_back(e);
  }
  return experts;
}

}  // namespace

std::vector<std::int32_t> successive_placement(const Chain& chain, std::span<const double> cost_s,
                                               core::StopToken& stop) {
  std::vector<std::int32_t> hosts(chain.experts(), -1);
  const std::size_t of_first = z(chain.first(1));
  try {
    Transport first;
    first.solve(of_first, chain.places(), cost_s.first(of_first * chain.satellites()), stop);
    std::copy(first.column_of_row().begin(), first.column_of_row().end(), hosts.begin());
    Reassignment next(chain);
    for (std::size_t l = 1; l < chain.layers(); ++l)
      next.place(experts_of(chain, l, chain.layers()), hosts, stop);
  } catch (const core::Stopped&) {
    return {};
  }
  return hosts;
}

void alternate(const Chain& chain, std::vector<std::int32_t>& hosts, core::StopToken& stop) {
  // Each set has no two neighbours; of a closed chain with an odd number of layers the last one is its own.
  std::vector<std::vector<std::int32_t>> sets{experts_of(chain, 0, 2), experts_of(chain, 1, 2)};
  if (chain.closed() && chain.layers() % 2 == 1)
    sets.push_back(experts_of(chain, chain.layers() - 1, chain.layers()));
  Reassignment anew(chain);
  double now_s = chain.token_latency_s(hosts);
  std::size_t idle = 0;
  try {
    for (std::size_t turn = 0; idle < sets.size(); ++turn) {
      std::vector<std::int32_t> changed = hosts;
      anew.place(sets[turn % sets.size()], changed, stop);
      const double then_s = chain.token_latency_s(changed);
      if (then_s < now_s * (1.0 - 1e-12)) {
        hosts = std::move(changed);
        now_s = then_s;
        idle = 0;
      } else {
        ++idle;
      }
    }
  } catch (const core::Stopped&) {
    // What was found so far stands.
  }
}

}  // namespace constellm::moe
