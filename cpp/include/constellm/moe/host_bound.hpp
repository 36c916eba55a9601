#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/hosting.hpp"

namespace constellm::moe {

/// A plain problem whose satellites are the places of a hosting's, each by itself.
struct PlacesProblem {
  Problem problem;
  std::vector<std::int32_t> host;  ///< by place: the satellite that it is one of
};

/// With one copy of each expert, no limits, and picks that wait for each other only where there are at most
/// two, it costs what the hosting costs; else no more. None where its tables of pairs would not fit.
std::optional<PlacesProblem> places_of(const Hosting& hosting);

/// What a layer costs at least where all its experts are placed anew in every slot, however many copies they
/// have: each then is served by one satellite, which has places for so many. With two picks the least of a
/// slot is searched for, with more it is the theorem's, or Gilmore and Lawler's with the queues. Throws
/// core::Stopped.
double anew_bound_s(const Hosting& hosting, std::size_t layer, core::StopToken& stop);

struct AssignedBound {
  double bound_s = std::numeric_limits<double>::infinity();  ///< without base_s; infinite: no placement
  Placement places;                                          ///< the assignment, by places; empty without one
};

/// Of one copy of each expert: an assignment of all experts of all layers to places, at what each costs at
/// least there (Gilmore and Lawler); an expert that alone exceeds a satellite's activations does not go
/// there. Throws core::Stopped.
AssignedBound assigned_bound(const Hosting& hosting, const PlacesProblem& places, core::StopToken& stop);

}  // namespace constellm::moe
