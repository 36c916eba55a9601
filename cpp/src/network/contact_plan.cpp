#include "constellm/network/contact_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"

namespace constellm::network {
namespace {

using core::InvalidInput;
using core::z;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEndTolerance = 1e-12;  // of the moment at which the contact closes

std::string contact(std::size_t c) { return "contacts[" + std::to_string(c) + "]"; }

void check(const ContactColumns& columns, std::size_t nodes) {
  const std::size_t count = columns.from.size();
  const auto check_size = [&](const char* name, std::size_t size) {
    if (size != count) {
      throw InvalidInput(std::string(name) + ": " + std::to_string(size) + " entries for " +
                         std::to_string(count) + " contacts");
    }
  };
  check_size("to", columns.to.size());
  check_size("open_s", columns.open_s.size());
  check_size("close_s", columns.close_s.size());
  check_size("rate_bps", columns.rate_bps.size());
  check_size("owlt_s", columns.owlt_s.size());
  for (std::size_t c = 0; c < count; ++c) {
    for (const auto& [name, end] : {std::pair("from", columns.from[c]), std::pair("to", columns.to[c])}) {
      if (end < 0 || z(end) >= nodes) {
        throw InvalidInput(contact(c) + "." + name + ": " + std::to_string(end) + " is not in [0, " +
                           std::to_string(nodes) + ")");
      }
    }
    if (columns.from[c] == columns.to[c])
      throw InvalidInput(contact(c) + ".to: node " + std::to_string(columns.to[c]) + " sends to itself");
    const auto check_figure = [&](const char* name, const core::Range& range, double value) {
      if (!range.contains(value)) core::throw_out_of_range(contact(c) + ".", name, value, range.text);
    };
    check_figure("open_s", kOpening, columns.open_s[c]);
    if (!(columns.close_s[c] >= columns.open_s[c])) {
      core::throw_out_of_range(contact(c) + ".", "close_s", columns.close_s[c],
                               "[" + core::to_text(columns.open_s[c]) + ", inf]: it opens then");
    }
    check_figure("rate_bps", kContactRate, columns.rate_bps[c]);
    check_figure("owlt_s", kLightTime, columns.owlt_s[c]);
  }
}

/// Whether `text` has digits where `form` has 'd', and its other characters at their places.
bool has_form(std::string_view text, std::string_view form) {
  const auto fits = [](char c, char f) { return f == 'd' ? c >= '0' && c <= '9' : c == f; };
  return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(), fits);
}

void check_epoch(const std::string& epoch) {
  if (epoch.empty()) return;
  const auto number = [&](std::size_t at, std::size_t digits) { return std::stoi(epoch.substr(at, digits)); };
  bool valid = has_form(epoch, "dddd-dd-ddTdd:dd:ddZ");
  if (valid) {
    const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                           std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(number(8, 2))));
    valid = number(0, 4) > 0 && date.ok() && number(11, 2) < 24 && number(14, 2) < 60 && number(17, 2) < 60;
  }
  if (!valid)
    throw InvalidInput("epoch: '" + epoch + "' is no moment in UTC, as '2026-03-01T12:00:00Z' is one");
}

ContactRows by_pair(const ContactColumns& columns, std::size_t nodes) {
  std::vector<std::int32_t> order;
  for (std::size_t c = 0; c < columns.from.size(); ++c) {
    if (columns.close_s[c] > columns.open_s[c]) order.push_back(static_cast<std::int32_t>(c));
  }
  const auto key = [&](std::int32_t c) {
    return std::tuple(columns.from[z(c)], columns.to[z(c)], columns.open_s[z(c)], c);
  };
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return key(a) < key(b); });
  ContactRows rows;
  rows.slots.reserve(order.size());
  rows.pair_begin.assign(nodes + 1, 0);
  std::int32_t from = -1;
  for (const std::int32_t c : order) {
    const bool new_pair = columns.from[z(c)] != from || columns.to[z(c)] != rows.to.back();
    const double close_s = columns.close_s[z(c)];
    if (new_pair) {
      from = columns.from[z(c)];
      rows.to.push_back(columns.to[z(c)]);
      rows.slot_begin.push_back(static_cast<std::int32_t>(rows.slots.size()));
      ++rows.pair_begin[z(from) + 1];
    }
    rows.slots.push_back(
        {.open_s = columns.open_s[z(c)],
         .close_s = close_s,
         .latest_close_s = new_pair ? close_s : std::max(rows.slots.back().latest_close_s, close_s),
         .rate_bps = columns.rate_bps[z(c)],
         .owlt_s = columns.owlt_s[z(c)],
         .contact = c});
  }
  rows.slot_begin.push_back(static_cast<std::int32_t>(rows.slots.size()));
  std::partial_sum(rows.pair_begin.begin(), rows.pair_begin.end(), rows.pair_begin.begin());
  return rows;
}

std::int64_t pair_of(std::int32_t from, std::int32_t to) {
  return (static_cast<std::int64_t>(from) << 32) + to;
}

}  // namespace

double latest_end_s(double close_s) { return close_s + kEndTolerance * std::abs(close_s); }

ContactPlan::ContactPlan(std::shared_ptr<const NodeTable> nodes, ContactColumns columns, std::string epoch) {
  check(columns, nodes->nodes().size());
  check_epoch(epoch);
  auto data = std::make_shared<Data>();
  data->rows = by_pair(columns, nodes->nodes().size());
  for (std::size_t c = 0; c < columns.from.size(); ++c) {
    data->volume_bytes.push_back(columns.rate_bps[c] * (columns.close_s[c] - columns.open_s[c]) /
                                 core::kBitsPerByte);
  }
  data->nodes = std::move(nodes);
  data->columns = std::move(columns);
  data->epoch = std::move(epoch);
  data_ = std::move(data);
}

ContactPlan ContactPlan::from_timeline(const Timeline& timeline, std::string epoch) {
  const Contacts& contacts = timeline.contacts();
  const std::size_t count = contacts.from.size();
  ContactColumns columns{.from = contacts.from,
                         .to = contacts.to,
                         .open_s = contacts.open_s,
                         .close_s = contacts.close_s,
                         .rate_bps = std::vector<double>(count, kInfinity),
                         .owlt_s = std::vector<double>(count, 0.0)};
  std::unordered_map<std::int64_t, std::size_t> open;  // the contact that a pair is in
  std::size_t next = 0;                                // contacts are in the order of opening
  for (std::size_t i = 0; i < timeline.size(); ++i) {
    for (; next < count && contacts.open_s[next] <= timeline.t_s()[i]; ++next)
      open[pair_of(contacts.from[next], contacts.to[next])] = next;
    const Graph& graph = timeline[i].graph();
    const LinkColumns& links = graph.columns();
    for (std::size_t l = 0; l < graph.topology().from.size(); ++l) {
      const std::size_t c = open.at(pair_of(graph.topology().from[l], graph.topology().to[l]));
      columns.rate_bps[c] = std::min(columns.rate_bps[c], links.rate_bps[l]);
      columns.owlt_s[c] = std::max(columns.owlt_s[c], links.latency_s[l] + links.overhead_s[l]);
    }
  }
  return {timeline[0].graph().node_table(), std::move(columns), std::move(epoch)};
}

bool ContactPlan::operator==(const ContactPlan& other) const {
  return data_ == other.data_ ||
         (columns() == other.columns() && epoch() == other.epoch() &&
          (node_table() == other.node_table() || node_table()->nodes() == other.node_table()->nodes()));
}

Snapshot ContactPlan::at(double t_s) const {
  core::check_range({}, "t_s", kStart, t_s);
  const ContactColumns& all = columns();
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
  LinkColumns links;
  std::vector<double> lifetime_s;
  std::unordered_map<std::int64_t, std::size_t> link_of;
  double change_s = kInfinity;
  for (std::size_t c = 0; c < size(); ++c) {
    if (all.close_s[c] == all.open_s[c]) continue;
    if (all.open_s[c] > t_s) change_s = std::min(change_s, all.open_s[c]);
    if (all.close_s[c] > t_s) change_s = std::min(change_s, all.close_s[c]);
    if (!(all.open_s[c] <= t_s && t_s < all.close_s[c])) continue;
    const auto [found, is_new] = link_of.emplace(pair_of(all.from[c], all.to[c]), from.size());
    if (is_new) {
      from.push_back(all.from[c]);
      to.push_back(all.to[c]);
      links.rate_bps.push_back(0.0);
      links.latency_s.push_back(0.0);
      links.overhead_s.push_back(0.0);
      lifetime_s.push_back(kInfinity);
    }
    const std::size_t l = found->second;
    links.rate_bps[l] += all.rate_bps[c];
    links.latency_s[l] = std::max(links.latency_s[l], all.owlt_s[c]);
    lifetime_s[l] = std::min(lifetime_s[l], all.close_s[c] - t_s);
  }
  return {t_s, Graph(node_table(), std::move(from), std::move(to), std::move(links)), change_s - t_s,
          std::move(lifetime_s)};
}

ContactPlan ContactPlan::booked(std::span<const Transmission> transmissions) const {
  const ContactColumns& all = columns();
  std::vector<const Transmission*> taken(size(), nullptr);
  for (std::size_t i = 0; i < transmissions.size(); ++i) {
    const Transmission& one = transmissions[i];
    const std::string where = "transmissions[" + std::to_string(i) + "].";
    if (one.contact < 0 || z(one.contact) >= size()) {
      throw InvalidInput(where + "contact: " + std::to_string(one.contact) + " is not in [0, " +
                         std::to_string(size()) + ")");
    }
    const std::size_t c = z(one.contact);
    if (taken[c] != nullptr)
      throw InvalidInput(where + "contact: " + std::to_string(one.contact) + " is booked twice");
    if (!(one.start_s >= all.open_s[c] && one.start_s < all.close_s[c])) {
      core::throw_out_of_range(
          where, "start_s", one.start_s,
          "[" + core::to_text(all.open_s[c]) + ", " + core::to_text(all.close_s[c]) + ")");
    }
    if (!(one.end_s >= one.start_s && one.end_s <= latest_end_s(all.close_s[c]))) {
      core::throw_out_of_range(where, "end_s", one.end_s,
                               "[" + core::to_text(one.start_s) + ", " + core::to_text(all.close_s[c]) + "]");
    }
    if (one.end_s > one.start_s) taken[c] = &one;  // a message of no bytes takes no time
  }
  ContactColumns left;
  const auto keep = [&](std::size_t c, double open_s, double close_s) {
    left.from.push_back(all.from[c]);
    left.to.push_back(all.to[c]);
    left.open_s.push_back(open_s);
    left.close_s.push_back(close_s);
    left.rate_bps.push_back(all.rate_bps[c]);
    left.owlt_s.push_back(all.owlt_s[c]);
  };
  for (std::size_t c = 0; c < size(); ++c) {
    if (taken[c] == nullptr) {
      keep(c, all.open_s[c], all.close_s[c]);
      continue;
    }
    if (all.open_s[c] < taken[c]->start_s) keep(c, all.open_s[c], taken[c]->start_s);
    if (taken[c]->end_s < all.close_s[c]) keep(c, taken[c]->end_s, all.close_s[c]);
  }
  return {node_table(), std::move(left), epoch()};
}

}  // namespace constellm::network
