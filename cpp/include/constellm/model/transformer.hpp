#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/model/block.hpp"
#include "constellm/model/profile.hpp"

namespace constellm::model {

/// One pass over a micro-batch: n tokens behind s of the past. Counts of tokens may be means, hence
/// fractions.
struct Pass {
  std::int64_t batch = 1;
  double tokens = 1.0;       ///< n
  double past_tokens = 0.0;  ///< s
  double cache_tokens = 0.0;
  std::int64_t chunks = 1;
  bool causal = false;
  double weight_element_bytes = 4.0;
  double activation_element_bytes = 4.0;

  bool operator==(const Pass&) const = default;
};

constexpr auto fields(const Pass*) {
  using core::optional;
  using core::required;
  return core::record(
      "Pass", "One pass over a micro-batch. Counts of tokens may be means, hence fractions.",
      required("batch", &Pass::batch, "images or sequences in the micro-batch", "", kAtLeastOne),
      required("tokens", &Pass::tokens, "new tokens per sequence, over all chunks", "", core::kPositive),
      optional("past_tokens", &Pass::past_tokens, "already in the cache when the pass begins", "",
               core::kNonNegative),
      optional("cache_tokens", &Pass::cache_tokens, "room kept in the cache per sequence; 0: no cache", "",
               core::kNonNegative),
      optional("chunks", &Pass::chunks, "parts in which the tokens pass; figures are the mean of a part", "",
               kAtLeastOne),
      optional("causal", &Pass::causal, "a token sees itself and those before it"),
      optional("weight_element_bytes", &Pass::weight_element_bytes, "of a weight", "B", core::kPositive),
      optional("activation_element_bytes", &Pass::activation_element_bytes, "of an activation", "B",
               core::kPositive));
}

/// Where a model may be cut: after whole blocks, or at four places in each (as PipeEdge does):
/// after the attention's weighted values, its output matrix, the MLP's way up, its way down.
enum class Granularity { block, sub_block };

void validate(const Pass& pass, std::string_view where);

/// The blocks alone, without what comes before the first and after the last.
std::vector<LayerProfile> blocks(const std::vector<BlockShape>& shapes, const Pass& pass,
                                 Granularity granularity);

}  // namespace constellm::model
