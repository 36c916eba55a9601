#include <algorithm>
#include <limits>
#include <random>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "catch.hpp"
#include "constellm/codec/coding.hpp"
#include "constellm/codec/half.hpp"
#include "messages.hpp"

namespace {

using namespace messages;

TEST_CASE("a used workspace gives the bytes of a fresh one, and decoding is repeatable") {
  Workspace used;
  int messages = 0;
  for (const Scheme& scheme : all_schemes()) {
    for (const std::int64_t features : {1, 5, 64, 70}) {
      const Array array(37, features, 1);
      Workspace fresh;
      const Bytes message = encode_array(array, scheme, fresh);
      REQUIRE(message == encode_array(array, scheme, used));
      const std::vector<std::byte> decoded = decode_message(message, used);
      REQUIRE(std::ssize(decoded) == 4 * 37 * features);
      REQUIRE(decoded == decode_message(message, fresh));
      ++messages;
    }
  }
  REQUIRE(messages == 5 * 3 * 3 * 4 * 4);
}

TEST_CASE("many rows and many symbols take the ways of four and of eight lanes") {
  for (const std::int64_t tokens : {300, 1500}) {
    const Array array(tokens, 40, 2);
    Workspace workspace;
    Scheme scheme;
    scheme.sparsify = Sparsify::top_k;
    scheme.keep = 0.4;
    std::vector<std::vector<std::byte>> decoded;
    for (const Entropy entropy : {Entropy::none, Entropy::zero_order, Entropy::context}) {
      scheme.entropy = entropy;
      const Bytes message = encode_array(array, scheme, workspace);
      decoded.push_back(decode_message(message, workspace));
    }
    REQUIRE(decoded[0] == decoded[1]);
    REQUIRE(decoded[0] == decoded[2]);
  }
}

TEST_CASE("work ends wherever it is told to, and what it leaves is scratch") {
  int stopped = 0;
  for (const auto& [tokens, features] : {std::pair{2000, 64}, std::pair{1, 120'000}, std::pair{120'000, 1}}) {
    const Array array(tokens, features, 3);
    for (std::size_t s = 0; s < all_schemes().size(); s += 13) {
      const Scheme scheme = all_schemes()[s];
      std::optional<ArrayView> mask;
      if (scheme.sparsify == Sparsify::mask) mask = array.mask_view();
      Workspace workspace;
      const Bytes wanted = encode_array(array, scheme, workspace);
      const std::vector<std::byte> decoded = decode_message(wanted, workspace);
      const auto stops_at = [&](int look, auto work) {  // whether there was such a look
        int looks = 0;
        core::StopToken stop(std::numeric_limits<double>::infinity(), [&] { return ++looks == look; });
        try {
          work(stop);
        } catch (const core::Stopped&) {
          REQUIRE(looks == look);
          return true;
        }
        REQUIRE(looks < look);
        return false;
      };
      const int before = stopped;
      const auto encoding = [&](core::StopToken& stop) {
        encode(array.view(), Dtype::float32, mask, scheme, stop, workspace);
      };
      for (int look = 1; stops_at(look, encoding); look += 3) ++stopped;
      REQUIRE(encode_array(array, scheme, workspace) == wanted);
      const auto decoding = [&](core::StopToken& stop) {
        std::vector<std::byte> out(decoded.size());
        decode(read_header(wanted, stop), stop, workspace, out.data());
      };
      for (int look = 1; stops_at(look, decoding); look += 3) ++stopped;
      REQUIRE(decode_message(wanted, workspace) == decoded);
      REQUIRE(stopped >= before + 2);
    }
  }
}

TEST_CASE("a mask of any bytes codes like one of zeros and ones") {
  Workspace workspace;
  Scheme scheme;
  scheme.sparsify = Sparsify::mask;
  for (const std::int64_t features : {1, 3, 64, 67}) {
    Array array(200, features, 6);
    for (const bool all : {false, true}) {
      if (all) std::fill(array.mask.begin(), array.mask.end(), std::uint8_t{1});
      const Bytes wanted = encode_array(array, scheme, workspace);
      for (const int byte : {2, 255}) {
        Array odd = array;
        for (std::uint8_t& kept : odd.mask) kept = static_cast<std::uint8_t>(kept * byte);
        const Bytes message = encode_array(odd, scheme, workspace);
        REQUIRE(message == wanted);
        REQUIRE(survives(message, workspace));
      }
    }
  }
}

TEST_CASE("scratch of decoding is in proportion to the array") {
  int decoded = 0;
  for (const Scheme& scheme : all_schemes()) {
    for (const auto& [tokens, features] : {std::pair{30000, 1}, std::pair{64, 1000}, std::pair{500, 64}}) {
      for (const Dtype dtype : {Dtype::float32, Dtype::float16}) {
        const Array array(tokens, features, 1);
        std::vector<std::uint16_t> halves(array.values.size());
        std::transform(array.values.begin(), array.values.end(), halves.begin(), to_half);
        ArrayView view = array.view();
        if (dtype == Dtype::float16) {
          view = {reinterpret_cast<const std::byte*>(halves.data()), array.shape, {2 * features, 2}};
        }
        std::optional<ArrayView> mask;
        if (scheme.sparsify == Sparsify::mask) mask = array.mask_view();
        core::StopToken never;
        Workspace encoding;
        const Bytes message = encode(view, dtype, mask, scheme, never, encoding);
        const Header header = header_of(message);
        std::vector<std::byte> out(static_cast<std::size_t>(header.raw_bytes()));
        Workspace workspace;
        decode(header, never, workspace, out.data());
        constexpr std::size_t kTables = 200'000;
        REQUIRE(workspace.held_bytes() <
                kTables + static_cast<std::size_t>(kMostScratch * header.raw_bytes()));
        ++decoded;
      }
    }
  }
  REQUIRE(decoded == 5 * 3 * 3 * 4 * 3 * 2);
}

#if defined(__x86_64__)
TEST_CASE("threads that flush subnormal numbers get the same bytes and values") {
  const unsigned before = _mm_getcsr();
  constexpr unsigned kFlush = 0x8040;  // results and operands
  constexpr unsigned kRoundDown = 0x2000;
  int compared = 0;
  for (const Scheme& scheme : all_schemes()) {
    Array array(9, 40, 5);
    for (float& value : array.values) value *= 0x1p-126f;
    std::vector<std::uint16_t> halves(array.values.size());
    for (std::size_t i = 0; i < halves.size(); ++i) {  // subnormal ones
      halves[i] = static_cast<std::uint16_t>(1 + i % 1000 + (i % 3 == 0 ? 0x8000 : 0));
    }
    std::optional<ArrayView> mask;
    if (scheme.sparsify == Sparsify::mask) mask = array.mask_view();
    const ArrayView half_view{reinterpret_cast<const std::byte*>(halves.data()), array.shape, {80, 2}};
    for (const Dtype dtype : {Dtype::float32, Dtype::float16}) {
      core::StopToken never;
      Workspace workspace;
      const ArrayView view = dtype == Dtype::float32 ? array.view() : half_view;
      const Bytes wanted = encode(view, dtype, mask, scheme, never, workspace);
      const Header header = header_of(wanted);
      std::vector<std::byte> plain(static_cast<std::size_t>(header.raw_bytes()));
      std::vector<std::byte> flushed(plain.size());
      decode(header, never, workspace, plain.data());
      _mm_setcsr(before | kFlush | kRoundDown);
      const Bytes message = encode(view, dtype, mask, scheme, never, workspace);
      decode(header_of(message), never, workspace, flushed.data());
      const unsigned after = _mm_getcsr();
      _mm_setcsr(before);
      REQUIRE((after & (kFlush | kRoundDown)) == (kFlush | kRoundDown));
      REQUIRE(message == wanted);
      REQUIRE(flushed == plain);
      if (scheme.bits == 0 && !scheme.selects() && dtype == Dtype::float16) {
        REQUIRE(std::memcmp(plain.data(), halves.data(), plain.size()) == 0);
      }
      ++compared;
    }
  }
  REQUIRE(compared == 5 * 3 * 3 * 4 * 2);
}

TEST_CASE("threads that flush subnormal numbers read a share that is one") {
  Workspace workspace;
  Scheme scheme;
  scheme.sparsify = Sparsify::top_k;
  scheme.keep = 0x1p-1060;
  const Bytes message = encode_array(Array(3, 8, 1), scheme, workspace);
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040u);
  const Header header = header_of(message);
  _mm_setcsr(before);
  REQUIRE(header.scheme == scheme);
}
#endif

TEST_CASE("no damaged message is more than an error") {
  Workspace workspace;
  std::mt19937 engine(3);
  int whole = 0;
  int refused = 0;
  for (const Scheme& scheme : all_schemes()) {
    const Array array(11, 21, 4);
    const Bytes message = encode_array(array, scheme, workspace);
    for (std::size_t end = 0; end < message.size(); end += 7) {
      Bytes cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(end));
      REQUIRE_FALSE(survives(cut, workspace));  // the checksum differs
      reseal(cut);
      ++(survives(cut, workspace) ? whole : refused);
    }
    for (int i = 0; i < 60; ++i) {
      Bytes changed = message;
      for (auto n = 1 + engine() % 3; n > 0; --n) {
        changed[7 + engine() % (changed.size() - 7)] = static_cast<std::uint8_t>(engine());
      }
      reseal(changed);
      ++(survives(changed, workspace) ? whole : refused);
    }
  }
  REQUIRE(whole > 1000);
  REQUIRE(refused > 1000);
}

TEST_CASE("a header that asks for more than its message may is refused before anything is allocated") {
  Workspace workspace;
  const Bytes message = encode_array(Array(3, 5, 1), {}, workspace);
  const std::vector<std::uint8_t> axes{2, 3, 5};
  const auto at = std::search(message.begin(), message.end(), axes.begin(), axes.end());
  REQUIRE(at != message.end());
  for (const std::uint64_t size : {std::uint64_t{1} << 20, std::uint64_t{1} << 47, std::uint64_t{1} << 62}) {
    Bytes hostile(message.begin(), at);
    hostile.push_back(2);
    put_varint(hostile, size);
    put_varint(hostile, size);
    hostile.insert(hostile.end(), at + 3, message.end());
    reseal(hostile);
    REQUIRE_THROWS_AS(header_of(hostile), constellm::core::InvalidInput);
  }
}

}  // namespace
