#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "constellm/codec/in_parts.hpp"
#include "constellm/core/error.hpp"

// Reading and writing of bytes and bits. Every read is checked: what is read may be hostile.
namespace constellm::codec {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

using Bytes = std::vector<std::uint8_t>;

[[noreturn]] inline void throw_corrupt(const char* what) {
  throw core::InvalidInput(std::string("data: corrupt: ") + what);
}

template <class T>
  requires std::is_trivially_copyable_v<T>
void put(Bytes& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof(T));
  std::memcpy(out.data() + at, &value, sizeof(T));
}

/// Seven bits a byte, the lowest first, the eighth says that more follow.
inline void put_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

inline void append(Bytes& out, std::span<const std::uint8_t> bytes, core::StopToken& stop) {
  out.reserve(out.size() + bytes.size());
  in_parts(std::ssize(bytes), stop, [&](std::int64_t begin, std::int64_t end) {
    out.insert(out.end(), bytes.begin() + begin, bytes.begin() + end);
  });
}

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> data) : data_(data) {}

  template <class T>
    requires std::is_trivially_copyable_v<T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const auto byte = get<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw_corrupt("a number is beyond 2^63");
  }

  std::span<const std::uint8_t> take(std::uint64_t bytes) {
    if (bytes > data_.size()) throw_corrupt("it ends too early");
    const auto taken = data_.first(bytes);
    data_ = data_.subspan(bytes);
    return taken;
  }

  [[nodiscard]] std::size_t left() const { return data_.size(); }

 private:
  std::span<const std::uint8_t> data_;
};

/// The lowest bit of a byte first; whole bytes when it goes.
class BitWriter {
 public:
  explicit BitWriter(Bytes& out) : out_(out) {}
  BitWriter(const BitWriter&) = delete;
  BitWriter& operator=(const BitWriter&) = delete;
  ~BitWriter() {
    if (count_ > 0) out_.push_back(static_cast<std::uint8_t>(pending_));
  }

  /// `bits` <= 32 of `value`, whose others are 0.
  void put(std::uint32_t value, int bits) {
    pending_ |= static_cast<std::uint64_t>(value) << count_;
    for (count_ += bits; count_ >= 8; count_ -= 8, pending_ >>= 8) {
      out_.push_back(static_cast<std::uint8_t>(pending_));
    }
  }

 private:
  Bytes& out_;
  std::uint64_t pending_ = 0;
  int count_ = 0;
};

class BitReader {
 public:
  explicit BitReader(ByteReader& in) : in_(in) {}

  /// `bits` <= 32.
  std::uint32_t get(int bits) {
    for (; count_ < bits; count_ += 8)
      pending_ |= static_cast<std::uint64_t>(in_.get<std::uint8_t>()) << count_;
    const auto value = static_cast<std::uint32_t>(pending_ & ((std::uint64_t{1} << bits) - 1));
    pending_ >>= bits;
    count_ -= bits;
    return value;
  }

 private:
  ByteReader& in_;
  std::uint64_t pending_ = 0;
  int count_ = 0;
};

/// Small numbers of either sign as small numbers: 0, -1, 1, -2 as 0, 1, 2, 3.
constexpr std::uint32_t zigzag(int value) {
  return value < 0 ? 2u * static_cast<std::uint32_t>(-value) - 1u : 2u * static_cast<std::uint32_t>(value);
}
constexpr int unzigzag(std::uint32_t code) {
  return (code & 1u) != 0 ? -static_cast<int>((code + 1) / 2) : static_cast<int>(code / 2);
}

/// Golomb-Rice: the quotient by 2^parameter in ones and a zero, then the remainder.
inline void put_rice(BitWriter& bits, std::uint32_t value, int parameter) {
  for (std::uint32_t q = value >> parameter; q > 0; --q) bits.put(1, 1);
  bits.put(0, 1);
  bits.put(value & ((1u << parameter) - 1), parameter);
}
inline std::uint32_t get_rice(BitReader& bits, int parameter, std::uint32_t most_ones) {
  std::uint32_t q = 0;
  while (bits.get(1) != 0) {
    if (++q > most_ones) throw_corrupt("a step between probabilities is too long");
  }
  return (q << parameter) | bits.get(parameter);
}

/// CRC-32C (Castagnoli): finds every burst of up to 32 bits. `before` is that of the bytes before these.
std::uint32_t crc32c(std::span<const std::uint8_t> data, std::uint32_t before = 0);

}  // namespace constellm::codec
