#include "constellm/moe/drift/pools.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

std::optional<HostsOverTime> cheapest_schedule(const DriftCosts& costs,
                                               const std::vector<std::vector<Hosts>>& pools,
                                               core::StopToken& stop) {
  const std::size_t windows = costs.windows();
  std::vector<std::vector<std::int32_t>> from(windows);
  std::vector<double> before_s;  // of each placement of the window before: all up to it
  std::vector<std::int32_t> order;
  for (std::size_t w = 0; w < windows; ++w) {
    std::vector<double> here_s(pools[w].size(), kNever);
    from[w].assign(pools[w].size(), -1);
    order.resize(before_s.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return before_s[z(a)] < before_s[z(b)]; });
    for (std::size_t p = 0; p < pools[w].size(); ++p) {
      const Hosts& hosts = pools[w][p];
      if (stop.should_stop(order.size() + 1)) return std::nullopt;
      if (!costs.possible(w, hosts)) continue;
      double least = w == 0 ? 0.0 : kNever;
      for (std::size_t i = 0; w == 0 && i < hosts.size(); ++i) least += costs.first_move_s(i, hosts[i]);
      for (const std::int32_t q : order) {
        double via = before_s[z(q)];
        if (!(via < least)) break;  // and of all behind it
        const Hosts& earlier = pools[w - 1][z(q)];
        for (std::size_t i = 0; i < hosts.size() && via < least; ++i)
          via += costs.move_s(earlier[i], hosts[i]);
        if (!(via < least)) continue;
        least = via;
        from[w][p] = q;
      }
      here_s[p] = least < kNever ? least + costs.window_s(w, hosts) : kNever;
    }
    before_s = std::move(here_s);
  }
  const auto last = std::min_element(before_s.begin(), before_s.end());
  if (last == before_s.end() || !std::isfinite(*last)) return std::nullopt;
  HostsOverTime found(windows);
  auto at = static_cast<std::int32_t>(last - before_s.begin());
  for (std::size_t w = windows; w-- > 0;) {
    found[w] = pools[w][z(at)];
    at = from[w][z(at)];
  }
  return found;
}

}  // namespace constellm::moe
