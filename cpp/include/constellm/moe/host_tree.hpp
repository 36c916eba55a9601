#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/hosting.hpp"

namespace constellm::moe {

/// Exact hosting of small problems, depth first: layer after layer, in each the heaviest expert first, on
/// every set of satellites that it may have copies on. What is placed counts as it is, the experts that are
/// left as if they were placed anew in every slot, on what room is left.
class HostTree {
 public:
  /// `rest_s` has a lower bound of each layer; a placement is sought that is better than `best` of value
  /// `best_s`, without base_s, by more than `slack_s`.
  HostTree(const Hosting& hosting, std::span<const double> rest_s, Copies best, double best_s,
           double slack_s);

  /// Returns a lower bound of all placements, without base_s: at least best_s() - slack_s where it was not
  /// stopped, by the token or since it has done so much work; infinite then where there is none.
  double run(core::StopToken& stop, std::uint64_t most_work);

  [[nodiscard]] const Copies& best() const { return best_; }
  [[nodiscard]] double best_s() const { return best_s_; }
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  struct Child {
    std::vector<std::int32_t> copies;
    double bound_s;
  };
  struct Near {
    double latency_s;
    std::int32_t satellite;  ///< -1: nobody serves, who then waits for nobody
  };

  double place(std::size_t layer, std::size_t at, double done_s, double bound_s);
  void list(std::size_t layer, std::size_t at, std::size_t next, std::vector<std::int32_t>& copies,
            std::vector<Child>& children);
  bool ended(std::uint64_t work);
  void put(std::size_t layer, std::int32_t expert, const std::vector<std::int32_t>& copies);
  void take_back(std::size_t layer, std::int32_t expert);
  void load(std::size_t layer, std::int32_t expert, double sign);
  [[nodiscard]] bool serves_with_all(const Layer& layer, const std::vector<std::int32_t>& copies) const;
  [[nodiscard]] bool within_limits(std::size_t layer, std::int32_t expert) const;
  double layer_bound_s(std::size_t layer, std::size_t placed);

  const Hosting* hosting_;
  std::vector<Queues> queues_;
  std::vector<std::vector<std::int32_t>> heaviest_;  ///< by layer
  std::vector<std::vector<std::int32_t>> open_;      ///< by layer: satellites that live in some slot
  std::vector<std::vector<Near>> nearest_;           ///< [layers * slots]
  std::vector<double> after_s_;                      ///< by layer: bounds of all behind it
  std::vector<std::int32_t> room_;
  std::vector<double> load_;  ///< [slots][satellites]
  Copies placement_;
  Copies best_;
  double best_s_;
  double slack_s_;
  core::StopToken* stop_ = nullptr;
  std::uint64_t work_left_ = 0;
  bool ended_ = false;
  std::uint64_t nodes_ = 0;
};

}  // namespace constellm::moe
