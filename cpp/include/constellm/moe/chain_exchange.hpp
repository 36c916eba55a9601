#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/chain.hpp"

namespace constellm::moe {

/// Local search for a chain: an expert goes to a place of another satellite, and whoever is there takes its
/// old one. What a change gains is a sum over the neighbouring layers' experts.
class ChainExchange {
 public:
  /// `hosts` are within the satellites' places.
  ChainExchange(const Chain& chain, std::vector<std::int32_t> hosts, std::uint64_t seed);

  /// Simulated annealing (Kirkpatrick et al., 1983): so many changes are tried, three of four near the host
  /// of an expert that the moved one hands on to or gets from, and one that loses is taken with a chance that
  /// falls as it goes on. The placement may be worse after than before.
  void anneal(std::uint64_t changes, core::StopToken& stop);
  /// Takes changes that gain until none does, or it is told to stop.
  void descend(core::StopToken& stop);

  [[nodiscard]] const std::vector<std::int32_t>& hosts() const { return hosts_; }

 private:
  struct Change {
    std::int32_t expert;
    std::size_t place;
    double gain;  ///< [s]
  };

  [[nodiscard]] Change some();
  [[nodiscard]] std::int32_t some_satellite(std::int32_t expert);
  [[nodiscard]] double gain_s(std::int32_t expert, std::size_t place) const;
  void take(const Change& change);

  const Chain& chain_;
  std::vector<std::int32_t> hosts_;
  core::Random random_;
  std::vector<std::size_t> first_place_;    ///< [satellites + 1]
  std::vector<std::int32_t> satellite_of_;  ///< by place
  std::vector<std::int32_t> host_of_;       ///< by place: the expert there, or -1
  std::vector<std::size_t> place_of_;       ///< by expert
  std::vector<std::size_t> first_partner_;  ///< [experts + 1]: into the next two
  std::vector<std::int32_t> partner_;       ///< of each expert those with an affinity to it
  std::vector<double> up_to_;               ///< the sum of affinities up to that partner
  std::size_t near_count_;
  std::vector<std::int32_t> near_;  ///< [satellites][near_count_]: itself and the nearest
};

}  // namespace constellm::moe
