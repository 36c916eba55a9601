#include "constellm/codec/coding.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <type_traits>

#include "constellm/codec/half.hpp"
#include "constellm/codec/mask_coder.hpp"
#include "constellm/core/simd.hpp"
#include "default_floats.hpp"
#include "header.hpp"
#include "select_avx2.hpp"

namespace constellm::codec {
namespace {

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

constexpr std::size_t kAhead =
    8;  // floats beyond what is kept, which AVX2 reads or writes with the last ones

// What of a row shares a scale: all of it, or each block of features.
std::int64_t group_features(const Scheme& scheme, std::int64_t features) {
  return scheme.scale == Scale::block ? std::min(*scheme.block, features) : features;
}

// Reads the array once: which elements are kept, and their values one after the other; where they share
// scales, also where each group ends among them.
class Gather {
 public:
  Gather(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask, const Scheme& scheme,
         core::StopToken& stop, Workspace& workspace)
      : x_(x), dtype_(dtype), scheme_(scheme), stop_(stop), w_(workspace), rows_(rows_of(x.shape)) {
    if (mask) mask_walk_.emplace(*mask);
  }

  void run() {
    w_.kept.clear();
    w_.group_end.clear();
    if (scheme_.selects()) w_.mask.reset(rows_.tokens, rows_.features);
    if (rows_.elements() == 0) return;  // however many features its tokens would have
    w_.row.resize(static_cast<std::size_t>(rows_.features));
    w_.kept.resize(static_cast<std::size_t>(rows_.elements()) + kAhead);
    const bool drawn = scheme_.bits > 0 && scheme_.rounding == Rounding::stochastic;
    w_.draws.resize(drawn ? w_.kept.size() : 0);
    const bool grouped = scheme_.bits > 0 && scheme_.scale != Scale::tensor;
    w_.features.resize(drawn || grouped ? static_cast<std::size_t>(rows_.features) : 0);

    RowWalk walk(x_);
    std::int64_t kept = 0;
    for (std::int64_t t = 0; t < rows_.tokens; ++t, walk.next()) {
      const float* row = read(walk, t);
      const std::int64_t before = kept;
      if (scheme_.selects()) {
        select_row(row, t);
        kept = gather(row, t, w_.kept.data() + kept) - w_.kept.data();
      } else {
        in_parts(rows_.features, stop_, [&](std::int64_t begin, std::int64_t end) {
          std::copy(row + begin, row + end, w_.kept.data() + kept + begin);
        });
        kept += rows_.features;
      }
      if (drawn || grouped) list_features(t);
      if (drawn) {
        in_parts(kept - before, stop_, [&](std::int64_t begin, std::int64_t end) {
          const std::span<const std::uint32_t> features(w_.features.data() + begin, w_.features.data() + end);
          draw(static_cast<std::uint64_t>(scheme_.seed), t, features, w_.draws.data() + before + begin);
        });
      }
      if (grouped) end_groups(before, kept);
    }
    w_.kept.resize(static_cast<std::size_t>(kept));
  }

 private:
  // The row as floats, all of them finite.
  const float* read(const RowWalk& walk, std::int64_t t) {
    const float* row = nullptr;
    in_parts(rows_.features, stop_, [&](std::int64_t begin, std::int64_t end) {
      const float* part = read_features(walk, dtype_, begin, end, w_.row.data() + begin);
      if (begin == 0) row = part;
      // Where magnitudes are ordered they are looked at there.
      const bool ordered = scheme_.sparsify == Sparsify::top_k || scheme_.sparsify == Sparsify::block_top_k;
      if (!ordered && !all_finite(part, end - begin)) refuse(part, t, begin, end);
    });
    return row;
  }

  // One of these features of row t is not finite.
  [[noreturn]] void refuse(const float* part, std::int64_t t, std::int64_t begin, std::int64_t end) {
    const float* wrong =
        std::find_if_not(part, part + (end - begin), [](float v) { return std::isfinite(v); });
    throw_not_finite(x_, t * rows_.features + begin + (wrong - part), *wrong);
  }

  void select_row(const float* row, std::int64_t t) {
    if (!mask_walk_) {
      if (select(row, rows_.features, scheme_, stop_, w_.selector, w_.mask.row(t))) return;
      refuse(row, t, 0, rows_.features);
    }
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

  // Appends what is kept of the row; returns where it ends.
  float* gather(const float* row, std::int64_t t, float* out) {
    const std::uint64_t* mask = w_.mask.row(t);
    if (core::has_avx2()) {
      in_parts(rows_.features, stop_, [&](std::int64_t begin, std::int64_t end) {
        const auto* bits = reinterpret_cast<const std::uint8_t*>(mask) + begin / 8;
        out = gather_avx2(row + begin, end - begin, bits, out);
      });
    } else {
      for_each_kept(mask, w_.mask.words_per_row, stop_, [&](std::int64_t f) { *out++ = row[f]; });
    }
    return out;
  }

  void list_features(std::int64_t t) {
    std::uint32_t* out = w_.features.data();
    if (scheme_.selects()) {
      for_each_kept(w_.mask.row(t), w_.mask.words_per_row, stop_,
                    [&](std::int64_t f) { *out++ = static_cast<std::uint32_t>(f); });
    } else {
      in_parts(rows_.features, stop_, [&](std::int64_t begin, std::int64_t end) {
        std::iota(out + begin, out + end, static_cast<std::uint32_t>(begin));
      });
    }
  }

  void end_groups(std::int64_t before, std::int64_t kept) {
    const std::int64_t width = group_features(scheme_, rows_.features);
    std::int64_t i = before;
    for (std::int64_t end = width; end < rows_.features + width; end += width) {
      while (i < kept && w_.features[static_cast<std::size_t>(i - before)] < end) ++i;
      w_.group_end.push_back(i);
      pass(stop_, width);
    }
  }

  const ArrayView& x_;
  Dtype dtype_;
  const Scheme& scheme_;
  core::StopToken& stop_;
  Workspace& w_;
  Rows rows_;
  std::optional<RowWalk> mask_walk_;
};

// Divides what is kept by the scale of its group, a stored number. What is clipped ends at the scale: else
// the quantiser, which is one for all groups, would have to reach the farthest outlier of any. Below the
// normal numbers scales are coarse, many times what they stand for, and clipping keeps to its own point.
void scale_groups(const Scheme& scheme, core::StopToken& stop, Workspace& w) {
  w.scaled.resize(w.kept.size());
  w.scale.resize(w.group_end.size());
  std::int64_t begin = 0;
  for (std::size_t g = 0; g < w.group_end.size(); ++g) {
    const std::int64_t n = w.group_end[g] - begin;
    const float* values = w.kept.data() + begin;
    const float reach = reach_of({values, static_cast<std::size_t>(n)}, scheme, stop);
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
    pass(stop, n);
  }
}

// Scales with what one would be: the exponents' bytes, then the five bits of the mantissas.
void put_scales(const Scheme& scheme, core::StopToken& stop, Workspace& w, Bytes& out) {
  w.bytes.resize(w.scale.size());
  for (std::size_t g = 0; g < w.scale.size(); ++g) w.bytes[g] = static_cast<std::uint8_t>(w.scale[g] >> 5);
  Bytes exponents;
  put_symbols(w.bytes, 256, scheme.entropy, nullptr, stop, w.coder, exponents);
  put_varint(out, exponents.size());
  out.insert(out.end(), exponents.begin(), exponents.end());
  for (std::size_t g = 0; g < w.scale.size(); ++g) w.bytes[g] = static_cast<std::uint8_t>(w.scale[g] & 31);
  put_symbols(w.bytes, 32, scheme.entropy, nullptr, stop, w.coder, out);
}

void get_scales(std::span<const std::uint8_t> data, std::size_t groups, core::StopToken& stop, Workspace& w) {
  ByteReader in(data);
  w.scale.resize(groups);
  w.bytes.resize(groups);
  const std::uint64_t exponents = in.varint();
  get_symbols(in.take(exponents), 256, nullptr, stop, w.coder, w.bytes);
  for (std::size_t g = 0; g < groups; ++g) w.scale[g] = static_cast<std::uint16_t>(w.bytes[g] << 5);
  get_symbols(in.take(in.left()), 32, nullptr, stop, w.coder, w.bytes);
  for (std::size_t g = 0; g < groups; ++g)
    w.scale[g] = static_cast<std::uint16_t>(w.scale[g] | (w.bytes[g] & 31));
}

// One byte of every value, of those that travel as they are.
void plane_of(std::span<const float> kept, Dtype dtype, int plane, core::StopToken& stop,
              Buffer<std::uint8_t>& out) {
  out.resize(kept.size());
  in_parts(
      std::ssize(kept), stop, [&, from = kept.data(), to = out.data()](std::int64_t begin, std::int64_t end) {
        const int shift = 8 * plane;
        if (dtype == Dtype::float32) {
          std::transform(from + begin, from + end, to + begin, [=](float value) {
            return static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(value) >> shift);
          });
        } else {
          std::transform(from + begin, from + end, to + begin,
                         [=](float value) { return static_cast<std::uint8_t>(to_half(value) >> shift); });
        }
      });
}

// Symbols of what `w` has gathered; the quantiser that made them.
Quantiser quantise_kept(const Scheme& scheme, core::StopToken& stop, Workspace& w) {
  const bool grouped = scheme.scale != Scale::tensor;
  if (grouped) scale_groups(scheme, stop, w);
  const std::span<const float> values = grouped ? w.scaled : w.kept;
  Quantiser quantiser = fit_quantiser(values, scheme, stop);
  w.symbols.resize(values.size());
  const float* draws = scheme.rounding == Rounding::stochastic ? w.draws.data() : nullptr;
  quantise(quantiser, values, draws, stop, w.symbols.data());
  return quantiser;
}

double entropy_bytes(std::span<const std::uint8_t> symbols, core::StopToken& stop) {
  Histogram histogram;
  count_symbols(symbols, stop, histogram);
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
             coder.tables, coder.columns, coder.memory, coder.prediction, row, kept, scaled, draws, features,
             group_end, scale, symbols, bytes);
}

Bytes encode(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask, const Scheme& scheme,
             core::StopToken& stop, Workspace& w) {
  const DefaultFloats default_floats;
  check(x, mask, scheme);
  const Rows rows = rows_of(x.shape);
  Gather(x, dtype, mask, scheme, stop, w).run();

  std::array<Bytes, 3> parts;
  const auto kept = static_cast<std::int64_t>(w.kept.size());
  Grid grid{.tokens = rows.tokens, .features = rows.features};
  const bool contexts = scheme.entropy == Entropy::context && rows.elements() > 0;
  if (scheme.selects()) {
    grid.mask = &w.mask;
    if (contexts) grid.stride = find_stride(w.mask, rows.tokens, stop);
    put_mask(grid, kept, scheme.entropy, stop, w.coder, parts[0]);
  }
  Quantiser quantiser;
  if (scheme.bits > 0) {
    quantiser = quantise_kept(scheme, stop, w);
    if (scheme.scale != Scale::tensor) put_scales(scheme, stop, w, parts[1]);
    if (!scheme.selects() && contexts) grid.stride = find_stride(w.symbols, rows.tokens, rows.features, stop);
    put_symbols(w.symbols, quantiser.symbols(), scheme.entropy, &grid, stop, w.coder, parts[2]);
  } else {
    for (int plane = 0; plane < bytes_of(dtype); ++plane) {
      plane_of(w.kept, dtype, plane, stop, w.symbols);
      Bytes coded;
      put_symbols(w.symbols, 256, scheme.entropy, &grid, stop, w.coder, coded);
      put_varint(parts[2], coded.size());
      append(parts[2], coded, stop);
    }
  }
  Bytes message;
  put_header(message, dtype, x.shape, scheme, quantiser, parts);
  for (const Bytes& part : parts) append(message, part, stop);
  seal(message, rows.elements() * bytes_of(dtype), stop);
  return message;
}

EntropyBound entropy_bound(const ArrayView& x, Dtype dtype, const std::optional<ArrayView>& mask,
                           const Scheme& scheme, core::StopToken& stop, Workspace& w) {
  const DefaultFloats default_floats;
  check(x, mask, scheme);
  Gather(x, dtype, mask, scheme, stop, w).run();
  const auto elements = static_cast<double>(rows_of(x.shape).elements());
  const auto kept = static_cast<double>(w.kept.size());
  EntropyBound bound;
  for (const double count : {kept, elements - kept}) {
    if (scheme.selects() && count > 0.0) bound.mask_bytes -= count * std::log2(count / elements) / 8.0;
  }
  if (scheme.bits > 0) {
    quantise_kept(scheme, stop, w);
    bound.symbols_bytes = entropy_bytes(w.symbols, stop);
  } else {
    for (int plane = 0; plane < bytes_of(dtype); ++plane) {
      plane_of(w.kept, dtype, plane, stop, w.symbols);
      bound.symbols_bytes += entropy_bytes(w.symbols, stop);
    }
  }
  return bound;
}

namespace {

// Values of the symbols of groups; those beyond the quantiser's cells stand for 0.
void dequantise(const Header& header, const Rows& rows, core::StopToken& stop, Workspace& w) {
  const std::array<float, 256> levels = levels_of(header.quantiser);
  w.kept.resize(w.symbols.size() + kAhead);
  if (header.scheme.scale == Scale::tensor) {
    return in_parts(std::ssize(w.symbols), stop, [&](std::int64_t begin, std::int64_t end) {
      std::transform(w.symbols.data() + begin, w.symbols.data() + end, w.kept.data() + begin,
                     [&](std::uint8_t symbol) { return levels[symbol]; });
    });
  }
  const std::int64_t width = group_features(header.scheme, rows.features);
  const std::int64_t groups = (rows.features + width - 1) / width;
  get_scales(header.scales, static_cast<std::size_t>(rows.tokens * groups), stop, w);
  std::size_t i = 0;
  for (std::int64_t t = 0; t < rows.tokens; ++t) {
    const auto value = [&](std::int64_t f) {
      const float scale = scale_of(w.scale[static_cast<std::size_t>(t * groups + f / width)]);
      w.kept[i] = levels[w.symbols[i]] * scale;
      ++i;
    };
    if (header.scheme.selects()) {
      for_each_kept(w.mask.row(t), w.mask.words_per_row, stop, value);
    } else {
      in_parts(rows.features, stop, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t f = begin; f < end; ++f) value(f);
      });
    }
  }
}

void read_planes(const Header& header, const Grid& grid, core::StopToken& stop, Workspace& w) {
  ByteReader in(header.symbols);
  const std::size_t n = w.symbols.size();
  Buffer<std::uint32_t>& bits = w.features;
  bits.resize(n);
  for (int plane = 0; plane < bytes_of(header.dtype); ++plane) {
    const std::uint64_t bytes = in.varint();
    get_symbols(in.take(bytes), 256, &grid, stop, w.coder, w.symbols);
    in_parts(std::ssize(bits), stop, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        const std::uint32_t before = plane == 0 ? 0 : bits[i];
        bits[i] = before | static_cast<std::uint32_t>(w.symbols[i]) << (8 * plane);
      }
    });
  }
  if (in.left() != 0) throw_corrupt("bytes after the values");
  w.kept.resize(n + kAhead);
  in_parts(std::ssize(bits), stop, [&](std::int64_t begin, std::int64_t end) {
    std::transform(bits.data() + begin, bits.data() + end, w.kept.data() + begin, [&](std::uint32_t value) {
      return header.dtype == Dtype::float32 ? std::bit_cast<float>(value)
                                            : from_half(static_cast<std::uint16_t>(value));
    });
  });
}

template <class T, class Convert>
void scatter(const Header& header, const Rows& rows, const Workspace& w, core::StopToken& stop,
             std::byte* out, Convert&& convert) {
  auto* element = reinterpret_cast<T*>(out);
  const float* value = w.kept.data();
  if (!header.scheme.selects()) {
    return in_parts(rows.elements(), stop, [&](std::int64_t begin, std::int64_t end) {
      convert(value + begin, end - begin, element + begin);
    });
  }
  if constexpr (std::is_same_v<T, float>) {
    if (core::has_avx2()) {
      for (std::int64_t t = 0; t < rows.tokens; ++t, element += rows.features) {
        const auto* bits = reinterpret_cast<const std::uint8_t*>(w.mask.row(t));
        in_parts(rows.features, stop, [&](std::int64_t begin, std::int64_t end) {
          value = scatter_avx2(value, end - begin, bits + begin / 8, element + begin);
        });
      }
      return;
    }
  }
  in_parts(rows.elements(), stop,
           [&](std::int64_t begin, std::int64_t end) { std::fill(element + begin, element + end, T{0}); });
  for (std::int64_t t = 0; t < rows.tokens; ++t, element += rows.features) {
    for_each_kept(w.mask.row(t), w.mask.words_per_row, stop,
                  [&](std::int64_t f) { convert(value++, 1, element + f); });
  }
}

}  // namespace

void decode(const Header& header, core::StopToken& stop, Workspace& w, std::byte* out) {
  const DefaultFloats default_floats;
  const Rows rows = rows_of(header.shape);
  if (rows.elements() == 0) return;  // there may be more tokens than could ever be walked over
  std::int64_t kept = rows.elements();
  if (header.scheme.selects()) {
    w.mask.reset(rows.tokens, rows.features);
    kept = get_mask(header.mask, rows.tokens, stop, w.coder, w.mask);
  }
  const Grid grid{
      .tokens = rows.tokens, .features = rows.features, .mask = header.scheme.selects() ? &w.mask : nullptr};
  w.symbols.resize(static_cast<std::size_t>(kept));
  if (header.scheme.bits > 0) {
    get_symbols(header.symbols, header.quantiser.symbols(), &grid, stop, w.coder, w.symbols);
    dequantise(header, rows, stop, w);
  } else {
    read_planes(header, grid, stop, w);
  }
  // Neither a scale nor a value that travelled as it is need be a number.
  in_parts(kept, stop, [&](std::int64_t begin, std::int64_t end) {
    if (!all_finite(w.kept.data() + begin, end - begin)) throw_corrupt("a value is not finite");
  });
  if (header.dtype == Dtype::float32) {
    scatter<float>(header, rows, w, stop, out,
                   [](const float* from, std::int64_t n, float* to) { std::copy_n(from, n, to); });
  } else {
    scatter<std::uint16_t>(header, rows, w, stop, out, narrow);
  }
}

}  // namespace constellm::codec
