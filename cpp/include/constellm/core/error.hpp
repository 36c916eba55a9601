#pragma once
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>

namespace constellm::core {

/// A value that no object may be built from. Reaches Python as `ValueError`.
class InvalidInput : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Shortest text that reads back as the same double, for messages.
std::string to_text(double value);

/// `where` names the offending field, e.g. "nodes[2].flop_per_s".
[[noreturn]] void throw_out_of_range(std::string_view where, double value, std::string_view range);

/// Throws unless `value` is finite and >= 0.
void require_non_negative(std::string_view where, double value);

/// Throws unless `value` is finite and > 0.
void require_positive(std::string_view where, double value);

}  // namespace constellm::core
