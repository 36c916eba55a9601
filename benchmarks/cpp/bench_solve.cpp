// How the time of one exact solve grows with layers, nodes, codecs, micro-batches and the tightness of the
// error limit.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "constellm/core/error.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/split/problem.hpp"
#include "constellm/split/solve.hpp"

namespace {

using namespace constellm;

struct Size {
  int layers;
  int nodes;
  int codecs;
  std::int64_t micro_batches;
  double max_error;
};

// A chain of unlike nodes and a ladder of codecs: a step of the ladder compresses more and errs more.
// The memory of a node holds a quarter of the layers, so that a plan needs several stages.
split::Problem chain(const Size& size) {
  split::ProblemSpec spec;
  spec.name = "chain";
  for (int i = 0; i < size.layers; ++i) {
    model::Layer layer;
    layer.name = "layer " + std::to_string(i);
    layer.flop = 1e11 * (1.0 + 0.1 * (i % 7));
    layer.memory_bytes = 1e8;
    layer.output_bytes = 1e6 * (1.0 + 0.05 * (i % 5));
    spec.layers.push_back(layer);
  }
  for (int i = 0; i < size.nodes; ++i) {
    network::Node node;
    node.id = "node " + std::to_string(i);
    node.flop_per_s = 1e13 * (1.0 + 0.25 * (i % 4));
    node.memory_bytes = 0.25e8 * size.layers;
    spec.network.nodes.push_back(node);
  }
  for (int i = 0; i + 1 < size.nodes; ++i) {
    network::Link link;
    link.from = spec.network.nodes[static_cast<std::size_t>(i)].id;
    link.to = spec.network.nodes[static_cast<std::size_t>(i) + 1].id;
    link.rate_bps = 1e9 * (1.0 + 0.5 * (i % 3));
    link.latency_s = 0.005;
    spec.network.links.push_back(link);
  }
  for (int i = 0; i < size.codecs; ++i) {
    codec::Codec codec;
    codec.name = "codec " + std::to_string(i);
    codec.ratio = 1.0 + i;
    codec.error = 0.001 * i * (1.0 + 0.1 * i);
    spec.codecs.push_back(codec);
  }
  spec.source = spec.network.nodes.front().id;
  spec.sink = spec.network.nodes.back().id;
  spec.input_bytes = 5e6;
  spec.micro_batches = size.micro_batches;
  spec.limits.max_error = size.max_error;
  return split::Problem(spec);
}

void solve(benchmark::State& state, const Size& size) {
  const split::Problem problem = chain(size);
  search::Workspace workspace;
  split::Plan plan;
  for (auto _ : state) {
    core::StopToken never;
    plan = split::solve(problem, {}, never, workspace);
    benchmark::DoNotOptimize(plan);
  }
  if (plan.status != core::Status::optimal) state.SkipWithError("no proven optimum");
  state.counters["delay_s"] = plan.delay_s;
  state.counters["stages"] = static_cast<double>(plan.assignment ? plan.assignment->stages.size() : 0);
}

const Size kPaper{48, 6, 10, 8, 0.02};

void all_sizes() {
  const auto add = [](const std::string& name, const Size& size) {
    benchmark::RegisterBenchmark(name.c_str(), solve, size)->Unit(benchmark::kMillisecond);
  };
  for (const int layers : {12, 24, 48, 96, 192}) {
    add("layers/" + std::to_string(layers), {layers, kPaper.nodes, kPaper.codecs, 8, kPaper.max_error});
  }
  for (const int nodes : {5, 6, 12, 24}) {
    add("nodes/" + std::to_string(nodes), {kPaper.layers, nodes, kPaper.codecs, 8, kPaper.max_error});
  }
  for (const int codecs : {1, 4, 10, 16, 32}) {
    add("codecs/" + std::to_string(codecs), {kPaper.layers, kPaper.nodes, codecs, 8, kPaper.max_error});
  }
  for (const int micro_batches : {1, 8, 32, 128}) {
    add("micro_batches/" + std::to_string(micro_batches),
        {kPaper.layers, kPaper.nodes, kPaper.codecs, micro_batches, kPaper.max_error});
  }
  for (const double max_error : {0.0, 0.005, 0.02, 0.05, 0.5}) {
    add("max_error/" + core::to_text(max_error), {kPaper.layers, kPaper.nodes, kPaper.codecs, 8, max_error});
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  all_sizes();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
