#include "constellm/network/snapshot.hpp"

#include <utility>

#include "constellm/core/error.hpp"

namespace constellm::network {

Snapshot::Snapshot(double t_s, Graph graph, double valid_s, std::vector<double> lifetime_s)
    : t_s_(t_s), valid_s_(valid_s), graph_(std::move(graph)) {
  core::check_range({}, "t_s", kStart, t_s);
  core::check_range({}, "valid_s", kValidity, valid_s);
  if (!lifetime_s.empty() && lifetime_s.size() != graph_.topology().from.size()) {
    throw core::InvalidInput("lifetime_s: " + std::to_string(lifetime_s.size()) + " entries for " +
                             std::to_string(graph_.link_count()) + " links");
  }
  core::check_range({}, "lifetime_s", kLifetime, lifetime_s);
  lifetime_s_ = std::make_shared<const std::vector<double>>(std::move(lifetime_s));
}

bool Snapshot::operator==(const Snapshot& other) const {
  return t_s_ == other.t_s_ && valid_s_ == other.valid_s_ && graph_ == other.graph_ &&
         (lifetime_s_ == other.lifetime_s_ || *lifetime_s_ == *other.lifetime_s_);
}

}  // namespace constellm::network
