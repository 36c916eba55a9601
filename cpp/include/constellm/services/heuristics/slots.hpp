#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/services/answer.hpp"
#include "constellm/services/evaluate.hpp"
#include "constellm/services/problem.hpp"
#include "constellm/services/routes.hpp"

namespace constellm::services::heuristics {

/// Nothing found, and whether that is since somebody interrupted.
Answer stopped(const core::StopToken& stop);

/// Data that a stage of a task waits for, or, with `to` = kEndpoint, the way to the sink.
struct Way {
  std::int32_t transfer = 0;
  std::int32_t from = kEndpoint;  ///< slot, or the source
  std::int32_t to = kEndpoint;    ///< slot, or the sink
  double bytes = 0.0;
};

/// What the heuristics ask of a problem again and again. A slot is a stage of a task: those of all tasks
/// count through. Made once, then only read, by any number of threads.
class Slots {
 public:
  /// Throws core::Stopped.
  Slots(Problem problem, Routes routes, core::StopToken& stop);

  [[nodiscard]] const Problem& problem() const { return problem_; }
  [[nodiscard]] const Routes& routes() const { return routes_; }
  [[nodiscard]] std::int32_t count() const { return static_cast<std::int32_t>(service_.size()); }
  [[nodiscard]] std::int32_t task_count() const { return static_cast<std::int32_t>(problem_.tasks().size()); }
  [[nodiscard]] std::int32_t first(std::int32_t task) const { return first_[core::z(task)]; }
  [[nodiscard]] std::int32_t end(std::int32_t task) const { return first_[core::z(task + 1)]; }
  [[nodiscard]] std::int32_t service(std::int32_t slot) const { return service_[core::z(slot)]; }
  [[nodiscard]] std::int32_t task(std::int32_t slot) const { return task_[core::z(slot)]; }
  [[nodiscard]] const std::vector<std::int32_t>& of_service(std::int32_t service) const {
    return of_service_[core::z(service)];
  }
  /// The ways of a task in the order of the stages that they lead to.
  [[nodiscard]] std::span<const Way> ways(std::int32_t task) const {
    return std::span(ways_).subspan(core::z(first_way_[core::z(task)]),
                                    core::z(first_way_[core::z(task + 1)] - first_way_[core::z(task)]));
  }

  /// Nodes that a slot may be on, by the least delay of its task with it there, alone on an empty network,
  /// then by position. None that memory, load or deadline rule out on their own is among them.
  [[nodiscard]] const std::vector<std::int32_t>& candidates(std::int32_t slot) const {
    return candidates_[core::z(slot)];
  }
  [[nodiscard]] bool may_host(std::int32_t slot, std::int32_t node) const {
    return may_host_[core::z(slot) * nodes_ + core::z(node)] != 0;
  }
  /// Whether each slot of the task has a candidate.
  [[nodiscard]] bool placeable(std::int32_t task) const;

  [[nodiscard]] double seconds(std::int32_t transfer, std::int32_t origin, std::int32_t target) const {
    return rows_[core::z(transfer) * nodes_ + core::z(origin)][target];
  }
  [[nodiscard]] double compute_s(std::int32_t service, std::int32_t node) const {
    return compute_s_[core::z(service) * nodes_ + core::z(node)];
  }
  /// The most requests per second of a task.
  [[nodiscard]] double raised_per_s(std::int32_t task) const { return raised_per_s_[core::z(task)]; }

  [[nodiscard]] Assignment assignment_of(std::span<const std::int32_t> node_of) const;
  [[nodiscard]] std::vector<std::int32_t> nodes_of(const Assignment& assignment) const;

 private:
  void lay_out();
  void find_rows(core::StopToken& stop);
  void find_candidates(core::StopToken& stop);
  [[nodiscard]] bool holds(std::int32_t slot, std::int32_t node) const;

  Problem problem_;
  Routes routes_;
  std::size_t nodes_;
  std::vector<std::int32_t> first_, service_, task_, first_way_;
  std::vector<std::vector<std::int32_t>> of_service_, candidates_;
  std::vector<Way> ways_;
  std::vector<const double*> rows_;  // [transfers, nodes] of origins that a transfer can have
  std::vector<double> compute_s_;    // [services, nodes]
  std::vector<double> raised_per_s_;
  std::vector<std::uint8_t> may_host_;
};

/// What `method(slots, stop)` gives; nothing where time is up before the slots are made.
template <class Method>
Answer with_slots(const Problem& problem, const Routes& routes, core::StopToken& stop, Method method) {
  std::optional<Slots> slots;
  try {
    slots.emplace(problem, routes, stop);
  } catch (const core::Stopped&) {
    return stopped(stop);
  }
  return method(*slots, stop);
}

/// Routes as lists of links, kept beside those of `Routes`, which ask a lock. For one thread.
class RouteLinks {
 public:
  explicit RouteLinks(const Slots& slots) : slots_(&slots) {}
  std::span<const std::int32_t> operator()(std::int32_t transfer, std::int32_t origin, std::int32_t target);

 private:
  const Slots* slots_;
  std::unordered_map<std::uint64_t, std::span<const std::int32_t>> found_;
};

}  // namespace constellm::services::heuristics
