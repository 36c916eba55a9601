#include "constellm/split/baselines/menus.hpp"

#include <algorithm>
#include <numeric>

#include "constellm/codec/laplace.hpp"
#include "constellm/core/error.hpp"

namespace constellm::split {
namespace {

using codec::Codec;

constexpr std::string_view kQuantise = "quantise";
constexpr double kReferenceBits = 32.0;  // FP32 activations, as in the papers

bool changes_nothing(const Codec& c) {
  return c.ratio == 1.0 && c.error == 0.0 && c.encode_s_per_byte == 0.0 && c.decode_s_per_byte == 0.0 &&
         !c.layer_ratio && !c.layer_error;
}

std::int32_t add(std::vector<Codec>& codecs, Codec codec) {
  const auto taken = [&] {
    return std::any_of(codecs.begin(), codecs.end(), [&](const Codec& c) { return c.name == codec.name; });
  };
  while (taken()) codec.name += "-added";
  codecs.push_back(std::move(codec));
  return static_cast<std::int32_t>(codecs.size()) - 1;
}

template <class Test>
std::int32_t find_or_add(std::vector<Codec>& codecs, Test test, Codec otherwise) {
  const auto found = std::find_if(codecs.begin(), codecs.end(), test);
  if (found != codecs.end()) return static_cast<std::int32_t>(found - codecs.begin());
  return add(codecs, std::move(otherwise));
}

Codec named(std::string name) {
  Codec codec;
  codec.name = std::move(name);
  return codec;
}

std::int32_t plain(std::vector<Codec>& codecs) { return find_or_add(codecs, changes_nothing, named("none")); }

Codec quantiser(int bits) {
  Codec codec = named(std::string(kQuantise) + "-" + std::to_string(bits));
  codec.group = kQuantise;
  codec.ratio = kReferenceBits / bits;
  codec.error = constellm::codec::quantisation_error(bits);
  return codec;
}

Menu completed(const Problem& problem, std::vector<Codec> codecs, std::vector<std::int32_t> allowed) {
  if (codecs.size() == problem.spec().codecs.size()) return {problem, std::move(allowed)};
  ProblemSpec spec = problem.spec();
  spec.codecs = std::move(codecs);
  return {Problem(std::move(spec), problem), std::move(allowed)};
}

std::vector<std::int32_t> positions_of(const Problem& problem, std::string_view group) {
  std::vector<std::int32_t> positions;
  for (std::int32_t k = 0; k < problem.codec_count(); ++k) {
    if (problem.spec().codecs[static_cast<std::size_t>(k)].group == group) positions.push_back(k);
  }
  return positions;
}

}  // namespace

Menu whole_menu(const Problem& problem) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(problem.codec_count()));
  std::iota(all.begin(), all.end(), 0);
  return {problem, std::move(all)};
}

Menu uncompressed(const Problem& problem) {
  std::vector<Codec> codecs = problem.spec().codecs;
  const std::int32_t none = plain(codecs);
  return completed(problem, std::move(codecs), {none});
}

Menu one_codec(const Problem& problem, std::string_view name) {
  for (std::int32_t k = 0; k < problem.codec_count(); ++k) {
    if (problem.spec().codecs[static_cast<std::size_t>(k)].name == name) return {problem, {k}};
  }
  throw core::InvalidInput("method: the problem has no codec '" + std::string(name) + "'");
}

Menu codec_group(const Problem& problem, std::string_view group) {
  std::vector<std::int32_t> allowed = positions_of(problem, group);
  if (allowed.empty()) {
    throw core::InvalidInput("method: the problem has no codec of group '" + std::string(group) + "'");
  }
  return {problem, std::move(allowed)};
}

Menu quantisers(const Problem& problem) {
  std::vector<std::int32_t> allowed = positions_of(problem, kQuantise);
  std::vector<Codec> codecs = problem.spec().codecs;
  if (allowed.empty()) {
    for (int bits = 1; bits <= 8; ++bits) allowed.push_back(add(codecs, quantiser(bits)));
  }
  return completed(problem, std::move(codecs), std::move(allowed));
}

Menu quantpipe_bits(const Problem& problem) {
  std::vector<Codec> codecs = problem.spec().codecs;
  std::vector<std::int32_t> allowed{plain(codecs)};
  for (const int bits : {16, 8, 6, 4, 2}) {
    Codec own = quantiser(bits);
    const std::string name = own.name;
    allowed.push_back(find_or_add(codecs, [&](const Codec& c) { return c.name == name; }, std::move(own)));
  }
  return completed(problem, std::move(codecs), std::move(allowed));
}

}  // namespace constellm::split
