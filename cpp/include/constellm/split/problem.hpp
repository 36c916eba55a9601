#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "constellm/codec/codec.hpp"
#include "constellm/model/layer.hpp"
#include "constellm/network/graph.hpp"

namespace constellm::split {

/// Limits get this room once, when a problem is built, and are compared with plain <= from
/// then on: a plan whose own figure is given as the limit stays feasible.
inline constexpr double kLimitRoom = 1.0 + 1e-12;

/// `optimal` means a proven relative gap of at most this.
inline constexpr double kOptimalGap = 1e-9;

inline constexpr std::int32_t kNoCodec = -1;

struct Limits {
  std::optional<double> max_error;     ///< accumulated error; none: no limit
  std::optional<double> max_energy_j;  ///< over all micro-batches [J]; none: no limit
  codec::ErrorRule error_rule = codec::ErrorRule::sum;

  bool operator==(const Limits&) const = default;
};

enum class Objective { delay, throughput };

/// The plain values of a problem, as a file holds them. May be wrong until a Problem is made.
struct ProblemSpec {
  std::string name;
  std::vector<model::Layer> layers;
  double input_bytes = 0.0;  ///< raw input per micro-batch, at the source [B]
  network::Network network;  ///< a Problem puts its own endpoints there as defaults
  std::string source;        ///< id of the node that has the input
  std::string sink;          ///< id of the node that wants the result
  std::int64_t micro_batches = 1;
  std::vector<codec::Codec> codecs;
  Limits limits;
  Objective objective = Objective::delay;

  bool operator==(const ProblemSpec&) const = default;
};

/// A validated, immutable problem; copies share it. The constructor is the only way in, and
/// throws core::InvalidInput that names the field, the value and the allowed range.
class Problem {
 public:
  explicit Problem(ProblemSpec spec);

  [[nodiscard]] const ProblemSpec& spec() const { return data_->spec; }
  [[nodiscard]] const network::Graph& graph() const { return data_->graph; }
  [[nodiscard]] const network::Topology& topology() const { return graph().topology(); }
  [[nodiscard]] std::int32_t source() const { return data_->source; }  ///< position of its node
  [[nodiscard]] std::int32_t sink() const { return data_->sink; }      ///< position of its node
  bool operator==(const Problem& other) const {
    return data_ == other.data_ || data_->spec == other.data_->spec;
  }

  [[nodiscard]] std::int32_t layer_count() const { return static_cast<std::int32_t>(spec().layers.size()); }
  [[nodiscard]] std::int32_t node_count() const { return graph().node_count(); }
  [[nodiscard]] std::int32_t codec_count() const { return static_cast<std::int32_t>(spec().codecs.size()); }

  /// Seconds of `layer` on `node` per micro-batch. Only for nodes that can host.
  [[nodiscard]] double layer_s(std::int32_t node, std::int32_t layer) const;
  /// Bytes of the activation after `layer` as `codec` sends it (kNoCodec: uncompressed).
  [[nodiscard]] double sent_bytes(std::int32_t layer, std::int32_t codec) const;
  /// What `codec` at the cut after `layer` adds to the accumulated error (before the rule).
  [[nodiscard]] double cut_error(std::int32_t layer, std::int32_t codec) const;
  /// Seconds to encode / decode the activation after `layer` on `node`.
  [[nodiscard]] double encode_s(std::int32_t node, std::int32_t layer, std::int32_t codec) const;
  [[nodiscard]] double decode_s(std::int32_t node, std::int32_t layer, std::int32_t codec) const;
  /// Seconds that a message of `bytes` occupies `link`.
  [[nodiscard]] double hop_s(std::int32_t link, double bytes) const {
    const network::LinkColumns& columns = graph().columns();
    const auto l = static_cast<std::size_t>(link);
    return network::hop_s(columns.overhead_s[l], columns.rate_bps[l], bytes);
  }

  /// Limits with their room; infinity where there is none.
  [[nodiscard]] double memory_limit_with_room(std::int32_t node) const;
  [[nodiscard]] double error_limit_with_room() const;
  [[nodiscard]] double energy_limit_with_room() const;

 private:
  struct Data {
    ProblemSpec spec;
    network::Graph graph;
    std::int32_t source;
    std::int32_t sink;
  };
  std::shared_ptr<const Data> data_;
};

}  // namespace constellm::split
