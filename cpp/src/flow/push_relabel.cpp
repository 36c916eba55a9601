#include "constellm/flow/push_relabel.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::flow {
namespace {

using core::z;

// How dear a relabelling is beside the look at a half, and how many looks pay for a global relabelling
// (Cherkassky & Goldberg's figures).
constexpr std::int64_t kRelabelWork = 12;
constexpr std::int64_t kNodeWork = 6;

}  // namespace

PushRelabel::PushRelabel(std::int32_t nodes, const Arcs& arcs, std::int32_t source, std::int32_t target)
    : nodes_(nodes),
      source_(source),
      target_(target),
      begin_(z(nodes) + 1, 0),
      halves_(2 * arcs.size()),
      is_own_(2 * arcs.size(), 0),
      place_(arcs.size()),
      excess_(z(nodes), 0),
      label_(z(nodes), 0),
      current_(z(nodes), 0),
      level_(z(nodes) + 1, -1),
      after_(z(nodes), -1),
      before_(z(nodes), -1),
      queue_(z(nodes)),
      is_queued_(z(nodes), 0) {
  for (std::size_t a = 0; a < arcs.size(); ++a) {
    ++begin_[z(arcs.from[a]) + 1];
    ++begin_[z(arcs.to[a]) + 1];
  }
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  std::vector<std::int32_t> next(begin_.begin(), begin_.end() - 1);
  for (std::size_t a = 0; a < arcs.size(); ++a) {
    const std::int32_t own = next[z(arcs.from[a])]++;
    const std::int32_t back = next[z(arcs.to[a])]++;
    halves_[z(own)] = {arcs.to[a], back, arcs.capacity[a]};
    halves_[z(back)] = {arcs.from[a], own, 0};
    is_own_[z(own)] = 1;
    place_[a] = own;
  }
}

void PushRelabel::set_flow(std::size_t arc, std::int64_t units) {
  Half& own = halves_[z(place_[arc])];
  Half& back = halves_[z(own.twin)];
  own.left -= units;
  back.left += units;
  excess_[z(own.head)] += units;
  excess_[z(back.head)] -= units;
}

std::int64_t PushRelabel::lend() {
  std::int64_t lent = 0;
  for (std::int32_t node = 0; node < nodes_; ++node) {
    if (node == source_ || excess_[z(node)] >= 0) continue;
    lent -= excess_[z(node)];
    excess_[z(node)] = 0;
  }
  return lent;
}

std::int64_t PushRelabel::find_value(core::StopToken& stop) {
  for (std::int32_t h = begin_[z(source_)]; h < begin_[z(source_) + 1]; ++h) {
    Half& half = halves_[z(h)];
    excess_[z(half.head)] += half.left;
    halves_[z(half.twin)].left += half.left;
    half.left = 0;
  }
  relabel_all();
  const std::int64_t patience = kNodeWork * nodes_ + static_cast<std::int64_t>(halves_.size()) / 2;
  while (queued_ > 0) {
    const std::int32_t node = queue_[queue_head_];
    queue_head_ = queue_head_ + 1 == queue_.size() ? 0 : queue_head_ + 1;
    --queued_;
    is_queued_[z(node)] = 0;
    const std::int64_t before = work_;
    discharge(node);
    if (stop.should_stop(1 + static_cast<std::uint64_t>(work_ - before) / 16)) throw core::Stopped();
    if (work_ > patience) relabel_all();
  }
  relabel_all();  // exact labels: those who reach the target
  return excess_[z(target_)];
}

std::vector<std::uint8_t> PushRelabel::on_source_side() const {
  std::vector<std::uint8_t> side(z(nodes_));
  for (std::size_t v = 0; v < side.size(); ++v) side[v] = label_[v] == nodes_ ? 1 : 0;
  return side;
}

/// Labels are the hops to the target again, by a search backwards from it.
void PushRelabel::relabel_all() {
  work_ = 0;
  std::fill(label_.begin(), label_.end(), nodes_);
  std::fill(level_.begin(), level_.end(), -1);
  std::fill(is_queued_.begin(), is_queued_.end(), std::uint8_t{0});
  queue_head_ = queued_ = 0;
  highest_ = 0;
  label_[z(target_)] = 0;
  std::vector<std::int32_t>& reached = queue_;  // nobody is active meanwhile
  std::size_t count = 0;
  reached[count++] = target_;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t node = reached[i];
    for (std::int32_t h = begin_[z(node)]; h < begin_[z(node) + 1]; ++h) {
      const Half& half = halves_[z(h)];
      if (label_[z(half.head)] != nodes_ || half.head == source_ || halves_[z(half.twin)].left == 0) continue;
      label_[z(half.head)] = label_[z(node)] + 1;
      reached[count++] = half.head;
    }
  }
  // In the order of their hops: `activate` overwrites no entry before it is read.
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t node = reached[i];
    current_[z(node)] = begin_[z(node)];
    enter_level(node);
    if (excess_[z(node)] > 0) activate(node);
  }
}

void PushRelabel::enter_level(std::int32_t node) {
  const std::int32_t label = label_[z(node)];
  highest_ = std::max(highest_, label);
  before_[z(node)] = -1;
  after_[z(node)] = level_[z(label)];
  if (after_[z(node)] >= 0) before_[z(after_[z(node)])] = node;
  level_[z(label)] = node;
}

void PushRelabel::leave_level(std::int32_t node) {
  if (before_[z(node)] >= 0)
    after_[z(before_[z(node)])] = after_[z(node)];
  else
    level_[z(label_[z(node)])] = after_[z(node)];
  if (after_[z(node)] >= 0) before_[z(after_[z(node)])] = before_[z(node)];
}

void PushRelabel::activate(std::int32_t node) {
  if (is_queued_[z(node)] != 0 || node == target_ || node == source_) return;
  is_queued_[z(node)] = 1;
  std::size_t end = queue_head_ + queued_++;
  if (end >= queue_.size()) end -= queue_.size();
  queue_[end] = node;
}

/// Pushes on what the node has, and lifts it where it has to, until it has nothing or is out of reach.
void PushRelabel::discharge(std::int32_t node) {
  while (label_[z(node)] < nodes_) {
    for (std::int32_t& h = current_[z(node)]; h < begin_[z(node) + 1]; ++h) {
      Half& half = halves_[z(h)];
      ++work_;
      if (half.left == 0 || label_[z(half.head)] + 1 != label_[z(node)]) continue;
      const std::int64_t pushed = std::min(excess_[z(node)], half.left);
      half.left -= pushed;
      halves_[z(half.twin)].left += pushed;
      excess_[z(node)] -= pushed;
      excess_[z(half.head)] += pushed;
      activate(half.head);
      if (excess_[z(node)] == 0) return;  // the half may have room left
    }
    relabel(node);
  }
}

void PushRelabel::relabel(std::int32_t node) {
  work_ += kRelabelWork + begin_[z(node) + 1] - begin_[z(node)];
  std::int32_t lowest = nodes_;
  for (std::int32_t h = begin_[z(node)]; h < begin_[z(node) + 1]; ++h) {
    if (halves_[z(h)].left == 0 || label_[z(halves_[z(h)].head)] >= lowest) continue;
    lowest = label_[z(halves_[z(h)].head)];
    current_[z(node)] = h;
  }
  const std::int32_t old = label_[z(node)];
  leave_level(node);
  label_[z(node)] = nodes_;
  if (level_[z(old)] < 0) {
    close_gap(old);
  } else if (lowest + 1 < nodes_) {
    label_[z(node)] = lowest + 1;
    enter_level(node);
  }
}

/// Nobody is at this level: those above it cannot reach the target.
void PushRelabel::close_gap(std::int32_t empty) {
  for (std::int32_t level = empty + 1; level <= highest_; ++level) {
    for (std::int32_t node = level_[z(level)]; node >= 0; node = after_[z(node)]) label_[z(node)] = nodes_;
    level_[z(level)] = -1;
  }
  highest_ = empty;
}

/// Depth first from every node along the flow that comes to it: what closes a circle is taken away, and
/// nodes are finished after those that their flow comes from.
void PushRelabel::find_flow() {
  enum : std::uint8_t { kNew, kOpen, kDone };
  std::vector<std::uint8_t> state(z(nodes_), kNew);
  std::vector<std::int32_t> finished;
  finished.reserve(z(nodes_));
  std::vector<std::int32_t> path;
  std::copy(begin_.begin(), begin_.end() - 1, current_.begin());
  for (std::int32_t root = 0; root < nodes_; ++root) {
    if (state[z(root)] != kNew) continue;
    state[z(root)] = kOpen;
    path.assign(1, root);
    while (!path.empty()) {
      const std::int32_t node = path.back();
      std::int32_t& h = current_[z(node)];
      if (h == begin_[z(node) + 1]) {
        state[z(node)] = kDone;
        finished.push_back(node);
        path.pop_back();
        continue;
      }
      if (!carries_back(z(h))) {
        ++h;
        continue;
      }
      const std::int32_t from = halves_[z(h)].head;
      if (state[z(from)] == kDone) {
        ++h;
      } else if (state[z(from)] == kNew) {
        state[z(from)] = kOpen;
        path.push_back(from);
      } else {
        cancel_cycle(from, path);
        // Back to the first node of the circle that lost its flow: what hung on it is new again.
        std::size_t keep = path.size();
        for (std::size_t i = path.size(); i-- > 0;) {
          if (!carries_back(z(current_[z(path[i])]))) keep = i + 1;
          if (path[i] == from) break;
        }
        for (std::size_t i = keep; i < path.size(); ++i) state[z(path[i])] = kNew;
        path.resize(keep);
      }
    }
  }
  return_excess(finished);
}

void PushRelabel::cancel_cycle(std::int32_t node, const std::vector<std::int32_t>& path) {
  std::size_t first = path.size();
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  do {
    --first;
    least = std::min(least, halves_[z(current_[z(path[first])])].left);
  } while (path[first] != node);
  for (std::size_t i = first; i < path.size(); ++i) {
    Half& back = halves_[z(current_[z(path[i])])];
    back.left -= least;
    halves_[z(back.twin)].left += least;
  }
}

void PushRelabel::return_excess(const std::vector<std::int32_t>& finished) {
  for (std::size_t i = finished.size(); i-- > 0;) {
    const std::int32_t node = finished[i];
    if (node == source_ || node == target_) continue;
    for (std::int32_t h = begin_[z(node)]; h < begin_[z(node) + 1] && excess_[z(node)] > 0; ++h) {
      if (!carries_back(z(h))) continue;
      Half& back = halves_[z(h)];
      const std::int64_t returned = std::min(excess_[z(node)], back.left);
      back.left -= returned;
      halves_[z(back.twin)].left += returned;
      excess_[z(node)] -= returned;
      excess_[z(back.head)] += returned;
    }
  }
}

}  // namespace constellm::flow
