#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "constellm/split/generation.hpp"
#include "constellm/split/naming.hpp"
#include "record.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

using Array = py::array_t<double, py::array::c_style | py::array::forcecast>;

split::GenerationSpec spec_of(const split::Problem& prefill, const Array& decode,
                              const std::vector<double>& memory_bandwidth_bytes_per_s,
                              std::int64_t new_tokens, double token_bytes) {
  if (decode.ndim() != 2 || decode.shape(1) != 3) throw py::value_error("decode: expected shape (layers, 3)");
  split::GenerationSpec spec{prefill, {}, memory_bandwidth_bytes_per_s, new_tokens, token_bytes};
  const auto rows = decode.unchecked<2>();
  for (py::ssize_t i = 0; i < rows.shape(0); ++i) spec.decode.push_back({rows(i, 0), rows(i, 1), rows(i, 2)});
  return spec;
}

}  // namespace

void register_generation(py::module_& m) {
  record<split::GenerationTerms>(m);
  m.def(
      "solve_generation",
      [](const split::Problem& prefill, const Array& decode,
         const std::vector<double>& memory_bandwidth_bytes_per_s, std::int64_t new_tokens, double token_bytes,
         double time_limit_s) {
        const split::GenerationSpec spec =
            spec_of(prefill, decode, memory_bandwidth_bytes_per_s, new_tokens, token_bytes);
        split::Plan plan = run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
          return split::solve_generation(spec, stop, workspace);
        });
        // What was proven is proven of total_s; of the prefill alone the plan proves nothing.
        const std::string status(core::to_text(plan.status));
        const double lower_bound_s =
            std::exchange(plan.lower_bound_s, std::numeric_limits<double>::quiet_NaN());
        plan.status = plan.assignment ? core::Status::feasible : core::Status::no_plan_found;
        return std::tuple(split::Answer{prefill, std::move(plan)}, status, lower_bound_s);
      },
      py::arg("prefill"), py::arg("decode"), py::kw_only(), py::arg("memory_bandwidth_bytes_per_s"),
      py::arg("new_tokens"), py::arg("token_bytes"), py::arg("time_limit_s"),
      "See `constellm.split.solve_generation`.");
  m.def(
      "check_generation",
      [](const split::Problem& prefill, const Array& decode,
         const std::vector<double>& memory_bandwidth_bytes_per_s, std::int64_t new_tokens,
         double token_bytes) {
        split::validate(spec_of(prefill, decode, memory_bandwidth_bytes_per_s, new_tokens, token_bytes));
      },
      py::arg("prefill"), py::arg("decode"), py::kw_only(), py::arg("memory_bandwidth_bytes_per_s"),
      py::arg("new_tokens"), py::arg("token_bytes"), "Raises ValueError that names field, value and range.");
  m.def(
      "evaluate_generation",
      [](const split::Problem& prefill, const Array& decode,
         const std::vector<double>& memory_bandwidth_bytes_per_s, std::int64_t new_tokens, double token_bytes,
         const std::vector<std::string>& path, const std::vector<split::Stage>& stages,
         std::int64_t requests) {
        const split::GenerationSpec spec =
            spec_of(prefill, decode, memory_bandwidth_bytes_per_s, new_tokens, token_bytes);
        return split::evaluate_generation(spec, split::to_assignment(prefill, path, stages), requests);
      },
      py::arg("prefill"), py::arg("decode"), py::kw_only(), py::arg("memory_bandwidth_bytes_per_s"),
      py::arg("new_tokens"), py::arg("token_bytes"), py::arg("path"), py::arg("stages"), py::arg("requests"),
      "See `constellm.split.GenerationProblem.evaluate`.");
}

}  // namespace constellm::bindings
