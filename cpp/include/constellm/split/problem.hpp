#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  std::optional<double> max_error;
  std::optional<double> max_energy_j;
  codec::ErrorRule error_rule = codec::ErrorRule::sum;

  bool operator==(const Limits&) const = default;
};

constexpr auto fields(const Limits*) {
  using core::kNonNegative;
  using core::optional;
  return core::record(
      "Limits", "Limits that a plan must keep.",
      optional("max_error", &Limits::max_error, "of the accumulated error, or None", "", kNonNegative),
      optional("max_energy_j", &Limits::max_energy_j, "of the energy of all micro-batches, or None", "J",
               kNonNegative),
      optional("error_rule", &Limits::error_rule, "'sum' or 'root_sum_square'"));
}

enum class Objective { delay, throughput };

constexpr std::array<std::string_view, 2> words(Objective) { return {"delay", "throughput"}; }

/// The plain values of a problem, as a file holds them. May be wrong until a Problem is made.
struct ProblemSpec {
  std::string name = "problem";
  std::vector<model::Layer> layers;
  double input_bytes = 0.0;
  network::Network network;  ///< a Problem puts its own endpoints there as defaults
  std::string source;
  std::string sink;
  std::int64_t micro_batches = 1;
  std::vector<codec::Codec> codecs;
  Limits limits;
  Objective objective = Objective::delay;

  bool operator==(const ProblemSpec&) const = default;
};

constexpr auto fields(const ProblemSpec*) {
  using core::optional;
  using core::required;
  using network::Network;
  using Spec = ProblemSpec;
  constexpr core::Range kMicroBatches{.least = 1.0, .most = 9007199254740992.0, .text = "[1, 2^53]"};
  return core::record(
             "Problem",
             "A model to be run on a network under limits. Immutable and validated once; the values are "
             "those of\n"
             "the file format `constellm.split-problem`.",
             optional("name", &Spec::name, "1 to 100 characters of [A-Za-z0-9._-]").to_be_said_in_files(),
             required("layers", &Spec::layers, "in execution order"),
             required("input_bytes", &Spec::input_bytes, "raw input per micro-batch, at the source", "B",
                      core::kNonNegative),
             core::lifted(&Spec::network, required("nodes", &Network::nodes, "of the network")),
             core::lifted(&Spec::network, required("links", &Network::links, "of the network")),
             required("source", &Spec::source, "id of the node that has the input"),
             required("sink", &Spec::sink, "id of the node that wants the result"),
             optional("micro_batches", &Spec::micro_batches,
                      "identical micro-batches that flow through the pipeline", "", kMicroBatches)
                 .to_be_said_in_files(),
             required("codecs", &Spec::codecs, "the menu: names are unique"),
             core::section("limits", &Spec::limits, core::fields_of<Limits>()),
             optional("objective", &Spec::objective, "'delay' or 'throughput'"))
      .with_example(
          "clm.split.Problem(model=clm.model.vit('vit-base/16', batch=8), codecs=clm.codec.menu('quantise'), "
          "network=clm.network.chain(3, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9))");
}

/// A validated, immutable problem; copies share it. The constructor is the only way in, and
/// throws core::InvalidInput that names the field, the value and the allowed range.
class Problem {
 public:
  explicit Problem(ProblemSpec spec);
  /// The same; where the network is that of another problem, in its memory.
  Problem(ProblemSpec spec, const Problem& like);

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
  Problem(ProblemSpec spec, const Problem* like);
  struct Data {
    ProblemSpec spec;
    network::Graph graph;
    std::int32_t source;
    std::int32_t sink;
  };
  std::shared_ptr<const Data> data_;
};

}  // namespace constellm::split
