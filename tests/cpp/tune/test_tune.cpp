#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "constellm/tune/head.hpp"
#include "constellm/tune/partition.hpp"

using namespace constellm;

namespace {

std::vector<std::int32_t> labels_of(std::int32_t classes, std::int32_t each) {
  std::vector<std::int32_t> labels;
  for (std::int32_t c = 0; c < classes; ++c) labels.insert(labels.end(), static_cast<std::size_t>(each), c);
  return labels;
}

std::vector<std::int32_t> sizes(const std::vector<std::int32_t>& satellite_of, std::int32_t satellites) {
  std::vector<std::int32_t> counts(static_cast<std::size_t>(satellites), 0);
  for (const std::int32_t s : satellite_of) ++counts[static_cast<std::size_t>(s)];
  return counts;
}

}  // namespace

TEST_CASE("Every image is on one satellite, and nobody has too few", "[tune]") {
  const std::vector<std::int32_t> labels = labels_of(7, 13);
  for (const std::optional<double> alpha : {std::optional<double>{}, {1e-9}, {0.1}, {1.0}, {1e9}}) {
    for (const std::int32_t satellites : {1, 2, 7, 45, 91}) {
      for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const std::int32_t least = 91 / satellites;
        const auto found = tune::partition(labels, {satellites, alpha, least, seed});
        REQUIRE(found.size() == labels.size());
        const auto counts = sizes(found, satellites);
        CHECK(*std::min_element(counts.begin(), counts.end()) >= least);
        CHECK(found == tune::partition(labels, {satellites, alpha, least, seed}));
      }
    }
  }
}

TEST_CASE("Images that are dealt out differ by one at most", "[tune]") {
  const auto counts = sizes(tune::partition(labels_of(3, 7), {4, {}, 0, 1}), 4);
  CHECK(counts == std::vector<std::int32_t>{6, 5, 5, 5});
  CHECK(tune::partition({}, {4, 0.5, 0, 1}).empty());
}

TEST_CASE("A gradient is that of the loss, by differences", "[tune]") {
  const std::vector<double> features{0.5, -1.0, 2.0, 0.25, -0.75, 1.5};
  const std::vector<std::int32_t> labels{0, 2, 1};
  const tune::Samples samples{features, labels, 2, 3};
  const std::vector<double> at{0.1, -0.2, 0.3, 0.4, 0.0, -0.1, 0.05, 0.15, -0.25};
  core::StopToken stop;
  const auto loss = [&](std::vector<double> all) {
    const std::span<double> whole(all);
    return tune::test_head(samples, {whole.first(6), whole.last(3)}, stop).loss;
  };
  std::vector<double> moved = at;
  const std::span<double> whole(moved);
  tune::train_head(samples, {.learning_rate = 1.0, .batch = 3}, {whole.first(6), whole.last(3)}, stop);
  for (std::size_t i = 0; i < at.size(); ++i) {
    std::vector<double> up = at;
    std::vector<double> down = at;
    up[i] += 1e-5;
    down[i] -= 1e-5;
    CHECK(at[i] - moved[i] == Approx((loss(up) - loss(down)) / 2e-5).margin(1e-9));
  }
}

TEST_CASE("A proximal term pulls towards the start, weight decay towards 0", "[tune]") {
  const std::vector<double> features{1.0, -1.0};
  const std::vector<std::int32_t> labels{0, 1};
  const tune::Samples samples{features, labels, 1, 2};
  core::StopToken stop;
  const auto trained = [&](double weight_decay, double proximal) {
    std::vector<double> weights{1.0, -1.0};
    std::vector<double> bias{0.0, 0.0};
    tune::train_head(
        samples,
        {.learning_rate = 0.1, .epochs = 200, .batch = 2, .weight_decay = weight_decay, .proximal = proximal},
        {weights, bias}, stop);
    return weights[0];
  };
  CHECK(trained(0.0, 0.0) > 1.5);
  CHECK(trained(0.0, 5.0) == Approx(1.0).margin(0.1));
  CHECK(trained(5.0, 0.0) == Approx(0.0).margin(0.1));
}

TEST_CASE("Training that is told to stop stops", "[tune]") {
  const std::vector<double> features{1.0};
  const std::vector<std::int32_t> labels{0};
  std::vector<double> weights{0.0, 0.0};
  std::vector<double> bias{0.0, 0.0};
  core::StopToken stop(1e9, [] { return true; });
  CHECK_THROWS_AS(tune::train_head({features, labels, 1, 2}, {}, {weights, bias}, stop), core::Stopped);
}
