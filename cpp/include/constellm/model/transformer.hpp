#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "constellm/model/profile.hpp"

namespace constellm::model {

/// The repeated block of a transformer: attention, then a multilayer perceptron (MLP), each
/// normalised before and added to the residual stream after.
struct TransformerShape {
  std::int64_t blocks = 1;
  std::int64_t width = 1;              ///< d, numbers per token in the residual stream
  std::int64_t heads = 1;              ///< query heads h
  std::int64_t kv_heads = 1;           ///< key and value heads g; fewer than h: grouped queries
  std::int64_t head_width = 1;         ///< d_h, numbers per head
  std::int64_t mlp_width = 1;          ///< f, hidden width of the MLP (of one expert)
  std::int64_t experts = 1;            ///< E; 1: dense
  std::int64_t experts_per_token = 1;  ///< k
  std::int64_t attention_window = 0;   ///< newest tokens that a query sees; 0: all
  std::int64_t norm_parameters = 2;    ///< per number: 2 scale and shift, 1 scale only (RMS)
  bool gated_mlp = false;              ///< two matrices up, their outputs multiplied, one down
  bool qkv_bias = true;
  bool attention_out_bias = true;
  bool mlp_bias = true;

  bool operator==(const TransformerShape&) const = default;
};

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

void validate(const TransformerShape& shape, std::string_view where);
void validate(const Pass& pass, std::string_view where);

/// The blocks alone, without what comes before the first and after the last.
std::vector<LayerProfile> blocks(const TransformerShape& shape, const Pass& pass, Granularity granularity);

}  // namespace constellm::model
