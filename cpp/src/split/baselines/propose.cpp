#include "constellm/split/baselines/propose.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "constellm/core/error.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/split/baselines/layer_shares.hpp"
#include "constellm/split/baselines/menus.hpp"
#include "constellm/split/baselines/quantpipe.hpp"
#include "constellm/split/baselines/scalar_search.hpp"
#include "constellm/split/baselines/shortest_routes.hpp"
#include "constellm/split/baselines/simplified.hpp"
#include "constellm/split/evaluate.hpp"
#include "constellm/split/incumbents.hpp"

namespace constellm::split {
namespace {

struct Method {
  std::string_view name;
  Menu (*menu)(const Problem&);
  Planner plan;
};

constexpr std::string_view kFixed = "fixed:";

constexpr Method kMethods[] = {
    {"ground-only", &whole_menu, &ground_only},
    {"single-satellite", &whole_menu, &single_satellite},
    {"single-best", &whole_menu, &single_best},
    {"uniform", &whole_menu, &uniform},
    {"compute-proportional", &whole_menu, &compute_proportional},
    {"no-pipeline", &whole_menu, &no_pipeline},
    {"no-compression", &uncompressed, &optimum},
    {"quantise-only", [](const Problem& p) { return codec_group(p, "quantise"); }, &optimum},
    {"top-k-only", [](const Problem& p) { return codec_group(p, "top-k"); }, &optimum},
    {"scalar-a-star", &whole_menu, &scalar_search},
    {"neurosurgeon", &uncompressed, &neurosurgeon},
    {"jalad", &quantisers, &jalad},
    {"pipeedge", &uncompressed, &pipeedge},
    {"quantpipe", &quantpipe_bits, &quantpipe},
    {"edgeshard-latency", &uncompressed, &edgeshard_latency},
    {"edgeshard-throughput", &uncompressed, &edgeshard_throughput},
};

const Method* find_method(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kMethods), std::end(kMethods), [&](const Method& m) { return m.name == name; });
  return found == std::end(kMethods) ? nullptr : found;
}

Problem restricted(const Menu& menu) {
  if (menu.allowed.size() == static_cast<std::size_t>(menu.home.codec_count()) &&
      std::is_sorted(menu.allowed.begin(), menu.allowed.end()))
    return menu.home;
  ProblemSpec spec = menu.home.spec();
  std::vector<codec::Codec> codecs;
  for (const std::int32_t k : menu.allowed) codecs.push_back(spec.codecs[static_cast<std::size_t>(k)]);
  spec.codecs = std::move(codecs);
  return {std::move(spec), menu.home};
}

/// Of the codecs that the method brought along, only those that its plan uses stay in the menu.
void drop_unused(const Problem& asked, Proposal& proposal) {
  ProblemSpec spec = asked.spec();
  std::vector<std::int32_t> position(static_cast<std::size_t>(proposal.problem.codec_count()), kNoCodec);
  std::iota(position.begin(), position.begin() + asked.codec_count(), 0);
  if (proposal.assignment) {
    for (StageChoice& stage : proposal.assignment->stages) {
      if (stage.codec == kNoCodec) continue;
      const auto k = static_cast<std::size_t>(stage.codec);
      if (position[k] == kNoCodec) {
        position[k] = static_cast<std::int32_t>(spec.codecs.size());
        spec.codecs.push_back(proposal.problem.spec().codecs[k]);
      }
      stage.codec = position[k];
    }
  }
  proposal.problem = {std::move(spec), asked};
  proposal.added_codecs = proposal.problem.codec_count() - asked.codec_count();
}

core::Status status_of(const Proposal& proposal, const core::StopToken& stop) {
  if (stop.reason() == core::StopReason::interrupted) return core::Status::interrupted;
  if (stop.reason() == core::StopReason::time_limit) return core::Status::time_limit;
  if (!proposal.assignment) {
    const Problem& problem = proposal.problem;
    const std::vector<std::int32_t> hops = network::hops(problem.topology().in, problem.sink());
    const bool cut_off = hops[static_cast<std::size_t>(problem.source())] < 0;
    return cut_off ? core::Status::infeasible : core::Status::no_plan_found;
  }
  const bool keeps_limits =
      within_limits(proposal.problem, *proposal.assignment, evaluate(proposal.problem, *proposal.assignment));
  return keeps_limits ? core::Status::feasible : core::Status::no_plan_found;
}

}  // namespace

std::vector<std::string> baseline_names() {
  std::vector<std::string> names;
  for (const Method& m : kMethods) names.emplace_back(m.name);
  return names;
}

bool is_baseline(std::string_view name) { return name.starts_with(kFixed) || find_method(name) != nullptr; }

Proposal propose(std::string_view name, const Problem& problem, core::StopToken& stop,
                 search::Workspace& workspace) {
  const Method* method = find_method(name);
  if (method == nullptr && !name.starts_with(kFixed)) {
    throw core::InvalidInput("method: '" + std::string(name) + "' is not known");
  }
  const Menu menu =
      method != nullptr ? method->menu(problem) : one_codec(problem, name.substr(kFixed.size()));
  const Planner plan = method != nullptr ? method->plan : &optimum;
  Proposal proposal{menu.home, plan(restricted(menu), stop, workspace), core::Status::no_plan_found,
                    std::string(name)};
  if (proposal.assignment) {
    for (StageChoice& stage : proposal.assignment->stages) {
      if (stage.codec != kNoCodec) stage.codec = menu.allowed[static_cast<std::size_t>(stage.codec)];
    }
  }
  if (menu.home.codec_count() > problem.codec_count()) drop_unused(problem, proposal);
  proposal.status = status_of(proposal, stop);
  proposal.seconds = stop.elapsed_s();
  return proposal;
}

Plan to_plan(const Proposal& proposal) {
  Plan plan;
  if (proposal.assignment) {
    const Evaluation evaluation = evaluate(proposal.problem, *proposal.assignment);
    plan.broken_limits = broken_limits(proposal.problem, *proposal.assignment, evaluation);
    if (plan.broken_limits.empty()) plan = to_plan(*proposal.assignment, evaluation);
  }
  plan.status = proposal.status;
  plan.lower_bound_s = proposal.status == core::Status::infeasible ? std::numeric_limits<double>::infinity()
                                                                   : std::numeric_limits<double>::quiet_NaN();
  plan.method = proposal.method;
  plan.added_codecs = plan.assignment ? proposal.added_codecs : 0;
  plan.seconds = proposal.seconds;
  return plan;
}

}  // namespace constellm::split
