#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/flow/greedy.hpp"
#include "transfers.hpp"

using namespace constellm;
using tests::Contact;
using tests::kInf;
using tests::problem_of;

namespace {

flow::Plan greedy(const flow::Problem& problem, const std::vector<double>& moments_s) {
  core::StopToken stop;
  return flow::greedy(problem, moments_s, stop);
}

}  // namespace

TEST_CASE("greedy: a slot's relay passes on, and the last slot ends at the moment") {
  // 30 B over a relay at 2 B/s and directly at 1 B/s; in the second slot the relay's way is closed.
  const auto problem =
      problem_of({{0, 1, 0, 5, 2}, {1, 2, 0, 5, 4}, {0, 2, 0, 50, 1}}, {30, 0, 0}, {0, 0, 0}, {2});
  const flow::Plan plan = greedy(problem, {0, 5, 50});
  CHECK(plan.status == core::Status::feasible);
  CHECK(plan.finish_s == Approx(20.0));
  CHECK(plan.flows.contact == std::vector<std::int32_t>{0, 1, 2, 2});
  CHECK(plan.flows.end_s.back() == plan.finish_s);
  CHECK(plan.flows.sent_bytes[0] == Approx(10.0));
  CHECK(plan.flows.sent_bytes[1] == Approx(10.0));
  CHECK(plan.flows.sent_bytes[2] == Approx(5.0));
  CHECK(plan.flows.sent_bytes[3] == Approx(15.0));
}

TEST_CASE("greedy: a contact counts in slots that it is open throughout") {
  const auto problem = problem_of({{0, 1, 1, 12, 1}}, {4, 0}, {0, 0}, {1});
  CHECK(greedy(problem, {0, 5, 10, 15}).finish_s == Approx(9.0));
  CHECK(greedy(problem, {0, 8, 16}).status == core::Status::no_plan_found);
  CHECK(greedy(problem, {0, 8, 16}).flows.contact.empty());
}

TEST_CASE("greedy: demands take what others can spare") {
  const auto problem = problem_of({{0, 1, 0, 9, 1}, {1, 2, 0, 9, 1}}, {10, 3, 0}, {5, 2, 3}, {});
  const flow::Plan plan = greedy(problem, {0, 9});
  CHECK(plan.status == core::Status::feasible);
  CHECK(plan.finish_s == Approx(3.0));
  const auto none_to_spare = problem_of({{0, 1, 0, 9, 1}}, {5, 0, 5}, {5, 0, 5}, {});
  CHECK(greedy(none_to_spare, {0, 9}).finish_s == 0.0);
}

TEST_CASE("greedy: the least time of the last slot is that of the narrowest cut") {
  // What node 0 has leaves at 3 B/s, what both have comes in at 4 B/s: 6 / 3 < 12 / 4.
  const auto problem =
      problem_of({{0, 2, 0, 90, 3}, {1, 2, 0, 90, 9}, {2, 3, 0, 90, 4}}, {6, 6, 0, 0}, {0, 0, 0, 0}, {3});
  const flow::Plan plan = greedy(problem, {0, 90});
  CHECK(plan.finish_s == Approx(3.0));
  CHECK(plan.counters.flows <= 4);
}

TEST_CASE("greedy: tiny beside huge") {
  const auto problem = problem_of({{0, 2, 0, 90, 1e12}, {1, 2, 0, 90, 1}}, {1e13, 20, 0}, {0, 0, 0}, {2});
  const flow::Plan plan = greedy(problem, {0, 90});
  CHECK(plan.finish_s == Approx(20.0).epsilon(1e-2));  // a byte is 1e-13 of all
}

TEST_CASE("greedy: told to stop it has no plan") {
  const auto problem = problem_of({{0, 1, 0, 9, 1}}, {5, 0}, {0, 0}, {1});
  core::StopToken stop(0.0, {}, 1);
  const flow::Plan plan = flow::greedy(problem, {0, 3, 6, 9}, stop);
  CHECK(plan.status == core::Status::time_limit);
  CHECK(std::isnan(plan.finish_s));
}

TEST_CASE("greedy: what is sent at once in rounding takes a moment still") {
  // 1e-7 B at 1e13 B/s take less time than numbers near 1,000 s tell apart.
  const auto problem = problem_of({{0, 1, 1000, 2000, 1e13}}, {1e-7, 0}, {0, 0}, {1});
  const flow::Plan plan = greedy(problem, {0, 1000, 2000});
  CHECK(plan.status == core::Status::feasible);
  CHECK(plan.finish_s == std::nextafter(1000.0, 2000.0));
  CHECK(plan.flows.start_s == std::vector<double>{1000.0});
  CHECK(plan.flows.end_s == std::vector<double>{plan.finish_s});
}
