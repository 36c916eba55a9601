#include "constellm/search/goal.hpp"

#include <Eigen/Core>

namespace constellm::search {
namespace {

void add(std::vector<double>& into, const std::vector<double>& values, double factor) {
  if (values.empty() || factor == 0.0) return;
  if (into.empty()) into.assign(values.size(), 0.0);
  const auto size = static_cast<Eigen::Index>(values.size());
  Eigen::Map<Eigen::ArrayXd>(into.data(), size) +=
      factor * Eigen::Map<const Eigen::ArrayXd>(values.data(), size);
}

}  // namespace

void combine(const Meter& base, const std::vector<Meter>& resources, const std::vector<double>& multipliers,
             Meter& out) {
  out = base;
  for (std::size_t r = 0; r < resources.size(); ++r) {
    const Meter& meter = resources[r];
    const double factor = multipliers[r];
    add(out.stage_rate, meter.stage_rate, factor);
    add(out.hop_rate, meter.hop_rate, factor);
    add(out.hop_fixed, meter.hop_fixed, factor);
    out.amount_rate += factor * meter.amount_rate;
    add(out.option, meter.option, factor);
    add(out.work_extra, meter.work_extra, factor);
    add(out.enter_extra, meter.enter_extra, factor);
    add(out.leave_extra, meter.leave_extra, factor);
    add(out.hop_extra, meter.hop_extra, factor);
    add(out.final_extra, meter.final_extra, factor);
  }
}

}  // namespace constellm::search
