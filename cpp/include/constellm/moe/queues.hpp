#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/moe/picks.hpp"

namespace constellm::moe {

/// Where an expert is served in a slot. Those of one server have the same figures.
struct Served {
  std::int32_t server = -1;  ///< -1: by nobody, and waits for nobody
  double latency_s = 0.0;    ///< until the first of a server's picks is done
  double service_s = 0.0;    ///< what each further one adds
};

/// Expected latency of the slowest pick of a layer, where experts may share a server: of n picks there the
/// last is done at latency_s + (n - 1) * service_s. To 1e-9 of itself. Its memory is kept between calls.
class Queues {
 public:
  /// `picks` outlives it.
  explicit Queues(const Picks& picks);

  double expected_s(std::span<const Served> experts);

  /// What the most expensive call takes, in additions: every expert beside another one.
  [[nodiscard]] double most_work() const;

 private:
  struct Server {
    double latency_s;
    double service_s;
    std::vector<std::int32_t> experts;
  };
  struct Level {  ///< of latency: `count` picks on that server make the layer wait so long
    double latency_s;
    std::int32_t server;
    std::int32_t count;
  };

  void group(std::span<const Served> experts);
  [[nodiscard]] double alone_s(std::span<const Served> experts);
  [[nodiscard]] double by_pairs_s() const;
  [[nodiscard]] double all_s() const;
  [[nodiscard]] double by_sets_s();
  [[nodiscard]] double by_race_s();
  void list_sets();

  struct Set {
    std::uint32_t experts;
    double probability;
  };

  const Picks* picks_;
  std::vector<Set> sets_;  ///< that may be picked, where they are few
  std::vector<double> latency_s_;
  std::vector<Server> servers_;
  std::size_t used_ = 0;  ///< of servers_
  std::vector<std::int32_t> at_;
  std::vector<Level> levels_;
  std::vector<std::uint32_t> masks_;
  std::vector<double> tree_;
  std::vector<double> whole_;
};

}  // namespace constellm::moe
