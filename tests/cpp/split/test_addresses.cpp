#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/sweep/address.hpp"
#include "sweep_problem.hpp"

using namespace constellm;
using sweep::resolve;

namespace {

split::ProblemSpec after(const std::string& address, double value) {
  split::ProblemSpec spec = sweep_problem();
  resolve(spec, address).apply(spec, value);
  return spec;
}

std::vector<double> rates(const split::ProblemSpec& spec) {
  std::vector<double> all;
  for (const auto& link : spec.network.links) all.push_back(link.rate_bps);
  return all;
}

std::string message_of(const std::string& address) {
  try {
    resolve(sweep_problem(), address);
  } catch (const core::InvalidInput& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a bare name addresses the problem, its limits, or the one list that has the field", "[sweep]") {
  CHECK(after("input_bytes", 7.0).input_bytes == 7.0);
  CHECK(after("micro_batches", 6.0).micro_batches == 6);
  CHECK(after("max_error", 0.25).limits.max_error == 0.25);
  CHECK(after("limits.max_energy_j", 9.0).limits.max_energy_j == 9.0);
  CHECK(rates(after("rate_bps", 5e6)) == std::vector<double>{5e6, 5e6, 5e6});
  CHECK(after("flop", 3.0).layers[1].flop == 3.0);
  CHECK(after("ratio", 3.0).codecs[1].ratio == 3.0);
}

TEST_CASE("a key is a group, a name, or a position", "[sweep]") {
  CHECK(rates(after("links[isl].rate_bps", 5.0)) == std::vector<double>{5.0, 5.0, 4e6});
  CHECK(rates(after("links[s1->ground].rate_bps", 5.0)) == std::vector<double>{1e6, 2e6, 5.0});
  CHECK(rates(after("links[1].rate_bps", 5.0)) == std::vector<double>{1e6, 5.0, 4e6});
  CHECK(rates(after("links[-1].rate_bps", 5.0)) == std::vector<double>{1e6, 2e6, 5.0});
  CHECK(after("nodes[satellite].overhead_s", 5.0).network.nodes[1].overhead_s == 5.0);
  CHECK(after("nodes[satellite].overhead_s", 5.0).network.nodes[2].overhead_s == 0.0);
  CHECK(after("layers[l1].memory_bytes", 5.0).layers[1].memory_bytes == 5.0);
  CHECK(after("codecs[a.b[c]].error", 5.0).codecs[1].error == 5.0);
  CHECK(after("codecs[lossy].error", 5.0).codecs[1].error == 5.0);
  CHECK(after("layers[head].flop", 5.0).layers[0].flop == 1e9);
  CHECK(after("layers[head].flop", 5.0).layers[1].flop == 5.0);
}

TEST_CASE("a name that looks like a position goes before the position", "[sweep]") {
  split::ProblemSpec spec = sweep_problem();
  spec.layers[1].name = "0";
  resolve(spec, "layers[0].flop").apply(spec, 5.0);
  CHECK(spec.layers[0].flop == 1e9);
  CHECK(spec.layers[1].flop == 5.0);
}

TEST_CASE("a star multiplies what is there", "[sweep]") {
  CHECK(rates(after("rate_bps *", 2.0)) == std::vector<double>{2e6, 4e6, 8e6});
  CHECK(rates(after(" links[isl].rate_bps*", 2.0)) == std::vector<double>{2e6, 4e6, 4e6});
  CHECK(after("max_error *", 2.0).limits.max_error == 1.0);
  CHECK(after("input_bytes *", 2.0).input_bytes == 2e6);
}

TEST_CASE("fields per layer change in every entry", "[sweep]") {
  CHECK(*after("nodes[s1].layer_time_s *", 3.0).network.nodes[1].layer_time_s ==
        std::vector<double>{3.0, 6.0});
  CHECK(*after("nodes[s1].layer_time_s", 3.0).network.nodes[1].layer_time_s == std::vector<double>{3.0, 3.0});
  CHECK_THAT(message_of("layer_time_s *"), ContainsSubstring("'s0' has no layer_time_s"));
}

TEST_CASE("an infinite limit is none, and one that is not there cannot be multiplied", "[sweep]") {
  CHECK_FALSE(after("max_error", std::numeric_limits<double>::infinity()).limits.max_error);
  CHECK_THAT(message_of("max_energy_j *"), ContainsSubstring("no such limit"));
}

TEST_CASE("a count is whole, at least 1, and no double hides its end", "[sweep]") {
  CHECK(resolve(sweep_problem(), "micro_batches").is_count);
  CHECK_FALSE(resolve(sweep_problem(), "rate_bps").is_count);
  for (const double bad : {0.0, -1.0, 2.5, 1e16, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH(after("micro_batches", bad), ContainsSubstring("micro_batches: "));
  }
  CHECK_THAT(message_of("micro_batches *"), ContainsSubstring("not multiplied"));
}

TEST_CASE("fields have units; factors have none", "[sweep]") {
  CHECK(resolve(sweep_problem(), "rate_bps").unit == "bit/s");
  CHECK(resolve(sweep_problem(), "rate_bps *").unit.empty());
  CHECK(resolve(sweep_problem(), "nodes.memory_bytes").unit == "B");
}

TEST_CASE("an address that leads nowhere is told what there is", "[sweep]") {
  CHECK_THAT(message_of("speed"), ContainsSubstring("axis 'speed'") && ContainsSubstring("flop_per_s") &&
                                      ContainsSubstring("max_error"));
  CHECK_THAT(message_of("overhead_s"),
             ContainsSubstring("nodes, links") && ContainsSubstring("'nodes.overhead_s'"));
  CHECK_THAT(message_of("nodez.flop_per_s"), ContainsSubstring("layers, nodes, links, codecs, limits"));
  CHECK_THAT(message_of("nodes.speed"), ContainsSubstring("flop_per_s, memory_bytes"));
  CHECK_THAT(message_of("nodes.id"), ContainsSubstring("no numeric field 'id'"));
  CHECK_THAT(message_of("limits.error"), ContainsSubstring("max_error, max_energy_j"));
  CHECK_THAT(message_of("links[s2x].rate_bps"), ContainsSubstring("'s0->s1'") &&
                                                    ContainsSubstring("'isl', 's2g'") &&
                                                    ContainsSubstring("0 to 2"));
  for (const char* out :
       {"links[3].rate_bps", "links[-4].rate_bps", "links[].rate_bps", "links[1x].rate_bps"}) {
    CHECK_THAT(message_of(out), ContainsSubstring("positions: 0 to 2"));
  }
  CHECK_THAT(message_of("links[isl]rate_bps"), ContainsSubstring("list[key].field"));
  CHECK_THAT(message_of("[0].flop"), ContainsSubstring("is not one of layers"));
  for (const char* empty : {"", "*", " "})
    CHECK_THAT(message_of(empty), ContainsSubstring("no such numeric field"));
}

TEST_CASE("a list without records says so", "[sweep]") {
  split::ProblemSpec spec = sweep_problem();
  spec.network.links.clear();
  CHECK_THROWS_WITH(resolve(spec, "rate_bps"), ContainsSubstring("there are no links"));
}
