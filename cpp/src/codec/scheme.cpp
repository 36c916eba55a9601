#include "constellm/codec/scheme.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "constellm/core/error.hpp"

namespace constellm::codec {
namespace {

using Words = std::array<std::string_view, 5>;  // in the order of the enumeration; empty: none

constexpr Words kSparsify{"none", "mask", "top-k", "block-top-k", "slicer"};
constexpr Words kScale{"tensor", "token", "block"};
constexpr Words kClip{"none", "laplace"};
constexpr Words kRounding{"nearest", "stochastic"};
constexpr Words kEntropy{"none", "zero-order", "context"};

template <class E>
E read(const Words& words, std::string_view field, const std::string& word, std::string_view where = {}) {
  std::string known;
  for (std::size_t i = 0; i < words.size() && !words[i].empty(); ++i) {
    if (words[i] == word) return static_cast<E>(i);
    known += (i == 0 ? "'" : ", '") + std::string(words[i]) + "'";
  }
  throw core::InvalidInput(std::string(where) + std::string(field) + ": '" + word + "' is not one of " +
                           known);
}

template <class E>
std::string word_of(const Words& words, E value) {
  return std::string(words[static_cast<std::size_t>(value)]);
}

void require_whole(std::string_view where, std::string_view field, std::int64_t value, std::int64_t least,
                   std::int64_t most, const char* also = "") {
  if (value >= least && value <= most) return;
  throw core::InvalidInput(std::string(where) + std::string(field) + ": " + std::to_string(value) +
                           " is not in [" + std::to_string(least) + ", " + std::to_string(most) + "]" + also);
}

}  // namespace

bool Scheme::operator==(const Scheme& other) const {
  return sparsify == other.sparsify && keep == other.keep && block == other.block &&
         bits.value_or(0) == other.bits.value_or(0) && scale == other.scale && clip == other.clip &&
         rounding == other.rounding && seed == other.seed && entropy == other.entropy;
}

void validate(const Scheme& scheme, std::string_view where) {
  const auto sparsify = read<Sparsify>(kSparsify, "sparsify", scheme.sparsify, where);
  const auto scale = read<Scale>(kScale, "scale", scheme.scale, where);
  read<Clip>(kClip, "clip", scheme.clip, where);
  read<Rounding>(kRounding, "rounding", scheme.rounding, where);
  read<Entropy>(kEntropy, "entropy", scheme.entropy, where);
  if (!(scheme.keep > 0.0 && scheme.keep <= 1.0)) {
    core::throw_out_of_range(where, "keep", scheme.keep, "(0, 1]");
  }
  if (scheme.keep != 1.0 && (sparsify == Sparsify::none || sparsify == Sparsify::mask)) {
    throw core::InvalidInput(std::string(where) + "keep: " + core::to_text(scheme.keep) +
                             " has no meaning with sparsify='" + scheme.sparsify + "'");
  }
  if (scheme.block) require_whole(where, "block", *scheme.block, 1, kLargestBlock);
  if (!scheme.block && (sparsify == Sparsify::block_top_k || scale == Scale::block)) {
    throw core::InvalidInput(std::string(where) +
                             "block: needed with sparsify='block-top-k' or scale='block'");
  }
  if (scheme.bits && *scheme.bits != 0) {
    require_whole(where, "bits", *scheme.bits, kFewestCodedBits, kMostCodedBits, ", 0 or None");
  }
  if (scheme.seed < 0) {
    throw core::InvalidInput(std::string(where) + "seed: " + std::to_string(scheme.seed) +
                             " is not in [0, 2^63)");
  }
}

Settings resolve(const Scheme& scheme) {
  return {.sparsify = read<Sparsify>(kSparsify, "sparsify", scheme.sparsify),
          .scale = read<Scale>(kScale, "scale", scheme.scale),
          .clip = read<Clip>(kClip, "clip", scheme.clip),
          .rounding = read<Rounding>(kRounding, "rounding", scheme.rounding),
          .entropy = read<Entropy>(kEntropy, "entropy", scheme.entropy),
          .keep = scheme.keep,
          .block = scheme.block.value_or(0),
          .bits = static_cast<int>(scheme.bits.value_or(0)),
          .seed = static_cast<std::uint64_t>(scheme.seed)};
}

Scheme to_scheme(const Settings& settings) {
  Scheme scheme;
  scheme.sparsify = word_of(kSparsify, settings.sparsify);
  scheme.scale = word_of(kScale, settings.scale);
  scheme.clip = word_of(kClip, settings.clip);
  scheme.rounding = word_of(kRounding, settings.rounding);
  scheme.entropy = word_of(kEntropy, settings.entropy);
  scheme.keep = settings.keep;
  if (settings.block != 0) scheme.block = settings.block;
  scheme.bits = settings.bits == 0 ? std::nullopt : std::optional<std::int64_t>(settings.bits);
  scheme.seed = static_cast<std::int64_t>(settings.seed);
  return scheme;
}

std::int64_t kept_of(double keep, std::int64_t features) {
  const double product = keep * static_cast<double>(features);
  const auto kept = static_cast<std::int64_t>(std::ceil(product * (1.0 - 1e-9)));
  return std::min(kept, features);
}

}  // namespace constellm::codec
