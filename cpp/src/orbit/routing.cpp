#include "constellm/orbit/routing.hpp"

#include <algorithm>
#include <string>
#include <thread>

#include "constellm/core/index.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/network/least_costs.hpp"

namespace constellm::orbit {
namespace {

using core::z;

/// States of one instant of several.
std::vector<double> one_of(std::span<const double> states, std::size_t times, std::size_t i) {
  std::vector<double> one;
  one.reserve(states.size() / times);
  for (std::size_t at = 3 * i; at < states.size(); at += 3 * times)
    one.insert(one.end(), states.begin() + static_cast<std::ptrdiff_t>(at),
               states.begin() + static_cast<std::ptrdiff_t>(at) + 3);
  return one;
}

/// Calls `use(i, search, ways)` for every instant, with a search for each thread.
template <class Search, class Use>
void at_each(const Sky& sky, const Instants& instants, int threads, core::StopToken& stop, Use use) {
  const std::size_t times = instants.gmst_rad.size();
  const std::size_t satellites = z(sky.layout.satellites());
  std::vector<std::uint8_t> relays(satellites + sky.stations.size());
  std::fill_n(relays.begin(), satellites, std::uint8_t{1});
  const auto caller = std::this_thread::get_id();
  const auto worker = [&] {
    // Only the calling thread asks whether to stop; the others end with their instant.
    const bool asks = std::this_thread::get_id() == caller;
    return [&, asks, never = core::StopToken(), search = Search()](std::size_t i) mutable {
      const std::vector<double> position = one_of(instants.position_teme_m, times, i);
      const std::vector<double> velocity = one_of(instants.velocity_teme_m_per_s, times, i);
      const std::vector<Pair> lost = instants.outages.at(instants.time_s[i]);
      Instant instant{.position_teme_m = position,
                      .velocity_teme_m_per_s = velocity,
                      .gmst_rad = instants.gmst_rad[i],
                      .slot = instants.first_slot + static_cast<std::int64_t>(i),
                      .lost = lost};
      if (!instants.motions.empty()) {
        instant.past = {.motions = instants.motions,
                        .outages = instants.outages,
                        .epoch = instants.epoch,
                        .time_s = instants.time_s[i]};
      }
      const Links links = links_at(sky.layout, sky.rules, sky.stations, instant, asks ? stop : never);
      const network::Rows rows = network::rows_of(relays.size(), links.from, links.to);
      use(i, search, network::Ways(rows, links.latency_s, relays));
    };
  };
  // Links and trees of an instant take milliseconds; the token looks after each.
  const auto interrupted = [&] { return stop.should_stop(std::uint64_t{1} << 20); };
  if (!core::parallel_for(times, threads, worker, interrupted)) throw core::Stopped();
}

std::size_t nodes(const Sky& sky) { return z(sky.layout.satellites()) + sky.stations.size(); }

}  // namespace

void latencies(const Sky& sky, const Instants& instants, std::span<const std::int32_t> sources,
               std::span<const std::int32_t> targets, const network::Latencies& table, int threads,
               core::StopToken& stop) {
  network::check_positions("sources", sources, nodes(sky));
  network::check_positions("targets", targets, nodes(sky));
  at_each<network::TreeSearch>(sky, instants, threads, stop,
                               [&](std::size_t i, network::TreeSearch& search, const network::Ways& ways) {
                                 for (std::size_t s = 0; s < sources.size(); ++s)
                                   table.put(search.from(sources[s], ways), targets,
                                             (i * sources.size() + s) * targets.size());
                               });
}

void latencies_between(const Sky& sky, const Instants& instants, std::span<const LatencyBlock> blocks,
                       int threads, core::StopToken& stop) {
  struct Row {
    std::int32_t source;
    const LatencyBlock* block;
    std::size_t place;  // among the sources of the block
  };
  std::vector<Row> rows;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::string where = "blocks[" + std::to_string(b) + "].";
    network::check_positions(where + "sources", blocks[b].sources, nodes(sky));
    network::check_positions(where + "targets", blocks[b].targets, nodes(sky));
    for (std::size_t s = 0; s < blocks[b].sources.size(); ++s)
      rows.push_back({.source = blocks[b].sources[s], .block = &blocks[b], .place = s});
  }
  // Nodes next to each other in a plane have numbers next to each other.
  std::ranges::stable_sort(rows, {}, &Row::source);
  std::vector<std::int32_t> starts;
  for (const Row& row : rows) starts.push_back(row.source);
  at_each<network::LeastCosts>(
      sky, instants, threads, stop,
      [&](std::size_t i, network::LeastCosts& search, const network::Ways& ways) {
        for (std::size_t first = 0; first < rows.size(); first += network::LeastCosts::kTogether) {
          const std::size_t some = std::min(network::LeastCosts::kTogether, rows.size() - first);
          search.from(std::span(starts).subspan(first, some), ways);
          for (std::size_t k = 0; k < some; ++k) {
            const auto& [source, block, place] = rows[first + k];
            const std::size_t begin = (i * block->sources.size() + place) * block->targets.size();
            for (std::size_t t = 0; t < block->targets.size(); ++t)
              block->latency_s[begin + t] = search.cost(k, block->targets[t]);
          }
        }
      });
}

Routes routes(const Sky& sky, const Instants& instants, std::int32_t source, std::int32_t target, int threads,
              core::StopToken& stop) {
  network::check_positions("source", {&source, 1}, nodes(sky));
  network::check_positions("target", {&target, 1}, nodes(sky));
  const std::size_t times = instants.gmst_rad.size();
  Routes found{.latency_s = std::vector<double>(times), .begin = {0}, .node = {}};
  std::vector<std::vector<std::int32_t>> paths(times);
  at_each<network::TreeSearch>(sky, instants, threads, stop,
                               [&](std::size_t i, network::TreeSearch& search, const network::Ways& ways) {
                                 const network::PathTree& tree = search.from(source, ways);
                                 found.latency_s[i] = tree.cost[z(target)];
                                 if (tree.hops[z(target)] >= 0) paths[i] = network::path_to(tree, target);
                               });
  for (const std::vector<std::int32_t>& path : paths) {
    found.node.insert(found.node.end(), path.begin(), path.end());
    found.begin.push_back(static_cast<std::int32_t>(found.node.size()));
  }
  return found;
}

}  // namespace constellm::orbit
