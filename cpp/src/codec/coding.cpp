#include "constellm/codec/coding.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "constellm/codec/half.hpp"
#include "constellm/codec/mask_coder.hpp"
#include "constellm/core/simd.hpp"
#include "default_floats.hpp"
#include "header.hpp"

namespace constellm::codec {
namespace {

// The first n of `values`, which grow but do not shrink: to grow again would clear them.
std::span<float> room(std::vector<float>& values, std::size_t n) {
  if (values.size() < n) values.resize(n);
  return std::span(values).first(n);
}

CONSTELLM_SIMD bool all_finite(const float* values, std::int64_t n) {
  std::int32_t most = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    most = std::max(most, std::bit_cast<std::int32_t>(values[i]) & 0x7fffffff);
  }
  return most < 0x7f800000;
}

CONSTELLM_SIMD void divide(const float* values, std::int64_t n, float by, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = values[i] / by;
}

CONSTELLM_SIMD void narrow(const float* values, std::int64_t n, std::uint16_t* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = to_half(values[i]);
}

CONSTELLM_SIMD void clamp(float* values, std::int64_t n, float most) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float below = values[i] < most ? values[i] : most;
    values[i] = below > -most ? below : -most;
  }
}

[[noreturn]] void throw_not_finite(const ArrayView& x, std::int64_t flat, float value) {
  std::string index;
  for (std::size_t axis = x.shape.size(); axis-- > 0;) {
    index.insert(0, (axis == 0 ? "" : ", ") + std::to_string(flat % x.shape[axis]));
    flat /= x.shape[axis];
  }
  throw core::InvalidInput("x[" + index + "]: " + core::to_text(value) + " is not finite");
}

// What of a row shares a scale: all of it, or each block of features.
std::int64_t group_features(const Scheme& scheme, std::int64_t features) {
  return scheme.scale == Scale::block ? std::min(*scheme.block, features) : features;
}

// Reads the array once: which elements are kept, and their values one after the other; where they share
// scales, also where each group ends among them.
class Gather {
 public:
  Gather(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask, const Scheme& scheme,
         Workspace& workspace)
      : x_(x), dtype_(dtype), scheme_(scheme), w_(workspace), rows_(rows_of(x.shape)) {
    if (mask) mask_walk_.emplace(*mask);
  }

  void run() {
    w_.kept = {};
    w_.group_end.clear();
    if (scheme_.selects()) w_.mask.reset(rows_.tokens, rows_.features);
    if (rows_.elements() == 0) return;  // however many features its tokens would have
    w_.row.resize(static_cast<std::size_t>(rows_.features));
    w_.kept = room(w_.kept_room, static_cast<std::size_t>(rows_.elements()));
    const bool drawn = scheme_.bits > 0 && scheme_.rounding == Rounding::stochastic;
    w_.draws.resize(drawn ? w_.kept.size() : 0);
    const bool grouped = scheme_.bits > 0 && scheme_.scale != Scale::tensor;
    w_.features.resize(drawn || grouped ? static_cast<std::size_t>(rows_.features) : 0);

    RowWalk walk(x_);
    std::int64_t kept = 0;
    for (std::int64_t t = 0; t < rows_.tokens; ++t, walk.next()) {
      const float* row = read_row(walk, dtype_, rows_.features, w_.row.data());
      if (!all_finite(row, rows_.features)) {
        std::int64_t f = 0;
        while (std::isfinite(row[f])) ++f;
        throw_not_finite(x_, t * rows_.features + f, row[f]);
      }
      const std::int64_t before = kept;
      if (scheme_.selects()) {
        select_row(row, t);
        float* out = w_.kept.data() + kept;
        for_each_kept(w_.mask.row(t), w_.mask.words_per_row, [&](std::int64_t f) { *out++ = row[f]; });
        kept = out - w_.kept.data();
      } else {
        std::copy_n(row, rows_.features, w_.kept.data() + kept);
        kept += rows_.features;
      }
      if (drawn || grouped) list_features(t);
      if (drawn) {
        draw(static_cast<std::uint64_t>(scheme_.seed), t,
             std::span(w_.features).first(static_cast<std::size_t>(kept - before)), w_.draws.data() + before);
      }
      if (grouped) end_groups(before, kept);
    }
    w_.kept = w_.kept.first(static_cast<std::size_t>(kept));
  }

 private:
  void select_row(const float* row, std::int64_t t) {
    if (!mask_walk_) return select(row, rows_.features, scheme_, w_.selector, w_.mask.row(t));
    w_.bytes.resize(static_cast<std::size_t>(rows_.features));
    const std::byte* bytes = mask_walk_->row();
    const std::int64_t stride = mask_walk_->feature_stride_bytes();
    if (stride == 1) {
      pack(reinterpret_cast<const std::uint8_t*>(bytes), rows_.features, w_.mask.row(t));
    } else {
      for (std::int64_t f = 0; f < rows_.features; ++f) {
        w_.bytes[static_cast<std::size_t>(f)] = static_cast<std::uint8_t>(bytes[f * stride]);
      }
      pack(w_.bytes.data(), rows_.features, w_.mask.row(t));
    }
    mask_walk_->next();
  }

  void list_features(std::int64_t t) {
    std::uint32_t* out = w_.features.data();
    if (scheme_.selects()) {
      for_each_kept(w_.mask.row(t), w_.mask.words_per_row,
                    [&](std::int64_t f) { *out++ = static_cast<std::uint32_t>(f); });
    } else {
      for (std::int64_t f = 0; f < rows_.features; ++f) *out++ = static_cast<std::uint32_t>(f);
    }
  }

  void end_groups(std::int64_t before, std::int64_t kept) {
    const std::int64_t width = group_features(scheme_, rows_.features);
    std::int64_t i = before;
    for (std::int64_t end = width; end < rows_.features + width; end += width) {
      while (i < kept && w_.features[static_cast<std::size_t>(i - before)] < end) ++i;
      w_.group_end.push_back(i);
    }
  }

  const ArrayView& x_;
  Dtype dtype_;
  const Scheme& scheme_;
  Workspace& w_;
  Rows rows_;
  std::optional<RowWalk> mask_walk_;
};

// Divides what is kept by the scale of its group, a stored number. What is clipped ends at the scale: else
// the quantiser, which is one for all groups, would have to reach the farthest outlier of any. Below the
// normal numbers scales are coarse, many times what they stand for, and clipping keeps to its own point.
void scale_groups(const Scheme& scheme, Workspace& w) {
  w.scaled.resize(w.kept.size());
  w.scale.resize(w.group_end.size());
  std::int64_t begin = 0;
  for (std::size_t g = 0; g < w.group_end.size(); ++g) {
    const std::int64_t n = w.group_end[g] - begin;
    const float* values = w.kept.data() + begin;
    const float reach = reach_of({values, static_cast<std::size_t>(n)}, scheme);
    w.scale[g] = scale_code(reach);
    float* out = w.scaled.data() + begin;
    if (w.scale[g] == 0) {
      std::fill_n(out, n, 0.0f);
    } else {
      const float stored = scale_of(w.scale[g]);
      divide(values, n, stored, out);
      const bool coarse = stored < std::numeric_limits<float>::min();
      if (scheme.clip == Clip::laplace) clamp(out, n, coarse ? reach / stored : 1.0f);
    }
    begin = w.group_end[g];
  }
}

// Scales with what one would be: the exponents' bytes, then the five bits of the mantissas.
void put_scales(const Scheme& scheme, Workspace& w, Bytes& out) {
  w.bytes.resize(w.scale.size());
  for (std::size_t g = 0; g < w.scale.size(); ++g) w.bytes[g] = static_cast<std::uint8_t>(w.scale[g] >> 5);
  Bytes exponents;
  put_symbols(w.bytes, 256, scheme.entropy, nullptr, w.coder, exponents);
  put_varint(out, exponents.size());
  out.insert(out.end(), exponents.begin(), exponents.end());
  for (std::size_t g = 0; g < w.scale.size(); ++g) w.bytes[g] = static_cast<std::uint8_t>(w.scale[g] & 31);
  put_symbols(w.bytes, 32, scheme.entropy, nullptr, w.coder, out);
}

void get_scales(std::span<const std::uint8_t> data, std::size_t groups, Workspace& w) {
  ByteReader in(data);
  w.scale.resize(groups);
  w.bytes.resize(groups);
  const std::uint64_t exponents = in.varint();
  get_symbols(in.take(exponents), 256, nullptr, w.coder, w.bytes);
  for (std::size_t g = 0; g < groups; ++g) w.scale[g] = static_cast<std::uint16_t>(w.bytes[g] << 5);
  get_symbols(in.take(in.left()), 32, nullptr, w.coder, w.bytes);
  for (std::size_t g = 0; g < groups; ++g)
    w.scale[g] = static_cast<std::uint16_t>(w.scale[g] | (w.bytes[g] & 31));
}

// One byte of every value, of those that travel as they are.
void plane_of(std::span<const float> kept, Dtype dtype, int plane, std::vector<std::uint8_t>& out) {
  out.resize(kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::uint32_t bits =
        dtype == Dtype::float32 ? std::bit_cast<std::uint32_t>(kept[i]) : to_half(kept[i]);
    out[i] = static_cast<std::uint8_t>(bits >> (8 * plane));
  }
}

// Symbols of what `w` has gathered; the quantiser that made them.
Quantiser quantise_kept(const Scheme& scheme, Workspace& w) {
  const bool grouped = scheme.scale != Scale::tensor;
  if (grouped) scale_groups(scheme, w);
  const std::span<const float> values = grouped ? std::span<const float>(w.scaled) : w.kept;
  Quantiser quantiser = fit_quantiser(values, scheme);
  w.symbols.resize(values.size());
  if (scheme.rounding == Rounding::stochastic) {
    quantise(quantiser, values, w.draws.data(), w.symbols.data());
  } else {
    quantise(quantiser, values, w.symbols.data());
  }
  return quantiser;
}

double entropy_bytes(std::span<const std::uint8_t> symbols) {
  Histogram histogram;
  count_symbols(symbols, histogram);
  double bits = 0.0;
  for (const std::uint32_t count : histogram) {
    if (count > 0)
      bits -= count * std::log2(static_cast<double>(count) / static_cast<double>(symbols.size()));
  }
  return bits / 8.0;
}

void check(const ArrayView& x, const std::optional<ArrayView>& mask, const Scheme& scheme) {
  if (mask.has_value() != (scheme.sparsify == Sparsify::mask)) {
    throw core::InvalidInput(mask ? "mask: given, but the scheme's sparsify is not 'mask'"
                                  : "mask: needed with sparsify='mask'");
  }
  if (mask && mask->shape != x.shape) throw core::InvalidInput("mask: its shape is not that of x");
}

}  // namespace

std::size_t Workspace::held_bytes() const {
  const auto sum = [](const auto&... buffers) {
    return (... + (buffers.capacity() * sizeof(*buffers.data())));
  };
  return sum(mask.words, selector.magnitude, selector.kept, coder.ids, coder.wide_ids, coder.words,
             coder.slots, coder.columns, coder.memory, row, kept_room, scaled, draws, features, group_end,
             scale, symbols, bytes);
}

Bytes encode(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask, const Scheme& scheme,
             Workspace& w) {
  const DefaultFloats default_floats;
  check(x, mask, scheme);
  const Rows rows = rows_of(x.shape);
  Gather(x, dtype, mask, scheme, w).run();

  std::array<Bytes, 3> parts;
  const auto kept = static_cast<std::int64_t>(w.kept.size());
  Grid grid{.tokens = rows.tokens, .features = rows.features};
  const bool contexts = scheme.entropy == Entropy::context && rows.elements() > 0;
  if (scheme.selects()) {
    grid.mask = &w.mask;
    if (contexts) grid.stride = find_stride(w.mask, rows.tokens);
    put_mask(grid, kept, scheme.entropy, w.coder, parts[0]);
  }
  Quantiser quantiser;
  if (scheme.bits > 0) {
    quantiser = quantise_kept(scheme, w);
    if (scheme.scale != Scale::tensor) put_scales(scheme, w, parts[1]);
    if (!scheme.selects() && contexts) grid.stride = find_stride(w.symbols, rows.tokens, rows.features);
    put_symbols(w.symbols, quantiser.symbols(), scheme.entropy, &grid, w.coder, parts[2]);
  } else {
    for (int plane = 0; plane < bytes_of(dtype); ++plane) {
      plane_of(w.kept, dtype, plane, w.symbols);
      Bytes coded;
      put_symbols(w.symbols, 256, scheme.entropy, &grid, w.coder, coded);
      put_varint(parts[2], coded.size());
      parts[2].insert(parts[2].end(), coded.begin(), coded.end());
    }
  }
  Bytes message;
  put_header(message, dtype, x.shape, scheme, quantiser, parts);
  for (const Bytes& part : parts) message.insert(message.end(), part.begin(), part.end());
  seal(message, rows.elements() * bytes_of(dtype));
  return message;
}

EntropyBound entropy_bound(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask,
                           const Scheme& scheme, Workspace& w) {
  const DefaultFloats default_floats;
  check(x, mask, scheme);
  Gather(x, dtype, mask, scheme, w).run();
  const auto elements = static_cast<double>(rows_of(x.shape).elements());
  const auto kept = static_cast<double>(w.kept.size());
  EntropyBound bound;
  for (const double count : {kept, elements - kept}) {
    if (scheme.selects() && count > 0.0) bound.mask_bytes -= count * std::log2(count / elements) / 8.0;
  }
  if (scheme.bits > 0) {
    quantise_kept(scheme, w);
    bound.symbols_bytes = entropy_bytes(w.symbols);
  } else {
    for (int plane = 0; plane < bytes_of(dtype); ++plane) {
      plane_of(w.kept, dtype, plane, w.symbols);
      bound.symbols_bytes += entropy_bytes(w.symbols);
    }
  }
  return bound;
}

namespace {

// Values of the symbols of groups; those beyond the quantiser's cells stand for 0.
void dequantise(const Header& header, const Rows& rows, Workspace& w) {
  const std::array<float, 256> levels = levels_of(header.quantiser);
  const std::size_t n = w.symbols.size();
  w.kept = room(w.kept_room, n);
  if (header.scheme.scale == Scale::tensor) {
    for (std::size_t i = 0; i < n; ++i) w.kept[i] = levels[w.symbols[i]];
    return;
  }
  const std::int64_t width = group_features(header.scheme, rows.features);
  const std::int64_t groups = (rows.features + width - 1) / width;
  get_scales(header.scales, static_cast<std::size_t>(rows.tokens * groups), w);
  std::size_t i = 0;
  for (std::int64_t t = 0; t < rows.tokens; ++t) {
    const auto value = [&](std::int64_t f) {
      const float scale = scale_of(w.scale[static_cast<std::size_t>(t * groups + f / width)]);
      w.kept[i] = levels[w.symbols[i]] * scale;
      ++i;
    };
    if (header.scheme.selects()) {
      for_each_kept(w.mask.row(t), w.mask.words_per_row, value);
    } else {
      for (std::int64_t f = 0; f < rows.features; ++f) value(f);
    }
  }
}

void read_planes(const Header& header, const Grid& grid, Workspace& w) {
  ByteReader in(header.symbols);
  const std::size_t n = w.symbols.size();
  std::vector<std::uint32_t>& bits = w.features;
  bits.assign(n, 0);
  for (int plane = 0; plane < bytes_of(header.dtype); ++plane) {
    const std::uint64_t bytes = in.varint();
    get_symbols(in.take(bytes), 256, &grid, w.coder, w.symbols);
    for (std::size_t i = 0; i < n; ++i) bits[i] |= static_cast<std::uint32_t>(w.symbols[i]) << (8 * plane);
  }
  if (in.left() != 0) throw_corrupt("bytes after the values");
  w.kept = room(w.kept_room, n);
  for (std::size_t i = 0; i < n; ++i) {
    w.kept[i] = header.dtype == Dtype::float32 ? std::bit_cast<float>(bits[i])
                                               : from_half(static_cast<std::uint16_t>(bits[i]));
  }
}

template <class T, class Convert>
void scatter(const Header& header, const Rows& rows, const Workspace& w, std::byte* out, Convert&& convert) {
  auto* element = reinterpret_cast<T*>(out);
  const float* value = w.kept.data();
  if (!header.scheme.selects()) return convert(value, rows.elements(), element);
  std::fill_n(element, rows.elements(), T{0});
  for (std::int64_t t = 0; t < rows.tokens; ++t, element += rows.features) {
    for_each_kept(w.mask.row(t), w.mask.words_per_row,
                  [&](std::int64_t f) { convert(value++, 1, element + f); });
  }
}

}  // namespace

void decode(const Header& header, Workspace& w, std::byte* out) {
  const DefaultFloats default_floats;
  const Rows rows = rows_of(header.shape);
  if (rows.elements() == 0) return;  // there may be more tokens than could ever be walked over
  std::int64_t kept = rows.elements();
  if (header.scheme.selects()) {
    w.mask.reset(rows.tokens, rows.features);
    kept = get_mask(header.mask, rows.tokens, w.coder, w.mask);
  }
  const Grid grid{
      .tokens = rows.tokens, .features = rows.features, .mask = header.scheme.selects() ? &w.mask : nullptr};
  w.symbols.resize(static_cast<std::size_t>(kept));
  if (header.scheme.bits > 0) {
    get_symbols(header.symbols, header.quantiser.symbols(), &grid, w.coder, w.symbols);
    dequantise(header, rows, w);
  } else {
    read_planes(header, grid, w);
  }
  // Neither a scale nor a value that travelled as it is need be a number.
  if (!all_finite(w.kept.data(), std::ssize(w.kept))) throw_corrupt("a value is not finite");
  if (header.dtype == Dtype::float32) {
    scatter<float>(header, rows, w, out,
                   [](const float* from, std::int64_t n, float* to) { std::copy_n(from, n, to); });
  } else {
    scatter<std::uint16_t>(header, rows, w, out, narrow);
  }
}

}  // namespace constellm::codec
