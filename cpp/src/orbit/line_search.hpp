#pragma once
#include "constellm/orbit/stretch.hpp"
#include "line.hpp"

namespace constellm::orbit {

/// Adds when all conditions of a line hold between two moments.
void search(const Line& line, double start_s, double stop_s, Stretches& found);

}  // namespace constellm::orbit
