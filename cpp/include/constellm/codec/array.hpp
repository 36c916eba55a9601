#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace constellm::codec {

enum class Dtype : std::uint8_t { float32, float16 };

constexpr std::int64_t bytes_of(Dtype dtype) { return dtype == Dtype::float32 ? 4 : 2; }

/// An array in somebody else's memory, elements aligned, at any strides.
struct ArrayView {
  const std::byte* data = nullptr;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides_bytes;
};

/// An array as rows: the last axis has the features, all others together are tokens in C order.
/// No axis at all is one token of one feature.
struct Rows {
  std::int64_t tokens = 1;
  std::int64_t features = 1;

  [[nodiscard]] std::int64_t elements() const { return tokens * features; }
};

/// As many as any array of numpy has.
inline constexpr std::size_t kMostAxes = 64;

/// Throws `core::InvalidInput` where the number of axes is beyond kMostAxes, or that of elements beyond 2^48.
Rows rows_of(std::span<const std::int64_t> shape);

/// Where each row begins, one after the other.
class RowWalk {
 public:
  explicit RowWalk(const ArrayView& array);

  [[nodiscard]] const std::byte* row() const { return row_; }
  [[nodiscard]] std::int64_t feature_stride_bytes() const { return feature_stride_; }
  void next();

 private:
  const ArrayView& array_;
  const std::byte* row_;
  std::int64_t feature_stride_ = 0;
  std::vector<std::int64_t> index_;  // of the leading axes
};

/// Features [begin, end) of the row as floats: where they lie if that is possible, else in `scratch`.
const float* read_features(const RowWalk& walk, Dtype dtype, std::int64_t begin, std::int64_t end,
                           float* scratch);

}  // namespace constellm::codec
