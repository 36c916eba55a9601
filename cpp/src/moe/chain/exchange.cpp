#include "constellm/moe/chain/exchange.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/moe/annealing.hpp"

namespace constellm::moe {
namespace {

using core::z;
/// How many satellites are near one.
constexpr std::size_t kNear = 24;

}  // namespace

ChainExchange::ChainExchange(const Chain& chain, std::vector<std::int32_t> hosts, std::uint64_t seed)
    : chain_(chain),
      hosts_(std::move(hosts)),
      random_(seed),
      first_place_{0},
      place_of_(hosts_.size()),
      first_partner_{0},
      near_count_(std::min(kNear, chain.satellites())) {
  const auto satellites = static_cast<std::int32_t>(chain.satellites());
  for (std::int32_t s = 0; s < satellites; ++s) {
    // More places than experts are never taken.
    const std::size_t places = std::min(z(chain.places()[z(s)]), hosts_.size());
    satellite_of_.insert(satellite_of_.end(), places, s);
    first_place_.push_back(satellite_of_.size());
  }
  host_of_.assign(satellite_of_.size(), -1);
  std::vector<std::size_t> next(first_place_.begin(), first_place_.end() - 1);
  for (std::size_t e = 0; e < hosts_.size(); ++e) {
    place_of_[e] = next[z(hosts_[e])]++;
    host_of_[place_of_[e]] = static_cast<std::int32_t>(e);
  }
  for (std::size_t e = 0; e < hosts_.size(); ++e) {
    double sum = 0.0;
    for (const Chain::Side& side : chain.sides_of(static_cast<std::int32_t>(e))) {
      for (std::size_t j = 0; j < side.affinity.size(); ++j) {
        if (side.affinity[j] == 0.0) continue;
        partner_.push_back(side.first + static_cast<std::int32_t>(j));
        up_to_.push_back(sum += side.affinity[j]);
      }
    }
    first_partner_.push_back(partner_.size());
  }
  std::vector<std::int32_t> order(chain.satellites());
  for (std::int32_t a = 0; a < satellites; ++a) {
    std::iota(order.begin(), order.end(), 0);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(near_count_);
    std::partial_sort(order.begin(), end, order.end(), [&](std::int32_t b, std::int32_t c) {
      const double to_b = chain.nearer_s(a, b);
      const double to_c = chain.nearer_s(a, c);
      return to_b < to_c || (to_b == to_c && b < c);
    });
    near_.insert(near_.end(), order.begin(), end);
  }
}

double ChainExchange::gain_s(std::int32_t expert, std::size_t place) const {
  const std::int32_t other = host_of_[place];
  return other < 0 ? chain_.move_gain_s(expert, satellite_of_[place], hosts_)
                   : chain_.swap_gain_s(expert, other, hosts_);
}

void ChainExchange::take(const Change& change) {
  const std::int32_t other = host_of_[change.place];
  const std::size_t left = place_of_[z(change.expert)];
  const auto put = [&](std::int32_t expert, std::size_t place) {
    host_of_[place] = expert;
    if (expert < 0) return;
    place_of_[z(expert)] = place;
    hosts_[z(expert)] = satellite_of_[place];
  };
  put(change.expert, change.place);
  put(other, left);
}

std::int32_t ChainExchange::some_satellite(std::int32_t expert) {
  const std::size_t first = first_partner_[z(expert)];
  const std::size_t end = first_partner_[z(expert) + 1];
  if (first == end || random_.below(4) == 0)
    return static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(chain_.satellites())));
  const auto up_to = [&](std::size_t i) { return up_to_.begin() + static_cast<std::ptrdiff_t>(i); };
  const auto found = std::upper_bound(up_to(first), up_to(end - 1), random_.uniform() * up_to_[end - 1]);
  const std::int32_t partner = partner_[static_cast<std::size_t>(found - up_to_.begin())];
  return near_[z(hosts_[z(partner)]) * near_count_ + random_.below(static_cast<std::uint32_t>(near_count_))];
}

/// Its gain is 0 where nothing would change.
ChainExchange::Change ChainExchange::some() {
  const auto expert = static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(hosts_.size())));
  const std::int32_t to = some_satellite(expert);
  const std::size_t first = first_place_[z(to)];
  const std::size_t places = first_place_[z(to) + 1] - first;
  if (to == hosts_[z(expert)] || places == 0) return {expert, first, 0.0};
  const std::size_t place = first + random_.below(static_cast<std::uint32_t>(places));
  return {expert, place, gain_s(expert, place)};
}

void ChainExchange::anneal(std::uint64_t changes, core::StopToken& stop) {
  moe::anneal(changes, 1, random_, stop, [&] { return some(); }, [&](const Change& change) { take(change); });
}

void ChainExchange::descend(core::StopToken& stop) {
  // A round has to gain by the sum of all: where satellites are far from themselves, two that change places
  // may seem to gain by rounding alone, and once more on the way back.
  double now_s = chain_.token_latency_s(hosts_);
  for (bool found = true; found;) {
    const double least_s = 1e-12 * now_s;
    found = false;
    for (std::int32_t e = 0; z(e) < hosts_.size(); ++e) {
      for (std::size_t place = 0; place < satellite_of_.size(); ++place) {
        if (stop.should_stop()) return;
        if (satellite_of_[place] == hosts_[z(e)]) continue;
        const Change change{e, place, gain_s(e, place)};
        if (change.gain <= least_s) continue;
        found = true;
        take(change);
      }
    }
    const double before_s = std::exchange(now_s, chain_.token_latency_s(hosts_));
    found = found && now_s < before_s - least_s;
  }
}

}  // namespace constellm::moe
