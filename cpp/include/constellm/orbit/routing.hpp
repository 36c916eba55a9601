#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/orbit/links.hpp"

namespace constellm::orbit {

/// Satellites and stations, and the rules of their links.
struct Sky {
  const Layout& layout;
  std::span<const LinkRule> rules;
  std::span<const Horizon> stations;
};

/// What is where at several instants.
struct Instants {
  std::span<const double> position_teme_m;  ///< [satellites][times][3]; one with a NaN has no links
  std::span<const double> velocity_teme_m_per_s;
  std::span<const double> gmst_rad;  ///< [times]
  std::int64_t first_slot = 0;       ///< that links are drawn for; the others follow
  std::span<const double> time_s;    ///< [times] since the epoch
  core::Epoch epoch;
  Outages outages = {};
  /// How the satellites came there, for rules that take time to acquire a link; else none.
  std::span<const std::shared_ptr<const Motion>> motions = {};
};

/// Fills the table with the least latencies over satellites alone: a station only begins or ends a path.
/// Every instant is a task for up to `threads` threads. Throws core::InvalidInput for a source or target that
/// is no node and what links_at does, and core::Stopped.
void latencies(const Sky& sky, const Instants& instants, std::span<const std::int32_t> sources,
               std::span<const std::int32_t> targets, const network::Latencies& table, int threads,
               core::StopToken& stop);

/// Nodes to begin at and to end at, and a table for the least latencies between them.
struct LatencyBlock {
  std::span<const std::int32_t> sources;
  std::span<const std::int32_t> targets;
  std::span<double> latency_s;  ///< [times][sources][targets]; infinite where no way leads
};

/// As `latencies`, of several blocks, for which links are made once an instant; without hops, faster.
/// `blocks` are named in messages.
void latencies_between(const Sky& sky, const Instants& instants, std::span<const LatencyBlock> blocks,
                       int threads, core::StopToken& stop);

/// Routes of least latency from one node to another, one after the other.
struct Routes {
  std::vector<double> latency_s;    ///< [times]; infinite where there is none
  std::vector<std::int32_t> begin;  ///< [times + 1]
  std::vector<std::int32_t> node;   ///< of route i those from begin[i] to begin[i + 1]
};

/// As `latencies`, for one pair.
Routes routes(const Sky& sky, const Instants& instants, std::int32_t source, std::int32_t target, int threads,
              core::StopToken& stop);

}  // namespace constellm::orbit
