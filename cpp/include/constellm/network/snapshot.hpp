#pragma once
#include <limits>
#include <memory>
#include <vector>

#include "constellm/network/graph.hpp"

namespace constellm::network {

// What the figures of a snapshot may be.
inline constexpr core::Range kStart = core::kReal;
inline constexpr core::Range kValidity = core::kPositiveOrEndless;
inline constexpr core::Range kLifetime = core::kNonNegativeOrEndless;

/// The graph that holds from `t_s` for `valid_s`: over [t_s, t_s + valid_s). Copies share it.
class Snapshot {
 public:
  /// `lifetime_s` [links]: how much longer each link lives, counted from `t_s`; infinite where no end is
  /// known. Empty: nothing is known.
  Snapshot(double t_s, Graph graph, double valid_s = std::numeric_limits<double>::infinity(),
           std::vector<double> lifetime_s = {});

  bool operator==(const Snapshot& other) const;

  [[nodiscard]] double t_s() const { return t_s_; }
  [[nodiscard]] double valid_s() const { return valid_s_; }
  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] const std::vector<double>& lifetime_s() const { return *lifetime_s_; }

 private:
  double t_s_;
  double valid_s_;
  Graph graph_;
  std::shared_ptr<const std::vector<double>> lifetime_s_;
};

}  // namespace constellm::network
