#include "constellm/moe/hosting.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;

/// Sums in another order may be so much larger.
constexpr double kRounding = 1e-9;

std::string indexed(const char* name, std::size_t i, std::size_t j) {
  return name + ("[" + std::to_string(i) + "][" + std::to_string(j) + "]");
}

void require_size(const char* name, std::size_t size, std::size_t wanted) {
  if (size == wanted) return;
  throw core::InvalidInput(name +
                           (": " + std::to_string(size) + " numbers are not " + std::to_string(wanted)));
}

[[noreturn]] void throw_outside(const std::string& field, std::int32_t value, std::int32_t most) {
  throw core::InvalidInput(field + ": " + std::to_string(value) + " is not in [1, " + std::to_string(most) +
                           "]");
}

}  // namespace

Hosting::Hosting(const Problem& problem, HostingFields fields)
    : problem_(&problem), fields_(std::move(fields)) {
  const std::size_t satellites = problem.satellites().size();
  const std::size_t slots = z(problem.slots());
  require_size("places", fields_.places.size(), satellites);
  require_size("service_s", fields_.service_s.size(), slots * satellites);
  require_size("most_activations", fields_.most_activations.size(), slots * satellites);
  require_size("copies", fields_.copies.size(), problem.layers().size());
  for (std::size_t s = 0; s < satellites; ++s) {
    if (fields_.places[s] < 0)
      throw core::InvalidInput("places[" + std::to_string(s) + "]: " + std::to_string(fields_.places[s]) +
                               " is not in [0, inf)");
  }
  for (std::size_t i = 0; i < slots * satellites; ++i) {
    const double service_s = fields_.service_s[i];
    const double most = fields_.most_activations[i];
    if (!(service_s >= 0.0 && service_s <= 1e290))
      core::throw_out_of_range(indexed("service_s", i / satellites, i % satellites), service_s,
                               "[0, 1e+290]");
    if (!(most >= 0.0))
      core::throw_out_of_range(indexed("most_activations", i / satellites, i % satellites), most, "[0, inf]");
    most_activations_.push_back(most * (1.0 + kRounding));
    queues_ = queues_ || (service_s > 0.0 && fields_.places[i % satellites] > 1);
    limited_ = limited_ || most < std::numeric_limits<double>::infinity();
  }
  queues_ = queues_ && problem.top_k() > 1;
  for (std::size_t l = 0; l < problem.layers().size(); ++l) {
    const std::string field = "copies[" + std::to_string(l) + "]";
    require_size(field.c_str(), fields_.copies[l].size(), z(problem.layers()[l].picks.experts()));
    for (std::size_t e = 0; e < fields_.copies[l].size(); ++e) {
      const std::int32_t copies = fields_.copies[l][e];
      if (copies < 1 || copies > problem.satellite_count())
        throw_outside(indexed("copies", l, e), copies, problem.satellite_count());
      copied_ = copied_ || copies > 1;
    }
    inclusion_.push_back(problem.layers()[l].picks.inclusion());
    std::vector<double> sums = inclusion_.back();
    std::sort(sums.begin(), sums.end());
    std::partial_sum(sums.begin(), sums.end(), sums.begin());
    lightest_.push_back(std::move(sums));
  }
}

Hosting Hosting::of(const Problem& some, std::span<const std::size_t> layers) const {
  HostingFields fields = fields_;
  fields.copies.clear();
  for (const std::size_t l : layers) fields.copies.push_back(fields_.copies[l]);
  return {some, std::move(fields)};
}

void Hosting::require_time() const {
  constexpr double kMost = 5e10;  // additions: a minute
  double work = 0.0;
  for (const Layer& layer : problem_->layers())
    if (queues_) work += Queues(layer.picks).most_work() * problem_->slots();
  if (work <= kMost) return;
  throw core::InvalidInput("service_s: exact queues of " + std::to_string(problem_->top_k()) +
                           " picks over all slots and layers take " + core::to_text(std::round(work / 1e9)) +
                           "e9 additions; at most 50e9 are done. Have fewer slots, or service_s = 0");
}

std::int32_t Hosting::most_served(std::size_t layer, std::int32_t slot, std::int32_t satellite) const {
  const std::vector<double>& sums = lightest_[layer];
  const auto end = std::upper_bound(sums.begin(), sums.end(), most_activations(slot, satellite));
  return std::min(places(satellite), static_cast<std::int32_t>(end - sums.begin()));
}

Served Hosting::served(const Layer& layer, std::int32_t slot, std::span<const std::int32_t> copies) const {
  Served found;
  for (const std::int32_t s : copies) {
    const double latency_s = layer.latency_s[at(slot, s)];
    if (std::isnan(latency_s)) continue;
    if (found.server < 0 || latency_s < found.latency_s ||
        (latency_s == found.latency_s && s < found.server)) {
      found.server = s;
      found.latency_s = latency_s;
    }
  }
  if (found.server >= 0)
    found.service_s = service_s(slot, found.server);
  else
    found.latency_s = problem_->unreachable_s().value_or(std::numeric_limits<double>::quiet_NaN());
  return found;
}

bool Hosting::lives(const Layer& layer, std::span<const std::int32_t> copies) const {
  if (problem_->unreachable_s()) return true;
  for (std::int32_t t = 0; t < problem_->slots(); ++t)
    if (served(layer, t, copies).server < 0) return false;
  return true;
}

void Hosting::require_copies(const Layer& layer, std::size_t l, std::size_t expert,
                             std::span<const std::int32_t> copies) const {
  const std::string field = indexed("placement", l, expert) + ": ";
  const auto most = z(fields_.copies[l][expert]);
  if (copies.empty() || copies.size() > most) {
    throw core::InvalidInput(field + std::to_string(copies.size()) + " satellites are not in [1, " +
                             std::to_string(most) + "], its copies");
  }
  const std::vector<std::string>& ids = problem_->satellites();
  for (std::size_t c = 0; c < copies.size(); ++c) {
    if (copies[c] < 0 || z(copies[c]) >= ids.size()) {
      throw core::InvalidInput(field + std::to_string(copies[c]) + " is not in [0, " +
                               std::to_string(ids.size() - 1) + "]");
    }
    if (c > 0 && copies[c] == copies[c - 1])
      throw core::InvalidInput(field + "'" + ids[z(copies[c])] + "' has two copies of the expert");
  }
  for (std::int32_t t = 0; t < problem_->slots() && !problem_->unreachable_s(); ++t) {
    if (served(layer, t, copies).server >= 0) continue;
    throw core::InvalidInput(field + "no copy is reachable in slot " + std::to_string(t) +
                             ", and unreachable_s is not given");
  }
}

void Hosting::require_within_limits(const Copies& placement) const {
  if (!limited_) return;
  const std::vector<double> executions = executions_of(*this, placement);
  for (std::size_t i = 0; i < executions.size(); ++i) {
    if (executions[i] <= most_activations_[i]) continue;
    const std::size_t satellites = problem_->satellites().size();
    throw core::InvalidInput("placement: '" + problem_->satellites()[i % satellites] + "' has " +
                             core::to_text(executions[i]) + " executions a token in slot " +
                             std::to_string(i / satellites) + ", which is not in [0, " +
                             core::to_text(fields_.most_activations[i]) + "], its most_activations");
  }
}

Copies Hosting::checked(Copies placement) const {
  const std::vector<Layer>& layers = problem_->layers();
  if (placement.size() != layers.size()) {
    throw core::InvalidInput("placement: has " + std::to_string(placement.size()) + " layers, the problem " +
                             std::to_string(layers.size()));
  }
  std::vector<std::int32_t> hosted(problem_->satellites().size(), 0);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (placement[l].size() != inclusion_[l].size()) {
      throw core::InvalidInput("placement[" + std::to_string(l) + "]: has satellites for " +
                               std::to_string(placement[l].size()) + " experts of " +
                               std::to_string(inclusion_[l].size()));
    }
    for (std::size_t e = 0; e < placement[l].size(); ++e) {
      std::vector<std::int32_t>& copies = placement[l][e];
      std::sort(copies.begin(), copies.end());
      require_copies(layers[l], l, e, copies);
      for (const std::int32_t s : copies) {
        if (++hosted[z(s)] <= places(s)) continue;
        throw core::InvalidInput(indexed("placement", l, e) + ": '" + problem_->satellites()[z(s)] +
                                 "' hosts " + std::to_string(places(s)) + " experts already, its places");
      }
    }
  }
  require_within_limits(placement);
  return placement;
}

std::vector<double> executions_of(const Hosting& hosting, const Copies& placement) {
  const Problem& problem = hosting.problem();
  const std::size_t satellites = problem.satellites().size();
  std::vector<double> executions(z(problem.slots()) * satellites, 0.0);
  for (std::size_t l = 0; l < placement.size(); ++l) {
    for (std::int32_t t = 0; t < problem.slots(); ++t) {
      for (std::size_t e = 0; e < placement[l].size(); ++e) {
        const Served served = hosting.served(problem.layers()[l], t, placement[l][e]);
        if (served.server >= 0) executions[z(t) * satellites + z(served.server)] += hosting.inclusion(l)[e];
      }
    }
  }
  return executions;
}

double layer_latency_s(const Hosting& hosting, std::size_t layer, Queues& queues,
                       std::span<const std::vector<std::int32_t>> copies, std::span<double> slot_s) {
  const Problem& problem = hosting.problem();
  thread_local std::vector<Served> served;
  served.resize(copies.size());
  double sum = 0.0;
  for (std::int32_t t = 0; t < problem.slots(); ++t) {
    for (std::size_t e = 0; e < copies.size(); ++e)
      served[e] = hosting.served(problem.layers()[layer], t, copies[e]);
    const double expected = queues.expected_s(served);
    if (!slot_s.empty()) slot_s[z(t)] = expected;
    sum += expected;
  }
  return sum / problem.slots();
}

HostingEvaluation evaluate(const Hosting& hosting, const Copies& given) {
  const Copies placement = hosting.checked(given);
  const Problem& problem = hosting.problem();
  const std::size_t slots = z(problem.slots());
  hosting.require_time();
  HostingEvaluation found;
  found.slot_latency_s.resize(placement.size() * slots);
  for (std::size_t l = 0; l < placement.size(); ++l) {
    const std::span<double> slot_s = std::span(found.slot_latency_s).subspan(l * slots, slots);
    const double base_s = problem.layers()[l].base_s;
    Queues queues(problem.layers()[l].picks);
    const double mean_s = layer_latency_s(hosting, l, queues, placement[l], slot_s);
    for (double& value : slot_s) value += base_s;
    found.layer_latency_s.push_back(base_s + mean_s);
    found.token_latency_s += found.layer_latency_s.back();
  }
  found.executions = executions_of(hosting, placement);
  return found;
}

}  // namespace constellm::moe
