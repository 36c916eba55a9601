#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace constellm::search {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// An additive quantity of a walk: its cost, or a resource that it uses up. Linear in the times
/// of stages and hops, so that any weighted sum of meters is a meter again; that is what makes
/// Lagrangian bounds a plain backward pass. An empty list stands for zeros.
struct Meter {
  std::vector<double> stage_rate;  ///< [sites] per second of a stage
  std::vector<double> hop_rate;    ///< [arcs] per second of a hop
  std::vector<double> hop_fixed;   ///< [arcs] per hop
  double amount_rate = 0.0;        ///< per unit of what crosses a hop
  std::vector<double> option;      ///< [(levels + 1) * stride] for choosing an option at a level
  // What is not proportional to the times of the graph (a second phase of the work, say):
  std::vector<double> work_extra;   ///< [sites * (levels + 1)] prefix sums over the units
  std::vector<double> enter_extra;  ///< [sites * (levels + 1) * stride] for beginning a stage
  std::vector<double> leave_extra;  ///< [sites * (levels + 1) * stride] for ending one before the last level
  std::vector<double> final_extra;  ///< [sites] for ending the last one
  std::vector<double> hop_extra;    ///< [arcs * (levels + 1) * stride]
};

/// Work of `levels` units in a fixed order is done along a walk over positions. At a position a
/// walk may do a block of units (a stage), then chooses one of `options` for the form in which
/// the intermediate result crosses the next arcs (hops); before level 0 and after the last level
/// there is one form only. Positions without a stage pass on what they got.
///
/// A walk ends at `sink` with all work done. Its peak is the longest stage or hop. If `acyclic`,
/// arcs lead from lower to higher positions and every walk is simple; else no site may be
/// visited twice. Several positions may stand for one site.
struct LayeredGraph {
  std::int32_t levels = 0;  ///< units of work
  std::int32_t options = 0;
  std::int32_t stride = 0;  ///< options rounded up to whole SIMD registers
  bool acyclic = true;
  std::int32_t source = 0;              ///< position
  std::int32_t sink = 0;                ///< position
  std::vector<std::int32_t> site;       ///< [positions]
  std::vector<std::int32_t> arc_begin;  ///< [positions + 1]
  std::vector<std::int32_t> arc_to;     ///< [arcs] position
  std::vector<std::int32_t> arc_line;   ///< [arcs] row of `hop_s`; arcs between the same sites share it

  std::vector<std::uint8_t> can_host;  ///< [sites]
  std::vector<double> stage_fixed_s;   ///< [sites] per stage
  /// [sites * (levels + 1)] prefix sums of the units' times, and what rounding took from them; use
  /// `work`.
  std::vector<double> work_s;
  std::vector<double> work_low_s;
  /// [sites] the sums are so much larger than a good walk's cost (units that a site can hardly do)
  /// that their differences are no guide once more is added to them.
  std::vector<std::uint8_t> rough;
  std::vector<std::int32_t> reach;  ///< [sites * (levels + 1)] furthest level of a stage begun at a level
  std::vector<double> form_scale;   ///< [sites] multiplies enter_s and leave_s
  std::vector<double> enter_s;      ///< [(levels + 1) * stride] to begin a stage from a form
  std::vector<double> leave_s;      ///< [(levels + 1) * stride] to end a stage in a form
  bool enter_is_free = true;        ///< all of enter_s is zero
  std::vector<double> amount;       ///< [(levels + 1) * stride] what crosses a hop
  std::vector<double>
      hop_s;  ///< [lines * (levels + 1) * stride] time of a hop; infinite where there is no such form

  [[nodiscard]] std::int32_t positions() const { return static_cast<std::int32_t>(site.size()); }
  [[nodiscard]] std::int32_t sites() const { return static_cast<std::int32_t>(can_host.size()); }
  [[nodiscard]] std::size_t rows() const { return static_cast<std::size_t>(levels) + 1; }
  /// Offset of (row of positions, sites or lines, level) in a table of `rows()` numbers a row.
  [[nodiscard]] std::size_t at(std::int32_t row, std::int32_t level) const {
    return static_cast<std::size_t>(row) * rows() + static_cast<std::size_t>(level);
  }
  /// Offset of the options of (row, level) in a table of `rows() * stride` numbers a row.
  [[nodiscard]] std::size_t options_at(std::int32_t row, std::int32_t level) const {
    return at(row, level) * static_cast<std::size_t>(stride);
  }
  /// Seconds of units [first, last) at a site.
  [[nodiscard]] double work(std::int32_t at_site, std::int32_t first, std::int32_t last) const {
    return (work_s[at(at_site, last)] - work_s[at(at_site, first)]) +
           (work_low_s[at(at_site, last)] - work_low_s[at(at_site, first)]);
  }
  /// How many forms there are with `level` units done.
  [[nodiscard]] std::int32_t forms(std::int32_t level) const {
    return level == 0 || level == levels ? 1 : options;
  }
};

/// One stage of a walk: units [first, last) at `position`, left in form `option`.
struct Block {
  std::int32_t position = 0;
  std::int32_t first = 0;
  std::int32_t last = 0;
  std::int32_t option = 0;
};

/// A way through the graph.
struct Walk {
  std::vector<std::int32_t> positions;
  std::vector<Block> blocks;
};

}  // namespace constellm::search
