#pragma once
#include <functional>
#include <optional>
#include <type_traits>
#include <vector>

#include "constellm/core/fields.hpp"
#include "constellm/core/plausible.hpp"
#include "constellm/network/graph.hpp"
#include "pybind.hpp"

// Remarks on networks that a user makes: what the core makes of one has been seen.
namespace constellm::bindings {

/// Python's warning, said once a field; may throw, where warnings are errors.
inline void remark(const char* field, std::optional<double> value) {
  if (value) py::module_::import("constellm.core.plausible").attr("remark")(field, *value);
}

/// Remarks on fields of records of which every figure is implausible.
template <core::Described T>
void look_at(const std::vector<T>& items) {
  core::fields_of<T>().for_each([&]<class Access>(const core::Field<T, Access>& field) {
    if constexpr (std::is_same_v<typename core::Field<T, Access>::Value, double>)
      remark(field.name, core::implausible(field.name, items, field.access));
  });
}

inline void look_at(const network::Network& network) {
  look_at(network.nodes);
  look_at(network.links);
}

inline void look_at(const network::Graph& graph) {
  look_at(graph.nodes());
  const network::LinkColumns& columns = graph.columns();
  remark("rate_bps", core::implausible("rate_bps", columns.rate_bps, std::identity{}));
  remark("latency_s", core::implausible("latency_s", columns.latency_s, std::identity{}));
}

}  // namespace constellm::bindings
