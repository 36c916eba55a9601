#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace constellm::tune {

/// How labelled images are spread over satellites.
struct Spread {
  std::int32_t satellites = 1;
  std::optional<double> alpha;  ///< none: images are dealt out like cards, whatever their labels
  std::int32_t least = 1;       ///< images of a satellite; least · satellites is at most the number of images
  std::uint64_t seed = 0;
};

/// The satellite of each image.
///
/// With `alpha`, the images of each class are cut in proportions drawn from Dirichlet(alpha, …, alpha), as
/// Yurochkin et al. (ICML 2019) and Hsu et al. (arXiv 1909.06335) do; there draws are repeated until nobody
/// has too few, which may never be. Here the satellites that have too few take from the one that has most,
/// of the class that it has most of, one image after the other: that ends, and takes no more than it must.
std::vector<std::int32_t> partition(std::span<const std::int32_t> labels, const Spread& spread);

}  // namespace constellm::tune
