#include "constellm/moe/drift/drift.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/moe/evaluate.hpp"

namespace constellm::moe {
namespace {

using core::z;

std::string of_window(std::size_t w) { return "windows[" + std::to_string(w) + "]: "; }

}  // namespace

MoveCosts::MoveCosts(double any) : any_s_(any) {
  if (!(any >= 0.0)) core::throw_out_of_range("move_s", any, "[0, inf]");
}

MoveCosts::MoveCosts(std::size_t satellites, std::vector<double> cost_s)
    : satellites_(satellites), cost_s_(std::move(cost_s)) {
  for (std::size_t a = 0; a < satellites_; ++a) {
    for (std::size_t b = 0; b < satellites_; ++b) {
      const double cost = cost_s_[a * satellites_ + b];
      if (std::isfinite(cost) && cost >= 0.0 && (a != b || cost == 0.0)) continue;
      core::throw_out_of_range("move_s[" + std::to_string(a) + "][" + std::to_string(b) + "]", cost,
                               a == b ? "{0}, from a satellite to itself" : "[0, inf)");
    }
  }
}

double MoveCosts::between_s(std::int32_t from, std::int32_t to) const {
  if (from == to) return 0.0;
  return uniform() ? any_s_ : cost_s_[z(from) * satellites_ + z(to)];
}

void require_sound(const Drift& drift) {
  if (drift.windows.empty()) throw core::InvalidInput("windows: must not be empty");
  const Problem& first = *drift.windows.front();
  for (std::size_t w = 0; w < drift.windows.size(); ++w) {
    const Problem& problem = *drift.windows[w];
    if (problem.satellites() != first.satellites())
      throw core::InvalidInput(of_window(w) + "its satellites are not those of windows[0]");
    if (problem.top_k() != first.top_k()) {
      throw core::InvalidInput(of_window(w) + "top_k " + std::to_string(problem.top_k()) + " is not the " +
                               std::to_string(first.top_k()) + " of windows[0]");
    }
    if (problem.layers().size() != first.layers().size()) {
      throw core::InvalidInput(of_window(w) + std::to_string(problem.layers().size()) +
                               " layers are not the " + std::to_string(first.layers().size()) +
                               " of windows[0]");
    }
    for (std::size_t l = 0; l < first.layers().size(); ++l) {
      const std::int32_t experts = problem.layers()[l].picks.experts();
      const std::int32_t wanted = first.layers()[l].picks.experts();
      if (experts == wanted) continue;
      throw core::InvalidInput(of_window(w) + std::to_string(experts) + " experts of layer " +
                               std::to_string(l) + " are not the " + std::to_string(wanted) +
                               " of windows[0]");
    }
  }
  if (drift.tokens.size() != drift.windows.size()) {
    throw core::InvalidInput("tokens: " + std::to_string(drift.tokens.size()) + " numbers for " +
                             std::to_string(drift.windows.size()) + " windows");
  }
  for (std::size_t w = 0; w < drift.tokens.size(); ++w)
    core::require_positive("tokens[" + std::to_string(w) + "]", drift.tokens[w]);
  if (!drift.moves.uniform() && drift.moves.satellites() != first.satellites().size()) {
    throw core::InvalidInput("move_s: of " + std::to_string(drift.moves.satellites()) +
                             " satellites, the problems have " + std::to_string(first.satellites().size()));
  }
  if (!drift.start) return;
  std::vector<char> used(first.satellites().size(), 0);
  if (drift.start->size() != first.layers().size())
    throw core::InvalidInput("start: " + std::to_string(drift.start->size()) + " layers are not the " +
                             std::to_string(first.layers().size()) + " of the problems");
  for (std::size_t l = 0; l < drift.start->size(); ++l) {
    const std::string where = "start[" + std::to_string(l) + "]";
    const std::vector<std::int32_t>& hosts = (*drift.start)[l];
    if (hosts.size() != z(first.layers()[l].picks.experts())) {
      throw core::InvalidInput(where + ": " + std::to_string(hosts.size()) + " satellites for " +
                               std::to_string(first.layers()[l].picks.experts()) + " experts");
    }
    for (std::size_t e = 0; e < hosts.size(); ++e) {
      if (hosts[e] < 0 || hosts[e] >= first.satellite_count()) {
        throw core::InvalidInput(where + "[" + std::to_string(e) + "]: " + std::to_string(hosts[e]) +
                                 " is not in [0, " + std::to_string(first.satellite_count() - 1) + "]");
      }
      if (std::exchange(used[z(hosts[e])], 1) == 0) continue;
      throw core::InvalidInput(where + "[" + std::to_string(e) + "]: '" + first.satellites()[z(hosts[e])] +
                               "' hosts another expert already");
    }
  }
}

ScheduleCost evaluate(const Drift& drift, const std::vector<Placement>& placements) {
  if (placements.size() != drift.windows.size()) {
    throw core::InvalidInput("placements: " + std::to_string(placements.size()) + " of them for " +
                             std::to_string(drift.windows.size()) + " windows");
  }
  ScheduleCost found;
  for (std::size_t w = 0; w < placements.size(); ++w) {
    try {
      found.token_latency_s.push_back(evaluate(*drift.windows[w], placements[w]).token_latency_s);
    } catch (const core::InvalidInput& error) {
      throw core::InvalidInput("placements[" + std::to_string(w) + "]: " + error.what());
    }
    const Placement* const before = w > 0 ? &placements[w - 1] : (drift.start ? &*drift.start : nullptr);
    double move_s = 0.0;
    std::int32_t moved = 0;
    for (std::size_t l = 0; before != nullptr && l < placements[w].size(); ++l) {
      for (std::size_t e = 0; e < placements[w][l].size(); ++e) {
        move_s += drift.moves.between_s((*before)[l][e], placements[w][l][e]);
        moved += (*before)[l][e] != placements[w][l][e] ? 1 : 0;
      }
    }
    found.move_s.push_back(move_s);
    found.moved.push_back(moved);
    found.cost_s += drift.tokens[w] * found.token_latency_s.back() + move_s;
  }
  return found;
}

}  // namespace constellm::moe
