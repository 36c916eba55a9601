#include "constellm/moe/balance/bound.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace constellm::moe {
namespace {

/// Copies that are called heavier than a part of a load are so by more than rounding.
constexpr double kRoom = 1e-12;

class Test {
 public:
  Test(std::span<const double> loads, std::int32_t devices, std::int32_t places)
      : loads_(loads), devices_(devices), places_(places) {}

  /// Whether no balance has a largest load of `most`.
  bool refutes(double most) {
    double spare = static_cast<double>(devices_) * places_;
    for (const double load : loads_) spare -= fewest(load / most);
    if (spare < 0.0 || fullest(most, spare) * (1.0 - kRoom) > most) return true;
    for (std::int32_t k = 1; k < places_; ++k)
      if (heavy(most, k, spare) > static_cast<double>(k) * devices_ + 0.5) return true;
    return false;
  }

 private:
  /// Copies that no one of which is more than the part 1 / `parts` of its expert.
  [[nodiscard]] double fewest(double parts) const {
    return std::clamp(std::ceil(parts * (1.0 - kRoom)), 1.0, static_cast<double>(devices_) + 1.0);
  }

  /// What a device has at least that holds a copy of the heaviest expert, its other places taken by the
  /// lightest.
  double fullest(double most, double spare) {
    least_.clear();
    for (const double load : loads_)
      least_.push_back(load / std::min(fewest(load / most) + spare, static_cast<double>(devices_)));
    std::sort(least_.begin(), least_.end());
    return std::accumulate(least_.begin(), least_.begin() + (places_ - 1), least_.back());
  }

  /// How many copies are heavier than most / (k + 1) at least, where `spare` ones cut experts finer.
  double heavy(double most, std::int32_t k, double spare) {
    cuts_.clear();
    double copies = 0.0;
    for (const double load : loads_) {
      const double parts = load / most;
      const double now = fewest(parts);
      const double finer = fewest((k + 1) * parts);
      if (finer <= now) continue;
      copies += now;
      // More copies than devices are none; then it stays heavy.
      if (finer <= devices_) cuts_.push_back({now, finer - now});
    }
    if (copies <= static_cast<double>(k) * devices_) return copies;
    std::sort(cuts_.begin(), cuts_.end(),
              [](const Cut& a, const Cut& b) { return a.saves * b.takes > b.saves * a.takes; });
    for (const Cut& cut : cuts_) {
      const double part = std::min(spare / cut.takes, 1.0);
      copies -= part * cut.saves;
      spare -= part * cut.takes;
      if (spare <= 0.0) break;
    }
    return copies;
  }

  struct Cut {
    double saves;
    double takes;
  };
  std::span<const double> loads_;
  std::int32_t devices_;
  std::int32_t places_;
  std::vector<Cut> cuts_;
  std::vector<double> least_;
};

}  // namespace

double balance_bound(std::span<const double> loads, std::int32_t devices, std::int32_t places,
                     double reached) {
  constexpr int kHalvings = 20;
  constexpr double kTight = 1e-9;
  double low = std::min(std::accumulate(loads.begin(), loads.end(), 0.0) / devices, reached);
  double high = reached * (1.0 - kTight);
  Test test(loads, devices, places);
  if (low >= high) return low;
  if (test.refutes(high)) return high;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    (test.refutes(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace constellm::moe
