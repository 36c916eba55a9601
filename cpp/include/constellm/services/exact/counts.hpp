#pragma once
#include "constellm/services/exact/state.hpp"

namespace constellm::services::exact {

/// Raises the least counts of replicas: slots whose nodes have none in common need one each, loads need speed, and two
/// replicas are needed where no node can serve all slots.
void raise_counts(const Model& model, State& state);

}  // namespace constellm::services::exact
