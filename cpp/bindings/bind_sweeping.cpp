#include "constellm/split/sweeping.hpp"
#include "plan_view.hpp"
#include "register.hpp"
#include "sweep_binding.hpp"

namespace constellm::bindings {

void register_sweeping(py::module_& m) {
  using split::Sweeping;
  bind_sweep<split::Problem>(
      m, Sweeping{},
      [](const split::Problem& problem) -> const split::ProblemSpec& { return problem.spec(); },
      [](Sweeping::Answer answer) {
        return py::cast(PlanView{std::move(answer.problem), std::move(answer.plan)});
      });
  py::options options;
  options.disable_function_signatures();
  m.def("check_method", &Sweeping::check_method, py::arg("method"),
        "check_method(method: str) -> None\n\nValueError with the known names for a method that `run` does "
        "not know.");
}

}  // namespace constellm::bindings
