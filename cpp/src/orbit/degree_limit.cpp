#include "constellm/orbit/degree_limit.hpp"

#include <algorithm>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::orbit {
namespace {

using core::z;

/// A maximum matching by Edmonds's blossoms, in a graph where it says which pairs are chosen (Tutte, Canadian
/// Journal of Mathematics 6 (1954), 347-352; Schrijver, Combinatorial optimization (2003), chapter 32).
///
/// Its vertices are the two ends of each pair, joined, and the ports of each node, as many as it may have
/// links; an end is joined to every port of its node. A pair is chosen where its ends are matched with ports,
/// and is not where they are matched with each other. Ends are matched from the start, and what is matched
/// stays so. A matching of all ends has as many edges as there are pairs and chosen pairs together.
class Ports {
 public:
  Ports(std::span<const Pair> pairs, std::int32_t nodes, core::StopToken& stop)
      : pairs_(pairs), stop_(stop), begin_(z(nodes) + 1), port_begin_(z(nodes) + 1) {
    for (const Pair& pair : pairs) {
      ++begin_[z(pair.a) + 1];
      ++begin_[z(pair.b) + 1];
    }
    for (std::size_t v = 1; v < begin_.size(); ++v) begin_[v] += begin_[v - 1];
    std::vector<std::int32_t> next(begin_.begin(), begin_.end() - 1);
    ends_at_.resize(2 * pairs.size());
    for (std::int32_t end = 0; end < ends(); ++end) ends_at_[z(next[z(node_of(end))]++)] = end;
  }

  std::vector<std::size_t> run(std::int64_t most) {
    open_ports(most);
    start();
    for (std::int32_t port = ends(); port < vertices(); ++port)
      if (mate_[z(port)] == kNone) grow(port);
    std::vector<std::size_t> chosen;
    for (std::size_t p = 0; p < pairs_.size(); ++p)
      if (mate_[2 * p] >= ends()) chosen.push_back(p);
    return chosen;
  }

 private:
  static constexpr std::int32_t kNone = -1;
  enum class Label : std::int8_t { unseen, outer, inner };

  [[nodiscard]] std::int32_t ends() const { return static_cast<std::int32_t>(2 * pairs_.size()); }
  [[nodiscard]] std::int32_t vertices() const { return static_cast<std::int32_t>(mate_.size()); }
  [[nodiscard]] std::int32_t node_of(std::int32_t end) const {
    const Pair& pair = pairs_[z(end / 2)];
    return end % 2 == 0 ? pair.a : pair.b;
  }

  /// More ports than a node has pairs are never used.
  void open_ports(std::int64_t most) {
    port_begin_[0] = ends();
    for (std::size_t v = 0; v + 1 < begin_.size(); ++v) {
      const std::int64_t ports = std::min<std::int64_t>(most, begin_[v + 1] - begin_[v]);
      port_begin_[v + 1] = port_begin_[v] + static_cast<std::int32_t>(ports);
      owner_.insert(owner_.end(), static_cast<std::size_t>(ports), static_cast<std::int32_t>(v));
    }
    const std::size_t count = z(port_begin_.back());
    mate_.assign(count, kNone);
    label_.assign(count, Label::unseen);
    from_.assign(count, kNone);
    seen_.assign(count, 0);
    base_.resize(count);
    for (std::size_t v = 0; v < count; ++v) base_[v] = static_cast<std::int32_t>(v);
  }

  /// Takes each pair whose ends both have room.
  void start() {
    std::vector<std::int32_t> free(port_begin_.begin(), port_begin_.end() - 1);
    const auto has_room = [&](std::int32_t v) { return free[z(v)] < port_begin_[z(v) + 1]; };
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      const auto end = static_cast<std::int32_t>(2 * p);
      const auto [a, b] = pairs_[p];
      if (has_room(a) && has_room(b)) {
        match(end, free[z(a)]++);
        match(end + 1, free[z(b)]++);
      } else {
        match(end, end + 1);
      }
    }
  }

  void match(std::int32_t u, std::int32_t v) {
    mate_[z(u)] = v;
    mate_[z(v)] = u;
  }

  template <class Visit>
  bool any_neighbour(std::int32_t u, Visit visit) const {
    if (u >= ends()) {
      const std::int32_t v = owner_[z(u - ends())];
      for (std::int32_t k = begin_[z(v)]; k < begin_[z(v) + 1]; ++k)
        if (visit(ends_at_[z(k)])) return true;
      return false;
    }
    if (visit(u ^ 1)) return true;
    const std::int32_t v = node_of(u);
    for (std::int32_t port = port_begin_[z(v)]; port < port_begin_[z(v) + 1]; ++port)
      if (visit(port)) return true;
    return false;
  }

  /// Looks for an augmenting path from a free port. The tree of one without stays as it is: no later path
  /// meets it.
  void grow(std::int32_t root) {
    touched_.clear();
    queue_.clear();
    reach(root, Label::outer);
    for (std::size_t next = 0; next < queue_.size(); ++next) {
      if (stop_.should_stop()) throw core::Stopped();
      const std::int32_t u = queue_[next];
      const bool found = any_neighbour(u, [&](std::int32_t v) { return step(u, v); });
      if (!found) continue;
      for (const std::int32_t v : touched_) {
        label_[z(v)] = Label::unseen;
        base_[z(v)] = v;
        from_[z(v)] = kNone;
      }
      return;
    }
  }

  void reach(std::int32_t v, Label label) {
    label_[z(v)] = label;
    touched_.push_back(v);
    if (label == Label::outer) queue_.push_back(v);
  }

  /// Whether the edge from an outer vertex ends an augmenting path, which is then applied.
  bool step(std::int32_t u, std::int32_t v) {
    if (label_[z(v)] == Label::unseen) {
      from_[z(v)] = u;
      reach(v, Label::inner);
      if (mate_[z(v)] == kNone) {
        augment(v);
        return true;
      }
      reach(mate_[z(v)], Label::outer);
    } else if (label_[z(v)] == Label::outer && base(u) != base(v)) {
      const std::int32_t stem = meeting(u, v);
      shrink(u, v, stem);
      shrink(v, u, stem);
    }
    return false;
  }

  void augment(std::int32_t v) {
    while (v != kNone) {
      const std::int32_t u = from_[z(v)];
      const std::int32_t next = mate_[z(u)];
      match(u, v);
      v = next;
    }
  }

  std::int32_t base(std::int32_t v) {
    while (base_[z(v)] != v) {
      base_[z(v)] = base_[z(base_[z(v)])];
      v = base_[z(v)];
    }
    return v;
  }

  /// Where the paths from two outer vertices to the root come together.
  std::int32_t meeting(std::int32_t u, std::int32_t v) {
    ++round_;
    u = base(u);
    v = base(v);
    while (true) {
      if (u != kNone) {
        if (seen_[z(u)] == round_) return u;
        seen_[z(u)] = round_;
        const std::int32_t mate = mate_[z(u)];
        u = mate == kNone ? kNone : base(from_[z(mate)]);
      }
      std::swap(u, v);
    }
  }

  /// Makes the way from an outer vertex to the stem part of a blossom; its inner vertices become outer.
  void shrink(std::int32_t u, std::int32_t across, std::int32_t stem) {
    while (base(u) != stem) {
      from_[z(u)] = across;
      across = mate_[z(u)];
      if (label_[z(across)] == Label::inner) {
        label_[z(across)] = Label::outer;
        queue_.push_back(across);
      }
      if (base_[z(u)] == u) base_[z(u)] = stem;
      if (base_[z(across)] == across) base_[z(across)] = stem;
      u = from_[z(across)];
    }
  }

  std::span<const Pair> pairs_;
  core::StopToken& stop_;
  std::vector<std::int32_t> begin_;    ///< [nodes + 1] into ends_at_
  std::vector<std::int32_t> ends_at_;  ///< by node, those of the first pairs first
  std::vector<std::int32_t> port_begin_;
  std::vector<std::int32_t> owner_;  ///< [ports]
  // Of each end, then of each port.
  std::vector<std::int32_t> mate_;
  std::vector<Label> label_;
  std::vector<std::int32_t> from_;  ///< whence it was reached
  std::vector<std::int32_t> base_;  ///< towards that of its blossom
  std::vector<std::int64_t> seen_;
  std::int64_t round_ = 0;
  std::vector<std::int32_t> touched_;
  std::vector<std::int32_t> queue_;
};

}  // namespace

std::vector<std::size_t> most_links(std::span<const Pair> pairs, std::int32_t nodes, std::int64_t most,
                                    core::StopToken& stop) {
  return Ports(pairs, nodes, stop).run(most);
}

}  // namespace constellm::orbit
