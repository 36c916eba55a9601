#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// A layer of two picks a token without its slots: E[max] = sum over pairs of P(both picked) times the mean
/// over the slots of the slower one, so that placing experts is a quadratic assignment problem. For more
/// picks the same means of pairs serve in bounds.
class PairLayer {
 public:
  /// Throws core::Stopped.
  PairLayer(const Problem& problem, const Layer& layer, core::StopToken& stop);
  /// `latency_s` is [these satellites][slots]; `all` is how many there are.
  PairLayer(const Picks& picks, std::vector<std::int32_t> satellites, std::size_t all,
            std::span<const double> latency_s, core::StopToken& stop);
  /// Two places of one host, which stand together, cost so much more than one: [places] each. Throws
  /// core::Stopped. Of a layer that competes with no other, `alone`, bounds may charge the waiting place by
  /// place, which sees all of it, where what each expert costs beside the nearest others leaves most out.
  void share(std::vector<std::int32_t> host, std::vector<double> service_s, bool alone,
             core::StopToken& stop);
  /// Whether both are places of one host.
  [[nodiscard]] bool shared(std::int32_t a, std::int32_t b) const {
    return !host_.empty() && host_[static_cast<std::size_t>(a)] == host_[static_cast<std::size_t>(b)];
  }
  /// The same on some of its places alone, ascending.
  PairLayer(const PairLayer& whole, const std::vector<std::int32_t>& places);

  [[nodiscard]] const Picks& picks() const { return *picks_; }
  [[nodiscard]] std::int32_t experts() const { return picks_->experts(); }
  /// Satellites that may host the layer's experts; below they go by their places in it.
  [[nodiscard]] const std::vector<std::int32_t>& satellites() const { return satellites_; }
  [[nodiscard]] std::size_t size() const { return satellites_.size(); }
  /// -1 where the satellite is not among them.
  [[nodiscard]] std::int32_t place_of(std::int32_t satellite) const {
    return place_of_[static_cast<std::size_t>(satellite)];
  }

  /// Mean over the slots of the slower of two; of one where they are the same.
  [[nodiscard]] double mean_s(std::int32_t a, std::int32_t b) const {
    return mean_s_[static_cast<std::size_t>(a) * size() + static_cast<std::size_t>(b)];
  }
  [[nodiscard]] const double* mean_row_s(std::int32_t a) const {
    return &mean_s_[static_cast<std::size_t>(a) * size()];
  }
  /// For bounds: mean_s of two, without the waiting where that is charged place by place.
  [[nodiscard]] double near_s(std::int32_t a, std::int32_t b) const {
    return !more_pairs_.empty() && shared(a, b) ? mean_s(a, a) : mean_s(a, b);
  }
  /// For bounds: what one more expert on the host waits at least with so many others there.
  [[nodiscard]] double charge_s(std::int32_t place, std::size_t others) const {
    return more_pairs_.empty() ? 0.0 : service_s_[static_cast<std::size_t>(place)] * more_pairs_[others];
  }
  /// All others by rising near_s(a, other).
  [[nodiscard]] const std::int32_t* nearest_to(std::int32_t a) const {
    return nearest_.data() + static_cast<std::size_t>(a) * (size() - 1);
  }

  /// As of Picks::pairs_of.
  [[nodiscard]] double pair(std::int32_t i, std::int32_t j) const { return picks_->pairs_of(i)[j]; }
  [[nodiscard]] const double* pair_row(std::int32_t i) const { return picks_->pairs_of(i); }
  /// Places by rising mean_s of one.
  [[nodiscard]] std::vector<std::int32_t> by_mean() const;
  [[nodiscard]] const std::vector<std::int32_t>& heaviest_first() const { return heaviest_first_; }

 private:
  void sort_nearest(core::StopToken& stop);

  const Picks* picks_;
  std::vector<std::int32_t> satellites_;
  std::vector<std::int32_t> place_of_;
  std::vector<std::int32_t> host_;  ///< by place; empty where none is shared
  std::vector<double> service_s_;   ///< by place
  /// P(both picked), added up over one more expert and so many others, the lightest ones; empty where the
  /// waiting is not charged.
  std::vector<double> more_pairs_;
  std::vector<double> mean_s_;
  std::vector<std::int32_t> nearest_;
  std::vector<std::int32_t> heaviest_first_;
};

}  // namespace constellm::moe
