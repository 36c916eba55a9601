#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/flow/instance.hpp"
#include "constellm/flow/time_cut.hpp"

namespace constellm::flow {

/// A stretch of a node's time.
struct Cell {
  double start_s;
  double end_s;
};

/// How finely the time up to `end_s` is told apart at each node: cells that start at moments of the instance.
/// A node without storage passes on at once what comes, so that it has the cells of its neighbours, and
/// those of its own channels, too.
class Grid {
 public:
  /// About `cells` of them at every node, with as many moments in each; 0: as fine as can be.
  Grid(const Instance& instance, double end_s, std::size_t cells);

  void end_at(double end_s) { end_s_ = end_s; }
  /// What lies after the end so far are cells of their own.
  void go_on_to(double end_s);
  [[nodiscard]] double end_s() const { return end_s_; }
  [[nodiscard]] std::int32_t cells(std::int32_t node) const;
  [[nodiscard]] Cell cell(std::int32_t node, std::int32_t i) const;
  /// The one that a moment lies in, or starts.
  [[nodiscard]] std::int32_t cell_at(std::int32_t node, double at_s) const;

  /// Halves the cells that a node changes sides in, or at an end of which: at the middle one of the moments
  /// inside. False where none has one.
  bool split_around(const TimeCut& cut);
  /// Halves all cells.
  bool split_all();

 private:
  /// The middle one of the moments inside, if any, goes to `found`.
  void add_middle(Cell cell, std::vector<double>& found) const;
  bool add(std::int32_t node, const std::vector<double>& starts);
  void share_with_relays();

  const Instance* instance_;
  double end_s_;
  std::vector<std::vector<double>> start_s_;                  // [nodes]
  std::vector<std::vector<std::int32_t>> channels_of_relay_;  // [nodes] empty but at those without storage
};

}  // namespace constellm::flow
