// libFuzzer: whatever the bytes, reading, decoding and encoding again end in a value or an InvalidInput.
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
//     -I cpp/include -I tests/cpp/codec tests/fuzz/fuzz_decode.cpp
//     cpp/src/codec/*.cpp cpp/src/core/error.cpp -o build/fuzz_decode
//   build/fuzz_decode -max_len=4096 -rss_limit_mb=1024 -max_total_time=300
#include "constellm/core/simd.hpp"
#include "messages.hpp"

using namespace messages;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Workspace workspace;
  survives({data, size}, workspace);
  // Hardly any input has the right checksum by itself.
  Bytes message(data, data + size);
  if (message.size() > 7) std::memcpy(message.data(), "CA\1", 3);
  reseal(message);
  const bool whole = survives(message, workspace);
  core::avx2_allowed = false;  // the same on every processor
  if (survives(message, workspace) != whole) __builtin_trap();
  core::avx2_allowed = true;
  // As scheme and values: what is encoded decodes.
  if (size < 8) return 0;
  const std::vector<Scheme> all = all_schemes();
  const Scheme& scheme = all[data[0] % all.size()];
  const std::int64_t features = 1 + data[1] % 70;
  const std::int64_t tokens = static_cast<std::int64_t>((size - 2) / 4) / features;
  Array array(0, features, 0);
  array.shape[0] = tokens;
  array.values.resize(static_cast<std::size_t>(tokens * features));
  array.mask.resize(array.values.size());
  if (tokens > 0) std::memcpy(array.values.data(), data + 2, 4 * array.values.size());
  for (std::size_t i = 0; i < array.mask.size(); ++i) array.mask[i] = data[2 + i] & data[1];
  try {
    if (!survives(encode_array(array, scheme, workspace), workspace)) __builtin_trap();
  } catch (const constellm::core::InvalidInput&) {  // not finite
  }
  return 0;
}

// The seeds: one message of every kind.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed);
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  if (seed % 16 != 0) return LLVMFuzzerMutate(data, size, most);
  static Workspace workspace;
  const std::vector<Scheme> all = all_schemes();
  const std::int64_t features = seed / 640 % 40;
  const std::int64_t tokens = seed / 16 % 40 + (features < 12 ? 1024 : 0);  // that many have eight states
  const Array array(tokens, features, seed);
  const Bytes message = encode_array(array, all[seed / 7 % all.size()], workspace);
  const std::size_t n = std::min(message.size(), most);
  std::copy_n(message.begin(), n, data);
  return n;
}
