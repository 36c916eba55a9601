#include "register.hpp"

PYBIND11_MODULE(_core, m) {
  using namespace constellm::bindings;
  m.doc() = "The compiled part of constellm; private: use the package's own modules.";
  register_core(m);
  register_model(m);
  register_network(m);
  register_codec(m);
  register_scheme(m);
  register_split(m);
  register_solve(m);
  register_generation(m);
  register_baselines(m);
  register_sweep(m);
}
