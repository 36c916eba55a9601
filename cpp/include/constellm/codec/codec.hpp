#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace constellm::codec {

/// One way to send an activation over a cut.
struct Codec {
  std::string name;
  double ratio = 1.0;                              ///< uncompressed / compressed bytes
  double error = 0.0;                              ///< relative L2 error of the activation
  double encode_s_per_byte = 0.0;                  ///< per uncompressed byte [s/B]
  double decode_s_per_byte = 0.0;                  ///< per uncompressed byte [s/B]
  std::optional<std::vector<double>> layer_ratio;  ///< [layers] in place of `ratio`
  std::optional<std::vector<double>> layer_error;  ///< [layers] in place of error * error_gain

  bool operator==(const Codec&) const = default;
};

void validate(const Codec& codec, std::string_view where);

/// How the errors of the cuts of a plan combine. Both rules add something up along the path
/// (the errors, or their squares), which is what an exact search needs of a resource.
enum class ErrorRule { sum, root_sum_square };

/// What one cut's error adds to the resource.
constexpr double to_resource(ErrorRule rule, double error) {
  return rule == ErrorRule::sum ? error : error * error;
}

/// The accumulated error, from the resource.
double from_resource(ErrorRule rule, double resource);

}  // namespace constellm::codec
