#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/evaluate.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

/// One layer's share of making one more token (of every sequence in the batch), at the mean context.
struct DecodeLayer {
  double flop = 0.0;
  double read_bytes = 0.0;    ///< weights and cache read from memory [B]
  double output_bytes = 0.0;  ///< uncompressed activation after the layer [B]
};

/// Autoregressive generation of `new_tokens` tokens: the prompt flows through the pipeline in
/// micro-batches as in any problem (`prefill`; its memory holds the cache of the whole request),
/// then each further token goes round from the first host to the last and back.
struct GenerationSpec {
  Problem prefill;
  std::vector<DecodeLayer> decode;           ///< [layers]
  std::vector<double> memory_bandwidth_bps;  ///< [nodes]; infinite: not a limit
  std::int64_t new_tokens = 1;
  double token_bytes = 4.0;  ///< what goes back to the first host [B]
};

/// Throws core::InvalidInput that names field, value and range.
void validate(const GenerationSpec& spec);

struct GenerationTerms {
  double ttft_s = 0.0;               ///< time to first token: delay of the prefill
  double token_s = 0.0;              ///< time per further token: once round the loop
  double total_s = 0.0;              ///< ttft_s + (new_tokens - 1) * token_s
  double decode_bottleneck_s = 0.0;  ///< longest decode stage or hop
  double energy_j = 0.0;             ///< prefill and decode
  double bytes = 0.0;                ///< prefill and decode
};

/// The value of a plan of the prefill problem for the whole generation. `total_s` is infinite
/// where there is more than one token and no route back from the last host to the first.
GenerationTerms evaluate_generation(const GenerationSpec& spec, const Assignment& assignment);

/// The plan of least `total_s` within the limits; exact, by one search for each first host.
/// `delay_s` and the other figures of the Plan are the prefill's; `lower_bound_s` is of total_s.
Plan solve_generation(const GenerationSpec& spec, core::StopToken& stop, search::Workspace& workspace);

}  // namespace constellm::split
