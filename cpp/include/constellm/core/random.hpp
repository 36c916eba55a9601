#pragma once
#include <cstdint>

namespace constellm::core {

/// The last steps of splitmix64: every bit of what comes out depends on every bit of what goes in.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// The same numbers from a seed on every machine (splitmix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mixed(seed)) {}

  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// In [0, count), by the upper bits of a product: a bias of count / 2^32.
  std::uint32_t below(std::uint32_t count) {
    return static_cast<std::uint32_t>(((next() >> 32) * count) >> 32);
  }

 private:
  std::uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15u); }
  std::uint64_t state_;
};

}  // namespace constellm::core
