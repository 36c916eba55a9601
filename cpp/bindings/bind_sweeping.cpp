#include "constellm/split/sweeping.hpp"
#include "register.hpp"
#include "sweep_binding.hpp"

namespace constellm::bindings {

void register_sweeping(py::module_& m) {
  using split::Sweeping;
  bind_sweep<split::Problem>(
      m, Sweeping{},
      [](const split::Problem& problem) -> const split::ProblemSpec& { return problem.spec(); },
      [](split::Answer answer) { return py::cast(std::move(answer)); });
  py::options options;
  options.disable_function_signatures();
  m.def("check_method", &Sweeping::check_method, py::arg("method"),
        "check_method(method: str) -> None\n\nValueError with the known names for a method that `run` does "
        "not know.");
}

}  // namespace constellm::bindings
