#include "register.hpp"

namespace constellm::bindings {
void register_services_domains(py::module_& m);
}

namespace {

/// An instance that `__new__` alone made has no value. pybind11 would give it memory that nobody wrote, by
/// the type's `operator new`, where it is first read.
void refuse_instances_without_value(const py::module_& area) {
  for (const auto& [name, value] : py::dict(area.attr("__dict__"))) {
    if (PyType_Check(value.ptr()) == 0) continue;
    auto* info = py::detail::get_type_info(reinterpret_cast<PyTypeObject*>(value.ptr()));
    if (info == nullptr) continue;
    info->operator_new = [](std::size_t) -> void* {
      throw py::type_error("expected a value, got an instance that __new__ made without __init__");
    };
  }
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  using namespace constellm::bindings;
  m.doc() = "The compiled part of constellm, a submodule an area; private: use the package's own modules.";
  py::module_ core = m.def_submodule("core");
  py::module_ model = m.def_submodule("model");
  py::module_ network = m.def_submodule("network");
  py::module_ orbit = m.def_submodule("orbit");
  py::module_ codec = m.def_submodule("codec");
  py::module_ flow = m.def_submodule("flow");
  py::module_ moe = m.def_submodule("moe");
  py::module_ services = m.def_submodule("services");
  py::module_ split = m.def_submodule("split");
  py::module_ tune = m.def_submodule("tune");
  register_core(core);
  register_epoch(core);
  register_model(model);
  register_network(network);
  register_orbit(orbit);
  register_frames(orbit);
  register_links(orbit);
  register_routes(orbit);
  register_codec(codec);
  register_scheme(codec);
  register_flow(flow);
  register_moe(moe);
  register_balance(moe);
  register_drift(moe);
  register_hosting(moe);
  register_chain(moe);
  register_tune(tune);
  register_services(services);
  register_services_search(services);
  register_services_bound(services);
  register_services_domains(services);
  register_split(split);
  register_plan(split);
  register_solve(split);
  register_generation(split);
  register_baselines(split);
  py::module_ sweeping = split.def_submodule("sweeping", "Problems and their plans for `constellm.sweep`.");
  register_sweeping(sweeping);
  for (const py::module_& area : {core, model, network, orbit, codec, flow, moe, services, split, tune, sweeping})
    refuse_instances_without_value(area);

  // Pickles of constellm 0.1.0 name their classes as constellm._core.X. Found when asked for, so that the
  // module shows its areas alone.
  py::dict homes;
  for (const char* name : {"Layer", "LayerProfile", "Pass", "TextEnds", "VisionEnds"}) homes[name] = model;
  for (const char* name : {"Node", "Link", "Network"}) homes[name] = network;
  for (const char* name : {"Codec", "Scheme"}) homes[name] = codec;
  for (const char* name : {"Problem", "Stage", "Plan"}) homes[name] = split;
  m.def(
      "__getattr__",
      [homes](const std::string& name) {
        if (homes.contains(name)) return py::object(homes[name.c_str()].attr(name.c_str()));
        throw py::attribute_error("module 'constellm._core' has no attribute '" + name + "'");
      },
      py::arg("name"));
}
