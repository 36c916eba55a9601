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

/// `where` + `field` names what is wrong, e.g. "nodes[2]." and "flop_per_s"; put together only
/// when it is.
[[noreturn]] void throw_out_of_range(std::string_view where, std::string_view field, double value,
                                     std::string_view range);

/// Throws unless `value` is finite and >= 0.
void require_non_negative(std::string_view where, std::string_view field, double value);

/// Throws unless `value` is finite and > 0.
void require_positive(std::string_view where, std::string_view field, double value);

/// The same for a field that stands alone.
[[noreturn]] inline void throw_out_of_range(std::string_view field, double value, std::string_view range) {
  throw_out_of_range({}, field, value, range);
}
inline void require_non_negative(std::string_view field, double value) {
  require_non_negative({}, field, value);
}
inline void require_positive(std::string_view field, double value) { require_positive({}, field, value); }

}  // namespace constellm::core
