#include <optional>
#include <utility>

#include "constellm/services/heuristics/annealing.hpp"
#include "constellm/services/heuristics/baselines.hpp"
#include "register.hpp"
#include "services_answer.hpp"

namespace constellm::bindings {
namespace {

namespace heuristics = services::heuristics;
using services::Answer;
using services::Problem;
using Start = std::optional<std::pair<services::Replicas, services::Assignment>>;

/// What `method(slots, stop)` finds in time.
template <class Method>
py::tuple searched(const Problem& problem, const BoundRoutes& routes, double time_limit_s, Method method) {
  return answered(time_limit_s, [&](core::StopToken& stop) {
    return heuristics::with_slots(problem, routes.routes, stop, method);
  });
}

py::tuple annealing(const Problem& problem, const BoundRoutes& routes, double time_limit_s,
                    std::uint64_t seed, int threads, std::optional<std::int64_t> moves, int chains,
                    Start start) {
  std::optional<services::Placement> begin;
  if (start) {
    begin = services::Placement{std::move(start->first), std::move(start->second)};
    services::evaluate(problem, routes.routes, *begin);  // throws for what is no placement
  }
  return searched(problem, routes, time_limit_s, [&](const heuristics::Slots& slots, core::StopToken& stop) {
    heuristics::AnnealingOptions options;
    options.seed = seed;
    options.threads = threads;
    options.chains = chains;
    options.moves = moves.value_or(heuristics::moves_worth(slots));
    return heuristics::anneal(slots, options, stop, begin ? &*begin : nullptr);
  });
}

py::tuple greedy(const Problem& problem, const BoundRoutes& routes, double time_limit_s, std::uint64_t, int) {
  return searched(problem, routes, time_limit_s, &heuristics::greedy);
}

py::tuple nearest(const Problem& problem, const BoundRoutes& routes, double time_limit_s, std::uint64_t,
                  int) {
  return searched(problem, routes, time_limit_s, &heuristics::nearest);
}

py::tuple monolith(const Problem& problem, const BoundRoutes& routes, double time_limit_s, std::uint64_t,
                   int) {
  return searched(problem, routes, time_limit_s, &heuristics::monolith);
}

py::tuple random_placement(const Problem& problem, const BoundRoutes& routes, double time_limit_s,
                           std::uint64_t seed, int) {
  return searched(problem, routes, time_limit_s, [&](const heuristics::Slots& slots, core::StopToken& stop) {
    return heuristics::random_placement(slots, seed, heuristics::kRandomTries, stop);
  });
}

py::tuple tabu(const Problem& problem, const BoundRoutes& routes, double time_limit_s, std::uint64_t seed,
               int) {
  return searched(problem, routes, time_limit_s, [&](const heuristics::Slots& slots, core::StopToken& stop) {
    heuristics::TabuOptions options;
    options.seed = seed;
    options.moves = heuristics::moves_worth(slots);
    return heuristics::tabu(slots, options, stop);
  });
}

py::tuple genetic(const Problem& problem, const BoundRoutes& routes, double time_limit_s, std::uint64_t seed,
                  int) {
  return searched(problem, routes, time_limit_s, [&](const heuristics::Slots& slots, core::StopToken& stop) {
    heuristics::GeneticOptions options;
    options.seed = seed;
    return heuristics::genetic(slots, options, stop);
  });
}

}  // namespace

void register_services_search(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const auto signature = [](const std::string& name, const std::string& more) {
    return name + "(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int" + more +
           ") -> " + kAnswer;
  };
  m.def("annealing", &annealing, py::arg("problem"), py::arg("routes"), py::arg("time_limit_s"),
        py::arg("seed"), py::arg("threads"), py::kw_only(), py::arg("moves") = py::none(),
        py::arg("chains") = heuristics::AnnealingOptions{}.chains, py::arg("start") = py::none(),
        (signature("annealing", ", *, moves: int | None = None, chains: int = " +
                                    std::to_string(heuristics::AnnealingOptions{}.chains) +
                                    ", start: tuple[list[list[int]], list[list[int]]] | None = None") +
         "\n\nOf None so many moves as the size of the problem is worth.")
            .c_str());
  const auto method = [&](const char* name, auto call) {
    m.def(name, call, py::arg("problem"), py::arg("routes"), py::arg("time_limit_s"), py::arg("seed"),
          py::arg("threads"), signature(name, "").c_str());
  };
  method("greedy", &greedy);
  method("nearest", &nearest);
  method("random", &random_placement);
  method("monolith", &monolith);
  method("tabu", &tabu);
  method("genetic", &genetic);
}

}  // namespace constellm::bindings
