#include "constellm/orbit/routing.hpp"
#include "epoch_value.hpp"
#include "latency_arrays.hpp"
#include "register.hpp"
#include "sky.hpp"
#include "stoppable.hpp"

namespace constellm::bindings {
namespace {

/// What is where at instants, and who is there.
struct GivenInstants {
  GivenInstants(const py::object& rules, const py::object& shells, const py::object& stations,
                const py::object& position_teme_m, const py::object& velocity_teme_m_per_s,
                const py::object& gmst_rad, const py::object& slot, const py::object& outages,
                const py::object& time_s, const py::object& motions, const py::object& given_epoch)
      : position(states(position_teme_m, "position_teme_m", 3)),
        velocity(states(velocity_teme_m_per_s, "velocity_teme_m_per_s", 3)),
        turn_rad(figures(gmst_rad, "gmst_rad", static_cast<std::size_t>(position.shape(1)))),
        first_slot(FromPython<std::int64_t>::get(slot, "slot")),
        at_s(figures(time_s, "time_s", turn_rad.size())),
        epoch(FromPython<core::Epoch>::get(given_epoch, "epoch")),
        given(rules, shells, stations, static_cast<std::size_t>(position.shape(0))),
        lost(outages_of(outages, given.layout)) {
    if (!motions.is_none()) moving = motions_of(motions);
    check_alike(velocity, position);
    core::check_range("", "gmst_rad", core::kReal, turn_rad);
    core::check_range("", "slot", core::kNonNegative, first_slot);
  }

  [[nodiscard]] orbit::Sky sky() const {
    return {.layout = given.layout, .rules = given.rules, .stations = given.horizons};
  }
  [[nodiscard]] orbit::Instants instants() const {
    return {.position_teme_m = numbers_of(position),
            .velocity_teme_m_per_s = numbers_of(velocity),
            .gmst_rad = turn_rad,
            .first_slot = first_slot,
            .time_s = at_s,
            .epoch = epoch,
            .outages = lost,
            .motions = moving};
  }
  [[nodiscard]] std::size_t nodes() const {
    return static_cast<std::size_t>(position.shape(0)) + given.horizons.size();
  }

  Doubles position;
  Doubles velocity;
  std::vector<double> turn_rad;
  std::int64_t first_slot;
  std::vector<double> at_s;
  core::Epoch epoch;
  GivenSky given;
  orbit::Outages lost;
  Motions moving;
};

py::tuple latencies_at(const py::object& rules, const py::object& shells, const py::object& stations,
                       const py::object& position_teme_m, const py::object& velocity_teme_m_per_s,
                       const py::object& gmst_rad, const py::object& slot, const py::object& outages,
                       const py::object& time_s, const py::object& motions, const py::object& epoch,
                       const py::object& sources, const py::object& targets, int threads) {
  const GivenInstants at(rules, shells, stations, position_teme_m, velocity_teme_m_per_s, gmst_rad, slot,
                         outages, time_s, motions, epoch);
  const std::vector<std::int32_t> from = positions(sources, "sources", at.nodes());
  const std::vector<std::int32_t> to = positions(targets, "targets", at.nodes());
  LatencyArrays made(at.turn_rad.size(), from.size(), to.size());
  const network::Latencies table = made.table();
  stoppable([&](core::StopToken& stop) {
    orbit::latencies(at.sky(), at.instants(), from, to, table, threads, stop);
  });
  return made.arrays();
}

void latencies_between_at(const py::object& rules, const py::object& shells, const py::object& stations,
                          const py::object& position_teme_m, const py::object& velocity_teme_m_per_s,
                          const py::object& gmst_rad, const py::object& slot, const py::object& outages,
                          const py::object& time_s, const py::object& motions, const py::object& epoch,
                          const py::list& blocks, int threads) {
  const GivenInstants at(rules, shells, stations, position_teme_m, velocity_teme_m_per_s, gmst_rad, slot,
                         outages, time_s, motions, epoch);
  struct Positions {
    std::vector<std::int32_t> sources;
    std::vector<std::int32_t> targets;
  };
  std::vector<Positions> ends;
  std::vector<Doubles> tables;
  for (const py::handle& given : blocks) {
    const auto block = given.cast<py::tuple>();
    if (block.size() != 3) throw py::type_error("blocks: expected sources, targets and a table of each");
    ends.push_back({positions(block[0], "sources", at.nodes()), positions(block[1], "targets", at.nodes())});
    const auto expected = std::vector{static_cast<py::ssize_t>(at.turn_rad.size()),
                                      static_cast<py::ssize_t>(ends.back().sources.size()),
                                      static_cast<py::ssize_t>(ends.back().targets.size())};
    // Written to, so that a copy would not do.
    if (!Doubles::check_(block[2]) || shape_of(py::reinterpret_borrow<Doubles>(block[2])) != expected)
      throw py::type_error("blocks: expected tables of doubles (times, sources, targets), row-major");
    tables.push_back(py::reinterpret_borrow<Doubles>(block[2]));
  }
  std::vector<orbit::LatencyBlock> wanted;
  for (std::size_t b = 0; b < ends.size(); ++b) {
    wanted.push_back({.sources = ends[b].sources,
                      .targets = ends[b].targets,
                      .latency_s = {tables[b].mutable_data(), static_cast<std::size_t>(tables[b].size())}});
  }
  stoppable([&](core::StopToken& stop) {
    orbit::latencies_between(at.sky(), at.instants(), wanted, threads, stop);
  });
}

py::tuple routes_at(const py::object& rules, const py::object& shells, const py::object& stations,
                    const py::object& position_teme_m, const py::object& velocity_teme_m_per_s,
                    const py::object& gmst_rad, const py::object& slot, const py::object& outages,
                    const py::object& time_s, const py::object& motions, const py::object& epoch, int source,
                    int target, int threads) {
  const GivenInstants at(rules, shells, stations, position_teme_m, velocity_teme_m_per_s, gmst_rad, slot,
                         outages, time_s, motions, epoch);
  orbit::Routes found = stoppable([&](core::StopToken& stop) {
    return orbit::routes(at.sky(), at.instants(), source, target, threads, stop);
  });
  const auto count = [](const auto& column) { return static_cast<py::ssize_t>(column.size()); };
  const Shape times{count(found.latency_s)};
  const Shape bounds{count(found.begin)};
  const Shape nodes{count(found.node)};
  return py::make_tuple(moved(std::move(found.latency_s), times), moved(std::move(found.begin), bounds),
                        moved(std::move(found.node), nodes));
}

}  // namespace

void register_routes(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string like = "numpy.typing.ArrayLike";
  const std::string array = "numpy.typing.NDArray[numpy.float64]";
  const std::string positions = "numpy.typing.NDArray[numpy.int32]";
  const std::string given =
      "(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: "
      "collections.abc.Sequence[Station], position_teme_m: " +
      like + ", velocity_teme_m_per_s: " + like + ", gmst_rad: " + like +
      ", slot: int, outages: collections.abc.Sequence[tuple[int, int, float, float]], time_s: " + like +
      ", motions: collections.abc.Sequence[Motion] | None, epoch: constellm._core.core.Epoch, ";
  m.def("latencies_at", &latencies_at, py::arg("rules"), py::arg("shells"), py::arg("stations"),
        py::arg("position_teme_m"), py::arg("velocity_teme_m_per_s"), py::arg("gmst_rad"), py::arg("slot"),
        py::arg("outages"), py::arg("time_s"), py::arg("motions"), py::arg("epoch"), py::arg("sources"),
        py::arg("targets"), py::arg("threads"),
        ("latencies_at" + given + "sources: " + like + ", targets: " + like + ", threads: int) -> tuple[" +
         array + ", " + positions +
         "]\n\nOf states (satellites, times, 3): least latencies, and hops of their paths (times, sources, "
         "targets). Slots count from `slot`.")
            .c_str());
  m.def("latencies_between_at", &latencies_between_at, py::arg("rules"), py::arg("shells"),
        py::arg("stations"), py::arg("position_teme_m"), py::arg("velocity_teme_m_per_s"),
        py::arg("gmst_rad"), py::arg("slot"), py::arg("outages"), py::arg("time_s"), py::arg("motions"),
        py::arg("epoch"), py::arg("blocks"), py::arg("threads"),
        ("latencies_between_at" + given + "blocks: collections.abc.Sequence[tuple[" + like + ", " + like +
         ", " + array +
         "]], threads: int) -> None\n\nOf states (satellites, times, 3): fills the third of each block, "
         "(times, "
         "sources, targets), with the least latencies from the first to the second.")
            .c_str());
  m.def("routes_at", &routes_at, py::arg("rules"), py::arg("shells"), py::arg("stations"),
        py::arg("position_teme_m"), py::arg("velocity_teme_m_per_s"), py::arg("gmst_rad"), py::arg("slot"),
        py::arg("outages"), py::arg("time_s"), py::arg("motions"), py::arg("epoch"), py::arg("source"),
        py::arg("target"), py::arg("threads"),
        ("routes_at" + given + "source: int, target: int, threads: int) -> tuple[" + array + ", " +
         positions + ", " + positions +
         "]\n\nLeast latencies (times,); where each route begins in the nodes, and where the last ends "
         "(times + 1,); nodes.")
            .c_str());
}

}  // namespace constellm::bindings
