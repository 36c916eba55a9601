#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/slot_layer.hpp"

namespace constellm::moe {

/// Exact placement for any number of picks, of layers that share satellites: depth first, an expert a level,
/// each layer bounded by what it would cost were all experts that are left placed anew in
/// every slot. Of a layer alone the set of satellites is settled first, and then who goes where.
class SlotSearch {
 public:
  /// As of PairSearch.
  SlotSearch(std::span<const SlotLayer> layers, std::vector<Seat> seats, Placement best, double best_s,
             double slack_s);

  /// Returns a lower bound of all placements on open satellites: at least best_s() - slack_s where it was not
  /// stopped, by the token or since it has done so much work.
  double run(core::StopToken& stop, std::uint64_t most_work = ~std::uint64_t{0});

  [[nodiscard]] const Placement& best() const { return best_; }
  [[nodiscard]] double best_s() const { return best_s_; }
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  struct Turn {
    std::size_t layer;
    std::int32_t expert;
  };
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  struct Child {
    std::int32_t satellite;
    double bound_s;
    std::vector<double> layer_s;
  };

  bool ended(core::StopToken& stop, std::uint64_t work);
  double choose_set(std::size_t next, std::int32_t chosen, double bound_s, core::StopToken& stop);
  [[nodiscard]] Range worth(const Turn& turn) const;
  double place(std::size_t depth, const std::vector<double>& layer_s, core::StopToken& stop);
  [[nodiscard]] std::vector<double> bounds() const;

  std::span<const SlotLayer> layers_;
  std::vector<Seat> seats_;
  std::vector<Turn> turns_;
  Placement placement_;
  Placement best_;
  double best_s_;
  double slack_s_;
  std::uint64_t nodes_ = 0;
  std::uint64_t work_ = 0;
  std::uint64_t most_work_ = 0;
};

}  // namespace constellm::moe
