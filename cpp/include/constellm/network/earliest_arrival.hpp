#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/network/contact_plan.hpp"

// Earliest arrival over a contact plan. A message is at its source at a moment; a node keeps it until a
// contact opens. A contact sends it in one piece while it is open: from `start`, which lies in [open, close),
// to `start + 8 size / rate`, which is no later than `close`; the whole of it is at the receiver one one-way
// light time after that. Whoever has it earlier never delivers it later, so that waiting for another copy
// never helps. Of ways that arrive at once the one with fewest hops counts, then the one whose first
// receiver (the entry node) stands first among the nodes, then the one whose last contact stands first in the
// plan; each node before is reached as early as its number of hops allows, and by the same rule.
namespace constellm::network {

/// A message: where it is, from when on, and how large it is.
struct Message {
  std::int32_t source = 0;
  double t_s = 0.0;
  double size_bytes = 0.0;
};

/// Where a message can be, and when. [nodes] each
struct Arrivals {
  std::vector<double> arrival_s;   ///< infinite where it never comes
  std::vector<std::int32_t> hops;  ///< -1 where it never comes
};

struct Hop {
  Transmission transmission;
  double arrival_s = 0.0;  ///< at the receiver
};

/// Of one message to every node. Throws core::InvalidInput for a message that is out of range.
Arrivals earliest_arrival(const ContactPlan& plan, const Message& message);

/// Of many messages, each alone in the plan, as tables [messages, nodes]; each is a task for up to `threads`
/// threads. `stop` is asked after each message of the calling thread; no value when it said so.
std::optional<Arrivals> earliest_arrivals(const ContactPlan& plan, std::span<const Message> messages,
                                          int threads, core::StopToken& stop);

/// The way of a message to `target`, of no hops where it is there; no value where it never comes.
std::optional<std::vector<Hop>> earliest_route(const ContactPlan& plan, const Message& message,
                                               std::int32_t target);

}  // namespace constellm::network
