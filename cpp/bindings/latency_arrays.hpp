#pragma once
#include "constellm/network/routing.hpp"
#include "vectors.hpp"

namespace constellm::bindings {

/// Arrays for a table of latencies: theirs is the memory that it is written to.
class LatencyArrays {
 public:
  LatencyArrays(std::size_t times, std::size_t sources, std::size_t targets)
      : latency_s_(shape(times, sources, targets)), hops_(shape(times, sources, targets)) {}

  [[nodiscard]] network::Latencies table() {
    const auto cells = static_cast<std::size_t>(hops_.size());
    return {.latency_s = {latency_s_.mutable_data(), cells}, .hops = {hops_.mutable_data(), cells}};
  }
  [[nodiscard]] py::tuple arrays() const { return py::make_tuple(latency_s_, hops_); }

 private:
  static Shape shape(std::size_t times, std::size_t sources, std::size_t targets) {
    return {static_cast<py::ssize_t>(times), static_cast<py::ssize_t>(sources),
            static_cast<py::ssize_t>(targets)};
  }
  Doubles latency_s_;
  py::array_t<std::int32_t> hops_;
};

}  // namespace constellm::bindings
