#include "constellm/model/layer.hpp"

namespace constellm::model {

void validate(const Layer& layer, const core::Place& where) { core::check_ranges(layer, where); }

}  // namespace constellm::model
