#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "constellm/split/evaluate.hpp"

namespace constellm::split {

/// A StageChoice with names in place of positions, as plan files and Python show it.
struct Stage {
  std::string node;
  std::int64_t first_layer = 0;
  std::int64_t last_layer = 0;
  std::optional<std::string> codec;

  bool operator==(const Stage&) const = default;
};

constexpr auto fields(const Stage*) {
  using core::optional;
  using core::required;
  constexpr core::Range kPosition{.least = 0.0, .most = 2147483647.0, .text = "[0, 2^31)"};
  return core::record(
      "Stage", "One hosting node's share of the layers.", required("node", &Stage::node, "id of the host"),
      required("first_layer", &Stage::first_layer, "0-based", "", kPosition),
      required("last_layer", &Stage::last_layer, "0-based, inclusive", "", kPosition),
      optional("codec", &Stage::codec, "name of the codec of what it sends on; None after the last layer"));
}

void validate(const Stage& stage, std::string_view where);

/// StageTerms with names in place of positions.
struct NamedStageTerms {
  Stage stage;
  double overhead_s = 0.0;
  double decode_s = 0.0;
  double compute_s = 0.0;
  double encode_s = 0.0;
  double time_s = 0.0;
  double memory_bytes = 0.0;

  bool operator==(const NamedStageTerms&) const = default;
};

constexpr auto fields(const NamedStageTerms*) {
  using core::kNonNegative;
  using core::required;
  using Terms = NamedStageTerms;
  return core::record("StageTerms", "What a stage of a plan takes, per micro-batch.",
                      core::section("", &Terms::stage, core::fields_of<Stage>()),
                      required("overhead_s", &Terms::overhead_s, "of its node", "s", kNonNegative),
                      required("decode_s", &Terms::decode_s, "what it received", "s", kNonNegative),
                      required("compute_s", &Terms::compute_s, "its layers", "s", kNonNegative),
                      required("encode_s", &Terms::encode_s, "what it sends on", "s", kNonNegative),
                      required("time_s", &Terms::time_s, "the sum of the four", "s", kNonNegative),
                      required("memory_bytes", &Terms::memory_bytes, "of its layers", "B", kNonNegative));
}

/// HopTerms with names in place of the link's position.
struct NamedHopTerms {
  std::string from;
  std::string to;
  double bytes = 0.0;
  double time_s = 0.0;
  double latency_s = 0.0;

  bool operator==(const NamedHopTerms&) const = default;
};

constexpr auto fields(const NamedHopTerms*) {
  using core::kNonNegative;
  using core::required;
  using Terms = NamedHopTerms;
  return core::record("HopTerms", "What a hop of a plan takes, per micro-batch.",
                      required("from", &Terms::from, "id of the sender"),
                      required("to", &Terms::to, "id of the receiver"),
                      required("bytes", &Terms::bytes, "that cross it", "B", kNonNegative),
                      required("time_s", &Terms::time_s, "occupies the link", "s", kNonNegative),
                      required("latency_s", &Terms::latency_s, "propagation", "s", kNonNegative));
}

/// An Evaluation with names in place of positions, and what it says of its problem's limits.
struct NamedEvaluation {
  double delay_s = 0.0;
  double bottleneck_s = 0.0;
  double error = 0.0;
  double energy_j = 0.0;
  double bytes = 0.0;
  double objective_s = 0.0;
  std::vector<NamedStageTerms> stages;
  std::vector<NamedHopTerms> hops;
  std::vector<std::string> broken_limits;

  bool operator==(const NamedEvaluation&) const = default;
};

constexpr auto fields(const NamedEvaluation*) {
  using core::required;
  using Terms = NamedEvaluation;
  return core::record(
      "Evaluation", "Every term of what a plan is worth.", figures<Terms>(),
      required("objective_s", &Terms::objective_s, "the problem's objective: delay or bottleneck", "s",
               core::kNonNegative),
      required("stages", &Terms::stages, "in path order"), required("hops", &Terms::hops, "in path order"),
      required("broken_limits", &Terms::broken_limits, "a text each; none for a plan that keeps them all"));
}

NamedEvaluation named(const Problem& problem, const Evaluation& evaluation);

/// Names to positions; throws core::InvalidInput for a name that the problem lacks.
Assignment to_assignment(const Problem& problem, const std::vector<std::string>& path,
                         const std::vector<Stage>& stages);

std::vector<std::string> path_ids(const Problem& problem, const Assignment& assignment);
std::vector<Stage> named_stages(const Problem& problem, const Assignment& assignment);
std::optional<std::string> codec_name(const Problem& problem, std::int32_t codec);

}  // namespace constellm::split
