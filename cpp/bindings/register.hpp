#pragma once
#include "pybind.hpp"

namespace constellm::bindings {

void register_core(py::module_& m);
void register_epoch(py::module_& m);
void register_model(py::module_& m);
void register_network(py::module_& m);
void register_graph(py::module_& m);
void register_timelines(py::module_& m);
void register_routing(py::module_& m);
void register_orbit(py::module_& m);
void register_frames(py::module_& m);
void register_links(py::module_& m);
void register_routes(py::module_& m);
void register_contact_plan(py::module_& m);
void register_codec(py::module_& m);
void register_scheme(py::module_& m);
void register_flow(py::module_& m);
void register_chain(py::module_& m);
void register_moe(py::module_& m);
void register_balance(py::module_& m);
void register_drift(py::module_& m);
void register_hosting(py::module_& m);
void register_services(py::module_& m);
void register_services_search(py::module_& m);
void register_services_bound(py::module_& m);
void register_services_domains(py::module_& m);
void register_split(py::module_& m);
void register_plan(py::module_& m);
void register_solve(py::module_& m);
void register_generation(py::module_& m);
void register_baselines(py::module_& m);
void register_tune(py::module_& m);
void register_sweeping(py::module_& m);

}  // namespace constellm::bindings
