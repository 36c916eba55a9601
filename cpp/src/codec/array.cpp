#include "constellm/codec/array.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "constellm/codec/half.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/simd.hpp"

namespace constellm::codec {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 48;

CONSTELLM_SIMD void widen(const std::uint16_t* halves, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = from_half(halves[i]);
}

template <class T>
T at(const std::byte* row, std::int64_t stride, std::int64_t i) {
  T value;
  std::memcpy(&value, row + i * stride, sizeof(T));
  return value;
}

}  // namespace

Rows rows_of(std::span<const std::int64_t> shape) {
  if (shape.size() > kMostAxes) {
    throw core::InvalidInput("shape: " + std::to_string(shape.size()) + " axes, at most " +
                             std::to_string(kMostAxes) + " are allowed");
  }
  Rows rows;
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) {
    // Sizes of 0 count as 1 here, so that no product overflows whatever the order.
    if (size < 0 || size > kMostElements / elements) {
      throw core::InvalidInput("shape: more than 2^48 elements");
    }
    elements *= std::max<std::int64_t>(size, 1);
  }
  if (shape.empty()) return rows;
  rows.features = shape.back();
  for (const std::int64_t size : shape.first(shape.size() - 1)) rows.tokens *= size;
  return rows;
}

RowWalk::RowWalk(const ArrayView& array) : array_(array), row_(array.data) {
  if (array.shape.empty()) return;
  feature_stride_ = array.strides_bytes.back();
  index_.resize(array.shape.size() - 1);
}

void RowWalk::next() {
  for (std::size_t axis = index_.size(); axis-- > 0;) {
    row_ += array_.strides_bytes[axis];
    if (++index_[axis] < array_.shape[axis]) return;
    row_ -= array_.strides_bytes[axis] * array_.shape[axis];
    index_[axis] = 0;
  }
}

const float* read_features(const RowWalk& walk, Dtype dtype, std::int64_t begin, std::int64_t end,
                           float* scratch) {
  const std::int64_t stride = walk.feature_stride_bytes();
  const std::byte* first = walk.row() + begin * stride;
  const std::int64_t n = end - begin;
  if (dtype == Dtype::float32) {
    if (stride == 4) return reinterpret_cast<const float*>(first);
    for (std::int64_t i = 0; i < n; ++i) scratch[i] = at<float>(first, stride, i);
  } else if (stride == 2) {
    widen(reinterpret_cast<const std::uint16_t*>(first), n, scratch);
  } else {
    for (std::int64_t i = 0; i < n; ++i) scratch[i] = from_half(at<std::uint16_t>(first, stride, i));
  }
  return scratch;
}

}  // namespace constellm::codec
