#pragma once
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "constellm/services/heuristics/slots.hpp"

namespace constellm::services::heuristics {

/// What a unit of each term of the objective counts in the energy, and what the limits weigh at the least.
struct Scales {
  double first = 1.0;
  double second = 0.0;
  double penalty = 1.0;
};

/// Where every slot is, with all terms and limits kept up to date while slots move. A change is any number of
/// `place`, then `settle`, then `keep` or `undo`, which restores every bit. Each broken limit adds its weight
/// times its relative excess to the energy; weights learn which limits are hard to keep.
/// For one thread.
class State {
 public:
  State(const Slots& slots, Scales scales);

  /// Anew from so many nodes, one a slot; -1 for all slots of tasks that are not admitted.
  void set(std::span<const std::int32_t> node_of);
  /// From now on loads of links count too.
  void watch_links();
  void rescale(Scales scales);

  void place(std::int32_t slot, std::int32_t node);
  /// The energy with the change.
  double settle();
  void keep();
  void undo();

  [[nodiscard]] const Slots& slots() const { return *slots_; }
  [[nodiscard]] const Scales& scales() const { return scales_; }
  [[nodiscard]] std::span<const std::int32_t> node_of() const { return node_of_; }
  [[nodiscard]] std::int32_t node(std::int32_t slot) const { return node_of_[core::z(slot)]; }
  /// Whether all of its slots have a node. Of a task that has some, loads and memory count.
  [[nodiscard]] bool placed(std::int32_t task) const;
  [[nodiscard]] bool admitted(std::int32_t task) const { return node(slots_->first(task)) >= 0; }
  [[nodiscard]] std::int32_t uses(std::int32_t service, std::int32_t node) const {
    return uses_[core::z(service) * nodes_ + core::z(node)];
  }
  [[nodiscard]] double delay_s(std::int32_t task) const { return delay_s_[core::z(task)]; }
  [[nodiscard]] double cost() const { return sums_.cost; }
  [[nodiscard]] double mean_delay_s() const {
    return sums_.admitted > 0 ? sums_.delay / sums_.rate_per_s : 0.0;  // else what rounding left
  }
  [[nodiscard]] double rejected_weight() const { return sums_.rejected; }
  [[nodiscard]] double first() const;
  [[nodiscard]] double second() const;
  [[nodiscard]] double energy() const;
  /// How many limits are broken, of those that are watched.
  [[nodiscard]] std::int32_t broken() const { return sums_.broken; }
  [[nodiscard]] double node_load(std::int32_t node) const { return load_[core::z(node)]; }
  [[nodiscard]] double link_load(std::int32_t link) const { return load_[nodes_ + core::z(link)]; }
  [[nodiscard]] double memory_bytes(std::int32_t node) const { return memory_[core::z(node)]; }
  [[nodiscard]] std::int32_t broken_samples() const;
  /// Whether a node has too much load or memory.
  [[nodiscard]] bool node_broken(std::int32_t node) const {
    return excess_[core::z(node)] > 0.0 || excess_[memory_limit(node)] > 0.0;
  }

  /// Broken limits weigh more, kept ones less.
  void reweigh();
  /// What each limit weighs now.
  [[nodiscard]] const std::vector<double>& weights() const { return weight_; }
  void weigh(std::vector<double> weights) {
    weight_ = std::move(weights);
    sums_.penalty = std::inner_product(weight_.begin(), weight_.end(), excess_.begin(), 0.0);
  }

  /// What one more slot would add to the energy: by a replica where there is none, by load, by a second of
  /// delay.
  [[nodiscard]] double opening(std::int32_t service, std::int32_t node) const;
  [[nodiscard]] double loading(std::int32_t slot, std::int32_t node) const;
  [[nodiscard]] double per_second(std::int32_t task) const;

 private:
  enum class Demand { fixed, budget, samples };
  struct Sums {
    double cost = 0.0, delay = 0.0, rate_per_s = 0.0, rejected = 0.0, penalty = 0.0;
    std::int32_t broken = 0, admitted = 0;
  };
  struct Written {
    double* where;
    double before;
  };
  struct Moved {
    std::int32_t slot, before;
  };
  struct Ends {
    std::int32_t from = -1, to = -1;
  };

  void begin();
  void write(double& where, double value) {
    log_.push_back({&where, where});
    where = value;
  }
  void add_load(std::size_t resource, std::int32_t task, double amount);
  void add_sample_load(std::size_t resource, std::int32_t task, double amount);
  void touch_use(std::int32_t slot, std::int32_t node, std::int32_t by);
  void settle_task(std::int32_t task);
  void settle_links(std::int32_t task);
  double time_task(std::int32_t task, double& out_of_reach);
  void settle_load(std::size_t resource);
  void set_excess(std::size_t limit, double excess);
  [[nodiscard]] double sample_excess() const;
  void clear();

  // Limits in one row: loads of nodes, of links, memories, deadlines, ways, cost, samples.
  [[nodiscard]] std::size_t memory_limit(std::int32_t v) const { return nodes_ + links_ + core::z(v); }
  [[nodiscard]] std::size_t deadline_limit(std::int32_t t) const { return 2 * nodes_ + links_ + core::z(t); }
  [[nodiscard]] std::size_t way_limit(std::int32_t t) const { return deadline_limit(t) + tasks_; }
  [[nodiscard]] std::size_t cost_limit() const { return 2 * nodes_ + links_ + 2 * tasks_; }
  [[nodiscard]] std::size_t samples_limit() const { return cost_limit() + 1; }

  const Slots* slots_;
  const Problem* problem_;
  Scales scales_;
  std::size_t nodes_, links_, tasks_, width_ = 0;
  Demand demand_ = Demand::fixed;
  bool links_watched_ = false;
  RouteLinks routes_;

  std::vector<std::int32_t> node_of_, uses_;
  std::vector<double> capacity_;  // [nodes + links]
  std::vector<double> load_;      // [nodes + links] in the worst case; of samples the mean
  std::vector<double> parts_;     // [nodes + links, width] by task or by sample
  std::vector<double> memory_, delay_s_;
  std::vector<double> counted_;                      // [tasks] 1 where it is in the sums
  std::vector<double> sample_over_, sample_excess_;  // [samples]
  std::vector<Ends> loaded_;                         // [transfers] whose links carry it now
  std::vector<double> excess_, weight_;              // [limits]
  Sums sums_;

  bool open_ = false;
  Sums before_;
  std::vector<Written> log_;
  std::vector<Moved> moved_;
  std::vector<std::pair<std::int32_t, Ends>> reloaded_;
  std::vector<std::int32_t> dirty_tasks_, dirty_nodes_;
  std::vector<std::size_t> dirty_loads_;
  std::vector<std::uint8_t> task_is_dirty_, node_is_dirty_, load_is_dirty_;
  bool samples_dirty_ = false;
  std::vector<double> end_s_, raise_;
  mutable std::vector<double> sorted_;
};

}  // namespace constellm::services::heuristics
