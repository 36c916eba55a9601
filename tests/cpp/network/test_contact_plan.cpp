#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/network/earliest_arrival.hpp"
#include "network/random_graph.hpp"

using namespace constellm;
using network::ContactColumns;
using network::ContactPlan;
using network::Message;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr int kMost = 40;  // whole seconds of the time-expanded plan

std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }

std::shared_ptr<const network::NodeTable> nodes(std::size_t count) {
  std::vector<network::Node> list(count);
  for (std::size_t v = 0; v < count; ++v) list[v].id = "n" + std::to_string(v);
  return std::make_shared<network::NodeTable>(std::move(list));
}

struct Contact {
  std::int32_t from;
  std::int32_t to;
  double open_s;
  double close_s;
  double rate_bps = 8.0;
  double owlt_s = 0.0;
};

ContactPlan plan_of(std::size_t node_count, const std::vector<Contact>& contacts) {
  ContactColumns columns;
  for (const Contact& c : contacts) {
    columns.from.push_back(c.from);
    columns.to.push_back(c.to);
    columns.open_s.push_back(c.open_s);
    columns.close_s.push_back(c.close_s);
    columns.rate_bps.push_back(c.rate_bps);
    columns.owlt_s.push_back(c.owlt_s);
  }
  return {nodes(node_count), std::move(columns)};
}

/// Few nodes, whole seconds, many ties; contacts of one pair overlap, and some are of no length.
ContactPlan random_plan(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const std::uint64_t count = 2 + below(5);
  std::vector<Contact> contacts;
  for (std::uint64_t c = 4 + below(24); c > 0; --c) {
    Contact one{};
    one.from = static_cast<std::int32_t>(below(count));
    one.to = static_cast<std::int32_t>(below(count));
    if (one.from == one.to) continue;
    one.open_s = static_cast<double>(below(12));
    one.close_s = one.open_s + static_cast<double>(below(9));
    one.rate_bps = below(2) == 0 ? 8.0 : 16.0;
    one.owlt_s = static_cast<double>(below(3));
    contacts.push_back(one);
  }
  return plan_of(count, contacts);
}

Message random_message(std::mt19937_64& random, const ContactPlan& plan) {
  return {static_cast<std::int32_t>(random() % plan.node_count()), static_cast<double>(random() % 4),
          2.0 * static_cast<double>(random() % 3)};
}

/// When contact c delivers a message that begins to be sent at `start_s`; infinite where the rule forbids it.
double delivered(const ContactPlan& plan, std::size_t c, double start_s, double size_bytes) {
  const ContactColumns& all = plan.columns();
  const double end_s = start_s + 8.0 * size_bytes / all.rate_bps[c];
  const bool allowed = start_s >= all.open_s[c] && start_s < all.close_s[c] && end_s <= all.close_s[c];
  return allowed ? end_s + all.owlt_s[c] : kInf;
}

/// Every node at every whole second, with the fewest hops to be there by then: a message waits, or any
/// contact sends it from any second on.
network::Arrivals time_expanded(const ContactPlan& plan, const Message& message) {
  constexpr int kNever = 1000;
  std::vector<std::vector<int>> hops(plan.node_count(), std::vector<int>(kMost, kNever));
  hops[z(message.source)][static_cast<std::size_t>(message.t_s)] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    const auto lower = [&](std::size_t v, std::size_t t, int to) {
      if (to >= hops[v][t]) return;
      hops[v][t] = to;
      changed = true;
    };
    for (std::size_t t = 0; t < kMost; ++t) {
      for (std::size_t v = 0; t > 0 && v < plan.node_count(); ++v) lower(v, t, hops[v][t - 1]);
      for (std::size_t c = 0; c < plan.size(); ++c) {
        const int here = hops[z(plan.columns().from[c])][t];
        const double arrival_s = delivered(plan, c, static_cast<double>(t), message.size_bytes);
        if (here < kNever && arrival_s < kMost)
          lower(z(plan.columns().to[c]), static_cast<std::size_t>(arrival_s), here + 1);
      }
    }
  }
  network::Arrivals arrivals;
  for (const std::vector<int>& row : hops) {
    const auto first = std::find_if(row.begin(), row.end(), [](int h) { return h < kNever; });
    arrivals.arrival_s.push_back(first == row.end() ? kInf : static_cast<double>(first - row.begin()));
    arrivals.hops.push_back(first == row.end() ? -1 : *first);
  }
  return arrivals;
}

/// The route by its rule, from tables of the earliest arrival with at most so many hops.
std::vector<std::int32_t> route_by_rule(const ContactPlan& plan, const Message& message, std::int32_t target,
                                        std::int32_t hops) {
  const ContactColumns& all = plan.columns();
  std::vector<std::vector<double>> by(1, std::vector<double>(plan.node_count(), kInf));
  by[0][z(message.source)] = message.t_s;
  const auto over = [&](std::size_t c, double t_s) {
    return t_s == kInf ? kInf : delivered(plan, c, std::max(t_s, all.open_s[c]), message.size_bytes);
  };
  for (std::int32_t k = 0; k < hops; ++k) {
    by.push_back(by.back());
    for (std::size_t c = 0; c < plan.size(); ++c)
      by[z(k) + 1][z(all.to[c])] = std::min(by[z(k) + 1][z(all.to[c])], over(c, by[z(k)][z(all.from[c])]));
  }
  // The entry node and the last contact of the k hops to v.
  using Choice = std::pair<std::int32_t, std::int32_t>;
  const std::function<Choice(std::int32_t, std::int32_t)> choose = [&](std::int32_t v, std::int32_t k) {
    Choice best{std::numeric_limits<std::int32_t>::max(), 0};
    for (std::size_t c = 0; c < plan.size(); ++c) {
      if (all.to[c] != v || over(c, by[z(k) - 1][z(all.from[c])]) != by[z(k)][z(v)]) continue;
      const std::int32_t entry = k == 1 ? v : choose(all.from[c], k - 1).first;
      best = std::min(best, Choice{entry, static_cast<std::int32_t>(c)});
    }
    return best;
  };
  std::vector<std::int32_t> contacts;
  for (std::int32_t k = hops; k > 0; --k) {
    contacts.insert(contacts.begin(), choose(target, k).second);
    target = all.from[z(contacts.front())];
  }
  return contacts;
}

}  // namespace

TEST_CASE("Earliest arrival and fewest hops are those of the time-expanded plan", "[network]") {
  std::size_t reached = 0;
  std::size_t later_labels = 0;  // a node on the way is reached later than it could be, to save hops
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    std::mt19937_64 random(seed);
    const ContactPlan plan = random_plan(random);
    const Message message = random_message(random, plan);
    INFO("seed " << seed);
    const network::Arrivals found = network::earliest_arrival(plan, message);
    const network::Arrivals expected = time_expanded(plan, message);
    REQUIRE(found.arrival_s == expected.arrival_s);
    REQUIRE(found.hops == expected.hops);
    for (std::size_t v = 0; v < plan.node_count(); ++v) {
      const auto target = static_cast<std::int32_t>(v);
      const auto route = network::earliest_route(plan, message, target);
      REQUIRE(route.has_value() == (found.hops[v] >= 0));
      if (!route) continue;
      ++reached;
      std::vector<std::int32_t> contacts;
      std::int32_t here = message.source;
      double t_s = message.t_s;
      for (const network::Hop& hop : *route) {
        const std::size_t c = z(hop.transmission.contact);
        contacts.push_back(hop.transmission.contact);
        REQUIRE(plan.columns().from[c] == here);
        REQUIRE(hop.transmission.start_s == std::max(t_s, plan.columns().open_s[c]));
        REQUIRE(hop.arrival_s == delivered(plan, c, hop.transmission.start_s, message.size_bytes));
        here = plan.columns().to[c];
        t_s = hop.arrival_s;
        if (t_s > found.arrival_s[z(here)]) ++later_labels;
      }
      REQUIRE(here == target);
      REQUIRE(t_s == found.arrival_s[v]);
      REQUIRE(contacts == route_by_rule(plan, message, target, found.hops[v]));
    }
  }
  CHECK(reached > 10000);
  CHECK(later_labels > 10);
}

TEST_CASE("At the ends of a contact", "[network]") {
  const ContactPlan plan = plan_of(2, {{0, 1, 10.0, 20.0, 8.0, 0.5}, {0, 1, 30.0, 30.0}});
  const auto arrival = [&](double t_s, double size_bytes) {
    return network::earliest_arrival(plan, {0, t_s, size_bytes}).arrival_s[1];
  };
  CHECK(arrival(0.0, 10.0) == 20.5);   // it fills the contact
  CHECK(arrival(10.5, 10.0) == kInf);  // it would end after the contact
  CHECK(arrival(19.0, 1.0) == 20.5);
  CHECK(arrival(20.0, 0.0) == kInf);  // missed, even by a message of no bytes
  CHECK(arrival(std::nextafter(20.0, 0.0), 0.0) < 21.0);
  CHECK(arrival(30.0, 0.0) == kInf);  // a contact of no length carries nothing
  // What fills a contact does so whatever the rounding.
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> real(0.1, 3.0);
  for (int i = 0; i < 1000; ++i) {
    const double open_s = 1e5 * real(random);
    const ContactPlan one = plan_of(2, {{0, 1, open_s, open_s + real(random), 1e6 * real(random)}});
    CHECK(network::earliest_arrival(one, {0, 0.0, one.volume_bytes()[0]}).hops[1] == 1);
    CHECK(network::earliest_arrival(one, {0, 0.0, one.volume_bytes()[0] * 1.0001}).hops[1] == -1);
  }
}

TEST_CASE("Equal arrivals go by the fewest hops of the whole way", "[network]") {
  // Node 2 is reached at 2 over 1, or at 3 directly; both wait for the contact that opens at 5.
  const ContactPlan plan =
      plan_of(4, {{0, 1, 1.0, 9.0}, {1, 2, 2.0, 9.0}, {0, 2, 3.0, 9.0}, {2, 3, 5.0, 9.0}, {2, 3, 5.0, 9.0}});
  const network::Arrivals arrivals = network::earliest_arrival(plan, {0, 0.0, 0.0});
  CHECK(arrivals.arrival_s == std::vector<double>{0.0, 1.0, 2.0, 5.0});
  CHECK(arrivals.hops == std::vector<std::int32_t>{0, 1, 2, 2});
  const auto route = network::earliest_route(plan, {0, 0.0, 0.0}, 3);
  REQUIRE(route->size() == 2);
  CHECK((*route)[0].transmission.contact == 2);
  CHECK((*route)[1].transmission.contact == 3);
}

TEST_CASE("Messages that are booked share no moment of a contact", "[network]") {
  std::size_t booked = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::mt19937_64 random(seed);
    const ContactPlan whole = random_plan(random);
    ContactPlan left = whole;
    double sent_bytes = 0.0;
    INFO("seed " << seed);
    for (int m = 0; m < 12; ++m) {
      const Message message = random_message(random, whole);
      const auto target = static_cast<std::int32_t>(random() % whole.node_count());
      const auto route = network::earliest_route(left, message, target);
      const network::Arrivals expected = time_expanded(left, message);
      REQUIRE(route.has_value() == (expected.hops[z(target)] >= 0));
      if (!route || route->empty()) continue;
      REQUIRE(route->back().arrival_s == expected.arrival_s[z(target)]);
      std::vector<network::Transmission> transmissions;
      for (const network::Hop& hop : *route) {
        transmissions.push_back(hop.transmission);
        sent_bytes += message.size_bytes;
      }
      const ContactPlan before = left;
      left = left.booked(transmissions);
      if (message.size_bytes == 0.0) {
        CHECK(left == before);
        continue;
      }
      ++booked;
      for (const network::Transmission& one : transmissions) {
        for (std::size_t c = 0; c < left.size(); ++c) {
          const bool overlaps =
              left.columns().open_s[c] < one.end_s && one.start_s < left.columns().close_s[c];
          const bool same = left.columns().from[c] == before.columns().from[z(one.contact)] &&
                            left.columns().to[c] == before.columns().to[z(one.contact)];
          // Another channel of the pair may still be open then.
          if (overlaps && same) {
            bool was_another = false;
            for (std::size_t b = 0; b < before.size(); ++b) {
              was_another |= b != z(one.contact) && before.columns().from[b] == left.columns().from[c] &&
                             before.columns().to[b] == left.columns().to[c] &&
                             before.columns().open_s[b] == left.columns().open_s[c] &&
                             before.columns().close_s[b] == left.columns().close_s[c];
            }
            CHECK(was_another);
          }
        }
      }
    }
    const auto total = [](const ContactPlan& plan) {
      double sum = 0.0;
      for (const double volume : plan.volume_bytes()) sum += volume;
      return sum;
    };
    CHECK(total(left) + sent_bytes == total(whole));  // whole numbers, so exact
  }
  CHECK(booked > 500);
}

TEST_CASE("Bookings that do not fit are refused", "[network]") {
  const ContactPlan plan = plan_of(2, {{0, 1, 0.0, 10.0}});
  const auto book = [&](std::vector<network::Transmission> some) { (void)plan.booked(some); };
  CHECK_NOTHROW(book({{0, 0.0, 10.0}}));
  CHECK_THROWS_AS(book({{1, 0.0, 1.0}}), core::InvalidInput);
  CHECK_THROWS_AS(book({{0, -1.0, 1.0}}), core::InvalidInput);
  CHECK_THROWS_AS(book({{0, 10.0, 10.0}}), core::InvalidInput);
  CHECK_THROWS_AS(book({{0, 5.0, 11.0}}), core::InvalidInput);
  CHECK_THROWS_AS(book({{0, 5.0, 4.0}}), core::InvalidInput);
  CHECK_THROWS_AS(book({{0, 0.0, 1.0}, {0, 2.0, 3.0}}), core::InvalidInput);
}

TEST_CASE("Threads change no arrival, and a stop ends them", "[network]") {
  std::mt19937_64 random(7);
  std::vector<Contact> contacts;
  for (int c = 0; c < 6000; ++c) {
    const auto from = static_cast<std::int32_t>(random() % 60);
    const auto to = static_cast<std::int32_t>(random() % 60);
    const auto open_s = static_cast<double>(random() % 1000);
    if (from != to) contacts.push_back({from, to, open_s, open_s + 20.0, 8.0, 0.25});
  }
  const ContactPlan plan = plan_of(60, contacts);
  std::vector<Message> messages;
  for (std::int32_t m = 0; m < 120; ++m) messages.push_back({m % 60, 3.0 * m, 1.0});
  core::StopToken never;
  const auto alone = network::earliest_arrivals(plan, messages, 1, never);
  for (const int threads : {2, 5}) {
    const auto together = network::earliest_arrivals(plan, messages, threads, never);
    CHECK(together->arrival_s == alone->arrival_s);
    CHECK(together->hops == alone->hops);
  }
  core::StopToken at_once(kInf, [] { return true; });
  CHECK(!network::earliest_arrivals(plan, messages, 1, at_once).has_value());
}

TEST_CASE("A plan of a timeline promises what the timeline keeps", "[network]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    const network::Network all = tests::random_network(seed);
    std::vector<network::Graph> graphs;
    const std::vector<double> t_s{0.0, 1.0, 2.5, 4.0};
    for (std::size_t i = 0; i < t_s.size(); ++i) {
      network::Network some = all;
      std::erase_if(some.links, [&](const network::Link&) { return random() % 3 == 0; });
      for (network::Link& link : some.links) {
        link.rate_bps *= static_cast<double>(1 + random() % 3);
        link.overhead_s = 0.5 * static_cast<double>(random() % 2);
      }
      graphs.emplace_back(some);
    }
    const network::Timeline timeline(t_s, graphs, 6.0);
    const ContactPlan plan = ContactPlan::from_timeline(timeline, "2026-03-01T12:00:00Z");
    INFO("seed " << seed);
    const ContactColumns& contacts = plan.columns();
    REQUIRE(contacts.open_s == timeline.contacts().open_s);
    REQUIRE(contacts.close_s == timeline.contacts().close_s);
    CHECK(plan.node_table() == timeline[0].graph().node_table());
    for (std::size_t c = 0; c < plan.size(); ++c) {
      double rate_bps = kInf;
      double owlt_s = 0.0;
      for (std::size_t i = 0; i < t_s.size(); ++i) {
        if (t_s[i] < contacts.open_s[c] || t_s[i] >= contacts.close_s[c]) continue;
        for (std::int32_t l = 0; l < graphs[i].link_count(); ++l) {
          if (graphs[i].topology().from[z(l)] != contacts.from[c] ||
              graphs[i].topology().to[z(l)] != contacts.to[c])
            continue;
          const network::Link link = graphs[i].link(l);
          rate_bps = std::min(rate_bps, link.rate_bps);
          owlt_s = std::max(owlt_s, link.latency_s + link.overhead_s);
        }
      }
      REQUIRE(contacts.rate_bps[c] == rate_bps);
      REQUIRE(contacts.owlt_s[c] == owlt_s);
    }
    for (std::size_t i = 0; i < t_s.size(); ++i) {
      const network::Snapshot there = timeline.at(t_s[i]);
      const network::Snapshot here = plan.at(t_s[i]);
      const auto ends = [](const network::Graph& graph) {
        std::set<std::pair<std::int32_t, std::int32_t>> set;
        for (std::size_t l = 0; l < graph.topology().from.size(); ++l)
          set.emplace(graph.topology().from[l], graph.topology().to[l]);
        return set;
      };
      REQUIRE(ends(here.graph()) == ends(there.graph()));
    }
  }
}

TEST_CASE("A moment of a plan with channels side by side", "[network]") {
  const ContactPlan plan =
      plan_of(2, {{0, 1, 0.0, 10.0, 8.0, 1.0}, {0, 1, 5.0, 8.0, 16.0, 2.0}, {1, 0, 6.0, 6.0}});
  const network::Snapshot both = plan.at(5.0);
  CHECK(both.graph().columns().rate_bps == std::vector<double>{24.0});
  CHECK(both.graph().columns().latency_s == std::vector<double>{2.0});
  CHECK(both.valid_s() == 3.0);
  CHECK(both.lifetime_s() == std::vector<double>{3.0});
  CHECK(plan.at(8.0).graph().columns().rate_bps == std::vector<double>{8.0});
  CHECK(plan.at(-2.0).valid_s() == 2.0);
  CHECK(plan.at(10.0).graph().link_count() == 0);
  CHECK(plan.at(10.0).valid_s() == kInf);
}

TEST_CASE("What a contact may not be", "[network]") {
  const auto says = [](const std::vector<Contact>& contacts) -> std::string {
    try {
      (void)plan_of(2, contacts);
    } catch (const core::InvalidInput& refused) {
      return refused.what();
    }
    return "";
  };
  const Contact good{0, 1, 0.0, 1.0};
  CHECK(says({good, {0, 2, 0.0, 1.0}}) == "contacts[1].to: 2 is not in [0, 2)");
  CHECK(says({{1, 1, 0.0, 1.0}}) == "contacts[0].to: node 1 sends to itself");
  CHECK(says({{0, 1, 2.0, 1.0}}) == "contacts[0].close_s: 1 is not in [2, inf]: it opens then");
  CHECK(says({{0, 1, -kInf, 1.0}}) == "contacts[0].open_s: -inf is not in (-inf, inf)");
  CHECK(says({{0, 1, 0.0, 1.0, 0.0}}) == "contacts[0].rate_bps: 0 is not in (0, inf)");
  CHECK(says({{0, 1, 0.0, 1.0, 1.0, -1.0}}) == "contacts[0].owlt_s: -1 is not in [0, inf)");
  CHECK(says({{0, 1, -5.0, kInf}, {0, 1, 3.0, 3.0}}).empty());
  const auto with_epoch = [](const char* epoch) { (void)ContactPlan(nodes(1), {}, epoch); };
  CHECK_NOTHROW(with_epoch("2028-02-29T23:59:59Z"));
  for (const char* wrong : {"now", "2026-02-29T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01 12:00:00Z",
                            "2026-03-01T12:00:00", "0000-01-01T00:00:00Z"})
    CHECK_THROWS_AS(with_epoch(wrong), core::InvalidInput);
}
