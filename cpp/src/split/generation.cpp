#include "constellm/split/generation.hpp"

#include <algorithm>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/search/tolerance.hpp"
#include "constellm/split/goals.hpp"
#include "constellm/split/solve.hpp"

namespace constellm::split {
namespace {

using search::kInfinity;

using core::z;

/// Seconds of one decode step in one layer: the slower of computing and reading.
double decode_layer_s(const GenerationSpec& spec, std::int32_t node, std::int32_t layer) {
  const DecodeLayer& d = spec.decode[z(layer)];
  const network::Node& n = spec.prefill.spec().network.nodes[z(node)];
  const double compute_s = d.flop > 0.0 ? d.flop / n.flop_per_s : 0.0;
  return std::max(compute_s, d.read_bytes / spec.memory_bandwidth_bytes_per_s[z(node)]);
}

double decode_sent_bytes(const GenerationSpec& spec, std::int32_t layer, std::int32_t codec) {
  const double bytes = spec.decode[z(layer)].output_bytes;
  const codec::Codec& c = spec.prefill.spec().codecs[z(codec)];
  return bytes / (c.layer_ratio ? (*c.layer_ratio)[z(layer)] : c.ratio);
}

double decode_codec_s(const GenerationSpec& spec, std::int32_t node, std::int32_t layer,
                      double seconds_per_byte) {
  return spec.decode[z(layer)].output_bytes * seconds_per_byte *
         spec.prefill.spec().network.nodes[z(node)].codec_time_scale;
}

double leave_s(const GenerationSpec& spec, std::int32_t node, std::int32_t layer, std::int32_t codec) {
  return decode_codec_s(spec, node, layer, spec.prefill.spec().codecs[z(codec)].encode_s_per_byte);
}

double enter_s(const GenerationSpec& spec, std::int32_t node, std::int32_t layer, std::int32_t codec) {
  return decode_codec_s(spec, node, layer, spec.prefill.spec().codecs[z(codec)].decode_s_per_byte);
}

/// The fastest way of one token between two hosts.
struct Return {
  double time_s = kInfinity;
  double energy_j = 0.0;
  double bytes = 0.0;
};

/// From every node to `home`.
std::vector<Return> returns_to(const GenerationSpec& spec, std::int32_t home) {
  const network::Topology& t = spec.prefill.topology();
  const std::vector<double>& latency_s = spec.prefill.graph().columns().latency_s;
  std::vector<double> hop_s;
  std::vector<double> weight_s;
  for (std::int32_t l = 0; l < spec.prefill.graph().link_count(); ++l) {
    hop_s.push_back(spec.prefill.hop_s(l, spec.token_bytes));
    weight_s.push_back(hop_s.back() + latency_s[z(l)]);
  }
  const network::PathTree tree = network::shortest_tree(t.in, weight_s, home);
  std::vector<Return> returns(tree.cost.size());
  for (const std::int32_t v : tree.order) {
    returns[z(v)].time_s = tree.cost[z(v)];
    if (v == home) continue;
    const Return& rest = returns[z(tree.before[z(v)])];
    const double sending_w = spec.prefill.spec().network.nodes[z(v)].tx_power_w;
    returns[z(v)].energy_j = rest.energy_j + sending_w * hop_s[z(tree.link[z(v)])];
    returns[z(v)].bytes = rest.bytes + spec.token_bytes;
  }
  return returns;
}

/// The decode phase's share of a resource that is `stage_rate` per second of stages and `hop_rate`
/// per second of hops (by node), `latency_rate` per second of propagation.
struct Rates {
  std::vector<double> stage;  ///< [nodes]
  std::vector<double> hop;    ///< [nodes] of the sender
  double latency = 0.0;
};

/// Those of time.
Rates seconds(const Problem& problem) {
  const std::vector<double> ones(z(problem.node_count()), 1.0);
  return {ones, ones, 1.0};
}

/// Those of energy.
Rates joules(const Problem& problem) {
  Rates rates;
  for (const network::Node& node : problem.spec().network.nodes) {
    rates.stage.push_back(node.power_w);
    rates.hop.push_back(node.tx_power_w);
  }
  return rates;
}

void add_decode(const GenerationSpec& spec, const Compiled& c, const Rates& rates,
                search::Resource& resource) {
  const search::LayeredGraph& g = c.graph;
  const double steps = static_cast<double>(spec.new_tokens - 1);
  const auto cells = g.rows() * z(g.stride);
  const auto& net = spec.prefill.spec().network;
  resource.work_extra.assign(z(g.nodes()) * g.rows(), 0.0);
  resource.enter_extra.assign(z(g.nodes()) * cells, 0.0);
  resource.leave_extra.assign(z(g.nodes()) * cells, 0.0);
  resource.hop_extra.assign(c.routes.arc_link.size() * cells, 0.0);
  for (std::int32_t v = 0; v < g.nodes(); ++v) {
    if (g.can_host[z(v)] == 0) continue;
    const double rate = steps * rates.stage[z(v)];
    for (std::int32_t l = 0; l < g.levels; ++l) {
      resource.work_extra[g.at(v, l + 1)] =
          resource.work_extra[g.at(v, l)] + rate * decode_layer_s(spec, v, l);
    }
    for (std::int32_t level = 0; level < g.levels; ++level) {
      for (std::int32_t k = 0; k < g.choices_at(level); ++k) {
        const auto i = g.at(v, level, k);
        // Every stage is entered once, so its fixed time may stand here.
        resource.enter_extra[i] =
            rate * (net.nodes[z(v)].overhead_s + (level > 0 ? enter_s(spec, v, level - 1, k) : 0.0));
        if (level > 0) resource.leave_extra[i] = rate * leave_s(spec, v, level - 1, k);
      }
    }
  }
  for (std::size_t a = 0; a < c.routes.arc_link.size(); ++a) {
    const std::int32_t link = c.routes.arc_link[a];
    const double rate = steps * rates.hop[z(spec.prefill.topology().from[z(link)])];
    for (std::int32_t level = 1; level < g.levels; ++level) {
      for (std::int32_t k = 0; k < g.choices; ++k) {
        resource.hop_extra[g.at(static_cast<std::int32_t>(a), level, k)] =
            rate * spec.prefill.hop_s(link, decode_sent_bytes(spec, level - 1, k)) +
            steps * rates.latency * spec.prefill.graph().columns().latency_s[z(link)];
      }
    }
  }
}

/// A node that may have the first block, and what no plan that begins there is better than.
struct FirstHost {
  double bound;
  std::int32_t node;

  auto operator<=>(const FirstHost&) const = default;
};

/// In rising order of their bounds: the way of the input to the node, and the least of the goal from there
/// on, by one backward pass. Without bounds once `stop` says so.
std::vector<FirstHost> first_hosts(const Problem& problem, const Compiled& compiled, const search::Goal& goal,
                                   core::StopToken& stop, search::Workspace& workspace) {
  const search::LayeredGraph& graph = compiled.graph;
  workspace.reach.set(graph, goal.bottleneck_cap_s, stop);
  search::CostToGo table;
  table.resource = goal.objective;
  search::cost_pass(graph, workspace.reach, stop, workspace.cost_pass, table);

  const search::ResourceExtension objective(graph, goal.objective);
  std::vector<std::int32_t> from;
  std::vector<double> weight;
  for (std::int32_t v = 0; v < graph.vertices(); ++v) {
    for (std::int32_t a = graph.arc_begin[z(v)]; a < graph.arc_begin[z(v) + 1]; ++a) {
      from.push_back(v);
      weight.push_back(objective.hop(a, 0, 0, graph.hop_time_s(a, 0, 0)));
    }
  }
  const network::Rows out = network::rows_of(z(graph.vertices()), from, graph.arc_to);
  const network::PathTree input = network::shortest_tree(out, weight, graph.source);

  std::vector<double> bound(z(problem.node_count()), kInfinity);
  for (std::int32_t v = 0; v < graph.vertices(); ++v) {
    const std::int32_t host = graph.node[z(v)];
    if (!graph.hosts(v) || !graph.allows(host, 0)) continue;
    // Outside the reach the table says nothing; no walk begins there.
    if (!workspace.reach.arrives(v, 0)) continue;
    const double least = input.cost[z(v)] + objective.enter(host, 0, 0) + table.stage[graph.at(v, 0)];
    bound[z(host)] = std::min(bound[z(host)], least * (1.0 - 2.0 * search::kRoundingRoom));
  }
  const bool stopped = stop.reason() != core::StopReason::none;
  std::vector<FirstHost> hosts;
  for (std::int32_t host = 0; host < problem.node_count(); ++host) {
    if (stopped && graph.can_host[z(host)] != 0) hosts.push_back({0.0, host});
    if (!stopped && bound[z(host)] < kInfinity) hosts.push_back({bound[z(host)], host});
  }
  std::ranges::sort(hosts);
  return hosts;
}

}  // namespace

void validate(const GenerationSpec& spec) {
  const auto& nodes = spec.prefill.spec().network.nodes;
  if (spec.decode.size() != spec.prefill.spec().layers.size()) {
    throw core::InvalidInput("decode: " + std::to_string(spec.decode.size()) + " layers for " +
                             std::to_string(spec.prefill.spec().layers.size()) + " of the prefill");
  }
  for (std::size_t i = 0; i < spec.decode.size(); ++i) core::check_ranges(spec.decode[i], {"decode", i});
  if (spec.memory_bandwidth_bytes_per_s.size() != nodes.size()) {
    throw core::InvalidInput(
        "memory_bandwidth_bytes_per_s: " + std::to_string(spec.memory_bandwidth_bytes_per_s.size()) +
        " entries for " + std::to_string(nodes.size()) + " nodes");
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!(spec.memory_bandwidth_bytes_per_s[i] > 0.0)) {
      core::throw_out_of_range("memory_bandwidth_bytes_per_s of '" + nodes[i].id + "'",
                               spec.memory_bandwidth_bytes_per_s[i], "(0, inf]");
    }
    if (nodes[i].can_host() && !(nodes[i].flop_per_s > 0.0)) {
      throw core::InvalidInput("nodes[" + std::to_string(i) + "].flop_per_s: layer_time_s of '" +
                               nodes[i].id + "' says nothing of decoding; flop_per_s must be > 0");
    }
  }
  constexpr std::int64_t kMostTokens = std::int64_t{1} << 40;
  if (spec.new_tokens < 1 || spec.new_tokens > kMostTokens) {
    throw core::InvalidInput("new_tokens: " + std::to_string(spec.new_tokens) + " is not in [1, 2^40]");
  }
  core::require_non_negative("token_bytes", spec.token_bytes);

  // As for problems: no sum over the tokens may overflow.
  double step_s = 0.0;
  double power_w = 0.0;
  for (std::int32_t v = 0; v < spec.prefill.node_count(); ++v) {
    const network::Node& node = nodes[z(v)];
    power_w = std::max({power_w, node.power_w, node.tx_power_w});
    step_s += node.overhead_s;
    for (std::int32_t l = 0; l < spec.prefill.layer_count(); ++l) {
      if (node.can_host()) step_s += decode_layer_s(spec, v, l);
      for (std::int32_t k = 0; k < spec.prefill.codec_count(); ++k) {
        step_s += enter_s(spec, v, l, k) + leave_s(spec, v, l, k);
      }
    }
  }
  for (std::size_t a = 0; a < spec.prefill.spec().network.links.size(); ++a) {
    const auto link = static_cast<std::int32_t>(a);
    step_s += spec.prefill.hop_s(link, spec.token_bytes) + spec.prefill.graph().columns().latency_s[a];
    for (std::int32_t l = 0; l < spec.prefill.layer_count(); ++l) {
      for (std::int32_t k = 0; k < spec.prefill.codec_count(); ++k) {
        step_s += spec.prefill.hop_s(link, decode_sent_bytes(spec, l, k));
      }
    }
  }
  if (!(static_cast<double>(spec.new_tokens) * step_s * std::max(power_w, 1.0) < 1e300)) {
    throw core::InvalidInput("decode: times or energy of all tokens could add up to more than 1e300");
  }
}

GenerationTerms evaluate_generation(const GenerationSpec& spec, const Assignment& assignment,
                                    std::int64_t requests) {
  const Problem& problem = spec.prefill;
  const Evaluation prefill = evaluate(problem, assignment);
  const network::Network& net = problem.spec().network;
  const double steps = static_cast<double>(spec.new_tokens - 1);
  GenerationTerms t;
  double energy_j = 0.0;
  double bytes = 0.0;
  std::int32_t received = kNoCodec;
  for (const StageChoice& s : assignment.stages) {
    const network::Node& node = net.nodes[z(s.node)];
    double stage_s = node.overhead_s;
    if (received != kNoCodec) stage_s += enter_s(spec, s.node, s.first_layer - 1, received);
    for (std::int32_t l = s.first_layer; l <= s.last_layer; ++l) stage_s += decode_layer_s(spec, s.node, l);
    if (s.codec != kNoCodec) stage_s += leave_s(spec, s.node, s.last_layer, s.codec);
    t.token_s += stage_s;
    t.decode_bottleneck_s = std::max(t.decode_bottleneck_s, stage_s);
    energy_j += node.power_w * stage_s;
    received = s.codec;
  }
  // Hops between the first and the last host carry a token's activation.
  std::size_t next_stage = 0;
  for (std::size_t i = 0; i + 1 < assignment.path.size(); ++i) {
    if (next_stage < assignment.stages.size() && assignment.stages[next_stage].node == assignment.path[i])
      ++next_stage;
    if (next_stage == 0 || next_stage == assignment.stages.size()) continue;
    const StageChoice& from = assignment.stages[next_stage - 1];
    const double sent = decode_sent_bytes(spec, from.last_layer, from.codec);
    const std::int32_t link =
        network::link_between(problem.topology(), assignment.path[i], assignment.path[i + 1]);
    const double hop_s = problem.hop_s(link, sent);
    t.token_s += hop_s + spec.prefill.graph().columns().latency_s[z(link)];
    t.decode_bottleneck_s = std::max(t.decode_bottleneck_s, hop_s);
    energy_j += net.nodes[z(assignment.path[i])].tx_power_w * hop_s;
    bytes += sent;
  }
  t.ttft_s = prefill.delay_s;
  t.energy_j = prefill.energy_j;
  t.bytes = prefill.bytes;
  const Return back = returns_to(spec, assignment.stages.front().node)[z(assignment.stages.back().node)];
  t.token_s += back.time_s;
  if (spec.new_tokens > 1) {
    t.energy_j += steps * (energy_j + back.energy_j);
    t.bytes += steps * (bytes + back.bytes);
  }
  t.total_s = t.ttft_s + (steps > 0.0 ? steps * t.token_s : 0.0);
  const auto rate = [](double count, double time_s) { return time_s > 0.0 ? count / time_s : kInfinity; };
  t.tokens_per_s = std::min(rate(static_cast<double>(requests), t.token_s), rate(1.0, t.decode_bottleneck_s));
  return t;
}

Plan solve_generation(const GenerationSpec& spec, core::StopToken& stop, search::Workspace& workspace) {
  validate(spec);
  const Problem& problem = spec.prefill;
  Plan plan;
  plan.status = core::Status::infeasible;
  plan.lower_bound_s = kInfinity;
  plan.method = "generation";
  std::optional<Compiled> compiled = compile(problem, {}, stop);
  if (!compiled) return plan;
  const double steps = static_cast<double>(spec.new_tokens - 1);
  const auto nodes = z(problem.node_count());

  const bool limits_energy = energy_limited(problem);
  // But for the way back of the tokens, which depends on the first host.
  const auto goal_of = [&](const Compiled& some, const Problem& of) {
    search::Goal goal = delay_goal(some, of);
    add_decode(spec, some, seconds(problem), goal.objective);
    if (limits_energy) add_decode(spec, some, joules(problem), goal.resources.back());
    return goal;
  };
  search::Goal goal = goal_of(*compiled, problem);
  IncumbentPlans incumbents(problem, *compiled, [&](const Assignment& a, const Evaluation&) {
    const GenerationTerms t = evaluate_generation(spec, a);
    return t.energy_j <= problem.energy_limit_with_room() ? t.total_s : kInfinity;
  });
  // Those for the prompt alone are found sooner, and have few hosts.
  core::StopToken half = stop.with_half_the_time();
  if (const auto first = first_plan(problem, *compiled, half, workspace)) incumbents.consider(*first);
  stop.take_interrupt_from(half);
  consider_first_plans(problem, *compiled, goal_of, incumbents, stop, workspace);
  search::Counters counters;
  // Best first: what no walk that begins there can beat, whichever way its tokens return.
  std::vector<FirstHost> open = first_hosts(problem, *compiled, goal, stop, workspace);
  ++counters.passes;
  search::Answer answer;
  for (std::size_t i = 0; i < open.size() && open[i].bound < incumbents.cutoff(); ++i) {
    const std::int32_t first = open[i].node;
    const std::vector<Return> back = returns_to(spec, first);
    goal.objective.final_extra.assign(nodes, 0.0);
    if (limits_energy) goal.resources.back().final_extra.assign(nodes, 0.0);
    compiled->graph.allowed = only_host(problem, 0, first);
    for (std::size_t v = 0; v < nodes && steps > 0.0; ++v) {
      goal.objective.final_extra[v] = steps * back[v].time_s;
      if (limits_energy) goal.resources.back().final_extra[v] = steps * back[v].energy_j;
    }
    const search::Answer one =
        search::solve({compiled->graph, goal, incumbents, stop, workspace, counters}, {});
    answer.lower_bound = std::min(answer.lower_bound, std::max(one.lower_bound, open[i].bound));
    if (one.outcome != search::Outcome::proven) {
      answer.outcome = one.outcome;
      if (i + 1 < open.size()) answer.lower_bound = std::min(answer.lower_bound, open[i + 1].bound);
      break;
    }
  }
  answer.lower_bound = std::min(answer.lower_bound, incumbents.cutoff());
  plan = to_plan(incumbents, answer, counters);
  plan.method = "generation";
  plan.seconds = stop.elapsed_s();
  return plan;
}

}  // namespace constellm::split
