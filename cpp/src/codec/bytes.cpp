#include "constellm/codec/bytes.hpp"

#include <array>

#include "constellm/core/simd.hpp"

#if CONSTELLM_HAS_AVX2_CODE
#include <nmmintrin.h>
#endif

namespace constellm::codec {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// Eight bytes a step: table k has the effect of a byte that k more bytes follow.
constexpr Tables make_tables() {
  constexpr std::uint32_t kPolynomial = 0x82f63b78u;  // 0x1edc6f41, lowest bit first
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? kPolynomial : 0u);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

#if CONSTELLM_HAS_AVX2_CODE
// The processor has an instruction for this polynomial. Whole words; returns how many bytes that are.
CONSTELLM_AVX2 std::size_t add_words(std::span<const std::uint8_t> data, std::uint32_t& crc) {
  std::uint64_t sum = crc;
  std::size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data() + at, 8);
    sum = _mm_crc32_u64(sum, word);
  }
  crc = static_cast<std::uint32_t>(sum);
  return at;
}
#else
std::size_t add_words(std::span<const std::uint8_t>, std::uint32_t&) { return 0; }
#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::uint8_t> data, std::uint32_t before) {
  std::uint32_t crc = ~before;
  if (core::has_avx2()) data = data.subspan(add_words(data, crc));
  const std::uint8_t* byte = data.data();
  std::size_t left = data.size();
  for (; left >= 8; left -= 8, byte += 8) {
    std::uint64_t word;
    std::memcpy(&word, byte, 8);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; left > 0; --left, ++byte) crc = (crc >> 8) ^ kTables[0][(crc ^ *byte) & 0xff];
  return ~crc;
}

}  // namespace constellm::codec
