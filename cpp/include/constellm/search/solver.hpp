#pragma once
#include "constellm/search/context.hpp"
#include "constellm/search/label_setting.hpp"

namespace constellm::search {

struct SolveOptions {
  /// Branch on intervals of the bottleneck; else one label run over everything.
  bool intervals = true;
  LabelOptions labels;
};

enum class Outcome { proven, time_limit, interrupted };

struct Answer {
  Outcome outcome = Outcome::proven;
  double lower_bound = kInfinity;  ///< no walk has a lower value; infinite where there is none
};

/// Offers walks to the context's incumbents until it is proven that none beats their cutoff, or
/// time is up.
///
/// Branch and bound on intervals of the bottleneck. On [lo, hi] only stages and hops of at most
/// `hi` exist, and the bottleneck term costs at least bottleneck_rate * lo; a Lagrangian over the
/// limited resources bounds the rest, each multiplier by one backward pass, whose trace is offered
/// as well. Intervals that cannot beat the cutoff fall away; what is left is finished by label
/// setting under these tables, within a budget while the interval can still be divided.
Answer solve(const Context& context, const SolveOptions& options);

}  // namespace constellm::search
