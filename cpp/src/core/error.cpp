#include "constellm/core/error.hpp"

#include <array>
#include <charconv>

namespace constellm::core {

std::string to_text(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

void throw_out_of_range(std::string_view where, std::string_view field, double value,
                        std::string_view range) {
  throw InvalidInput(std::string(where) + std::string(field) + ": " + to_text(value) + " is not in " +
                     std::string(range));
}

void require_non_negative(std::string_view where, std::string_view field, double value) {
  if (!std::isfinite(value) || value < 0.0) throw_out_of_range(where, field, value, "[0, inf)");
}

void require_positive(std::string_view where, std::string_view field, double value) {
  if (!std::isfinite(value) || value <= 0.0) throw_out_of_range(where, field, value, "(0, inf)");
}

}  // namespace constellm::core
