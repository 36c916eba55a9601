#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constellm/core/fields.hpp"

namespace constellm::codec {

struct Codec {
  std::string name;
  double ratio = 1.0;
  double error = 0.0;
  double encode_s_per_byte = 0.0;
  double decode_s_per_byte = 0.0;
  std::optional<std::vector<double>> layer_ratio;
  std::optional<std::vector<double>> layer_error;
  std::optional<std::string> group = std::nullopt;

  bool operator==(const Codec&) const = default;
};

constexpr auto fields(const Codec*) {
  using core::kNonNegative;
  using core::kPositive;
  using core::optional;
  using core::required;
  return core::record(
             "Codec", "One way to send an activation over a cut.",
             required("name", &Codec::name, "unique in its menu").as_name().not_empty(),
             required("ratio", &Codec::ratio, "uncompressed / compressed bytes", "", kPositive),
             required("error", &Codec::error, "relative L2 error of the activation (a fraction)", "",
                      kNonNegative),
             optional("encode_s_per_byte", &Codec::encode_s_per_byte, "per uncompressed byte", "s/B",
                      kNonNegative),
             optional("decode_s_per_byte", &Codec::decode_s_per_byte, "per uncompressed byte", "s/B",
                      kNonNegative),
             optional("layer_ratio", &Codec::layer_ratio,
                      "one per layer, in place of `ratio` at the cut after it", "", kPositive),
             optional("layer_error", &Codec::layer_error,
                      "one per layer, in place of error * error_gain at the cut after it", "", kNonNegative),
             optional("group", &Codec::group, "name for addressing several codecs at once, such as a family")
                 .as_group()
                 .left_out_if_none())
      .with_example("clm.codec.Codec(name='half', ratio=2.0, error=0.001)");
}

void validate(const Codec& codec, const core::Place& where);

/// How the errors of the cuts of a plan combine. Both rules add something up along the path
/// (the errors, or their squares), which is what an exact search needs of a resource.
enum class ErrorRule { sum, root_sum_square };

constexpr std::array<std::string_view, 2> words(ErrorRule) { return {"sum", "root_sum_square"}; }

/// What one cut's error adds to the resource.
constexpr double to_resource(ErrorRule rule, double error) {
  return rule == ErrorRule::sum ? error : error * error;
}

/// The accumulated error, from the resource.
double from_resource(ErrorRule rule, double resource);

}  // namespace constellm::codec
