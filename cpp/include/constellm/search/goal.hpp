#pragma once
#include <vector>

#include "constellm/search/graph.hpp"

namespace constellm::search {

/// Minimise cost + peak_rate * peak, with every resource within its limit and the peak at most
/// `peak_cap`.
struct Goal {
  Meter cost;
  double peak_rate = 0.0;
  double peak_cap = kInfinity;
  std::vector<Meter> resources;  ///< at most kMaxResources
  std::vector<double> limits;    ///< [resources]
};

inline constexpr std::size_t kMaxResources = 3;

/// base + sum of multipliers[r] * resources[r]: again a meter.
void combine(const Meter& base, const std::vector<Meter>& resources, const std::vector<double>& multipliers,
             Meter& out);

/// What one stage, one hop and one choice of form add to a meter.
class MeterView {
 public:
  MeterView(const LayeredGraph& graph, const Meter& meter) : graph_(&graph), meter_(&meter) {}

  [[nodiscard]] double stage_rate(std::int32_t site) const {
    return pick(meter_->stage_rate, static_cast<std::size_t>(site));
  }
  [[nodiscard]] double hop_rate(std::int32_t arc) const {
    return pick(meter_->hop_rate, static_cast<std::size_t>(arc));
  }
  [[nodiscard]] double hop_fixed(std::int32_t arc) const {
    return pick(meter_->hop_fixed, static_cast<std::size_t>(arc));
  }

  /// A stage of `stage_s` seconds over units [first, last).
  [[nodiscard]] double stage(std::int32_t site, double stage_s, std::int32_t first, std::int32_t last) const {
    double total = stage_rate(site) * stage_s;
    if (!meter_->work_extra.empty()) {
      total += meter_->work_extra[graph_->at(site, last)] - meter_->work_extra[graph_->at(site, first)];
    }
    return total;
  }
  /// `enter_s` seconds to begin a stage from a form.
  [[nodiscard]] double enter(std::int32_t site, std::int32_t level, std::int32_t form, double enter_s) const {
    return stage_rate(site) * enter_s +
           pick(meter_->enter_extra, graph_->options_at(site, level) + static_cast<std::size_t>(form));
  }
  /// Ending a stage at a level in a form, beside its time.
  [[nodiscard]] double end(std::int32_t site, std::int32_t level, std::int32_t form) const {
    if (level == graph_->levels) return pick(meter_->final_extra, static_cast<std::size_t>(site));
    return pick(meter_->option, graph_->options_at(0, level) + static_cast<std::size_t>(form)) +
           pick(meter_->leave_extra, graph_->options_at(site, level) + static_cast<std::size_t>(form));
  }
  [[nodiscard]] double hop(std::int32_t arc, std::int32_t level, std::int32_t form, double hop_s) const {
    double total = hop_fixed(arc) + hop_rate(arc) * hop_s;
    if (meter_->amount_rate != 0.0) {
      total +=
          meter_->amount_rate * graph_->amount[graph_->options_at(0, level) + static_cast<std::size_t>(form)];
    }
    if (!meter_->hop_extra.empty()) {
      total += meter_->hop_extra[graph_->options_at(arc, level) + static_cast<std::size_t>(form)];
    }
    return total;
  }

 private:
  static double pick(const std::vector<double>& values, std::size_t i) {
    return values.empty() ? 0.0 : values[i];
  }
  const LayeredGraph* graph_;
  const Meter* meter_;
};

}  // namespace constellm::search
