#include <functional>
#include <string>
#include <vector>

#include "constellm/core/constants.hpp"
#include "constellm/core/plausible.hpp"
#include "constellm/core/simd.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

// The compiler and its version, as one text.
std::string compiler() {
#if defined(__clang__)
  return __VERSION__;  // begins with "Clang"
#else
  return std::string("GCC ") + __VERSION__;
#endif
}

// What the compiler was allowed to assume of every machine.
const char* simd_baseline() {
#if defined(__AVX512F__)
  return "avx512f";
#elif defined(__AVX2__)
  return "avx2";
#elif defined(__SSE2__)
  return "sse2";
#elif defined(__ARM_NEON)
  return "neon";
#else
  return "none";
#endif
}

// What the functions that are compiled for more than the baseline use on this machine.
const char* simd_in_use() { return core::has_avx2() ? "avx2" : simd_baseline(); }

}  // namespace

void register_core(py::module_& m) {
  // std::invalid_argument, and so core::InvalidInput, already reaches Python as ValueError.
  m.attr("version") = CONSTELLM_VERSION;
  py::dict build;
  build["version"] = CONSTELLM_VERSION;
  build["compiler"] = compiler();
  build["cxx_standard"] = __cplusplus;
  build["build_type"] = CONSTELLM_BUILD_TYPE;
#if defined(NDEBUG)
  build["assertions"] = false;
#else
  build["assertions"] = true;
#endif
  build["eigen"] = CONSTELLM_EIGEN_VERSION;
  build["pybind11"] = CONSTELLM_PYBIND11_VERSION;
  build["simd_baseline"] = simd_baseline();
  build["simd_in_use"] = simd_in_use();
  m.attr("build") = build;
  py::list constants;
  for (const core::Constant* c : core::kConstants)
    constants.append(py::make_tuple(c->name, c->value, c->unit, c->source));
  m.attr("constants") = py::tuple(constants);
  py::class_<FieldInfo>(m, "Field", "What is said of a field of a record; every record lists its `fields`.")
      .def_readonly("name", &FieldInfo::name)
      .def_property_readonly(
          "type", [](const FieldInfo& field) { return short_type(field.type); },
          "as an annotation of what it takes")
      .def_readonly("doc", &FieldInfo::doc)
      .def_readonly("unit", &FieldInfo::unit, "SI; empty for a pure number and for what is none")
      .def_readonly("range", &FieldInfo::range, "of a number; empty for what is none")
      .def_readonly("section", &FieldInfo::section,
                    "the object in a file that holds it; empty: the record itself")
      .def_readonly("required", &FieldInfo::required)
      .def_readonly("required_in_files", &FieldInfo::required_in_files)
      .def_readonly("in_files", &FieldInfo::in_files)
      .def_readonly("always_written", &FieldInfo::always_written,
                    "false: left out of a file where there is none")
      .def_readonly("initial", &FieldInfo::initial, "where an optional field is not given");
  m.def(
      "implausible",
      [](const std::string& field, const std::vector<double>& values) {
        return core::implausible(field, values, std::identity{});
      },
      py::arg("field"), py::arg("values"), "See `constellm.core.plausible.warn_implausible`.");
  m.def("hint_for", &hint_for, py::arg("word"), py::arg("names"),
        "What goes behind an unknown name: the one that was meant, or all of them where none is like it.");
}

}  // namespace constellm::bindings
