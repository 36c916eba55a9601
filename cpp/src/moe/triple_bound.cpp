#include "constellm/moe/triple_bound.hpp"

#include <algorithm>
#include <limits>

#include "constellm/core/index.hpp"
#include "constellm/moe/assignment.hpp"
#include "constellm/moe/slower.hpp"

namespace constellm::moe {
namespace {

using core::z;

/// share[i][j][k]: P(i and j are picked, and the lightest of the other picks is the k-th heaviest of the
/// others).
std::vector<double> shares_beside_two(const Picks& picks) {
  const std::vector<std::int32_t> heaviest = picks.heaviest_first();
  const std::size_t n = heaviest.size();
  std::vector<double> share(n * n * (n - 2), 0.0);
  std::vector<std::int32_t> order(n);
  std::vector<double> farthest(n);
  for (std::size_t first = 0; first < n; ++first) {
    for (std::size_t second = 0; second < first; ++second) {
      const std::int32_t i = heaviest[first];
      const std::int32_t j = heaviest[second];
      double* const here = &share[(z(i) * n + z(j)) * (n - 2)];
      // Inclusion and exclusion: both, less those where i or j is left out, plus those where both are.
      for (const int left_out : {0, 1, 2, 3}) {
        order.clear();
        if ((left_out & 1) == 0) order.push_back(i);
        if ((left_out & 2) == 0) order.push_back(j);
        const std::size_t begin = order.size();
        for (const std::int32_t e : heaviest)
          if (e != i && e != j) order.push_back(e);
        if ((left_out & 1) != 0) order.push_back(i);
        if ((left_out & 2) != 0) order.push_back(j);
        picks.farthest(order, farthest);
        const double sign = left_out == 1 || left_out == 2 ? -1.0 : 1.0;
        for (std::size_t k = 0; k + 2 < n; ++k) here[k] += sign * farthest[begin + k];
      }
      for (std::size_t k = 0; k + 2 < n; ++k) {
        here[k] = std::max(here[k], 0.0);
        share[(z(j) * n + z(i)) * (n - 2) + k] = here[k];
      }
    }
  }
  return share;
}

/// What a third satellite beside two costs: the k-th least, by satellites and by slots.
class Thirds {
 public:
  Thirds(const Problem& problem, const Layer& layer, const std::vector<std::int32_t>& satellites,
         std::size_t others)
      : n_(satellites.size()), others_(others), by_mean_(n_ * n_ * others), by_slot_(n_ * n_ * others, 0.0) {
    const std::size_t slots = z(problem.slots());
    std::vector<double> latency_s(n_ * slots);
    for (std::size_t a = 0; a < n_; ++a)
      for (std::size_t t = 0; t < slots; ++t)
        latency_s[a * slots + t] = problem.latency_s(layer, static_cast<std::int32_t>(t), satellites[a]);
    fill_by_mean(latency_s, slots);
    fill_by_slot(latency_s, slots);
  }

  [[nodiscard]] const double* by_mean(std::size_t a, std::size_t b) const {
    return &by_mean_[(a * n_ + b) * others_];
  }
  [[nodiscard]] const double* by_slot(std::size_t a, std::size_t b) const {
    return &by_slot_[(a * n_ + b) * others_];
  }

 private:
  void fill_by_mean(const std::vector<double>& latency_s, std::size_t slots) {
    std::vector<double> slower(slots);
    std::vector<double> third;
    for (std::size_t a = 0; a < n_; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        for (std::size_t t = 0; t < slots; ++t)
          slower[t] = std::max(latency_s[a * slots + t], latency_s[b * slots + t]);
        third.clear();
        for (std::size_t c = 0; c < n_; ++c) {
          if (c == a || c == b) continue;
          third.push_back(mean_of_slower(slower.data(), &latency_s[c * slots], slots));
        }
        std::partial_sort(third.begin(), third.begin() + static_cast<std::ptrdiff_t>(others_), third.end());
        std::copy_n(third.begin(), others_, &by_mean_[(a * n_ + b) * others_]);
        std::copy_n(third.begin(), others_, &by_mean_[(b * n_ + a) * others_]);
      }
    }
  }

  void fill_by_slot(const std::vector<double>& latency_s, std::size_t slots) {
    std::vector<std::size_t> order(n_);
    for (std::size_t t = 0; t < slots; ++t) {
      for (std::size_t a = 0; a < n_; ++a) order[a] = a;
      const auto end = order.begin() + static_cast<std::ptrdiff_t>(others_ + 2);
      std::partial_sort(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
        return latency_s[a * slots + t] < latency_s[b * slots + t];
      });
      for (std::size_t a = 0; a < n_; ++a) {
        for (std::size_t b = 0; b < n_; ++b) {
          if (a == b) continue;
          const double slower = std::max(latency_s[a * slots + t], latency_s[b * slots + t]);
          double* const here = &by_slot_[(a * n_ + b) * others_];
          std::size_t k = 0;
          for (auto c = order.begin(); k < others_; ++c) {
            if (*c == a || *c == b) continue;
            here[k++] += std::max(slower, latency_s[*c * slots + t]);
          }
        }
      }
    }
    for (double& value : by_slot_) value /= static_cast<double>(slots);
  }

  std::size_t n_;
  std::size_t others_;
  std::vector<double> by_mean_;  ///< [satellites][satellites][others]
  std::vector<double> by_slot_;
};

}  // namespace

std::vector<double> triple_bound_s(const Problem& problem, const Layer& layer,
                                   const std::vector<std::int32_t>& satellites, core::StopToken& stop) {
  const std::size_t experts = z(layer.picks.experts());
  const std::size_t n = satellites.size();
  const std::size_t others = experts - 2;
  const std::int32_t top_k = layer.picks.top_k();
  const std::vector<double> share = shares_beside_two(layer.picks);
  const Thirds thirds(problem, layer, satellites, others);
  std::vector<double> bound_s(experts * n);
  std::vector<double> cost_s((experts - 1) * (n - 1));
  Assignment assignment;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t i = 0; i < experts; ++i) {
      if (stop.should_stop(experts * n * others / 64 + 1)) throw core::Stopped();
      double* cell = cost_s.data();
      for (std::size_t j = 0; j < experts; ++j) {
        if (j == i) continue;
        const double* const here = &share[(i * experts + j) * others];
        for (std::size_t b = 0; b < n; ++b) {
          if (b == a) continue;
          const double* const by_mean = thirds.by_mean(a, b);
          const double* const by_slot = thirds.by_slot(a, b);
          double first = 0.0;
          double second = 0.0;
          for (std::size_t k = 0; k < others; ++k) {
            first += here[k] * by_mean[k];
            second += here[k] * by_slot[k];
          }
          *cell++ = std::max(first, second);
        }
      }
      assignment.solve(experts - 1, n - 1, cost_s);
      bound_s[i * n + a] = assignment.value() / (static_cast<double>(top_k) * (top_k - 1));
    }
  }
  return bound_s;
}

}  // namespace constellm::moe
