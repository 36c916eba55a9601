#include <memory>

#include "columnar.hpp"
#include "constellm/orbit/in_sight.hpp"
#include "constellm/orbit/links.hpp"
#include "constellm/orbit/windows.hpp"
#include "epoch_value.hpp"
#include "register.hpp"
#include "sky.hpp"
#include "stoppable.hpp"

namespace constellm::bindings {
namespace {

using orbit::AnalyticMotion;
using orbit::GroundStation;
using orbit::LinkRule;
using orbit::Links;
using orbit::Motion;
using orbit::SampledMotion;
using orbit::Shell;
using orbit::Windows;

using MotionHolder = std::shared_ptr<Motion>;

Links links_at(const py::object& rules, const py::object& shells, const py::object& stations,
               const py::object& position_teme_m, const py::object& velocity_teme_m_per_s,
               const py::object& gmst_rad, const py::object& slot, const py::object& outages,
               const py::object& time_s, const py::object& motions, const py::object& epoch) {
  const Doubles position = states(position_teme_m, "position_teme_m", 2);
  const Doubles velocity = states(velocity_teme_m_per_s, "velocity_teme_m_per_s", 2);
  check_alike(velocity, position);
  const GivenSky sky(rules, shells, stations, static_cast<std::size_t>(position.shape(0)));
  const orbit::Outages schedule = outages_of(outages, sky.layout);
  const auto t_s = FromPython<double>::get(time_s, "time_s");
  const std::vector<orbit::Pair> lost = schedule.at(t_s);
  orbit::Instant instant{.position_teme_m = numbers_of(position),
                         .velocity_teme_m_per_s = numbers_of(velocity),
                         .gmst_rad = FromPython<double>::get(gmst_rad, "gmst_rad"),
                         .slot = FromPython<std::int64_t>::get(slot, "slot"),
                         .lost = lost,
                         .past = {}};
  Motions moving;
  if (!motions.is_none()) {
    moving = motions_of(motions);
    instant.past = {.motions = moving,
                    .outages = schedule,
                    .epoch = FromPython<core::Epoch>::get(epoch, "epoch"),
                    .time_s = t_s};
  }
  core::check_range("", "gmst_rad", core::kReal, instant.gmst_rad);
  core::check_range("", "slot", core::kNonNegative, instant.slot);
  return stoppable([&](core::StopToken& stop) {
    return orbit::links_at(sky.layout, sky.rules, sky.horizons, instant, stop);
  });
}

Windows windows(const py::object& rules, const py::object& shells, const py::object& stations,
                const py::object& motions, const py::object& epoch, const py::object& start_s,
                const py::object& stop_s, int threads, const py::object& outages, const py::object& slot_s) {
  const auto moving = motions_of(motions);
  std::size_t satellites = 0;
  for (const auto& motion : moving) satellites += motion->satellites();
  const GivenSky sky(rules, shells, stations, satellites);
  const orbit::Outages lost = outages_of(outages, sky.layout);
  const orbit::Span span{.epoch = FromPython<core::Epoch>::get(epoch, "epoch"),
                         .start_s = FromPython<double>::get(start_s, "start_s"),
                         .stop_s = FromPython<double>::get(stop_s, "stop_s"),
                         .slot_s = FromPython<std::optional<double>>::get(slot_s, "slot_s")};
  return stoppable([&](core::StopToken& stop) {
    return orbit::windows(sky.layout, sky.rules, sky.horizons, moving, lost, span, threads, stop);
  });
}

std::shared_ptr<SampledMotion> sampled_motion(const py::object& position_teme_m,
                                              const py::object& velocity_teme_m_per_s,
                                              const py::object& start_s, const py::object& step_s) {
  const Doubles position = states(position_teme_m, "position_teme_m", 3);
  const Doubles velocity = states(velocity_teme_m_per_s, "velocity_teme_m_per_s", 3);
  check_alike(velocity, position);
  const std::span<const double> r = numbers_of(position);
  const std::span<const double> v = numbers_of(velocity);
  return std::make_shared<SampledMotion>(std::vector(r.begin(), r.end()), std::vector(v.begin(), v.end()),
                                         static_cast<std::size_t>(position.shape(1)),
                                         FromPython<double>::get(start_s, "start_s"),
                                         FromPython<double>::get(step_s, "step_s"));
}

py::tuple in_sight(const py::object& position_m, const py::object& max_range_m,
                   const py::object& grazing_altitude_m) {
  const Doubles position = states(position_m, "position_m", 2);
  const auto longest_m = FromPython<std::optional<double>>::get(max_range_m, "max_range_m");
  if (longest_m) core::require_positive("max_range_m", *longest_m);
  const double grazing_m = FromPython<double>::get(grazing_altitude_m, "grazing_altitude_m");
  core::check_range("", "grazing_altitude_m", orbit::kGrazing, grazing_m);
  orbit::InSight pairs = stoppable([&](core::StopToken& stop) {
    return orbit::in_sight(numbers_of(position), longest_m.value_or(core::kEndless), grazing_m, stop);
  });
  const auto count = static_cast<py::ssize_t>(pairs.a.size());
  return py::make_tuple(moved(std::move(pairs.a), {count}), moved(std::move(pairs.b), {count}),
                        moved(std::move(pairs.range_m), {count}));
}

template <class T>
py::class_<T> columns(py::module_& m, const char* name, const char* doc) {
  py::class_<T> type(m, name, doc);
  type.def("__len__", [](const T& self) { return self.from.size(); }, "__len__(self) -> int");
  type.def(
      "__repr__",
      [name](const T& self) { return std::string(name) + "(" + std::to_string(self.from.size()) + ")"; },
      "__repr__(self) -> str");
  column(type, "from_", [](const T& c) -> auto& { return c.from; }, "position of the sender");
  column(type, "to", [](const T& c) -> auto& { return c.to; }, "position of the receiver");
  column(type, "rule", [](const T& c) -> auto& { return c.rule; }, "position of the rule that made it");
  column(
      type, "rate_bps", [](const T& c) -> auto& { return c.rate_bps; },
      "of the rule, or of its budget at the range [bit/s]");
  return type;
}

/// Numbers of the shape of a range, and the budget's terms by name.
template <class Budget>
void register_budget(py::module_& m) {
  auto type = record<Budget>(m);
  const auto ranges = [](const py::object& range_m) {
    Doubles array = doubles(range_m, "range_m");
    for (py::ssize_t i = 0; i < array.size(); ++i)
      core::check_range("", "range_m", core::kPositive, array.data()[i]);
    return array;
  };
  property(
      type, "max_range_m", "max_range_m(self) -> float",
      [](const Budget& budget) { return orbit::max_range_m(budget); },
      "the greatest range at which there is a link [m]");
  type.def(
      "rate_bps",
      [ranges](const Budget& budget, const py::object& range_m) {
        const Doubles array = ranges(range_m);
        Made made(shape_of(array));
        each(array.size(), [&](py::ssize_t i) { made[i] = orbit::rate_bps(budget, array.data()[i]); });
        return made.array();
      },
      py::arg("range_m"),
      "rate_bps(self, range_m: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]\n\n"
      "Of links of these ranges, of their shape; 0 where there is none [bit/s].");
  type.def(
      "terms",
      [ranges](const Budget& budget, const py::object& range_m) {
        const Doubles array = ranges(range_m);
        std::vector<Made> columns;
        std::vector<orbit::Term> terms = orbit::terms(budget, 1.0);
        for (std::size_t k = 0; k < terms.size(); ++k) columns.emplace_back(shape_of(array));
        for (py::ssize_t i = 0; i < array.size(); ++i) {
          terms = orbit::terms(budget, array.data()[i]);
          for (std::size_t k = 0; k < terms.size(); ++k) columns[k][i] = terms[k].value;
        }
        py::dict found;
        for (std::size_t k = 0; k < terms.size(); ++k) found[terms[k].name] = columns[k].array();
        return found;
      },
      py::arg("range_m"),
      "terms(self, range_m: numpy.typing.ArrayLike) -> dict[str, numpy.typing.NDArray[numpy.float64]]\n\n"
      "The budget in the order of the signal: gains and losses [dB], below them what they add up to and the\n"
      "rate that it carries, before the modem's limits; each of the shape of the ranges.");
}

void register_types(py::module_& m) {
  register_budget<orbit::OpticalBudget>(m);
  register_budget<orbit::KaBandBudget>(m);
  record<LinkRule>(m);
  m.attr("RATE_BPS") = orbit::kRate_bps;
  record<GroundStation>(m);
  auto links = columns<Links>(m, "Links",
                              "Links at one instant, both ways, in the order of sender, then of receiver; "
                              "columns [links].");
  column(links, "range_m", [](const Links& c) -> auto& { return c.range_m; }, "[m]");
  column(
      links, "latency_s", [](const Links& c) -> auto& { return c.latency_s; },
      "of light over the range, and the rule's overhead [s]");
  column(
      links, "below_mask", [](const Links& c) -> auto& { return c.below_mask; },
      "satellites without a link, near enough but too low [stations]");
  column(
      links, "out_of_range", [](const Links& c) -> auto& { return c.out_of_range; },
      "satellites without a link, high enough but too far [stations]");
  auto windows = columns<Windows>(m, "Windows",
                                  "When links exist, both ways, in the order of opening, then of sender and "
                                  "receiver; columns [windows].");
  column(windows, "open_s", [](const Windows& c) -> auto& { return c.open_s; }, "[s]");
  column(windows, "close_s", [](const Windows& c) -> auto& { return c.close_s; }, "[s]");
  column(windows, "range_m", [](const Windows& c) -> auto& { return c.range_m; }, "at the middle [m]");
  column(windows, "overhead_s", [](const Windows& c) -> auto& { return c.overhead_s; }, "of the rule [s]");
}

/// Methods and properties of a motion stand in each class of them, as those of every value do.
template <class Type>
void define_motion(Type& type) {
  property(type, "satellites", "satellites(self) -> int", &Motion::satellites, "how many there are");
  property(type, "from_s", "from_s(self) -> float", &Motion::from_s, "the first moment that it knows [s]");
  property(type, "to_s", "to_s(self) -> float", &Motion::to_s, "the last moment that it knows [s]");
}

void register_motions(py::module_& m) {
  py::class_<Motion, MotionHolder> motion(m, "Motion", "Satellites that can be asked for their states.");
  define_motion(motion);
  py::class_<AnalyticMotion, Motion, std::shared_ptr<AnalyticMotion>> analytic(
      m, "AnalyticMotion", "On drifting elements, as `propagate` has them; times count from their epoch.");
  define_motion(analytic);
  analytic.def(py::init([](const orbit::Elements& elements, const py::object& propagator) {
                 return std::make_shared<AnalyticMotion>(
                     elements, FromPython<orbit::Propagator>::get(propagator, "propagator"));
               }),
               py::arg("elements"), py::arg("propagator"),
               "__init__(self, elements: Elements, propagator: str) -> None");
  py::class_<SampledMotion, Motion, std::shared_ptr<SampledMotion>> sampled(
      m, "SampledMotion",
      "Between samples (satellites, times, 3), eight times or more; a satellite with a NaN is not there.");
  define_motion(sampled);
  sampled.def(py::init(&sampled_motion), py::arg("position_teme_m"), py::arg("velocity_teme_m_per_s"),
              py::arg("start_s"), py::arg("step_s"),
              "__init__(self, position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: "
              "numpy.typing.ArrayLike, start_s: float, step_s: float) -> None");
}

}  // namespace

void register_links(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  register_types(m);
  register_motions(m);
  const std::string like = "numpy.typing.ArrayLike";
  const std::string array = "numpy.typing.NDArray[numpy.float64]";
  const std::string positions = "numpy.typing.NDArray[numpy.int32]";
  const std::string lost = "collections.abc.Iterable[tuple[int, int, float, float]]";
  const std::string who =
      "rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: "
      "collections.abc.Sequence[Station], ";
  m.def(
      "links_at", &links_at, py::arg("rules"), py::arg("shells"), py::arg("stations"),
      py::arg("position_teme_m"), py::arg("velocity_teme_m_per_s"), py::arg("gmst_rad"), py::arg("slot"),
      py::arg("outages") = py::tuple(), py::arg("time_s") = 0.0, py::arg("motions") = py::none(),
      py::arg("epoch") = py::none(),
      ("links_at(" + who + "position_teme_m: " + like + ", velocity_teme_m_per_s: " + like +
       ", gmst_rad: float, slot: int, outages: " + lost +
       " = ..., time_s: float = ..., motions: collections.abc.Sequence[Motion] | None = ..., epoch: "
       "typing.Any = ...) -> Links\n\nAt one instant, of states (satellites, 3); who has a NaN has no links. "
       "Outages: sender, receiver, or one node twice, start and stop. The motions before the instant have to "
       "be told where links take time to acquire.")
          .c_str());
  m.def(
      "windows", &windows, py::arg("rules"), py::arg("shells"), py::arg("stations"), py::arg("motions"),
      py::arg("epoch"), py::arg("start_s"), py::arg("stop_s"), py::arg("threads"),
      py::arg("outages") = py::tuple(), py::arg("slot_s") = py::none(),
      ("windows(" + who +
       "motions: collections.abc.Sequence[Motion], epoch: typing.Any, start_s: float, stop_s: float, "
       "threads: int, outages: " +
       lost + " = ..., slot_s: float | None = ...) -> Windows\n\nWhen the links exist, clipped to the span.")
          .c_str());
  m.def("in_sight", &in_sight, py::arg("position_m"), py::arg("max_range_m"), py::arg("grazing_altitude_m"),
        ("in_sight(position_m: " + like +
         ", max_range_m: float | None, grazing_altitude_m: float) -> tuple[" + positions + ", " + positions +
         ", " + array + "]\n\nPairs of satellites that see each other, and their range; in rising order.")
            .c_str());
}

}  // namespace constellm::bindings
