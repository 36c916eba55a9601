#pragma once
#include <cstdint>
#include <vector>

#include "constellm/services/exact/state.hpp"

namespace constellm::services::exact {

/// What a node gains at most: it chooses services that fit its memory and slots that fit its speed, is paid
/// each slot's price and pays for each replica. max Σ price x − Σ fixed y, exact up to a fixed effort, above
/// which the answer is an upper bound. One for each thread.
class Packing {
 public:
  explicit Packing(const Model& model) : model_(model) {}

  struct Prices {
    const double* place = nullptr;  ///< [places]
    const double* host = nullptr;   ///< [services] of a replica
  };

  /// Also writes what is chosen there: `served` [places] and `opened` [hosts], where they are not null.
  double best(const State& state, const Prices& prices, std::int32_t node, std::uint8_t* served,
              std::uint8_t* opened);
  /// With one host surely there, or surely not; minus infinity where that cannot be.
  double best_with(const State& state, const Prices& prices, std::int32_t node, std::int32_t host,
                   bool there);

 private:
  struct Item {
    std::int32_t host = 0;
    bool forced = false;
    bool whole = false;  // all of its slots or none
    double fixed = 0.0;
    double memory = 0.0;
    double load = 0.0;  // of the slots that pay
    double gain = 0.0;  // where all that pay are served
  };
  struct Piece {
    std::int32_t place = 0;
    std::int32_t item = 0;
    double price = 0.0;
    double load = 0.0;
  };

  double solve(const State& state, const Prices& prices, std::int32_t node, std::int32_t host, bool there);
  void add(const State& state, const Prices& prices, std::int32_t host, bool forced);
  void dive(std::size_t item, double memory, double gain, double load);
  [[nodiscard]] double memory_bound(std::size_t item, double memory) const;
  [[nodiscard]] double load_bound(std::size_t item, double memory);
  void leaf();
  void pieces(std::size_t piece, double load, double gain);

  const Model& model_;
  std::vector<Item> items_;  // the forced ones first
  std::vector<Piece> pieces_;
  std::vector<std::uint8_t> taken_, best_taken_;  // [items]
  std::vector<std::uint8_t> held_, best_held_;    // [pieces]
  std::vector<std::uint8_t> leaf_held_;
  std::vector<std::uint8_t> in_parts_;  // [items] what the bound by speed may divide

  double capacity_ = 0.0;
  double best_ = 0.0;
  double leaf_best_ = 0.0;
  bool loaded_ = false;  // the speed matters
  std::int32_t effort_ = 0;
  std::int32_t leaf_effort_ = 0;
  double missed_ = 0.0;  // the largest bound of what the effort did not reach
};

}  // namespace constellm::services::exact
