#include <cmath>
#include <random>

#include "catch.hpp"
#include "constellm/codec/frequency.hpp"
#include "constellm/codec/half.hpp"
#include "constellm/codec/laplace.hpp"
#include "constellm/codec/quantiser.hpp"
#include "constellm/codec/rans.hpp"
#include "constellm/codec/select.hpp"

namespace {

using namespace constellm::codec;
namespace core = constellm::core;

TEST_CASE("CRC-32C of the standard's test vector") {
  const std::string digits = "123456789";
  REQUIRE(crc32c({reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size()}) == 0xe3069283u);
  const std::vector<std::uint8_t> zeros(32);
  REQUIRE(crc32c(zeros) == 0x8a9136aau);
}

TEST_CASE("every half goes to float and back, and floats round to the nearest half") {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7fff) >= 0x7c00) continue;
    const auto h = static_cast<std::uint16_t>(half);
    const float value = from_half(h);
    REQUIRE(to_half(value) == h);
    const int exponent = static_cast<int>((half >> 10) & 31);
    const double mantissa = half & 1023;
    const double wanted =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024.0 + mantissa, exponent - 25);
    REQUIRE(std::fabs(value) == wanted);
    if ((half & 0x7fff) == 0x7bff) continue;
    // Half way to the next: to even; a little more or less: to the nearer.
    const float next = from_half(static_cast<std::uint16_t>(half + 1));
    const float middle = (value + next) / 2.0f;
    REQUIRE(to_half(middle) == ((half & 1) != 0 ? half + 1 : half));
    REQUIRE(to_half(std::nextafter(middle, value)) == half);
    REQUIRE(to_half(std::nextafter(middle, next)) == half + 1);
  }
  REQUIRE(to_half(1e10f) == 0x7bff);
  REQUIRE(to_half(-1e10f) == 0xfbff);
}

TEST_CASE("Lambert's function and the quantiser's error") {
  for (const double z : {3.0, 12.0, 192.0, 1e6, 1e12}) {
    const double w = lambert_w(z);
    CHECK(w * std::exp(w) == Approx(z).epsilon(1e-13));
  }
  CHECK(clipping_point(4) == Approx(5.03).epsilon(1e-3));  // Banner et al. give 5.03 b
  for (int bits = 1; bits < kMostBits; ++bits) CHECK(quantisation_error(bits + 1) < quantisation_error(bits));
}

TEST_CASE("the clipping points of the quantiser are those of the menus") {
  core::StopToken never;
  for (int bits = 2; bits <= 8; ++bits) {
    // With an excess of mean square 2, that is of scale 1, and far values that are clipped.
    std::vector<float> values(100, 0.0f);
    values[0] = 1e4f;
    Scheme scheme;
    scheme.bits = bits;
    scheme.clip = Clip::laplace;
    const double scale = std::sqrt(1e8 / 100 / 2);
    REQUIRE(reach_of(values, scheme, never) ==
            Approx(std::min(clipping_point(bits) * scale, 1e4)).epsilon(1e-6));
  }
}

TEST_CASE("a scheme's fault names field, value and range") {
  REQUIRE_FALSE(fault_of({}));
  const auto says = [](const char* wanted, auto change) {
    Scheme scheme;
    change(scheme);
    REQUIRE(fault_of(scheme) == wanted);
  };
  says("keep: 0 is not in (0, 1]", [](Scheme& s) { s.keep = 0.0; });
  says("keep: 0.5 has no meaning with sparsify='mask'", [](Scheme& s) {
    s.sparsify = Sparsify::mask;
    s.keep = 0.5;
  });
  says("block: 65537 is not in [1, 65536]", [](Scheme& s) { s.block = 65537; });
  says("block: needed with sparsify='block-top-k' or scale='block'",
       [](Scheme& s) { s.scale = Scale::block; });
  says("bits: 1 is not in [2, 8], 0 or None", [](Scheme& s) { s.bits = 1; });
  says("seed: -1 is not in [0, 2^63)", [](Scheme& s) { s.seed = -1; });
}

TEST_CASE("scales round up, in 13 bits, and never to nothing or infinity") {
  for (const float value : {1e-45f, 1e-38f, 0.1f, 1.0f, 3.3e38f, 3.4028235e38f}) {
    const float scale = scale_of(scale_code(value));
    REQUIRE(scale > 0.0f);
    REQUIRE(std::isfinite(scale));
    if (value < 3.3e38f) REQUIRE(scale >= value);
    if (value > 1e-37f) REQUIRE(scale <= value * 1.04f);
  }
  REQUIRE(scale_code(0.0f) == 0);
}

TEST_CASE("no table costs less than a histogram's least cost") {
  std::mt19937 engine(7);
  for (int i = 0; i < 300; ++i) {
    Histogram histogram{};
    const int symbols = 2 + static_cast<int>(engine() % 255);
    const std::uint32_t most = 1u << engine() % 20;
    for (int s = 0; s < symbols; ++s) {
      if (engine() % 3 != 0)
        histogram[static_cast<std::size_t>(s)] = static_cast<std::uint32_t>(engine()) % (most + 1);
    }
    histogram[1] += 1;
    Fitted fitted;
    fit_frequencies(histogram, symbols, fitted);
    REQUIRE(least_cost_bits(histogram) <= fitted.cost_bits);
    double total = 0;
    for (const std::uint32_t count : histogram) total += count;
    double entropy = 0;
    for (const std::uint32_t count : histogram) {
      if (count > 0) entropy -= count * std::log2(count / total);
    }
    REQUIRE(static_cast<double>(least_cost_bits(histogram)) <= entropy + 1);
  }
}

TEST_CASE("tables of probabilities read back as they were fitted, and nearly reach the entropy") {
  std::mt19937 engine(1);
  int tables = 0;
  for (const int symbols : {2, 3, 7, 16, 100, 255, 256}) {
    for (const int shape : {0, 1, 2, 3}) {
      Histogram histogram{};
      double total = 0;
      for (int i = 0; i < symbols; ++i) {
        const double distance = std::fabs(i - symbols / 2.0);
        const double count = shape == 0   ? 1000
                             : shape == 1 ? 1e5 * std::exp(-distance / 10)
                             : shape == 2 ? (engine() % 4 == 0 ? static_cast<double>(engine() % 5000) : 0)
                                          : 1e6 * std::exp(-distance);
        histogram[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(count);
        total += histogram[static_cast<std::size_t>(i)];
      }
      if (total == 0) continue;
      Fitted fitted;
      fit_frequencies(histogram, symbols, fitted);
      ByteReader reader(fitted.description);
      REQUIRE(read_frequencies(reader, symbols) == fitted.freq);
      REQUIRE(reader.left() == 0);
      std::uint32_t sum = 0;
      double entropy = 0;
      for (std::size_t i = 0; i < histogram.size(); ++i) {
        sum += fitted.freq[i];
        if (histogram[i] == 0) continue;
        REQUIRE(fitted.freq[i] > 0);
        entropy -= histogram[i] * std::log2(histogram[i] / total);
      }
      REQUIRE(sum == kTotal);
      REQUIRE(static_cast<double>(fitted.cost_bits) < 1.01 * entropy + 1000 + 0.02 * total);
      ++tables;
    }
  }
  REQUIRE(tables >= 26);
}

TEST_CASE("states are divided exactly, whatever the probability") {
  std::mt19937 engine(4);
  for (std::uint32_t freq = 1; freq <= kTotal; ++freq) {
    const Range range = kDivisors[freq];
    REQUIRE(range.freq == freq);
    REQUIRE(range.begin() == 0);
    const std::uint64_t states = std::uint64_t{freq} << (32 - kTotalBits);  // that are divided are below this
    const auto divides = [&](std::uint64_t x) {
      return ((x + (x * range.reciprocal >> 32)) >> range.shift()) == x / freq;
    };
    bool all = divides(states - 1) && divides(0);
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t multiple = engine() % (states / freq) * freq;
      all = all && divides(multiple) && divides(multiple + freq - 1);
    }
    REQUIRE(all);
  }
}

TEST_CASE("what rANS codes it decodes, whatever the strips") {
  std::mt19937 engine(2);
  int runs = 0;
  for (const int lanes : {2, 4, 8}) {
    for (const std::int64_t n : {0, 1, 7, 8, 1000}) {
      // Symbols 0 to 3 of very different probabilities, 1 / kTotal among them.
      const std::array<std::uint32_t, 5> begin{0, 1, 64, 1000, kTotal};
      std::array<Range, 4> table;
      for (std::size_t s = 0; s < 4; ++s) table[s] = range_of(begin[s], kDivisors[begin[s + 1] - begin[s]]);
      std::vector<std::uint8_t> symbols;
      for (std::int64_t i = 0; i < n; ++i) symbols.push_back(static_cast<std::uint8_t>(engine() % 4));
      Strips at{};
      at[static_cast<std::size_t>(lanes)] = n;
      for (int l = lanes - 1; l > 0; --l) {  // unequal, some empty
        const auto next = at[static_cast<std::size_t>(l) + 1];
        at[static_cast<std::size_t>(l)] =
            next - std::min<std::int64_t>(next, static_cast<std::int64_t>(engine()) % (1 + n / 2));
      }
      core::StopToken never;
      Buffer<std::uint16_t> words;
      Bytes bytes;
      rans_encode(symbols.data(), table.data(), at, lanes, never, words, bytes);
      std::vector<std::uint8_t> decoded(symbols.size());
      rans_decode(bytes, at, lanes, never, [&](std::size_t, std::int64_t i, std::uint32_t slot) {
        std::size_t s = 0;
        while (slot >= begin[s + 1]) ++s;
        decoded[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(s);
        return detail::Slot{begin[s + 1] - begin[s], slot - begin[s]};
      });
      REQUIRE(decoded == symbols);
      ++runs;
    }
  }
  REQUIRE(runs == 15);
}

TEST_CASE("bits and bytes of a mask are the same") {
  std::mt19937 engine(5);
  for (const std::int64_t features : {1, 8, 63, 64, 65, 200}) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>((features + 63) / 64 * 64));
    for (std::int64_t f = 0; f < features; ++f) bytes[static_cast<std::size_t>(f)] = engine() & 1;
    std::vector<std::uint64_t> bits(bytes.size() / 64);
    pack(bytes.data(), features, bits.data());
    std::vector<std::uint8_t> back(bytes.size());
    unpack(bits.data(), static_cast<std::int64_t>(bits.size()), back.data());
    REQUIRE(back == bytes);
    // Any byte but 0 keeps, and none sets another's bit.
    std::vector<std::uint64_t> again(bits.size());
    for (const int byte : {1, 2, 128, 255}) {
      std::vector<std::uint8_t> odd(bytes.size());
      for (std::size_t i = 0; i < odd.size(); ++i) odd[i] = static_cast<std::uint8_t>(byte * bytes[i]);
      pack(odd.data(), features, again.data());
      REQUIRE(again == bits);
    }
  }
}

}  // namespace
