#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "constellm/split/problem.hpp"

namespace constellm::sweep {

/// A numeric field of a problem, or the same field of some of its layers, nodes, links or codecs.
struct Target {
  std::string unit;       ///< SI; empty for a pure number
  bool is_count = false;  ///< whole numbers only
  std::function<void(split::ProblemSpec&, double)> apply;
};

/// The field that `address` names in problems with the records of `spec`:
///
///   `field`            of the problem or its limits; or of every record of the one list that has it
///   `list.field`       of every layer, node, link or codec
///   `list[key].field`  of those whose name or group is `key`, else of the one at position `key`
///                      (from 0; negative from the end). Nodes go by id, links by `from->to`.
///   `... *`            multiplies what is there instead of taking its place
///
/// A list-valued field (`layer_time_s`, `layer_ratio`, `layer_error`) changes in every entry. For a
/// limit, infinity means none. Throws core::InvalidInput that says what exists instead.
Target resolve(const split::ProblemSpec& spec, std::string_view address);

}  // namespace constellm::sweep
