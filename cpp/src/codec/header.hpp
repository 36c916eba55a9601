#pragma once
#include "constellm/codec/coding.hpp"

namespace constellm::codec {

/// Everything before the parts (mask, scales, symbols), the checksum not yet known.
void put_header(Bytes& out, Dtype dtype, std::span<const std::int64_t> shape, const Scheme& scheme,
                const Quantiser& quantiser, std::span<const Bytes> parts);

/// Pads a message of `raw_bytes` where it must be longer, and writes its checksum.
void seal(Bytes& message, std::int64_t raw_bytes, core::StopToken& stop);

}  // namespace constellm::codec
