#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constellm/network/graph.hpp"

namespace constellm::services {

/// Limits get this room once, when a problem is built, and are compared with plain <= from then on.
inline constexpr double kLimitRoom = 1.0 + 1e-9;

/// `optimal` means a proven relative gap of at most this.
inline constexpr double kOptimalGap = 1e-9;

/// In an Input's place of a stage: the task's source. As a Transfer's end: its sink.
inline constexpr std::int32_t kEndpoint = -1;

inline constexpr double kNone = std::numeric_limits<double>::infinity();

/// A component of a large model that tasks share.
struct Service {
  std::string name;
  double flop = 0.0;                ///< per request
  double memory_bytes = 0.0;        ///< per replica
  double cost = 0.0;                ///< per replica
  std::vector<std::int32_t> hosts;  ///< nodes that may host it, ascending; a Problem keeps those that compute
};

/// Data that a stage waits for.
struct Input {
  std::int32_t from = kEndpoint;  ///< position of an earlier stage, or kEndpoint
  double bytes = 0.0;
};

struct Stage {
  std::int32_t service = 0;
  std::vector<Input> inputs;
};

/// Requests of one kind. Every stage but the last feeds at least one other.
struct Task {
  std::string name;
  double rate_per_s = 0.0;
  double deviation_per_s = 0.0;  ///< how much the rate may rise
  std::int32_t source = 0;
  std::int32_t sink = 0;
  std::vector<Stage> stages;
  double output_bytes = 0.0;
  double deadline_s = kNone;
  double weight = 1.0;  ///< counts for Objective::admitted
};

/// What is minimised first: cost of replicas (then mean delay), mean delay (then cost), or the weight of
/// tasks that are not admitted (then cost).
enum class Objective { cost, delay, admitted };

constexpr std::array<std::string_view, 3> words(Objective) { return {"cost", "delay", "admitted"}; }

struct Limits {
  double max_utilisation = 1.0;  ///< of nodes and links
  double budget = kNone;         ///< so many tasks at most have their raised rate at once
  double max_cost = kNone;
};

/// Demands in place of a set: all but so many of them have to fit.
struct Samples {
  std::vector<double> rate_per_s;  ///< [samples, tasks]
  std::int32_t may_break = 0;
};

/// One data path of a task: an input, or the way to the sink.
struct Transfer {
  std::int32_t task = 0;
  std::int32_t from = kEndpoint;  ///< stage; kEndpoint: the source
  std::int32_t to = kEndpoint;    ///< stage; kEndpoint: the sink
  double bytes = 0.0;
};

/// Which microservices run where, and which replica serves which stage? Format `constellm.services-problem`.
/// Immutable, and copies share it.
class Problem {
 public:
  /// `life_s` [links]: how long after a request came a link still lives; empty: for ever. A link that a
  /// transfer takes longer to cross is not there for it, and each transfer has to leave each of its links
  /// within its life. Throws core::InvalidInput, which names the field, the value and the range.
  Problem(network::Graph graph, std::vector<Service> services, std::vector<Task> tasks, Limits limits,
          Objective objective, std::vector<double> life_s = {}, std::optional<Samples> samples = {});

  [[nodiscard]] const network::Graph& graph() const { return data_->graph; }
  [[nodiscard]] std::int32_t node_count() const { return graph().node_count(); }
  [[nodiscard]] std::int32_t link_count() const { return graph().link_count(); }
  [[nodiscard]] const std::vector<Service>& services() const { return data_->services; }
  [[nodiscard]] const std::vector<Task>& tasks() const { return data_->tasks; }
  [[nodiscard]] const Limits& limits() const { return data_->limits; }
  [[nodiscard]] Objective objective() const { return data_->objective; }
  [[nodiscard]] const std::optional<Samples>& samples() const { return data_->samples; }
  /// Of all tasks, one after the other; of each the inputs by stage, then the way to the sink.
  [[nodiscard]] const std::vector<Transfer>& transfers() const { return data_->transfers; }
  /// [tasks + 1] where each task's transfers begin.
  [[nodiscard]] const std::vector<std::int32_t>& first_transfer() const { return data_->first_transfer; }

  /// Seconds of a service's request on a node that computes.
  [[nodiscard]] double compute_s(std::int32_t service, std::int32_t node) const;
  /// How long a link lives, with the room of a limit; infinite: for ever.
  [[nodiscard]] double life_s(std::int32_t link) const {
    return data_->life_s.empty() ? kNone : data_->life_s[static_cast<std::size_t>(link)];
  }
  [[nodiscard]] bool links_end() const { return !data_->life_s.empty(); }

  /// Limits with their room; infinite where there is none.
  [[nodiscard]] double node_capacity_flop_per_s(std::int32_t node) const;
  [[nodiscard]] double link_capacity_bps(std::int32_t link) const;
  [[nodiscard]] double memory_limit_bytes(std::int32_t node) const;
  [[nodiscard]] double deadline_limit_s(std::int32_t task) const;
  [[nodiscard]] double cost_limit() const;

 private:
  struct Data {
    network::Graph graph;
    std::vector<Service> services;
    std::vector<Task> tasks;
    Limits limits;
    Objective objective;
    std::vector<double> life_s;
    std::optional<Samples> samples;
    std::vector<Transfer> transfers;
    std::vector<std::int32_t> first_transfer;
  };
  std::shared_ptr<const Data> data_;
};

}  // namespace constellm::services
