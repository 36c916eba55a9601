#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace constellm::codec {

enum class Sparsify : std::uint8_t { none, mask, top_k, block_top_k, slicer };
enum class Scale : std::uint8_t { tensor, token, block };
enum class Clip : std::uint8_t { none, laplace };
enum class Rounding : std::uint8_t { nearest, stochastic };
enum class Entropy : std::uint8_t { none, zero_order, context };

/// How an activation is coded, as users write it. A value; `resolve` reads the words.
struct Scheme {
  std::string sparsify = "none";         ///< none, mask, top-k, block-top-k, slicer
  double keep = 1.0;                     ///< share of the features that are kept, in (0, 1]
  std::optional<std::int64_t> block;     ///< features of a block
  std::optional<std::int64_t> bits = 8;  ///< of a kept value; none or 0: values travel as they are
  std::string scale = "tensor";          ///< tensor, token, block
  std::string clip = "none";             ///< none, laplace
  std::string rounding = "nearest";      ///< nearest, stochastic
  std::int64_t seed = 0;                 ///< of stochastic rounding
  std::string entropy = "context";       ///< none, zero-order, context

  bool operator==(const Scheme& other) const;
};

/// The same with its words read.
struct Settings {
  Sparsify sparsify = Sparsify::none;
  Scale scale = Scale::tensor;
  Clip clip = Clip::none;
  Rounding rounding = Rounding::nearest;
  Entropy entropy = Entropy::context;
  double keep = 1.0;
  std::int64_t block = 0;  ///< 0: none is named
  int bits = 8;            ///< 0: values travel as they are
  std::uint64_t seed = 0;

  [[nodiscard]] bool selects() const { return sparsify != Sparsify::none; }
};

inline constexpr std::int64_t kFewestCodedBits = 2;
inline constexpr std::int64_t kMostCodedBits = 8;
inline constexpr std::int64_t kLargestBlock = 65536;

void validate(const Scheme& scheme, std::string_view where);

/// Of a valid scheme.
Settings resolve(const Scheme& scheme);

/// The scheme that `resolve` reads as `settings`.
Scheme to_scheme(const Settings& settings);

/// How many of `features` are kept: ceil(keep * features), at least one of any. A product within 1e-9
/// of a whole number is that number, so that 0.07 * 100 keeps 7.
std::int64_t kept_of(double keep, std::int64_t features);

}  // namespace constellm::codec
