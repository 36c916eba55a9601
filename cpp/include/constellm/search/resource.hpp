#pragma once
#include <vector>

#include "constellm/search/graph.hpp"

namespace constellm::search {

/// An additive quantity of a walk: what is minimised, or what is limited. Linear in the times of
/// stages and hops, so that any weighted sum of resources is a resource again; that is what makes
/// Lagrangian bounds a plain backward pass. An empty list stands for zeros.
struct Resource {
  std::vector<double> stage_rate;  ///< [nodes] per second of a stage
  std::vector<double> hop_rate;    ///< [arcs] per second of a hop
  std::vector<double> hop_fixed;   ///< [arcs] per hop
  double amount_rate = 0.0;        ///< per unit of what crosses a hop
  std::vector<double> choice;      ///< [(levels + 1) * stride] for a choice at a level
  // What is not proportional to the times of the graph (a second phase of the work, say):
  std::vector<double> work_extra;   ///< [nodes * (levels + 1)] prefix sums over the units
  std::vector<double> enter_extra;  ///< [nodes * (levels + 1) * stride] for beginning a stage
  std::vector<double> leave_extra;  ///< [nodes * (levels + 1) * stride] for ending one before the last level
  std::vector<double> final_extra;  ///< [nodes] for ending the last one
  std::vector<double> hop_extra;    ///< [arcs * (levels + 1) * stride]
};

/// base + sum of multipliers[r] * resources[r]: again a resource.
void combine(const Resource& base, const std::vector<Resource>& resources,
             const std::vector<double>& multipliers, Resource& out);

/// The resource's extension functions: what a stage, a choice and a hop add to it.
class ResourceExtension {
 public:
  ResourceExtension(const LayeredGraph& graph, const Resource& resource)
      : graph_(&graph), resource_(&resource) {}

  [[nodiscard]] double stage_rate(std::int32_t node) const {
    return pick(resource_->stage_rate, core::z(node));
  }
  [[nodiscard]] double hop_rate(std::int32_t arc) const { return pick(resource_->hop_rate, core::z(arc)); }
  [[nodiscard]] double hop_fixed(std::int32_t arc) const { return pick(resource_->hop_fixed, core::z(arc)); }

  /// Beginning a stage with what came in a choice.
  [[nodiscard]] double enter(std::int32_t node, std::int32_t level, std::int32_t choice) const {
    return stage_rate(node) * graph_->enter_time_s(node, level, choice) +
           pick(resource_->enter_extra, graph_->at(node, level, choice));
  }
  /// A stage of `stage_s` seconds over units [first, last).
  [[nodiscard]] double stage(std::int32_t node, double stage_s, std::int32_t first, std::int32_t last) const {
    double total = stage_rate(node) * stage_s;
    if (!resource_->work_extra.empty()) {
      total += resource_->work_extra[graph_->at(node, last)] - resource_->work_extra[graph_->at(node, first)];
    }
    return total;
  }
  /// Ending a stage at a level in a choice, beside its time.
  [[nodiscard]] double end(std::int32_t node, std::int32_t level, std::int32_t choice) const {
    if (level == graph_->levels) return pick(resource_->final_extra, core::z(node));
    return pick(resource_->choice, graph_->at(0, level, choice)) +
           pick(resource_->leave_extra, graph_->at(node, level, choice));
  }
  [[nodiscard]] double hop(std::int32_t arc, std::int32_t level, std::int32_t choice, double hop_s) const {
    double total = hop_fixed(arc) + hop_rate(arc) * hop_s;
    if (resource_->amount_rate != 0.0) {
      total += resource_->amount_rate * graph_->amount[graph_->at(0, level, choice)];
    }
    if (!resource_->hop_extra.empty()) total += resource_->hop_extra[graph_->at(arc, level, choice)];
    return total;
  }

 private:
  static double pick(const std::vector<double>& values, std::size_t i) {
    return values.empty() ? 0.0 : values[i];
  }
  const LayeredGraph* graph_;
  const Resource* resource_;
};

}  // namespace constellm::search
