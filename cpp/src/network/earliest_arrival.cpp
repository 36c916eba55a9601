#include "constellm/network/earliest_arrival.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/core/units.hpp"

namespace constellm::network {
namespace {

using core::z;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check(const ContactPlan& plan, const Message& message, const std::string& where) {
  if (message.source < 0 || z(message.source) >= plan.node_count()) {
    throw core::InvalidInput(where + "source: " + std::to_string(message.source) + " is not in [0, " +
                             std::to_string(plan.node_count()) + ")");
  }
  core::check_range(where, "t_s", kStart, message.t_s);
  core::check_range(where, "size_bytes", core::kNonNegative, message.size_bytes);
}

/// How `slot` sends a message that is there from `t_s` on; an arrival of infinity where it does not.
Hop sent(const ContactRows::Slot& slot, double t_s, double size_bytes) {
  const double start_s = std::max(t_s, slot.open_s);
  const double end_s = start_s + core::transfer_s(size_bytes, slot.rate_bps);
  const bool fits = start_s < slot.close_s && end_s <= latest_end_s(slot.close_s);
  return {{slot.contact, start_s, end_s}, fits ? end_s + slot.owlt_s : kInfinity};
}

/// The best of the slots of one pair: earliest at the receiver, then first in the plan.
Hop best_of(std::span<const ContactRows::Slot> slots, double t_s, double size_bytes) {
  Hop best{{-1, 0.0, 0.0}, kInfinity};
  // Those before have all closed by then.
  auto slot = std::partition_point(slots.begin(), slots.end(),
                                   [&](const ContactRows::Slot& one) { return one.latest_close_s <= t_s; });
  for (; slot != slots.end() && slot->open_s <= best.arrival_s; ++slot) {
    const Hop hop = sent(*slot, t_s, size_bytes);
    if (hop.arrival_s == kInfinity) continue;
    if (std::tie(hop.arrival_s, hop.transmission.contact) <
        std::tie(best.arrival_s, best.transmission.contact))
      best = hop;
  }
  return best;
}

/// Label setting in the order of arrival, then of hops. A label that comes later by fewer hops can still be
/// the better one farther on, where both wait for the same opening: a node keeps every label that no other
/// beats in both (Hansen 1980, bicriterion paths). The first label of a node is its answer.
class Search {
 public:
  explicit Search(const ContactPlan& plan) : rows_(plan.rows()), nodes_(plan.node_count()) {}

  /// Until `target` is reached, or all is, where it is no node.
  void run(const Message& message, std::int32_t target) {
    labels_.clear();
    open_.clear();
    first_.assign(nodes_, -1);
    kept_hops_.assign(nodes_, std::numeric_limits<std::int32_t>::max());
    best_.assign(nodes_,
                 Label{{{-1, 0.0, 0.0}, kInfinity}, std::numeric_limits<std::int32_t>::max(), -1, -1, -1});
    push({{{-1, message.t_s, message.t_s}, message.t_s}, 0, message.source, -1, -1});
    while (!open_.empty()) {
      std::pop_heap(open_.begin(), open_.end(), later);
      const Label label = open_.back();
      open_.pop_back();
      if (label.hops >= kept_hops_[z(label.node)]) continue;
      kept_hops_[z(label.node)] = label.hops;
      const auto position = static_cast<std::int32_t>(labels_.size());
      labels_.push_back(label);
      if (first_[z(label.node)] < 0) first_[z(label.node)] = position;
      if (label.node == target) return;
      for (auto p = rows_.pair_begin[z(label.node)]; p < rows_.pair_begin[z(label.node) + 1]; ++p) {
        const std::int32_t to = rows_.to[z(p)];
        if (label.hops + 1 >= kept_hops_[z(to)]) continue;
        const auto begin = rows_.slots.begin();
        const Hop hop = best_of({begin + rows_.slot_begin[z(p)], begin + rows_.slot_begin[z(p) + 1]},
                                label.hop.arrival_s, message.size_bytes);
        if (hop.arrival_s < kInfinity)
          push({hop, label.hops + 1, to, label.hops == 0 ? to : label.entry, position});
      }
    }
  }

  [[nodiscard]] double arrival_s(std::size_t v) const {
    return first_[v] < 0 ? kInfinity : labels_[z(first_[v])].hop.arrival_s;
  }
  [[nodiscard]] std::int32_t hops(std::size_t v) const {
    return first_[v] < 0 ? -1 : labels_[z(first_[v])].hops;
  }
  [[nodiscard]] std::optional<std::vector<Hop>> route(std::int32_t target) const {
    if (first_[z(target)] < 0) return std::nullopt;
    std::vector<Hop> route;
    for (auto at = first_[z(target)]; labels_[z(at)].before >= 0; at = labels_[z(at)].before)
      route.push_back(labels_[z(at)].hop);
    std::reverse(route.begin(), route.end());
    return route;
  }

 private:
  struct Label {
    Hop hop;  // the last one; at the source none
    std::int32_t hops;
    std::int32_t node;
    std::int32_t entry;   // the first receiver
    std::int32_t before;  // position of the label at the sender
  };
  static auto key(const Label& label) {
    return std::tie(label.hop.arrival_s, label.hops, label.node, label.entry, label.hop.transmission.contact);
  }
  static bool later(const Label& a, const Label& b) { return key(a) > key(b); }

  void push(const Label& label) {
    Label& best = best_[z(label.node)];
    if (label.hops >= best.hops && key(label) >= key(best)) return;  // it would be dropped when its turn came
    if (key(label) < key(best)) best = label;
    open_.push_back(label);
    std::push_heap(open_.begin(), open_.end(), later);
  }

  const ContactRows& rows_;
  std::size_t nodes_;
  std::vector<Label> labels_;  // kept, in the order of arrival
  std::vector<Label> open_;    // a heap
  std::vector<std::int32_t> first_;
  std::vector<std::int32_t> kept_hops_;  // of the last label kept: the fewest
  std::vector<Label> best_;              // the earliest that was pushed
};

}  // namespace

Arrivals earliest_arrival(const ContactPlan& plan, const Message& message) {
  core::StopToken never;
  return *earliest_arrivals(plan, {&message, 1}, 1, never);
}

std::optional<Arrivals> earliest_arrivals(const ContactPlan& plan, std::span<const Message> messages,
                                          int threads, core::StopToken& stop) {
  for (std::size_t m = 0; m < messages.size(); ++m)
    check(plan, messages[m], "messages[" + std::to_string(m) + "].");
  const std::size_t nodes = plan.node_count();
  Arrivals arrivals;
  arrivals.arrival_s.resize(messages.size() * nodes);
  arrivals.hops.resize(messages.size() * nodes);
  const auto worker = [&] {
    return [&, search = Search(plan)](std::size_t m) mutable {
      search.run(messages[m], -1);
      for (std::size_t v = 0; v < nodes; ++v) {
        arrivals.arrival_s[m * nodes + v] = search.arrival_s(v);
        arrivals.hops[m * nodes + v] = search.hops(v);
      }
    };
  };
  // Below this a thread takes longer to start than it saves.
  constexpr std::size_t kPairsWorthAThread = 10'000;
  const std::size_t work = plan.rows().to.size() + nodes;
  const std::size_t worth = messages.size() * work / kPairsWorthAThread + 1;
  const int used =
      static_cast<int>(std::min<std::size_t>(worth, static_cast<std::size_t>(std::max(threads, 1))));
  const auto interrupted = [&] { return stop.should_stop(work); };
  if (!core::parallel_for(messages.size(), used, worker, interrupted)) return std::nullopt;
  return arrivals;
}

std::optional<std::vector<Hop>> earliest_route(const ContactPlan& plan, const Message& message,
                                               std::int32_t target) {
  check(plan, message, "message.");
  if (target < 0 || z(target) >= plan.node_count()) {
    throw core::InvalidInput("target: " + std::to_string(target) + " is not in [0, " +
                             std::to_string(plan.node_count()) + ")");
  }
  Search search(plan);
  search.run(message, target);
  return search.route(target);
}

}  // namespace constellm::network
