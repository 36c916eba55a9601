#pragma once
#include "constellm/search/graph.hpp"

namespace constellm::search {

/// The best solutions so far. Takes complete walks and says what is still worth finding.
class Incumbents {
 public:
  virtual ~Incumbents() = default;
  /// A walk that may be a solution; whether it is, and its value, is found out here.
  virtual void offer(const Walk& walk) = 0;
  /// Nothing of this value or more is wanted any longer.
  [[nodiscard]] virtual double cutoff() const = 0;
};

}  // namespace constellm::search
