#include "constellm/codec/scheme.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/error.hpp"

namespace constellm::codec {
namespace {

std::string outside(std::string_view field, const std::string& value, const char* range) {
  return std::string(field) + ": " + value + " is not in " + range;
}

}  // namespace

std::optional<std::string> fault_of(const Scheme& scheme) {
  const auto& [sparsify, keep, block, bits, scale, clip, rounding, seed, entropy] = scheme;
  if (!kShare.contains(keep)) return outside("keep", core::to_text(keep), kShare.text);
  if (keep != 1.0 && (sparsify == Sparsify::none || sparsify == Sparsify::mask)) {
    return "keep: " + core::to_text(keep) + " has no meaning with sparsify='" +
           std::string(word_of(sparsify)) + "'";
  }
  if (block && !kBlockFeatures.contains(static_cast<double>(*block))) {
    return outside("block", std::to_string(*block), kBlockFeatures.text);
  }
  if (!block && (sparsify == Sparsify::block_top_k || scale == Scale::block)) {
    return "block: needed with sparsify='block-top-k' or scale='block'";
  }
  if (bits != 0 && (bits < kFewestCodedBits || bits > kMostCodedBits)) {
    return outside("bits", std::to_string(bits), "[2, 8], 0 or None");
  }
  if (seed < 0) return outside("seed", std::to_string(seed), kSeeds.text);
  return std::nullopt;
}

void validate(const Scheme& scheme, std::string_view where) {
  if (const auto fault = fault_of(scheme)) throw core::InvalidInput(std::string(where) + *fault);
}

std::int64_t kept_of(double keep, std::int64_t features) {
  const double product = keep * static_cast<double>(features);
  const auto kept = static_cast<std::int64_t>(std::ceil(product * (1.0 - 1e-9)));
  return std::min(kept, features);
}

}  // namespace constellm::codec
