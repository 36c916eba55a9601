#include "constellm/network/graph.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"

namespace constellm::network {
namespace {

using core::InvalidInput;
using core::z;

std::string at(const char* list, std::size_t i) { return std::string(list) + "[" + std::to_string(i) + "]"; }

void require_positions(std::size_t count, const char* list) {
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  if (count > kMost)
    throw InvalidInput(std::string(list) + ": " + std::to_string(count) + " is more than 2^31 - 1");
}

void require_length(const char* column, std::size_t got, std::size_t links) {
  if (got != links) {
    throw InvalidInput(std::string(column) + ": " + std::to_string(got) + " entries for " +
                       std::to_string(links) + " links");
  }
}

void check_column(const char* name, const std::vector<double>& column, std::size_t links,
                  const core::Range& range) {
  require_length(name, column.size(), links);
  for (std::size_t i = 0; i < links; ++i) {
    if (!range.contains(column[i]))
      core::throw_out_of_range(at("links", i) + ".", name, column[i], range.text);
  }
}

/// The ranges are those of a link's fields.
void validate(const LinkColumns& columns, std::size_t links) {
  const std::pair<std::string_view, const std::vector<double>*> all[] = {
      {"rate_bps", &columns.rate_bps},
      {"latency_s", &columns.latency_s},
      {"overhead_s", &columns.overhead_s},
  };
  core::fields_of<Link>().for_each([&](const auto& field) {
    for (const auto& [name, column] : all) {
      if (name == field.name) check_column(field.name, *column, links, field.range);
    }
  });
}

void validate(LinkGroups& groups, std::size_t links) {
  if (groups.of.empty()) groups.of.assign(links, -1);
  require_length("group", groups.of.size(), links);
  const auto count = static_cast<std::int64_t>(groups.groups.size());
  for (std::size_t i = 0; i < links; ++i) {
    if (groups.of[i] < -1 || groups.of[i] >= count) {
      throw InvalidInput(at("links", i) + ".group: " + std::to_string(groups.of[i]) + " is not in [-1, " +
                         std::to_string(count) + ")");
    }
  }
}

}  // namespace

Rows rows_of(std::size_t nodes, const std::vector<std::int32_t>& from, const std::vector<std::int32_t>& to) {
  Rows rows;
  rows.begin.assign(nodes + 1, 0);
  for (const std::int32_t v : from) ++rows.begin[z(v) + 1];
  for (std::size_t v = 0; v < nodes; ++v) rows.begin[v + 1] += rows.begin[v];
  std::vector<std::int32_t> next(rows.begin.begin(), rows.begin.end() - 1);
  rows.node.resize(from.size());
  rows.link.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t slot = z(next[z(from[i])]++);
    rows.node[slot] = to[i];
    rows.link[slot] = static_cast<std::int32_t>(i);
  }
  return rows;
}

Topology make_topology(const std::vector<Node>& nodes, std::vector<std::int32_t> from,
                       std::vector<std::int32_t> to) {
  require_positions(from.size(), "links");
  require_length("to", to.size(), from.size());
  const auto count = static_cast<std::int32_t>(nodes.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (const auto& [end, v] : {std::pair{".from: ", from[i]}, std::pair{".to: ", to[i]}}) {
      if (v < 0 || v >= count) {
        throw InvalidInput(at("links", i) + end + std::to_string(v) + " is not in [0, " +
                           std::to_string(count) + ")");
      }
    }
    if (from[i] == to[i]) {
      throw InvalidInput(at("links", i) + ".to: a link from '" + nodes[z(from[i])].id + "' to itself");
    }
  }
  Topology topology;
  topology.out = rows_of(nodes.size(), from, to);
  topology.in = rows_of(nodes.size(), to, from);
  // Of a node's arcs, two that lead to the same one: seen by the last sender to each receiver.
  std::vector<std::int32_t> sender(nodes.size(), -1);
  std::size_t second = from.size();
  for (std::int32_t v = 0; v < count; ++v) {
    for (auto a = topology.out.begin[z(v)]; a < topology.out.begin[z(v) + 1]; ++a) {
      std::int32_t& seen = sender[z(topology.out.node[z(a)])];
      if (seen == v) second = std::min(second, z(topology.out.link[z(a)]));
      seen = v;
    }
  }
  if (second < from.size()) {
    throw InvalidInput(at("links", second) + ": a second link from '" + nodes[z(from[second])].id + "' to '" +
                       nodes[z(to[second])].id + "'");
  }
  topology.from = std::move(from);
  topology.to = std::move(to);
  return topology;
}

NodeTable::NodeTable(std::vector<Node> nodes) : nodes_(std::move(nodes)) {
  if (nodes_.empty()) throw InvalidInput("nodes: at least one is needed, got 0");
  require_positions(nodes_.size(), "nodes");
  position_.reserve(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) validate(nodes_[i], {"nodes", i});
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!position_.emplace(nodes_[i].id, static_cast<std::int32_t>(i)).second) {
      throw InvalidInput(at("nodes", i) + ".id: '" + nodes_[i].id + "' is used by another node");
    }
  }
}

std::int32_t NodeTable::find(std::string_view id) const {
  const auto found = position_.find(id);
  return found == position_.end() ? -1 : found->second;
}

Graph::Graph(std::shared_ptr<const NodeTable> nodes, std::vector<std::int32_t> from,
             std::vector<std::int32_t> to, LinkColumns columns, LinkGroups groups)
    : nodes_(std::move(nodes)) {
  validate(columns, from.size());
  validate(groups, from.size());
  ends_ = std::make_shared<const Ends>(
      Ends{make_topology(nodes_->nodes(), std::move(from), std::move(to)), std::move(groups)});
  columns_ = std::make_shared<const LinkColumns>(std::move(columns));
}

Graph::Graph(const Network& network) : nodes_(std::make_shared<const NodeTable>(network.nodes)) {
  const std::size_t count = network.links.size();
  std::vector<std::int32_t> from(count);
  std::vector<std::int32_t> to(count);
  LinkColumns columns{std::vector<double>(count), std::vector<double>(count), std::vector<double>(count)};
  LinkGroups groups{{}, std::vector<std::int32_t>(count, -1)};
  std::unordered_map<std::string_view, std::int32_t> known;
  const auto end = [&](const std::string& id, std::size_t i, const char* which) {
    const std::int32_t position = nodes_->find(id);
    return position < 0 ? node(id, at("links", i) + which) : position;  // the same, with a message
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Link& link = network.links[i];
    from[i] = end(link.from, i, ".from");
    to[i] = end(link.to, i, ".to");
    columns.rate_bps[i] = link.rate_bps;
    columns.latency_s[i] = link.latency_s;
    columns.overhead_s[i] = link.overhead_s;
    if (!link.group) continue;
    const auto next = static_cast<std::int32_t>(groups.groups.size());
    groups.of[i] = known.emplace(*link.group, next).first->second;
    if (groups.of[i] == next) groups.groups.push_back(*link.group);
  }
  *this = Graph(nodes_, std::move(from), std::move(to), std::move(columns), std::move(groups));
}

Graph Graph::with(LinkColumns columns) const {
  validate(columns, z(link_count()));
  Graph graph = *this;
  graph.columns_ = std::make_shared<const LinkColumns>(std::move(columns));
  return graph;
}

Graph Graph::sharing(const Graph& other) const {
  Graph graph = *this;
  if (nodes() == other.nodes()) graph.nodes_ = other.nodes_;
  if (graph.nodes_ == other.nodes_ && *ends_ == *other.ends_) graph.ends_ = other.ends_;
  return graph;
}

bool Graph::operator==(const Graph& other) const {
  const auto same_group = [&] {
    for (std::int32_t i = 0; i < link_count(); ++i) {
      if (link_group(i) != other.link_group(i)) return false;
    }
    return true;
  };
  return (nodes_ == other.nodes_ || nodes() == other.nodes()) &&
         (ends_ == other.ends_ || (topology() == other.topology() && same_group())) &&
         (columns_ == other.columns_ || columns() == other.columns());
}

std::int32_t Graph::node(std::string_view id, std::string_view where) const {
  const std::int32_t position = nodes_->find(id);
  if (position < 0) throw InvalidInput(std::string(where) + ": no node has id '" + std::string(id) + "'");
  return position;
}

std::optional<std::string> Graph::link_group(std::int32_t position) const {
  const std::int32_t group = groups().of[z(position)];
  return group < 0 ? std::nullopt : std::optional(groups().groups[z(group)]);
}

Link Graph::link(std::int32_t position) const {
  const std::size_t i = z(position);
  return {nodes()[z(topology().from[i])].id,
          nodes()[z(topology().to[i])].id,
          columns().rate_bps[i],
          columns().latency_s[i],
          columns().overhead_s[i],
          link_group(position)};
}

Network Graph::network() const {
  Network network{nodes(), {}, {}, {}};
  for (std::int32_t i = 0; i < link_count(); ++i) network.links.push_back(link(i));
  return network;
}

}  // namespace constellm::network
