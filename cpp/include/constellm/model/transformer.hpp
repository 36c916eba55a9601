#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/model/block.hpp"
#include "constellm/model/profile.hpp"

namespace constellm::model {

/// One pass over a micro-batch. Counts of tokens may be means, hence fractions.
struct Pass {
  std::int64_t batch = 1;     ///< images or sequences in the micro-batch
  double tokens = 1.0;        ///< n, new tokens per sequence, over all chunks
  double past_tokens = 0.0;   ///< already in the cache when the pass begins
  double cache_tokens = 0.0;  ///< room kept in the cache per sequence; 0: no cache
  std::int64_t chunks = 1;    ///< tokens pass in this many parts; figures are the mean of a part
  bool causal = false;        ///< a token sees itself and those before it
  double weight_element_bytes = 4.0;
  double activation_element_bytes = 4.0;

  bool operator==(const Pass&) const = default;
};

/// Where a model may be cut: after whole blocks, or at four places in each (as PipeEdge does):
/// after the attention's weighted values, its output matrix, the MLP's way up, its way down.
enum class Granularity { block, sub_block };

void validate(const Pass& pass, std::string_view where);

/// The blocks alone, without what comes before the first and after the last.
std::vector<LayerProfile> blocks(const std::vector<BlockShape>& shapes, const Pass& pass,
                                 Granularity granularity);

}  // namespace constellm::model
