#include "constellm/search/resource.hpp"

#include "constellm/core/simd.hpp"

namespace constellm::search {
namespace {

/// out[i] = factor * values[i]
CONSTELLM_SIMD void scale(std::size_t n, double factor, const double* values, double* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = factor * values[i];
}

/// out[i] += factor * values[i]
CONSTELLM_SIMD void add(std::size_t n, double factor, const double* values, double* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] += factor * values[i];
}

constexpr std::vector<double> Resource::* kLists[] = {
    &Resource::stage_rate,  &Resource::hop_rate,   &Resource::hop_fixed,
    &Resource::choice,      &Resource::work_extra, &Resource::enter_extra,
    &Resource::leave_extra, &Resource::hop_extra,  &Resource::final_extra};

}  // namespace

void combine(const Resource& base, const std::vector<Resource>& resources,
             const std::vector<double>& multipliers, Resource& out) {
  out.amount_rate = base.amount_rate;
  for (std::size_t r = 0; r < resources.size(); ++r)
    out.amount_rate += multipliers[r] * resources[r].amount_rate;
  for (const auto list : kLists) {
    std::vector<double>& sum = out.*list;
    bool empty = (base.*list).empty();
    if (!empty) sum = base.*list;
    for (std::size_t r = 0; r < resources.size(); ++r) {
      const std::vector<double>& values = resources[r].*list;
      if (values.empty() || multipliers[r] == 0.0) continue;
      sum.resize(values.size());  // most often it has it from the last time
      (empty ? scale : add)(values.size(), multipliers[r], values.data(), sum.data());
      empty = false;
    }
    if (empty) sum.clear();
  }
}

}  // namespace constellm::search
