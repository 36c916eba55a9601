#include "constellm/split/baselines/quantpipe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/split/baselines/simplified.hpp"
#include "constellm/split/evaluate.hpp"

namespace constellm::split {
namespace {

using core::z;

/// Slowest link between the hosts of stages `i` and `i + 1`.
double slowest_rate_bps(const Problem& problem, const Assignment& a, std::size_t i) {
  const auto at = [&](std::size_t stage) {
    return static_cast<std::size_t>(std::find(a.path.begin(), a.path.end(), a.stages[stage].node) -
                                    a.path.begin());
  };
  double rate_bps = std::numeric_limits<double>::infinity();
  for (std::size_t h = at(i); h < at(i + 1); ++h) {
    const std::int32_t link = network::link_between(problem.topology(), a.path[h], a.path[h + 1]);
    rate_bps = std::min(rate_bps, problem.spec().network.links[z(link)].rate_bps);
  }
  return rate_bps;
}

}  // namespace

std::int32_t quantpipe_codec(double slowness) {
  constexpr double kMostFolds[] = {1.0, 2.0, 4.0, 5.0, 8.0};  // for 32, 16, 8, 6, 4 bits; else 2
  const double fold = std::floor(slowness) + 1.0;
  return static_cast<std::int32_t>(std::lower_bound(std::begin(kMostFolds), std::end(kMostFolds), fold) -
                                   std::begin(kMostFolds));
}

std::optional<Assignment> quantpipe(const Problem& problem, core::StopToken& stop,
                                    search::Workspace& workspace) {
  ProblemSpec question = problem.spec();
  question.codecs.resize(1);
  const Problem uncompressed(std::move(question));
  std::optional<Assignment> plan = pipeedge(uncompressed, stop, workspace);
  if (!plan) return std::nullopt;
  double target_s = 0.0;
  for (const StageTerms& stage : evaluate(uncompressed, *plan).stages)
    target_s = std::max(target_s, stage.time_s);
  for (std::size_t i = 0; i + 1 < plan->stages.size(); ++i) {
    StageChoice& stage = plan->stages[i];
    const double bytes = problem.sent_bytes(stage.last_layer, kNoCodec);
    const double send_s = core::transfer_s(bytes, slowest_rate_bps(problem, *plan, i));
    stage.codec = send_s > 0.0 ? quantpipe_codec(send_s / target_s) : 0;
  }
  return plan;
}

}  // namespace constellm::split
