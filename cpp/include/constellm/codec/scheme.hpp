#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "constellm/core/fields.hpp"

namespace constellm::codec {

enum class Sparsify : std::uint8_t { none, mask, top_k, block_top_k, slicer };
enum class Scale : std::uint8_t { tensor, token, block };
enum class Clip : std::uint8_t { none, laplace };
enum class Rounding : std::uint8_t { nearest, stochastic };
enum class Entropy : std::uint8_t { none, zero_order, context };

// What users write for the values of an enumeration, in its order.
constexpr std::array<std::string_view, 5> words(Sparsify) {
  return {"none", "mask", "top-k", "block-top-k", "slicer"};
}
constexpr std::array<std::string_view, 3> words(Scale) { return {"tensor", "token", "block"}; }
constexpr std::array<std::string_view, 2> words(Clip) { return {"none", "laplace"}; }
constexpr std::array<std::string_view, 2> words(Rounding) { return {"nearest", "stochastic"}; }
constexpr std::array<std::string_view, 3> words(Entropy) { return {"none", "zero-order", "context"}; }

template <class E>
  requires std::is_enum_v<E>
constexpr std::string_view word_of(E value) {
  return words(value)[static_cast<std::size_t>(value)];
}

/// Bits of a kept value; 0, or None in Python, where values travel as they are.
struct Bits {
  std::int64_t count = 8;

  constexpr Bits(std::int64_t bits) : count(bits) {}
  constexpr operator std::int64_t() const { return count; }
};

/// Coding of an activation: which features are kept, in how many bits, how they are packed.
struct Scheme {
  Sparsify sparsify = Sparsify::none;
  double keep = 1.0;
  std::optional<std::int64_t> block;
  Bits bits = 8;
  Scale scale = Scale::tensor;
  Clip clip = Clip::none;
  Rounding rounding = Rounding::nearest;
  std::int64_t seed = 0;
  Entropy entropy = Entropy::context;

  bool operator==(const Scheme&) const = default;

  [[nodiscard]] bool selects() const { return sparsify != Sparsify::none; }
};

inline constexpr std::int64_t kFewestCodedBits = 2;
inline constexpr std::int64_t kMostCodedBits = 8;
inline constexpr core::Range kShare{.least = 0.0, .most = 1.0, .without_least = true, .text = "(0, 1]"};
inline constexpr core::Range kBlockFeatures{.least = 1.0, .most = 65536.0, .text = "[1, 65536]"};
inline constexpr core::Range kSeeds{.least = 0.0, .most = 0x1p63, .text = "[0, 2^63)"};

constexpr auto fields(const Scheme*) {
  using core::optional;
  return core::record(
             "Scheme", "Coding of an activation: sparsification, quantisation and entropy coding.",
             optional("sparsify", &Scheme::sparsify,
                      "'none'; 'mask': what is given; 'top-k': the largest of every token; 'block-top-k': of "
                      "every "
                      "block of features; 'slicer': of each sign by its energy"),
             optional("keep", &Scheme::keep, "share of the features that top-k, block-top-k and slicer keep",
                      "", kShare),
             optional("block", &Scheme::block, "features of a block", "", kBlockFeatures),
             optional("bits", &Scheme::bits, "of a kept value, 2 to 8; None or 0: values travel as they are"),
             optional("scale", &Scheme::scale, "what shares a scale: 'tensor', 'token', 'block'"),
             optional("clip", &Scheme::clip,
                      "'none'; 'laplace': where a Laplace distribution is best clipped"),
             optional("rounding", &Scheme::rounding, "'nearest', 'stochastic'"),
             optional("seed", &Scheme::seed, "of stochastic rounding", "", kSeeds),
             optional("entropy", &Scheme::entropy, "'none', 'zero-order', 'context'"))
      .with_example("clm.codec.Scheme(sparsify='top-k', keep=0.1, bits=4)");
}

/// What is wrong with a scheme, by field, value and range; nothing if it is valid.
std::optional<std::string> fault_of(const Scheme& scheme);

void validate(const Scheme& scheme, std::string_view where);

/// How many of `features` are kept: ceil(keep * features), at least one of any. A product within 1e-9
/// of a whole number is that number, so that 0.07 * 100 keeps 7.
std::int64_t kept_of(double keep, std::int64_t features);

}  // namespace constellm::codec
