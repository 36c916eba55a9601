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
  if (!(keep > 0.0 && keep <= 1.0)) return outside("keep", core::to_text(keep), "(0, 1]");
  if (keep != 1.0 && (sparsify == Sparsify::none || sparsify == Sparsify::mask)) {
    return "keep: " + core::to_text(keep) + " has no meaning with sparsify='" +
           std::string(word_of(sparsify)) + "'";
  }
  if (block && (*block < 1 || *block > kLargestBlock)) {
    return outside("block", std::to_string(*block), "[1, 65536]");
  }
  if (!block && (sparsify == Sparsify::block_top_k || scale == Scale::block)) {
    return "block: needed with sparsify='block-top-k' or scale='block'";
  }
  if (bits != 0 && (bits < kFewestCodedBits || bits > kMostCodedBits)) {
    return outside("bits", std::to_string(bits), "[2, 8], 0 or None");
  }
  if (seed < 0) return outside("seed", std::to_string(seed), "[0, 2^63)");
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
