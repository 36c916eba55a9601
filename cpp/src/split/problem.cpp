#include "constellm/split/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "constellm/core/error.hpp"

namespace constellm::split {
namespace {

using core::InvalidInput;

std::string at(const char* list, std::size_t i) { return std::string(list) + "[" + std::to_string(i) + "]."; }

void check_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 100 || !std::all_of(name.begin(), name.end(), allowed)) {
    throw InvalidInput("name: '" + name.substr(0, 120) + "' is not 1 to 100 characters of [A-Za-z0-9._-]");
  }
}

void check_length(const std::string& where, std::size_t got, std::size_t layers) {
  if (got != layers) {
    throw InvalidInput(where + ": " + std::to_string(got) + " entries for " + std::to_string(layers) +
                       " layers");
  }
}

// A figure of 1e308 is a legal number, but a plan made of several is not: refuse here, so that
// no sum in the evaluator or in a search can overflow.
void check_magnitude(const Problem& problem) {
  const ProblemSpec& spec = problem.spec();
  const auto layers = problem.layer_count();
  double slowest_codec = 0.0;
  double most_bytes = spec.input_bytes;
  double memory = 0.0;
  double error = 0.0;
  for (std::int32_t l = 0; l < layers; ++l) {
    const auto& layer = spec.layers[static_cast<std::size_t>(l)];
    memory += layer.memory_bytes;
    most_bytes = std::max(most_bytes, layer.output_bytes);
    double worst_error = 0.0;
    for (std::int32_t k = 0; k < problem.codec_count(); ++k) {
      const auto& codec = spec.codecs[static_cast<std::size_t>(k)];
      most_bytes = std::max(most_bytes, problem.sent_bytes(l, k));
      slowest_codec =
          std::max(slowest_codec, layer.output_bytes * (codec.encode_s_per_byte + codec.decode_s_per_byte));
      worst_error =
          std::max(worst_error, codec::to_resource(spec.limits.error_rule, problem.cut_error(l, k)));
    }
    error += worst_error;
  }
  double delay = 0.0;
  double power = 0.0;
  for (std::int32_t v = 0; v < problem.node_count(); ++v) {
    const auto& node = spec.network.nodes[static_cast<std::size_t>(v)];
    power = std::max({power, node.power_w, node.tx_power_w});
    delay += node.overhead_s + node.codec_time_scale * slowest_codec;
    if (!node.can_host()) continue;
    for (std::int32_t l = 0; l < layers; ++l) delay += problem.layer_s(v, l);
  }
  for (std::size_t i = 0; i < spec.network.links.size(); ++i) {
    delay += problem.hop_s(static_cast<std::int32_t>(i), most_bytes) + spec.network.links[i].latency_s;
  }
  const double micro_batches = static_cast<double>(spec.micro_batches);
  const double sizes[] = {delay * (micro_batches + 1.0), delay * micro_batches * power, memory, error,
                          most_bytes * micro_batches * static_cast<double>(problem.node_count())};
  if (!std::all_of(std::begin(sizes), std::end(sizes), [](double x) { return x < 1e300; })) {
    throw InvalidInput("problem '" + spec.name +
                       "': its times, bytes, memory, error or energy could add up to more than 1e300");
  }
}

}  // namespace

Problem::Problem(ProblemSpec spec) : Problem(std::move(spec), nullptr) {}

Problem::Problem(ProblemSpec spec, const Problem& like) : Problem(std::move(spec), &like) {}

Problem::Problem(ProblemSpec spec, const Problem* like) {
  check_name(spec.name);
  if (spec.layers.empty()) throw InvalidInput("layers: at least one is needed, got 0");
  for (std::size_t i = 0; i < spec.layers.size(); ++i) model::validate(spec.layers[i], {"layers", i});
  core::check_ranges(spec, "");
  const bool shared = like != nullptr && like->spec().network.nodes == spec.network.nodes &&
                      like->spec().network.links == spec.network.links;
  const network::Graph graph = shared ? like->graph() : network::Graph(spec.network);
  const std::int32_t source = graph.node(spec.source, "source");
  const std::int32_t sink = graph.node(spec.sink, "sink");
  spec.network.source = spec.source;
  spec.network.sink = spec.sink;
  for (std::size_t i = 0; i < spec.network.nodes.size(); ++i) {
    const auto& times = spec.network.nodes[i].layer_time_s;
    if (times) check_length(at("nodes", i) + "layer_time_s", times->size(), spec.layers.size());
  }
  if (spec.codecs.empty()) throw InvalidInput("codecs: at least one is needed, got 0");
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < spec.codecs.size(); ++i) {
    const codec::Codec& codec = spec.codecs[i];
    codec::validate(codec, {"codecs", i});
    if (!names.insert(codec.name).second) {
      throw InvalidInput(at("codecs", i) + "name: '" + codec.name + "' is used by another codec");
    }
    if (codec.layer_ratio)
      check_length(at("codecs", i) + "layer_ratio", codec.layer_ratio->size(), spec.layers.size());
    if (codec.layer_error)
      check_length(at("codecs", i) + "layer_error", codec.layer_error->size(), spec.layers.size());
  }

  data_ = std::make_shared<const Data>(Data{std::move(spec), graph, source, sink});
  check_magnitude(*this);
}

double Problem::layer_s(std::int32_t node, std::int32_t layer) const {
  const network::Node& host = spec().network.nodes[static_cast<std::size_t>(node)];
  const auto l = static_cast<std::size_t>(layer);
  return host.layer_time_s ? (*host.layer_time_s)[l] : spec().layers[l].flop / host.flop_per_s;
}

double Problem::sent_bytes(std::int32_t layer, std::int32_t codec) const {
  const double bytes = spec().layers[static_cast<std::size_t>(layer)].output_bytes;
  if (codec == kNoCodec) return bytes;
  const codec::Codec& chosen = spec().codecs[static_cast<std::size_t>(codec)];
  return bytes / (chosen.layer_ratio ? (*chosen.layer_ratio)[static_cast<std::size_t>(layer)] : chosen.ratio);
}

double Problem::cut_error(std::int32_t layer, std::int32_t codec) const {
  const codec::Codec& chosen = spec().codecs[static_cast<std::size_t>(codec)];
  const auto l = static_cast<std::size_t>(layer);
  return chosen.layer_error ? (*chosen.layer_error)[l] : chosen.error * spec().layers[l].error_gain;
}

double Problem::encode_s(std::int32_t node, std::int32_t layer, std::int32_t codec) const {
  return spec().layers[static_cast<std::size_t>(layer)].output_bytes *
         spec().codecs[static_cast<std::size_t>(codec)].encode_s_per_byte *
         spec().network.nodes[static_cast<std::size_t>(node)].codec_time_scale;
}

double Problem::decode_s(std::int32_t node, std::int32_t layer, std::int32_t codec) const {
  return spec().layers[static_cast<std::size_t>(layer)].output_bytes *
         spec().codecs[static_cast<std::size_t>(codec)].decode_s_per_byte *
         spec().network.nodes[static_cast<std::size_t>(node)].codec_time_scale;
}

double Problem::memory_limit_with_room(std::int32_t node) const {
  return spec().network.nodes[static_cast<std::size_t>(node)].memory_bytes * kLimitRoom;
}

double Problem::error_limit_with_room() const {
  return spec().limits.max_error ? *spec().limits.max_error * kLimitRoom
                                 : std::numeric_limits<double>::infinity();
}

double Problem::energy_limit_with_room() const {
  return spec().limits.max_energy_j ? *spec().limits.max_energy_j * kLimitRoom
                                    : std::numeric_limits<double>::infinity();
}

}  // namespace constellm::split
