#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/services/evaluate.hpp"
#include "constellm/services/routes.hpp"

namespace constellm::services::domains {

/// Which nodes are left to the stages of all tasks, one after the other ("slots"), and how many replicas to the
/// services, for plans within limits on cost and times.
struct Domains {
  std::vector<std::uint8_t> allowed;  ///< [slots, nodes]
  std::vector<std::int32_t> count;    ///< [slots] of allowed nodes
  std::vector<double> head_s;         ///< [slots, nodes] when a stage can have ended at the earliest
  std::vector<double> tail_s;         ///< [slots, nodes] from then to the end of the task at least
  std::vector<std::int32_t> least;    ///< [services] replicas
  std::vector<std::int32_t> most;     ///< [services]
  bool is_empty = false;              ///< there is no such plan
};

/// Draws conclusions from domains: each only removes what no plan within the limits has.
///
/// - Times: head(l, v) = f/c + max over inputs of min over u of head(k, u) + τ(u, v), the same backwards, and
///   head + tail within the deadline.
/// - Replicas: slots without a common node that carries them all take two, slots with disjoint nodes one each;
///   what the cost limit leaves is the most of each; slots of a service with one replica share one set.
/// - Packing: memory of replicas and loads of slots that have one node left, at nominal rates or, where all may
///   rise at once, the raised ones.
class Rules {
 public:
  /// `deadline_s` and `cost_limit` may be tighter than the problem's own.
  Rules(const Problem& problem, const Routes& routes, std::vector<double> deadline_s, double cost_limit);

  /// Of slots' nodes [slots, nodes] and replica numbers.
  [[nodiscard]] Domains start(std::vector<std::uint8_t> allowed, std::vector<std::int32_t> least,
                              std::vector<std::int32_t> most) const;

  /// To the fixpoint. False: empty.
  bool conclude(Domains& domains) const;

  /// Slots that have one node together: those of a service with one replica, else one slot.
  [[nodiscard]] std::vector<std::vector<std::int32_t>> groups(const Domains& domains) const;

  /// Leaves a group that node alone, and draws conclusions. False: empty.
  bool assign(Domains& domains, const std::vector<std::int32_t>& group, std::int32_t node) const;

  /// Takes a node from a group, and draws conclusions. False: empty.
  bool remove(Domains& domains, const std::vector<std::int32_t>& group, std::int32_t node) const;

  [[nodiscard]] std::int32_t slot_count() const { return slots_; }
  [[nodiscard]] std::int32_t node_count() const { return nodes_; }
  [[nodiscard]] std::size_t at(std::int32_t slot, std::int32_t node) const;

  /// Of domains with one node each.
  [[nodiscard]] Placement placement(const Domains& domains) const;
  [[nodiscard]] const Problem& problem() const { return problem_; }
  [[nodiscard]] const Routes& routes() const { return routes_; }

 private:
  struct Way {
    std::int32_t other;                ///< slot at the other end, or kEndpoint
    std::vector<const double*> seconds;  ///< [origins]; of the source one
  };
  struct Dirty {
    std::vector<std::uint8_t> tasks;
    std::vector<std::uint8_t> services;
  };

  bool drain(Domains& domains, Dirty& dirty) const;
  void take(Domains& domains, Dirty& dirty, std::int32_t slot, std::int32_t node) const;
  void times(Domains& domains, Dirty& dirty, std::int32_t task) const;
  void heads(Domains& domains, std::int32_t task) const;
  void tails(Domains& domains, std::int32_t task) const;
  void replicas(Domains& domains, std::int32_t service) const;
  [[nodiscard]] std::int32_t disjoint(const Domains& domains, std::int32_t service) const;
  void numbers(Domains& domains, Dirty& dirty) const;
  void share(Domains& domains, Dirty& dirty, std::int32_t service) const;
  void pack(Domains& domains, Dirty& dirty) const;
  [[nodiscard]] std::vector<std::int32_t> left(const Domains& domains, std::int32_t slot) const;

  Problem problem_;
  Routes routes_;
  std::int32_t slots_ = 0;
  std::int32_t nodes_ = 0;
  std::vector<double> deadline_s_;
  double cost_limit_;
  std::vector<std::int32_t> first_slot_;
  std::vector<std::int32_t> task_of_;
  std::vector<std::int32_t> service_of_;
  std::vector<std::vector<std::int32_t>> slots_of_;  // by service
  std::vector<std::vector<Way>> inputs_;             // by slot
  std::vector<std::vector<Way>> outputs_;            // by slot
  std::vector<double> compute_s_;                    // [slots, nodes]
  std::vector<double> load_flop_per_s_;              // [slots]
  std::vector<double> service_load_flop_per_s_;      // [services]
};

/// What is left once every node of every group was tried for itself: nodes from which conclusions lead nowhere go.
/// False: empty. Stops early, with what is found, when told to.
bool shave(const Rules& rules, Domains& domains, core::StopToken& stop);

struct Outcome {
  bool is_complete = false;  ///< a placement was found, or there is none
  bool is_found = false;
  Placement placement;
  std::int64_t branches = 0;
};

/// Depth first for any plan that keeps all limits and the cost limit, `most` branches at most.
Outcome search(const Rules& rules, const Domains& domains, double cost_limit, std::int64_t most,
               core::StopToken& stop);

}  // namespace constellm::services::domains
