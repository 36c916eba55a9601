#pragma once
#include <cstdint>
#include <cstdlib>

namespace constellm::tests {

/// The same numbers on every machine (splitmix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}

  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(next() >> 11) * 0x1.0p-53);
  }
  std::int32_t below(std::int32_t n) {
    return static_cast<std::int32_t>(next() % static_cast<std::uint64_t>(n));
  }
  bool chance(double share) { return uniform(0.0, 1.0) < share; }

 private:
  std::uint64_t next() {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
  std::uint64_t state_;
};

/// How many random problems a test tries: CONSTELLM_RANDOM_PROBLEMS, else `usual`; never more than `most`.
inline std::uint64_t random_problems(std::uint64_t usual, std::uint64_t most = 20000) {
  const char* given = std::getenv("CONSTELLM_RANDOM_PROBLEMS");
  const std::uint64_t count = given == nullptr ? usual : std::strtoull(given, nullptr, 10);
  return count < most ? count : most;
}

}  // namespace constellm::tests
