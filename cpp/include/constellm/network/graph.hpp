#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "constellm/network/network.hpp"

namespace constellm::network {

/// The arcs of every node, one node after the other: those of node v are begin[v] to begin[v + 1].
struct Rows {
  std::vector<std::int32_t> begin;  ///< [nodes + 1]
  std::vector<std::int32_t> node;   ///< [arcs] at the other end
  std::vector<std::int32_t> link;   ///< [arcs] whose arc it is

  bool operator==(const Rows&) const = default;
  [[nodiscard]] std::size_t nodes() const { return begin.size() - 1; }
};

/// Arcs `from[i]` → `to[i]` as rows by `from`; within a row in the order of i.
Rows rows_of(std::size_t nodes, const std::vector<std::int32_t>& from, const std::vector<std::int32_t>& to);

/// Who sends to whom. Nodes and links are known by their positions.
struct Topology {
  std::vector<std::int32_t> from;  ///< [links] sender
  std::vector<std::int32_t> to;    ///< [links] receiver
  Rows out;                        ///< by sender
  Rows in;                         ///< by receiver

  bool operator==(const Topology& other) const { return from == other.from && to == other.to; }
};

/// Throws core::InvalidInput for a position outside the nodes, a link of a node to itself and a
/// second link from one node to another.
Topology make_topology(const std::vector<Node>& nodes, std::vector<std::int32_t> from,
                       std::vector<std::int32_t> to);

/// Validated nodes with distinct ids; at least one.
class NodeTable {
 public:
  explicit NodeTable(std::vector<Node> nodes);
  NodeTable(const NodeTable&) = delete;
  NodeTable& operator=(const NodeTable&) = delete;

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  /// Position of the node with this id, or -1.
  [[nodiscard]] std::int32_t find(std::string_view id) const;

 private:
  std::vector<Node> nodes_;
  std::unordered_map<std::string_view, std::int32_t> position_;  // of ids in `nodes_`
};

/// What a link is like, a column a figure. [links] each
struct LinkColumns {
  std::vector<double> rate_bps;
  std::vector<double> latency_s;
  std::vector<double> overhead_s;

  bool operator==(const LinkColumns&) const = default;
};

/// Names of several links at once: link i is in groups[of[i]], or in none where of[i] is -1.
struct LinkGroups {
  std::vector<std::string> groups;
  std::vector<std::int32_t> of;  ///< [links]

  bool operator==(const LinkGroups&) const = default;
};

/// Nodes and directed links, validated once and never changed; copies share them, and graphs of
/// one constellation share their nodes, and their topology where that is the same.
class Graph {
 public:
  explicit Graph(const Network& network);
  /// `groups` may be left empty: then no link is in one.
  Graph(std::shared_ptr<const NodeTable> nodes, std::vector<std::int32_t> from, std::vector<std::int32_t> to,
        LinkColumns columns, LinkGroups groups = {});

  /// The same nodes and links with other figures.
  [[nodiscard]] Graph with(LinkColumns columns) const;
  /// The same values; nodes and ends of links, where they are equal, in the other graph's memory.
  [[nodiscard]] Graph sharing(const Graph& other) const;

  bool operator==(const Graph& other) const;

  [[nodiscard]] const std::shared_ptr<const NodeTable>& node_table() const { return nodes_; }
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_->nodes(); }
  [[nodiscard]] std::int32_t node_count() const { return static_cast<std::int32_t>(nodes().size()); }
  [[nodiscard]] std::int32_t link_count() const { return static_cast<std::int32_t>(topology().from.size()); }
  [[nodiscard]] const Topology& topology() const { return ends_->topology; }
  [[nodiscard]] const LinkGroups& groups() const { return ends_->groups; }
  [[nodiscard]] const LinkColumns& columns() const { return *columns_; }

  /// Position of the node with this id; throws core::InvalidInput that starts with `where`.
  [[nodiscard]] std::int32_t node(std::string_view id, std::string_view where) const;
  [[nodiscard]] Link link(std::int32_t position) const;
  [[nodiscard]] std::optional<std::string> link_group(std::int32_t position) const;
  /// The same as plain values.
  [[nodiscard]] Network network() const;

 private:
  struct Ends {
    Topology topology;
    LinkGroups groups;
    bool operator==(const Ends&) const = default;
  };
  std::shared_ptr<const NodeTable> nodes_;
  std::shared_ptr<const Ends> ends_;
  std::shared_ptr<const LinkColumns> columns_;
};

}  // namespace constellm::network
