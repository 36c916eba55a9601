#include <algorithm>
#include <optional>
#include <random>

#include "catch.hpp"
#include "constellm/codec/coding.hpp"
#include "constellm/core/simd.hpp"
#include "messages.hpp"

// AVX2's instructions and those that every processor has: the same bytes, values and refusals.
namespace {

using namespace messages;

/// As on a machine without AVX2, while it lives.
struct WithoutAvx2 {
  WithoutAvx2() { core::avx2_allowed = false; }
  ~WithoutAvx2() { core::avx2_allowed = true; }
  WithoutAvx2(const WithoutAvx2&) = delete;
  WithoutAvx2& operator=(const WithoutAvx2&) = delete;
};

/// What a message decodes to, if it is one.
std::optional<std::vector<std::byte>> outcome(const Bytes& message, Workspace& workspace) {
  try {
    return decode_message(message, workspace);
  } catch (const core::InvalidInput&) {
    return std::nullopt;
  }
}

TEST_CASE("messages do not depend on the processor's instructions") {
  int compared = 0;
  Workspace workspace;
  for (const Scheme& scheme : all_schemes()) {
    // Two, four and eight lanes; strips of unequal lengths; features that fill no word, or an odd number.
    for (const auto& [tokens, features] : {std::pair{3, 1}, std::pair{130, 67}, std::pair{261, 40},
                                           std::pair{1027, 15}, std::pair{1030, 130}, std::pair{1024, 2}}) {
      const Array array(tokens, features, 8);
      const Bytes message = encode_array(array, scheme, workspace);
      const std::vector<std::byte> decoded = decode_message(message, workspace);
      const WithoutAvx2 without;
      REQUIRE(encode_array(array, scheme, workspace) == message);
      REQUIRE(decode_message(message, workspace) == decoded);
      ++compared;
    }
  }
  REQUIRE(compared == 5 * 3 * 3 * 4 * 6);
}

TEST_CASE("rows of unequal counts, and rows that keep nothing, decode in step") {
  Workspace workspace;
  Scheme scheme;
  scheme.sparsify = Sparsify::mask;
  for (const std::int64_t tokens : {7, 300, 1025, 2000}) {
    Array array(tokens, 33, 9);
    std::mt19937 engine(10);
    for (std::size_t t = 0; t < static_cast<std::size_t>(tokens); ++t) {
      const auto share = engine() % 6;
      for (std::size_t f = 0; f < 33; ++f) array.mask[33 * t + f] = engine() % 5 < share ? 1 : 0;
    }
    for (const bool last_strip_only : {false, true}) {
      if (last_strip_only) std::fill(array.mask.begin(), array.mask.end() - 33, std::uint8_t{0});
      const Bytes message = encode_array(array, scheme, workspace);
      const std::vector<std::byte> decoded = decode_message(message, workspace);
      const auto* values = reinterpret_cast<const float*>(decoded.data());
      bool kept = true;
      for (std::size_t i = 0; i < array.mask.size(); ++i) {
        kept =
            kept && (array.mask[i] != 0 ? std::fabs(values[i] - array.values[i]) < 0.02f : values[i] == 0.0f);
      }
      REQUIRE(kept);
      const WithoutAvx2 without;
      REQUIRE(encode_array(array, scheme, workspace) == message);
      REQUIRE(decode_message(message, workspace) == decoded);
    }
  }
}

TEST_CASE("what is kept does not depend on the instructions, nor on where the search began") {
  std::mt19937 engine(11);
  core::StopToken never;
  SelectorScratch scratch;
  for (int i = 0; i < 2000; ++i) {
    const auto n = static_cast<std::int64_t>(1 + engine() % 200);
    std::vector<float> row(static_cast<std::size_t>(n));
    const auto kinds = static_cast<unsigned>(1 + engine() % 40);  // many are equal
    for (float& value : row) {
      value = std::ldexp(static_cast<float>(engine() % kinds) - static_cast<float>(kinds / 3),
                         static_cast<int>(engine() % (i % 2 == 0 ? 1 : 200)) - 100);
    }
    Scheme scheme;
    scheme.sparsify = Sparsify::top_k;
    scheme.keep = static_cast<double>(1 + engine() % 100) / 100.0;
    const std::int64_t k = kept_of(scheme.keep, n);
    std::vector<std::size_t> order(row.size());
    for (std::size_t f = 0; f < order.size(); ++f) order[f] = f;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return std::fabs(row[a]) > std::fabs(row[b]); });
    std::vector<std::uint64_t> wanted(static_cast<std::size_t>((n + 63) / 64));
    for (std::size_t f = 0; f < static_cast<std::size_t>(k); ++f) {
      wanted[order[f] / 64] |= std::uint64_t{1} << (order[f] % 64);
    }
    std::vector<std::uint64_t> bits(wanted.size());
    select(row.data(), n, scheme, never, scratch, bits.data());
    REQUIRE(bits == wanted);
    const WithoutAvx2 without;
    select(row.data(), n, scheme, never, scratch, bits.data());
    REQUIRE(bits == wanted);
  }
}

TEST_CASE("checksums do not depend on the processor's instructions") {
  std::mt19937 engine(12);
  std::vector<std::uint8_t> data(300);
  for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>(engine());
  for (std::size_t n = 0; n < data.size(); ++n) {
    const std::uint32_t sum = crc32c({data.data(), n}, 77);
    const WithoutAvx2 without;
    REQUIRE(crc32c({data.data(), n}, 77) == sum);
  }
}

TEST_CASE("damaged messages of many rows decode to the same, or to an error, on every processor") {
  Workspace workspace;
  std::mt19937 engine(13);
  int whole = 0;
  int refused = 0;
  for (const auto& [tokens, features] : {std::pair{1029, 9}, std::pair{300, 21}, std::pair{40, 64}}) {
    for (const double keep : {0.3, 1.0}) {
      Scheme scheme;
      scheme.sparsify = keep < 1.0 ? Sparsify::top_k : Sparsify::none;
      scheme.keep = keep;
      scheme.bits = 4;
      const Bytes message = encode_array(Array(tokens, features, 14), scheme, workspace);
      for (int i = 0; i < 400; ++i) {
        Bytes changed = message;
        for (auto n = 1 + engine() % 3; n > 0; --n) {
          changed[7 + engine() % (changed.size() - 7)] = static_cast<std::uint8_t>(engine());
        }
        if (i % 4 == 0) changed.resize(changed.size() - 1 - engine() % 20);
        reseal(changed);
        const auto with = outcome(changed, workspace);
        const WithoutAvx2 without;
        REQUIRE(outcome(changed, workspace) == with);
        ++(with ? whole : refused);
      }
    }
  }
  REQUIRE(whole > 0);
  REQUIRE(refused > 1000);
}

}  // namespace
