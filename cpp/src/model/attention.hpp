#pragma once
#include "step.hpp"

// The attention of a block; not for other areas.
namespace constellm::model {

/// Tokens of `tokens` that a query can see at most, or that the cache keeps.
double in_window(const AttentionShape& shape, double tokens);

/// Queries, keys, values, scores and weighted values.
LayerProfile attention_part(const BlockShape& block, const Pass& pass);

/// The output matrix.
LayerProfile attention_out_part(const BlockShape& block, const Pass& pass);

}  // namespace constellm::model
