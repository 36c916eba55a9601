#pragma once
#include <map>
#include <optional>
#include <span>

#include "constellm/core/stop.hpp"
#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/links.hpp"
#include "fleet.hpp"
#include "memory.hpp"
#include "mutual.hpp"

namespace constellm::orbit {

/// Whether links have held for as long as their rules take to acquire them, up to an instant.
class Held {
 public:
  /// Throws core::InvalidInput where a rule has to know what was before and it is not given, or not enough.
  Held(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
       const std::optional<Past>& past, core::StopToken& stop);

  /// Of the rule at this position. Quick for pairs in rising order; throws core::Stopped.
  bool operator()(Pair pair, std::int32_t rule);

 private:
  [[nodiscard]] bool near_all_the_time(Pair pair, std::size_t rule, double start_s);
  [[nodiscard]] bool is_whole(const Stretches& held, double start_s) const;

  const Layout& layout_;
  std::span<const LinkRule> rules_;
  std::optional<Past> past_;
  core::StopToken& stop_;
  std::optional<Fleet> fleet_;
  std::optional<Memory> memory_;
  Outages lost_;                                        ///< and what ends
  std::map<std::size_t, std::vector<Mutual>> nearest_;  ///< of rules that were asked about
};

}  // namespace constellm::orbit
