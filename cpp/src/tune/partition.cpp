#include "constellm/tune/partition.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "constellm/core/index.hpp"
#include "constellm/core/random.hpp"

namespace constellm::tune {
namespace {

using core::z;

void shuffle(std::vector<std::int32_t>& items, core::Random& random) {
  for (auto i = static_cast<std::uint32_t>(items.size()); i > 1; --i)
    std::swap(items[i - 1], items[random.below(i)]);
}

double normal(core::Random& random) {  // Box and Muller (1958)
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * random.uniform());
}

/// The logarithm of a draw from Gamma(shape, 1), which itself would be 0 in doubles where shapes are small.
/// Marsaglia and Tsang (ACM TOMS 26, 2000) for shape + 1, section 6 for the way back to shape.
double log_gamma_draw(double shape, core::Random& random) {
  const double d = shape + 1.0 - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {  // at least 95 % of the draws are taken
    const double x = normal(random);
    const double v = std::pow(1.0 + c * x, 3.0);
    const double u = 1.0 - random.uniform();
    if (v > 0.0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v))
      return std::log(d * v) + std::log(1.0 - random.uniform()) / shape;
  }
}

std::vector<double> dirichlet(std::int32_t count, double alpha, core::Random& random) {
  std::vector<double> shares(z(count));
  for (double& share : shares) share = log_gamma_draw(alpha, random);
  const double most = *std::max_element(shares.begin(), shares.end());
  for (double& share : shares) share = std::exp(share - most);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

std::vector<std::int32_t> dealt(std::size_t images, std::int32_t satellites, core::Random& random) {
  std::vector<std::int32_t> order(images);
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, random);
  std::vector<std::int32_t> satellite_of(images);
  for (std::size_t i = 0; i < images; ++i)
    satellite_of[z(order[i])] = static_cast<std::int32_t>(i % z(satellites));
  return satellite_of;
}

/// Images by satellite and class, so that one can be moved at once.
class Holdings {
 public:
  Holdings(std::int32_t satellites, std::int32_t classes)
      : classes_(z(classes)), images_(z(satellites) * z(classes)), counts_(z(satellites), 0) {}

  void put(std::int32_t satellite, std::int32_t label, std::int32_t image) {
    images_[z(satellite) * classes_ + z(label)].push_back(image);
    ++counts_[z(satellite)];
  }

  void fill(std::int32_t least) {
    for (std::size_t poor = 0; poor < counts_.size(); ++poor) {
      while (counts_[poor] < least) {
        const auto rich =
            static_cast<std::size_t>(std::max_element(counts_.begin(), counts_.end()) - counts_.begin());
        const auto* held = &images_[rich * classes_];
        const auto label = static_cast<std::size_t>(
            std::max_element(held, held + classes_,
                             [](const auto& a, const auto& b) { return a.size() < b.size(); }) -
            held);
        auto& from = images_[rich * classes_ + label];
        images_[poor * classes_ + label].push_back(from.back());
        from.pop_back();
        --counts_[rich];
        ++counts_[poor];
      }
    }
  }

  [[nodiscard]] std::vector<std::int32_t> satellite_of(std::size_t images) const {
    std::vector<std::int32_t> found(images);
    for (std::size_t i = 0; i < images_.size(); ++i)
      for (const std::int32_t image : images_[i]) found[z(image)] = static_cast<std::int32_t>(i / classes_);
    return found;
  }

 private:
  std::size_t classes_;
  std::vector<std::vector<std::int32_t>> images_;
  std::vector<std::int32_t> counts_;
};

}  // namespace

std::vector<std::int32_t> partition(std::span<const std::int32_t> labels, const Spread& spread) {
  core::Random random(spread.seed);
  // Cards that are dealt out differ by one at most: nobody has too few where there are enough.
  if (!spread.alpha) return dealt(labels.size(), spread.satellites, random);
  const std::int32_t classes = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
  Holdings holdings(spread.satellites, classes);
  for (std::int32_t label = 0; label < classes; ++label) {
    std::vector<std::int32_t> images;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] == label) images.push_back(static_cast<std::int32_t>(i));
    shuffle(images, random);
    const std::vector<double> shares = dirichlet(spread.satellites, *spread.alpha, random);
    const auto total = static_cast<double>(images.size());
    double share = 0.0;
    std::size_t next = 0;
    for (std::int32_t satellite = 0; satellite < spread.satellites; ++satellite) {
      share += shares[z(satellite)];
      const bool last = satellite == spread.satellites - 1;
      const auto end = last ? images.size()
                            : std::min(images.size(), static_cast<std::size_t>(std::lround(share * total)));
      for (; next < end; ++next) holdings.put(satellite, label, images[next]);
    }
  }
  holdings.fill(spread.least);
  return holdings.satellite_of(labels.size());
}

}  // namespace constellm::tune
