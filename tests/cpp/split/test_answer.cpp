// A plan with its problem: what is found in it, and set by names.
#include <cmath>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/split/answer.hpp"
#include "split/every_plan.hpp"
#include "split/random_problem.hpp"

using namespace constellm;
using split::Answer;

TEST_CASE("An answer comes back from its path and stages", "[split][answer]") {
  std::size_t plans = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(200); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    bool same = true;
    tests::for_every_plan(problem, [&](const split::Assignment& assignment, const split::Evaluation&) {
      ++plans;
      Answer answer{problem, {}};
      answer.plan.assignment = assignment;
      Answer again{problem, {}};
      split::PathIds{}.set(again, split::PathIds{}(answer));
      split::NamedStages{}.set(again, split::NamedStages{}(answer));
      same = same && again == answer;
    });
    INFO("seed " << seed);
    CHECK(same);
  }
  CHECK(plans > 1000);
}

TEST_CASE("Without a plan there are no figures, no path and no stages", "[split][answer]") {
  Answer answer{tests::random_problem(1), {}};
  CHECK(split::PathIds{}(answer).empty());
  CHECK(split::NamedStages{}(answer).empty());
  CHECK(split::AddedCodecs{}(answer).empty());
  CHECK(std::isnan(answer.plan.delay_s));
  CHECK(std::isnan(split::objective_s(answer)));
  CHECK(std::isnan(split::gap(answer)));
  CHECK_THROWS_WITH(split::NamedStages{}.set(answer, {{"a", 0, 0, {}}}), "stages: given without a path");
}

TEST_CASE("Added codecs are those at the end of the menu", "[split][answer]") {
  const split::Problem problem = tests::random_problem(3);
  const std::vector<codec::Codec>& menu = problem.spec().codecs;
  Answer answer{problem, {}};
  split::AddedCodecs{}.set(answer, {menu.back()});
  CHECK(answer.plan.added_codecs == 1);
  CHECK(split::AddedCodecs{}(answer) == std::vector<codec::Codec>{menu.back()});
  codec::Codec other = menu.back();
  other.name = "other";
  CHECK_THROWS_AS(split::AddedCodecs{}.set(answer, {other}), core::InvalidInput);
  std::vector<codec::Codec> longer = menu;
  longer.push_back(other);
  CHECK_THROWS_AS(split::AddedCodecs{}.set(answer, longer), core::InvalidInput);
}
