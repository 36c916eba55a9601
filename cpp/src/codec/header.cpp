#include "header.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "default_floats.hpp"

namespace constellm::codec {
namespace {

// Two letters, a version, CRC-32C of all that follows.
constexpr std::array<std::uint8_t, 2> kMagic{'C', 'A'};
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kPrelude = 7;
constexpr double kKeepSteps = 10000.0;  // shares that are whole multiples of 1 / kKeepSteps take two bytes

// dtype 1 bit, sparsify 3, scale 2, clip 1, rounding 1, entropy 2, whether `keep` is whole 1, bits 4,
// whether block and seed follow 1.
std::uint16_t pack_words(Dtype dtype, const Scheme& s, bool whole_keep, bool more) {
  return static_cast<std::uint16_t>(
      static_cast<unsigned>(dtype) | static_cast<unsigned>(s.sparsify) << 1 |
      static_cast<unsigned>(s.scale) << 4 | static_cast<unsigned>(s.clip) << 6 |
      static_cast<unsigned>(s.rounding) << 7 | static_cast<unsigned>(s.entropy) << 8 |
      static_cast<unsigned>(whole_keep) << 10 | static_cast<unsigned>(s.bits.count) << 11 |
      static_cast<unsigned>(more) << 15);
}

bool has_keep(const Scheme& s) { return s.selects() && s.sparsify != Sparsify::mask; }

template <class E>
E unpack(std::uint16_t words, int shift, unsigned most, const char* what) {
  const unsigned bits = most > 3 ? 7 : most > 1 ? 3 : 1;
  const unsigned value = (words >> shift) & bits;
  if (value > most) throw_corrupt(what);
  return static_cast<E>(value);
}

std::uint32_t checksum_of(std::span<const std::uint8_t> message, core::StopToken& stop) {
  const auto summed = message.subspan(kPrelude);
  std::uint32_t sum = 0;
  in_parts(std::ssize(summed), stop, [&](std::int64_t begin, std::int64_t end) {
    sum = crc32c(summed.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), sum);
  });
  return sum;
}

}  // namespace

void put_header(Bytes& out, Dtype dtype, std::span<const std::int64_t> shape, const Scheme& scheme,
                const Quantiser& quantiser, std::span<const Bytes> parts) {
  out.assign(kMagic.begin(), kMagic.end());
  put(out, kVersion);
  put(out, std::uint32_t{0});
  const double steps = scheme.keep * kKeepSteps;
  const bool whole = std::floor(steps) == steps && steps / kKeepSteps == scheme.keep;
  const bool more = scheme.block || scheme.seed != 0;
  put(out, pack_words(dtype, scheme, whole, more));
  if (has_keep(scheme) && whole) put(out, static_cast<std::uint16_t>(steps));
  if (has_keep(scheme) && !whole) put(out, scheme.keep);
  if (more) {
    put_varint(out, static_cast<std::uint64_t>(scheme.block.value_or(0)));
    put_varint(out, static_cast<std::uint64_t>(scheme.seed));
  }
  put(out, static_cast<std::uint8_t>(shape.size()));
  for (const std::int64_t size : shape) put_varint(out, static_cast<std::uint64_t>(size));
  if (scheme.bits > 0) put_quantiser(out, quantiser);
  if (scheme.selects()) put_varint(out, parts[0].size());
  if (scheme.scale != Scale::tensor) put_varint(out, parts[1].size());
  put_varint(out, parts[2].size());
}

void seal(Bytes& message, std::int64_t raw_bytes, core::StopToken& stop) {
  const std::int64_t least = (raw_bytes + kMostExpansion - 1) / kMostExpansion;
  if (static_cast<std::int64_t>(message.size()) < least) message.resize(static_cast<std::size_t>(least));
  const std::uint32_t sum = checksum_of(message, stop);
  std::memcpy(message.data() + kMagic.size() + 1, &sum, sizeof(sum));
}

Header read_header(std::span<const std::uint8_t> message, core::StopToken& stop) {
  const DefaultFloats default_floats;
  ByteReader in(message);
  if (message.size() < kPrelude || !std::equal(kMagic.begin(), kMagic.end(), message.begin())) {
    throw core::InvalidInput("data: not a message of constellm's codec");
  }
  in.take(kMagic.size());
  if (const auto version = in.get<std::uint8_t>(); version != kVersion) {
    throw core::InvalidInput("data: version " + std::to_string(version) + ", known is " +
                             std::to_string(kVersion));
  }
  if (in.get<std::uint32_t>() != checksum_of(message, stop)) throw_corrupt("the checksum differs");

  Header header;
  header.message_bytes = static_cast<std::int64_t>(message.size());
  const auto words = in.get<std::uint16_t>();
  Scheme& s = header.scheme;
  header.dtype = unpack<Dtype>(words, 0, 1, "dtype");
  s.sparsify = unpack<Sparsify>(words, 1, 4, "sparsify");
  s.scale = unpack<Scale>(words, 4, 2, "scale");
  s.clip = unpack<Clip>(words, 6, 1, "clip");
  s.rounding = unpack<Rounding>(words, 7, 1, "rounding");
  s.entropy = unpack<Entropy>(words, 8, 2, "entropy");
  s.bits = (words >> 11) & 15;
  if (has_keep(s)) {
    const bool whole = ((words >> 10) & 1) != 0;
    s.keep = whole ? in.get<std::uint16_t>() / kKeepSteps : in.get<double>();
  }
  if (words >> 15 != 0) {
    if (const std::uint64_t block = in.varint(); block != 0) s.block = static_cast<std::int64_t>(block);
    s.seed = static_cast<std::int64_t>(in.varint());
  }
  if (fault_of(s)) throw_corrupt("its scheme");
  const auto axes = in.get<std::uint8_t>();
  if (axes > kMostAxes) throw_corrupt("number of axes");
  for (int axis = 0; axis < axes; ++axis) header.shape.push_back(static_cast<std::int64_t>(in.varint()));
  if (header.raw_bytes() / kMostExpansion > header.message_bytes) throw_corrupt("its shape is too large");
  if (s.bits > 0) header.quantiser = get_quantiser(in, s.rounding);
  const std::uint64_t mask_bytes = s.selects() ? in.varint() : 0;
  const std::uint64_t scale_bytes = s.scale != Scale::tensor ? in.varint() : 0;
  const std::uint64_t symbol_bytes = in.varint();
  header.mask = in.take(mask_bytes);
  header.scales = in.take(scale_bytes);
  header.symbols = in.take(symbol_bytes);
  for (const std::uint8_t byte : in.take(in.left())) {
    if (byte != 0) throw_corrupt("bytes after its end");
  }
  return header;
}

}  // namespace constellm::codec
