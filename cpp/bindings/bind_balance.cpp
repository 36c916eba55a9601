#include "columns.hpp"
#include "constellm/moe/balance/balance.hpp"
#include "register.hpp"
#include "stoppable.hpp"

namespace constellm::bindings {
namespace {

/// Of each layer; loads (layers, experts) were checked.
py::tuple balance(const py::array_t<double, py::array::c_style>& loads, std::int32_t devices,
                  std::int32_t places) {
  const py::ssize_t layers = loads.shape(0);
  const py::ssize_t experts = loads.shape(1);
  std::vector<std::int32_t> copies;
  std::vector<std::int32_t> expert_on;
  std::vector<double> load;
  std::vector<double> bound;
  stoppable([&](core::StopToken& stop) {
    for (py::ssize_t l = 0; l < layers; ++l) {
      if (stop.should_stop(static_cast<std::uint64_t>(experts) * 16)) throw core::Stopped();
      const moe::Balance found =
          moe::balance({loads.data() + l * experts, static_cast<std::size_t>(experts)}, devices, places);
      copies.insert(copies.end(), found.copies.begin(), found.copies.end());
      expert_on.insert(expert_on.end(), found.expert_on.begin(), found.expert_on.end());
      load.insert(load.end(), found.load.begin(), found.load.end());
      bound.push_back(found.lower_bound);
    }
    return 0;
  });
  return py::make_tuple(moved(std::move(expert_on), {layers, devices, places}),
                        moved(std::move(copies), {layers, experts}),
                        moved(std::move(load), {layers, devices}), moved(std::move(bound), {layers}));
}

}  // namespace

void register_balance(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string figures = "numpy.typing.NDArray[numpy.float64]";
  const std::string numbers = "numpy.typing.NDArray[numpy.int32]";
  m.def("balance", &balance, py::arg("loads"), py::arg("devices"), py::arg("places"),
        ("balance(loads: " + figures + ", devices: int, places: int) -> tuple[" + numbers + ", " + numbers +
         ", " + figures + ", " + figures +
         "]\n\nExpert on each place (layers, devices, places), copies (layers, experts), loads (layers, "
         "devices), bounds.")
            .c_str());
}

}  // namespace constellm::bindings
