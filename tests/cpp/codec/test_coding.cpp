#include <algorithm>
#include <random>

#include "catch.hpp"
#include "constellm/codec/coding.hpp"
#include "messages.hpp"

namespace {

using namespace messages;

TEST_CASE("a used workspace gives the bytes of a fresh one, and decoding is repeatable") {
  Workspace used;
  int messages = 0;
  for (const Settings& settings : all_settings()) {
    for (const std::int64_t features : {1, 5, 64, 70}) {
      const Array array(37, features, 1);
      Workspace fresh;
      const Bytes message = encode_array(array, settings, fresh);
      REQUIRE(message == encode_array(array, settings, used));
      const Header header = read_header(message);
      REQUIRE(header.raw_bytes() == 4 * 37 * features);
      std::vector<std::byte> first(static_cast<std::size_t>(header.raw_bytes()));
      std::vector<std::byte> second(first.size());
      decode(header, used, first.data());
      decode(header, fresh, second.data());
      REQUIRE(first == second);
      ++messages;
    }
  }
  REQUIRE(messages == 5 * 3 * 3 * 4 * 4);
}

TEST_CASE("many rows and many symbols take the ways of four and of eight lanes") {
  for (const std::int64_t tokens : {300, 1500}) {
    const Array array(tokens, 40, 2);
    Workspace workspace;
    Settings settings;
    settings.sparsify = Sparsify::top_k;
    settings.keep = 0.4;
    std::vector<std::vector<std::byte>> decoded;
    for (const Entropy entropy : {Entropy::none, Entropy::zero_order, Entropy::context}) {
      settings.entropy = entropy;
      const Bytes message = encode_array(array, settings, workspace);
      const Header header = read_header(message);
      decoded.emplace_back(static_cast<std::size_t>(header.raw_bytes()));
      decode(header, workspace, decoded.back().data());
    }
    REQUIRE(decoded[0] == decoded[1]);
    REQUIRE(decoded[0] == decoded[2]);
  }
}

TEST_CASE("a mask of any bytes codes like one of zeros and ones") {
  Workspace workspace;
  Settings settings;
  settings.sparsify = Sparsify::mask;
  for (const std::int64_t features : {1, 3, 64, 67}) {
    Array array(200, features, 6);
    for (const bool all : {false, true}) {
      if (all) std::fill(array.mask.begin(), array.mask.end(), std::uint8_t{1});
      const Bytes wanted = encode_array(array, settings, workspace);
      for (const int byte : {2, 255}) {
        Array odd = array;
        for (std::uint8_t& kept : odd.mask) kept = static_cast<std::uint8_t>(kept * byte);
        const Bytes message = encode_array(odd, settings, workspace);
        REQUIRE(message == wanted);
        REQUIRE(survives(message, workspace));
      }
    }
  }
}

TEST_CASE("no damaged message is more than an error") {
  Workspace workspace;
  std::mt19937 engine(3);
  int whole = 0;
  int refused = 0;
  for (const Settings& settings : all_settings()) {
    const Array array(11, 21, 4);
    const Bytes message = encode_array(array, settings, workspace);
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
    REQUIRE_THROWS_AS(read_header(hostile), constellm::core::InvalidInput);
  }
}

}  // namespace
