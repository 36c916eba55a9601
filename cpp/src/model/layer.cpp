#include "constellm/model/layer.hpp"

namespace constellm::model {

void validate(const Layer& layer, std::string_view where) { core::check_ranges(layer, where); }

}  // namespace constellm::model
