#pragma once
#include <cstdint>
#include <span>

#include "constellm/core/stop.hpp"

namespace constellm::tune {

/// Features of images and their classes; row by row.
struct Samples {
  std::span<const double> features;  ///< images × width
  std::span<const std::int32_t> labels;
  std::int32_t width = 0;
  std::int32_t classes = 0;
};

/// A linear classifier under softmax: logits = x · weights + bias.
struct Head {
  std::span<double> weights;  ///< width × classes
  std::span<double> bias;     ///< classes
};

/// Local training of one satellite.
struct Steps {
  double learning_rate = 0.1;
  std::int32_t epochs = 1;
  std::int32_t batch = 32;  ///< as many as there are images, or more: the images in their order, no shuffling
  double weight_decay = 0.0;  ///< λ/2 · |weights|² is added to the loss
  double proximal = 0.0;  ///< μ/2 · |parameters − those at the start|² too (FedProx, arXiv 1812.06127, eq. 2)
  std::uint64_t seed = 0;  ///< of the order of images, which is another in every epoch
};

/// Stochastic gradient descent on the mean cross entropy of each batch; `head` is both start and result.
/// Sums run over the images of a batch in their order, so that the result is the same on any machine but
/// for its exponential function. Throws `core::Stopped` when told to stop.
void train_head(const Samples& samples, const Steps& steps, Head head, core::StopToken& stop);

struct Score {
  std::int64_t correct = 0;  ///< images whose largest logit is that of their class; of equal ones the first
  double loss = 0.0;         ///< mean cross entropy [nat]
};

Score test_head(const Samples& samples, const Head& head, core::StopToken& stop);

}  // namespace constellm::tune
