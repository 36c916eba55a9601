#include "constellm/search/resource.hpp"

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

void combine(const Resource& base, const std::vector<Resource>& resources,
             const std::vector<double>& multipliers, Resource& out) {
  out = base;
  for (std::size_t r = 0; r < resources.size(); ++r) {
    const Resource& resource = resources[r];
    const double factor = multipliers[r];
    add(out.stage_rate, resource.stage_rate, factor);
    add(out.hop_rate, resource.hop_rate, factor);
    add(out.hop_fixed, resource.hop_fixed, factor);
    out.amount_rate += factor * resource.amount_rate;
    add(out.choice, resource.choice, factor);
    add(out.work_extra, resource.work_extra, factor);
    add(out.enter_extra, resource.enter_extra, factor);
    add(out.leave_extra, resource.leave_extra, factor);
    add(out.hop_extra, resource.hop_extra, factor);
    add(out.final_extra, resource.final_extra, factor);
  }
}

}  // namespace constellm::search
