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
  return core::record("Stage", "One hosting node's share of the layers.",
                      required("node", &Stage::node, "id of the host"),
                      required("first_layer", &Stage::first_layer, "0-based", "", kPosition),
                      required("last_layer", &Stage::last_layer, "0-based, inclusive", "", kPosition),
                      optional("codec", &Stage::codec,
                               "name of the codec of what it sends on; None after the last layer"))
      .with_example("clm.split.Stage(node='s0', first_layer=0, last_layer=3, codec='quantise-4')");
}

void validate(const Stage& stage, std::string_view where);

/// The terms of a stage, and which stage it is.
struct NamedStageTerms {
  Stage stage;
  StageTerms terms;

  bool operator==(const NamedStageTerms&) const = default;
};

constexpr auto fields(const NamedStageTerms*) {
  constexpr auto kTerms = core::fields_of<StageTerms>();
  return core::record(kTerms.name, kTerms.doc,
                      core::section("", &NamedStageTerms::stage, core::fields_of<Stage>()),
                      core::section("", &NamedStageTerms::terms, kTerms));
}

/// The terms of a hop, and between whom it is.
struct NamedHopTerms {
  std::string from;
  std::string to;
  HopTerms terms;

  bool operator==(const NamedHopTerms&) const = default;
};

constexpr auto fields(const NamedHopTerms*) {
  using core::required;
  constexpr auto kTerms = core::fields_of<HopTerms>();
  return core::record(kTerms.name, kTerms.doc, required("from", &NamedHopTerms::from, "id of the sender"),
                      required("to", &NamedHopTerms::to, "id of the receiver"),
                      core::section("", &NamedHopTerms::terms, kTerms));
}

/// What a plan is worth by itself, with what its problem says of it.
struct NamedEvaluation : Figures {
  double objective_s = kNone;
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

/// Throws core::InvalidInput with the first structural fault.
NamedEvaluation named_evaluation(const Problem& problem, const Assignment& assignment);

/// Names to positions; throws core::InvalidInput for a name that the problem lacks.
Assignment to_assignment(const Problem& problem, const std::vector<std::string>& path,
                         const std::vector<Stage>& stages);

std::vector<std::string> path_ids(const Problem& problem, const Assignment& assignment);
std::vector<Stage> named_stages(const Problem& problem, const Assignment& assignment);
std::optional<std::string> codec_name(const Problem& problem, std::int32_t codec);

}  // namespace constellm::split
