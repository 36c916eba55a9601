#include "constellm/flow/greedy.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/flow/maximum_flow.hpp"

namespace constellm::flow {
namespace {

using core::z;

/// Relative: a contact that closes by so little before a slot ends is open in the whole slot.
constexpr double kRounding = 1e-12;

/// Where everything is, in whole units so small that rounding them does not count, and the contacts of a
/// slot.
class Greedy {
 public:
  explicit Greedy(const Problem& problem)
      : problem_(problem),
        units_(unit_count(problem.contacts().size() + 2 * problem.node_count())),
        unit_bytes_(problem.wanted_bytes() / static_cast<double>(units_)),
        source_(static_cast<std::int32_t>(problem.node_count())),
        target_(source_ + 1),
        spare_(problem.node_count(), 0) {
    const Amounts& amounts = problem.amounts();
    for (std::int32_t v = 0; v < source_; ++v) {
      if (problem.is_sink(v)) continue;
      const double wanted = problem.wanted_bytes();
      const double spare = amounts.supply_bytes[z(v)] - amounts.demand_bytes[z(v)];
      spare_[z(v)] = std::llround(std::clamp(spare, -wanted, wanted) / unit_bytes_);
      left_ += problem.has_sinks() ? spare_[z(v)] : std::max<std::int64_t>(-spare_[z(v)], 0);
    }
    const network::ContactColumns& contacts = problem.contacts().columns();
    waiting_.resize(contacts.from.size());
    std::iota(waiting_.begin(), waiting_.end(), 0);
    std::erase_if(waiting_, [&](std::int32_t c) { return problem_.is_sink(contacts.from[z(c)]); });
    std::sort(waiting_.begin(), waiting_.end(), [&](std::int32_t a, std::int32_t b) {
      return std::pair(contacts.open_s[z(a)], a) > std::pair(contacts.open_s[z(b)], b);  // the next is last
    });
  }

  [[nodiscard]] bool done() const { return left_ == 0; }

  /// Sends what can be sent from `start_s` to `end_s`, and says whether that was all.
  bool fill(double start_s, double end_s, core::StopToken& stop) {
    find_open(start_s, end_s);
    if (open_.empty()) return false;
    const double length_s = end_s - start_s;
    MaximumFlow found = flow_in(length_s, stop);
    if (found.value + slack() < left_) {
      send(found, start_s, end_s);
      return false;
    }
    const double least_s = start_s + least_time(length_s, found, stop);
    // No flow is of no length, however little is left.
    plan_.finish_s = least_s > start_s ? least_s : std::nextafter(start_s, end_s);
    send(found, start_s, plan_.finish_s);
    return true;
  }

  Plan take() { return std::move(plan_); }

 private:
  /// As many that capacities, of no more units than there are, add up to less than 2^62.
  static std::int64_t unit_count(std::size_t arcs) {
    return std::int64_t{1} << std::min(50, 61 - static_cast<int>(std::bit_width(arcs)));
  }

  /// Capacities are rounded down, each by less than a unit.
  [[nodiscard]] std::int64_t slack() const { return static_cast<std::int64_t>(open_.size()); }

  void find_open(double start_s, double end_s) {
    const network::ContactColumns& contacts = problem_.contacts().columns();
    while (!waiting_.empty() && contacts.open_s[z(waiting_.back())] <= start_s * (1.0 + kRounding)) {
      open_.push_back(waiting_.back());
      waiting_.pop_back();
    }
    std::erase_if(open_, [&](std::int32_t c) { return contacts.close_s[z(c)] < end_s * (1.0 - kRounding); });
  }

  /// A maximum flow over the open contacts in so many seconds; their arcs are the first.
  MaximumFlow flow_in(double seconds, core::StopToken& stop) {
    const network::ContactColumns& contacts = problem_.contacts().columns();
    arcs_ = {};
    const auto most = static_cast<double>(left_);
    for (const std::int32_t c : open_) {
      const double carried = contacts.rate_bps[z(c)] / 8.0 * seconds / unit_bytes_;
      arcs_.add(contacts.from[z(c)], contacts.to[z(c)], static_cast<std::int64_t>(std::min(carried, most)));
    }
    for (std::int32_t v = 0; v < source_; ++v) {
      const std::int64_t spare = spare_[z(v)];
      if (problem_.is_sink(v))
        arcs_.add(v, target_, left_);
      else if (spare > 0)
        arcs_.add(source_, v, std::min(spare, left_));
      else if (spare < 0)
        arcs_.add(v, target_, -spare);
    }
    ++plan_.counters.flows;
    plan_.counters.nodes = target_ + 1;
    plan_.counters.arcs = std::max(plan_.counters.arcs, static_cast<std::int64_t>(arcs_.size()));
    return maximum_flow(arcs_, source_, target_, stop);
  }

  /// The least time in which all that is left can be sent, where `most_s` is enough; then `found` is that
  /// flow. A cut lets c + r t through in time t, so that all needs at least (left - c) / r: Newton's method.
  double least_time(double most_s, MaximumFlow& found, core::StopToken& stop) {
    std::vector<std::uint8_t> side(z(target_) + 1, 0);  // at time 0 nothing leaves who has something to give
    for (std::int32_t v = 0; v < source_; ++v) side[z(v)] = spare_[z(v)] > 0 && !problem_.is_sink(v);
    side[z(source_)] = 1;
    double seconds = 0.0;
    while (true) {
      const double next = time_to_cross(side);
      if (!(next > seconds && next < most_s)) return most_s;  // rounding has the last word
      seconds = next;
      MaximumFlow in_time = flow_in(seconds, stop);
      if (in_time.value + slack() >= left_) {
        found = std::move(in_time);
        return seconds;
      }
      side = std::move(in_time.on_source_side);
    }
  }

  [[nodiscard]] double time_to_cross(const std::vector<std::uint8_t>& side) const {
    const network::ContactColumns& contacts = problem_.contacts().columns();
    double rate = 0.0;  // units a second
    auto missing = left_;
    for (std::size_t a = 0; a < arcs_.size(); ++a) {
      if (side[z(arcs_.from[a])] == 0 || side[z(arcs_.to[a])] != 0) continue;
      if (a < open_.size())
        rate += contacts.rate_bps[z(open_[a])] / 8.0 / unit_bytes_;
      else
        missing -= arcs_.capacity[a];
    }
    return static_cast<double>(missing) / rate;
  }

  void send(const MaximumFlow& found, double start_s, double end_s) {
    Flows& flows = plan_.flows;
    for (std::size_t i = 0; i < arcs_.size(); ++i) {
      const std::int64_t flow = found.flow[i];
      if (flow == 0) continue;
      if (i < open_.size()) {
        flows.contact.push_back(open_[i]);
        flows.start_s.push_back(start_s);
        flows.end_s.push_back(end_s);
        flows.sent_bytes.push_back(static_cast<double>(flow) * unit_bytes_);
      } else if (arcs_.from[i] == source_) {
        spare_[z(arcs_.to[i])] -= flow;
      } else {
        if (!problem_.is_sink(arcs_.from[i])) spare_[z(arcs_.from[i])] += flow;
        left_ -= flow;
      }
    }
  }

  const Problem& problem_;
  std::int64_t units_;
  double unit_bytes_;
  std::int32_t source_;
  std::int32_t target_;
  std::vector<std::int64_t> spare_;  // [nodes] what each can give; less than 0: what it lacks
  std::int64_t left_ = 0;            // what has not arrived
  std::vector<std::int32_t> waiting_;
  std::vector<std::int32_t> open_;
  Arcs arcs_;
  Plan plan_;
};

}  // namespace

Plan greedy(const Problem& problem, const std::vector<double>& moments_s, core::StopToken& stop) {
  Plan plan;
  if (problem.wanted_bytes() == 0.0) {
    plan.status = core::Status::feasible;
    plan.finish_s = 0.0;
    return plan;
  }
  const Amounts& amounts = problem.amounts();
  for (std::size_t v = 0; v < problem.node_count(); ++v)
    if (amounts.demand_bytes[v] > amounts.storage_bytes[v]) return plan;  // there is no room for it
  Greedy greedy(problem);
  bool done = greedy.done();
  try {
    for (std::size_t k = 0; !done && k + 1 < moments_s.size(); ++k)
      done = greedy.fill(moments_s[k], moments_s[k + 1], stop);
  } catch (const core::Stopped&) {
    plan.status =
        stop.reason() == core::StopReason::interrupted ? core::Status::interrupted : core::Status::time_limit;
    return plan;
  }
  plan = greedy.take();
  if (!done) {
    plan.flows = {};
    return plan;
  }
  plan.status = core::Status::feasible;
  if (plan.flows.contact.empty()) plan.finish_s = 0.0;  // who wants has it
  return plan;
}

}  // namespace constellm::flow
