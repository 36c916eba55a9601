#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "constellm/orbit/ground_station.hpp"
#include "constellm/orbit/link_rule.hpp"
#include "constellm/orbit/shell.hpp"

namespace constellm::orbit {

/// Two nodes, a < b.
struct Pair {
  std::int32_t a = 0;
  std::int32_t b = 0;

  auto operator<=>(const Pair&) const = default;
};

/// Which node is what. Satellites come first, those of the shells one after the other, then those of no
/// shell; behind them the stations.
class Layout {
 public:
  /// Throws core::InvalidInput where the shells have more satellites than there are.
  Layout(std::span<const Shell> shells, std::int32_t satellites, std::int32_t stations);

  [[nodiscard]] std::int32_t satellites() const { return satellites_; }
  [[nodiscard]] std::int32_t stations() const { return stations_; }

  /// The satellites that a rule is about: [first, end).
  struct Range {
    std::int32_t first = 0;
    std::int32_t end = 0;
  };
  [[nodiscard]] Range satellites_of(const LinkRule& rule) const;

  /// Whether two satellites are of one plane of one shell.
  [[nodiscard]] bool in_one_plane(Pair pair) const {
    return plane_[static_cast<std::size_t>(pair.a)] == plane_[static_cast<std::size_t>(pair.b)];
  }

  /// The pairs of a rule of the pattern 'plus-grid' or 'ring', in rising order, each once: a plane of two
  /// satellites has one link, a plane of one none, and a closed seam of two planes no second link of a pair.
  [[nodiscard]] std::vector<Pair> grid(const LinkRule& rule) const;

  /// Throws core::InvalidInput for a rule about a shell that there is not, and for too many nearest.
  void check(std::span<const LinkRule> rules) const;

 private:
  void check_asked(const LinkRule& rule, std::size_t position) const;
  struct Part {
    std::string name;
    std::int32_t first;
    std::int32_t planes;
    std::int32_t in_plane;

    [[nodiscard]] std::int32_t satellites() const { return planes * in_plane; }
  };
  [[nodiscard]] const Part* find(const std::string& shell) const;

  std::vector<Part> parts_;
  std::vector<std::int32_t> plane_;  ///< [satellites]; one of no shell is alone in its plane
  std::int32_t satellites_;
  std::int32_t stations_;
};

}  // namespace constellm::orbit
