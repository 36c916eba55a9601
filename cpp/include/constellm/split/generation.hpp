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
  double read_bytes = 0.0;
  double output_bytes = 0.0;
};

constexpr auto fields(const DecodeLayer*) {
  using core::kNonNegative;
  using core::required;
  return core::record("DecodeLayer", "One layer's share of making one more token.",
                      required("flop", &DecodeLayer::flop, "computation", "FLOP", kNonNegative),
                      required("read_bytes", &DecodeLayer::read_bytes, "weights and cache read from memory",
                               "B", kNonNegative),
                      required("output_bytes", &DecodeLayer::output_bytes,
                               "uncompressed activation after the layer", "B", kNonNegative));
}

/// Autoregressive generation of `new_tokens` tokens: the prompt flows through the pipeline in
/// micro-batches as in any problem (`prefill`; its memory holds the cache of the whole request),
/// then each further token goes round from the first host to the last and back.
struct GenerationSpec {
  Problem prefill;
  std::vector<DecodeLayer> decode;                   ///< [layers]
  std::vector<double> memory_bandwidth_bytes_per_s;  ///< [nodes]; infinite: not a limit
  std::int64_t new_tokens = 1;
  double token_bytes = 4.0;  ///< what goes back to the first host [B]
};

/// Throws core::InvalidInput that names field, value and range.
void validate(const GenerationSpec& spec);

struct GenerationTerms {
  double ttft_s = 0.0;
  double token_s = 0.0;
  double total_s = 0.0;
  double decode_bottleneck_s = 0.0;
  double energy_j = 0.0;
  double bytes = 0.0;
  double tokens_per_s = 0.0;

  bool operator==(const GenerationTerms&) const = default;
};

constexpr auto fields(const GenerationTerms*) {
  using core::kNonNegative;
  using core::kNonNegativeOrEndless;
  using core::required;
  using Terms = GenerationTerms;
  return core::record(
      "GenerationTerms", "What a plan of the prefill is worth for the whole generation.",
      required("ttft_s", &Terms::ttft_s, "time to the first token: delay of the prefill", "s", kNonNegative),
      required("token_s", &Terms::token_s,
               "per further token: once round the loop; infinite where no route leads back", "s",
               kNonNegativeOrEndless),
      required("total_s", &Terms::total_s, "ttft_s + (new_tokens - 1) * token_s", "s", kNonNegativeOrEndless),
      required("decode_bottleneck_s", &Terms::decode_bottleneck_s, "longest decode stage or hop", "s",
               kNonNegative),
      required("energy_j", &Terms::energy_j, "of prefill and decode", "J", kNonNegativeOrEndless),
      required("bytes", &Terms::bytes, "over all hops, of prefill and decode", "B", kNonNegativeOrEndless),
      required("tokens_per_s", &Terms::tokens_per_s,
               "of all requests: min(requests / token_s, 1 / decode_bottleneck_s)", "1/s",
               kNonNegativeOrEndless));
}

/// The value of a plan of the prefill problem for the whole generation, with `requests` in flight at once.
/// `total_s` is infinite where there is more than one token and no route back from the last host to the
/// first.
GenerationTerms evaluate_generation(const GenerationSpec& spec, const Assignment& assignment,
                                    std::int64_t requests = 1);

/// The plan of least `total_s` within the limits; exact, by one search for each first host.
/// `delay_s` and the other figures of the Plan are the prefill's; `lower_bound_s` is of total_s.
Plan solve_generation(const GenerationSpec& spec, core::StopToken& stop, search::Workspace& workspace);

}  // namespace constellm::split
