#include "constellm/core/error.hpp"
#include "constellm/core/status.hpp"
#include "register.hpp"

namespace constellm::bindings {

void register_core(py::module_& m) {
  // std::invalid_argument, and so core::InvalidInput, already reaches Python as ValueError.
  m.attr("version") = CONSTELLM_VERSION;
  py::dict build;
  build["compiler"] = __VERSION__;
#if defined(__clang__)
  build["compiler_family"] = "clang";
#elif defined(__GNUC__)
  build["compiler_family"] = "gcc";
#else
  build["compiler_family"] = "unknown";
#endif
  build["cxx_standard"] = static_cast<long>(__cplusplus);
#if defined(NDEBUG)
  build["assertions"] = false;
#else
  build["assertions"] = true;
#endif
  m.attr("build") = build;
}

}  // namespace constellm::bindings
