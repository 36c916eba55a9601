#include "constellm/network/timeline.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"

namespace constellm::network {
namespace {

using core::InvalidInput;
using core::z;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string entry(const char* list, std::size_t i) {
  return std::string(list) + "[" + std::to_string(i) + "]";
}

void check_times(const std::vector<double>& t_s, std::size_t graphs, double end_s) {
  if (t_s.empty()) throw InvalidInput("t_s: at least one is needed, got 0");
  if (t_s.size() != graphs) {
    throw InvalidInput("graphs: " + std::to_string(graphs) + " for " + std::to_string(t_s.size()) + " times");
  }
  for (std::size_t i = 0; i < t_s.size(); ++i) {
    const double before = i > 0 ? t_s[i - 1] : -kInfinity;
    if (!(t_s[i] > before && t_s[i] < kInfinity))
      core::throw_out_of_range(entry("t_s", i), t_s[i], "(" + core::to_text(before) + ", inf)");
  }
  if (!(end_s > t_s.back()))
    core::throw_out_of_range("end_s", end_s, "(" + core::to_text(t_s.back()) + ", inf]");
}

/// Follows links from graph to graph.
class Follower {
 public:
  explicit Follower(const std::vector<double>& t_s) : t_s_(t_s) {}

  void follow(std::size_t i, const Topology& topology) {
    opened.push_back(0);
    closed.push_back(0);
    if (i > 0 && topology == *last_) {
      contact_of.push_back(contact_of.back());
      return;
    }
    last_ = &topology;
    std::unordered_map<std::int64_t, std::int32_t> now;
    now.reserve(topology.from.size());
    std::vector<std::int32_t> of;
    of.reserve(topology.from.size());
    for (std::size_t l = 0; l < topology.from.size(); ++l) {
      const std::int64_t pair = (static_cast<std::int64_t>(topology.from[l]) << 32) + topology.to[l];
      const auto before = open_.find(pair);
      if (before != open_.end()) {
        of.push_back(before->second);
        open_.erase(before);
      } else {
        of.push_back(static_cast<std::int32_t>(contacts.from.size()));
        contacts.from.push_back(topology.from[l]);
        contacts.to.push_back(topology.to[l]);
        contacts.open_s.push_back(t_s_[i]);
        contacts.close_s.push_back(kInfinity);
        if (i > 0) ++opened.back();
      }
      now.emplace(pair, of.back());
    }
    for (const auto& [_, contact] : open_) contacts.close_s[z(contact)] = t_s_[i];
    closed.back() = static_cast<std::int32_t>(open_.size());
    open_ = std::move(now);
    contact_of.push_back(std::make_shared<const std::vector<std::int32_t>>(std::move(of)));
  }

  [[nodiscard]] std::vector<double> lifetimes(std::size_t i) const {
    std::vector<double> left;
    left.reserve(contact_of[i]->size());
    for (const std::int32_t c : *contact_of[i]) left.push_back(contacts.close_s[z(c)] - t_s_[i]);
    return left;
  }

  /// The contacts in their order, those still open closed at `end_s`.
  [[nodiscard]] Contacts sorted(double end_s) const {
    std::vector<std::size_t> order(contacts.from.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t c) {
      return std::tuple(contacts.open_s[c], contacts.from[c], contacts.to[c]);
    };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    Contacts sorted;
    for (const std::size_t c : order) {
      sorted.from.push_back(contacts.from[c]);
      sorted.to.push_back(contacts.to[c]);
      sorted.open_s.push_back(contacts.open_s[c]);
      sorted.close_s.push_back(std::min(contacts.close_s[c], end_s));
    }
    return sorted;
  }

  Contacts contacts;  // in the order of being found
  std::vector<std::int32_t> opened;
  std::vector<std::int32_t> closed;
  std::vector<std::shared_ptr<const std::vector<std::int32_t>>> contact_of;  // [snapshots][links]

 private:
  const std::vector<double>& t_s_;
  const Topology* last_ = nullptr;
  std::unordered_map<std::int64_t, std::int32_t> open_;  // by sender and receiver
};

}  // namespace

Timeline::Timeline(std::vector<double> t_s, std::vector<Graph> graphs, double end_s) {
  check_times(t_s, graphs.size(), end_s);
  for (std::size_t i = 1; i < graphs.size(); ++i) {
    graphs[i] = graphs[i].sharing(graphs[i - 1]);
    if (graphs[i].node_table() != graphs[0].node_table())
      throw InvalidInput(entry("graphs", i) + ": its nodes are not those of graphs[0]");
  }
  auto data = std::make_shared<Data>();
  Follower follower(t_s);
  for (std::size_t i = 0; i < graphs.size(); ++i) follower.follow(i, graphs[i].topology());
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    const double end = i + 1 < graphs.size() ? t_s[i + 1] : end_s;
    data->snapshots.emplace_back(t_s[i], std::move(graphs[i]), end - t_s[i], follower.lifetimes(i));
  }
  data->contacts = follower.sorted(end_s);
  data->opened = std::move(follower.opened);
  data->closed = std::move(follower.closed);
  data->t_s = std::move(t_s);
  data->end_s = end_s;
  data_ = std::move(data);
}

bool Timeline::operator==(const Timeline& other) const {
  return data_ == other.data_ ||
         (t_s() == other.t_s() && end_s() == other.end_s() && data_->snapshots == other.data_->snapshots);
}

std::size_t Timeline::index(double t_s) const {
  const std::vector<double>& starts = data_->t_s;
  if (!(t_s >= starts.front() && t_s < data_->end_s)) {
    core::throw_out_of_range("t_s", t_s,
                             "[" + core::to_text(starts.front()) + ", " + core::to_text(data_->end_s) + ")");
  }
  return static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), t_s) - starts.begin()) - 1;
}

const Snapshot& Timeline::at(double t_s) const { return data_->snapshots[index(t_s)]; }

double Timeline::next_change(double t_s) const {
  const std::size_t next = index(t_s) + 1;
  return next < size() ? data_->t_s[next] : kInfinity;
}

}  // namespace constellm::network
