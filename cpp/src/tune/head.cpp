#include "constellm/tune/head.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/core/random.hpp"

namespace constellm::tune {
namespace {

using core::z;

/// Logits become probabilities; gives the cross entropy.
double softmax(std::span<double> logits, std::int32_t label) {
  const double most = *std::max_element(logits.begin(), logits.end());
  const double of_label = logits[z(label)] - most;
  double sum = 0.0;
  for (double& value : logits) sum += value = std::exp(value - most);
  for (double& value : logits) value /= sum;
  return std::log(sum) - of_label;
}

void logits_of(const double* x, std::size_t width, std::span<const double> weights,
               std::span<const double> bias, std::span<double> logits) {
  const std::size_t classes = bias.size();
  std::copy(bias.begin(), bias.end(), logits.begin());
  for (std::size_t d = 0; d < width; ++d)
    for (std::size_t c = 0; c < classes; ++c) logits[c] += x[d] * weights[d * classes + c];
}

/// One step of `value` down its gradient, of which `sum` over `images` images is at hand.
struct Step {
  double learning_rate, images, weight_decay, proximal;
  void operator()(double& value, double sum, double start) const {
    value -= learning_rate * (sum / images + weight_decay * value + proximal * (value - start));
  }
};

}  // namespace

void train_head(const Samples& samples, const Steps& steps, Head head, core::StopToken& stop) {
  const std::size_t images = samples.labels.size();
  const std::size_t width = z(samples.width);
  const std::size_t classes = z(samples.classes);
  const std::vector<double> start_weights(head.weights.begin(), head.weights.end());
  const std::vector<double> start_bias(head.bias.begin(), head.bias.end());
  std::vector<double> weight_sums(head.weights.size());
  std::vector<double> bias_sums(classes);
  std::vector<double> errors(classes);
  std::vector<std::int32_t> order(images);
  std::iota(order.begin(), order.end(), 0);
  core::Random random(steps.seed);
  const std::size_t batch = std::min(z(steps.batch), images);
  for (std::int32_t epoch = 0; epoch < steps.epochs; ++epoch) {
    if (batch < images)
      for (auto i = static_cast<std::uint32_t>(images); i > 1; --i)
        std::swap(order[i - 1], order[random.below(i)]);
    for (std::size_t first = 0; first < images; first += batch) {
      const std::size_t last = std::min(first + batch, images);
      if (stop.should_stop((last - first) * width * classes / 100 + 1)) throw core::Stopped();
      std::fill(weight_sums.begin(), weight_sums.end(), 0.0);
      std::fill(bias_sums.begin(), bias_sums.end(), 0.0);
      for (std::size_t i = first; i < last; ++i) {
        const double* x = samples.features.data() + z(order[i]) * width;
        const std::int32_t label = samples.labels[z(order[i])];
        logits_of(x, width, head.weights, head.bias, errors);
        softmax(errors, label);
        errors[z(label)] -= 1.0;
        for (std::size_t c = 0; c < classes; ++c) bias_sums[c] += errors[c];
        for (std::size_t d = 0; d < width; ++d)
          for (std::size_t c = 0; c < classes; ++c) weight_sums[d * classes + c] += x[d] * errors[c];
      }
      const auto in_batch = static_cast<double>(last - first);
      const Step step{steps.learning_rate, in_batch, steps.weight_decay, steps.proximal};
      const Step of_bias{steps.learning_rate, in_batch, 0.0, steps.proximal};
      for (std::size_t k = 0; k < weight_sums.size(); ++k)
        step(head.weights[k], weight_sums[k], start_weights[k]);
      for (std::size_t c = 0; c < classes; ++c) of_bias(head.bias[c], bias_sums[c], start_bias[c]);
    }
  }
}

Score test_head(const Samples& samples, const Head& head, core::StopToken& stop) {
  const std::size_t width = z(samples.width);
  std::vector<double> logits(z(samples.classes));
  Score score;
  for (std::size_t i = 0; i < samples.labels.size(); ++i) {
    if (stop.should_stop(width * logits.size() / 100 + 1)) throw core::Stopped();
    logits_of(samples.features.data() + i * width, width, head.weights, head.bias, logits);
    const auto found = std::max_element(logits.begin(), logits.end()) - logits.begin();
    score.correct += found == samples.labels[i] ? 1 : 0;
    score.loss += softmax(logits, samples.labels[i]);
  }
  score.loss /= static_cast<double>(samples.labels.size());
  return score;
}

}  // namespace constellm::tune
