#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/services/evaluate.hpp"
#include "constellm/services/problem.hpp"
#include "constellm/services/routes.hpp"

namespace constellm::services::exact {

/// Of each slot the nodes that are left to it, ascending. Slots are the stages of all tasks, one task after the
/// other.
using Hosts = std::vector<std::vector<std::int32_t>>;

/// Every node that may serve each slot by itself: it may host the service, has the memory and the speed, and ways
/// lead there and on within the deadline.
Hosts all_hosts(const Problem& problem, const Routes& routes);

/// A stage of a task. Its places are the nodes left to it.
struct Slot {
  std::int32_t task = 0;
  std::int32_t service = 0;
  std::int32_t first = 0;     ///< place
  std::int32_t end = 0;       ///< behind its last place
  std::int32_t first_in = 0;  ///< way
  std::int32_t end_in = 0;
  std::int32_t out = 0;  ///< the one way out that bounds couple exactly; of several the one with the most bytes
  double load_flop_per_s = 0.0;  ///< at least this; loads of several slots on a node add
};

/// A transfer. `seconds` has a row for each place of `from` and in it each place of `to`; an endpoint is one place.
/// Infinite where no way leads, or none that any plan can take within the deadline.
struct Way {
  std::int32_t from = kEndpoint;  ///< slot
  std::int32_t to = kEndpoint;
  std::size_t seconds = 0;  ///< where they begin
  bool cut = false;         ///< not the one way out of its slot
  bool open = true;         ///< no entry is infinite
};

/// A replica that may be: a service on a node.
struct Host {
  std::int32_t service = 0;
  std::int32_t node = 0;
  std::int32_t first = 0;  ///< in `host_places`
  std::int32_t end = 0;
};

struct TaskSpan {
  std::int32_t first = 0;  ///< slot
  std::int32_t end = 0;
  std::int32_t sink = 0;  ///< the way there
};

/// A problem as flat tables over what is left of it: what bounds and the search read in their inner loops.
class Model {
 public:
  Model(const Problem& problem, const Routes& routes, const Hosts& hosts);

  const Problem& problem;
  const Routes& routes;
  std::vector<TaskSpan> tasks;
  std::vector<Slot> slots;
  std::vector<Way> ways;  ///< as the problem's transfers
  std::vector<double> seconds;
  std::vector<std::int32_t> place_node;
  std::vector<std::int32_t> place_slot;
  std::vector<std::int32_t> place_host;
  std::vector<double> place_compute_s;
  std::vector<Host> hosts;  ///< by node, then service
  std::vector<std::int32_t> host_places;
  std::vector<std::int32_t> first_host;  ///< [nodes + 1]
  std::vector<std::vector<std::int32_t>> service_hosts;
  std::vector<std::vector<std::int32_t>> service_slots;
  std::vector<double> task_share;  ///< of its delay in the mean

  [[nodiscard]] std::int32_t place_count() const { return static_cast<std::int32_t>(place_node.size()); }
  [[nodiscard]] std::int32_t service_count() const { return static_cast<std::int32_t>(service_hosts.size()); }
  [[nodiscard]] std::int32_t node_count() const { return static_cast<std::int32_t>(first_host.size()) - 1; }
  /// Of a way between two places; `from` or `to` is ignored where the way has an endpoint there.
  [[nodiscard]] double way_s(std::int32_t way, std::int32_t from, std::int32_t to) const;

 private:
  void add_slots(const Hosts& left);
  void add_ways();
  void add_hosts();
  void add_seconds();
};

/// Earliest end of each place and least seconds from its end to the task's, by ways between places that are alive.
struct Times {
  std::vector<double> head_s;
  std::vector<double> tail_s;
  std::vector<double> cut_s;  ///< [ways' offsets] of cut ways: earliest arrival at each place of `to`
  std::vector<std::size_t> first_cut;  ///< [ways]
};

/// `alive` [places]; dead places get infinite times.
void find_times(const Model& model, std::int32_t task, const std::vector<std::uint8_t>& alive, Times& times);
Times make_times(const Model& model);

/// What a slot counts for in every demand at least, so that what slots on one node count for may be added: the
/// mean of demands that all have to fit.
double least_rate_per_s(const Problem& problem, std::int32_t task);

}  // namespace constellm::services::exact
