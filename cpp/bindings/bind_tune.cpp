#include "columns.hpp"
#include "constellm/tune/head.hpp"
#include "constellm/tune/partition.hpp"
#include "register.hpp"
#include "stoppable.hpp"

namespace constellm::bindings {
namespace {

using Rows = py::array_t<double, py::array::c_style>;
using Places = py::array_t<std::int32_t, py::array::c_style>;

std::span<const std::int32_t> span_of(const Places& places) {
  return {places.data(), static_cast<std::size_t>(places.size())};
}

py::array partition(const Places& labels, std::int32_t satellites, std::optional<double> alpha,
                    std::int32_t least, std::uint64_t seed) {
  std::vector<std::int32_t> found = tune::partition(span_of(labels), {satellites, alpha, least, seed});
  const auto images = static_cast<py::ssize_t>(found.size());
  return moved(std::move(found), {images});
}

/// Shapes were checked.
tune::Samples samples_of(const Rows& features, const Places& labels, const Rows& bias) {
  return {{features.data(), static_cast<std::size_t>(features.size())},
          span_of(labels),
          static_cast<std::int32_t>(features.shape(1)),
          static_cast<std::int32_t>(bias.size())};
}

tune::Head head_of(Rows& weights, Rows& bias) {
  return {{weights.mutable_data(), static_cast<std::size_t>(weights.size())},
          {bias.mutable_data(), static_cast<std::size_t>(bias.size())}};
}

void train_head(const Rows& features, const Places& labels, Rows weights, Rows bias, double learning_rate,
                std::int32_t epochs, std::int32_t batch, double weight_decay, double proximal,
                std::uint64_t seed) {
  const tune::Samples samples = samples_of(features, labels, bias);
  const tune::Head head = head_of(weights, bias);
  const tune::Steps steps{learning_rate, epochs, batch, weight_decay, proximal, seed};
  stoppable([&](core::StopToken& stop) {
    tune::train_head(samples, steps, head, stop);
    return 0;
  });
}

py::tuple test_head(const Rows& features, const Places& labels, Rows weights, Rows bias) {
  const tune::Samples samples = samples_of(features, labels, bias);
  const tune::Head head = head_of(weights, bias);
  const tune::Score score =
      stoppable([&](core::StopToken& stop) { return tune::test_head(samples, head, stop); });
  return py::make_tuple(score.correct, score.loss);
}

}  // namespace

void register_tune(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string figures = "numpy.typing.NDArray[numpy.float64]";
  const std::string numbers = "numpy.typing.NDArray[numpy.int32]";
  m.def(
      "partition", &partition, py::arg("labels"), py::arg("satellites"), py::arg("alpha").none(true),
      py::arg("least"), py::arg("seed"),
      ("partition(labels: " + numbers + ", satellites: int, alpha: float | None, least: int, seed: int) -> " +
       numbers + "\n\nThe satellite of each image.")
          .c_str());
  m.def("train_head", &train_head, py::arg("features").noconvert(), py::arg("labels").noconvert(),
        py::arg("weights").noconvert(), py::arg("bias").noconvert(), py::arg("learning_rate"),
        py::arg("epochs"), py::arg("batch"), py::arg("weight_decay"), py::arg("proximal"), py::arg("seed"),
        ("train_head(features: " + figures + ", labels: " + numbers + ", weights: " + figures +
         ", bias: " + figures +
         ", learning_rate: float, epochs: int, batch: int, weight_decay: float, proximal: float, seed: int) "
         "-> None\n\nTrains weights and bias in place.")
            .c_str());
  m.def("test_head", &test_head, py::arg("features").noconvert(), py::arg("labels").noconvert(),
        py::arg("weights").noconvert(), py::arg("bias").noconvert(),
        ("test_head(features: " + figures + ", labels: " + numbers + ", weights: " + figures +
         ", bias: " + figures + ") -> tuple[int, float]\n\nImages that are right, and the mean loss.")
            .c_str());
}

}  // namespace constellm::bindings
