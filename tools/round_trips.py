"""Round trips that two simulators published, flown again with their faults and with true elevation masks.

    python tools/round_trips.py fly --published leo_rtt      # docs/results/round-trips, about a minute
    python tools/round_trips.py sample --published leo_rtt   # what the package ships of the published series
    python tools/round_trips.py page                         # docs/round-trips.md and its figure

The folder is ``compare_simulation_platform`` of LEOCraft's results: ``Hypatia`` and ``LEOCraft``, in each a
folder a shell, in each ``ping_<from>_to_<to>_rtt.csv``.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from constellm import orbit
from constellm.core.constants import EARTH_RADIUS_M
from constellm.core.files import read_text
from constellm.core.table import Table
from constellm.paper.report.marks import fill_page

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results" / "round-trips"
PAGE = ROOT / "docs" / "round-trips.md"
FIGURE = ROOT / "docs" / "img" / "round-trips.png"
SAMPLE = Path(str(resources.files("constellm.orbit") / "data" / "leocraft" / "round-trips.csv"))

EPOCH = "2000-01-01T00:00:00Z"
TIME_S = np.arange(200.0)
SAMPLED = 20  # one in so many is shipped
DRAWN = slice(None, None, 5)

# Of Hypatia's list of cities, under its numbers 0, 1, 9, 21, 24 and 84.
CITIES = {
    "tokyo": (35.6895, 139.69171),
    "delhi": (28.66667, 77.21667),
    "new-york": (40.717042, -74.003663),
    "moscow": (55.754996, 37.621849),
    "paris": (48.85341, 2.3488),
    "sydney": (-33.86785, 151.20732),
}
CITY_NAMES = {city: city.replace("-", " ").title() for city in CITIES}
PAIRS = (("delhi", "new-york"), ("moscow", "paris"), ("tokyo", "sydney"))

# What LEOCraft takes for the Earth: its radius [m], and G times its mass [m^3/s^2].
LEOCRAFT_RADIUS_M, LEOCRAFT_MU = 6_378_135.0, 6.67408e-11 * 5.9722e24


class Case(NamedTuple):
    """A shell as it was published."""

    preset: str
    folder: str
    rev_per_day: float
    """Hypatia's."""
    min_elevation_deg: float
    """Stated; not kept."""

    @property
    def altitude_m(self) -> float:
        """Stated; for Starlink not that of Hypatia's mean motion."""
        return orbit.preset(self.preset).altitude_m

    @property
    def max_range_m(self) -> float:
        """The slant range of that elevation over a flat Earth, by which both simulators cut."""
        return self.altitude_m / math.sin(math.radians(self.min_elevation_deg))

    @property
    def leocraft_rev_per_day(self) -> float:
        radius_m = LEOCRAFT_RADIUS_M + self.altitude_m
        return 86_400.0 / math.sqrt(4.0 * math.pi**2 * radius_m**3 / LEOCRAFT_MU)


CASES = (
    Case("kuiper-630", "kuiper_k1", 14.80, 35.0),
    Case("starlink-550", "starlink_s1", 15.19, 25.0),
    Case("telesat-1015", "telesat_t1", 13.657, 10.0),
)


def world(case: Case, rev_per_day: float | None, *, true_mask: bool) -> orbit.Constellation:
    """The shell under SGP4, with a +Grid and the six cities; odd planes of the preset are half a spacing on.

    Without a mean motion it flies at the stated altitude.
    """
    cut = (
        {"min_elevation_deg": case.min_elevation_deg}
        if true_mask
        else {"min_elevation_deg": -90.0, "max_range_m": case.max_range_m}
    )
    shell = orbit.preset(case.preset, propagator="sgp4")
    if rev_per_day is not None:
        shell = shell.replace(altitude_m=None, mean_motion_rev_per_day=rev_per_day)
    return orbit.Constellation(
        shell,
        stations=[orbit.station(city, *place, **cut) for city, place in CITIES.items()],
        links=[orbit.plus_grid(), orbit.ground()],
        epoch=EPOCH,
    )


class Flown(NamedTuple):
    """Round trips of a pair at instants."""

    rtt_ms: np.ndarray
    """NaN where there is no route (times,)."""
    elevation_deg: np.ndarray
    """Of the first and the last satellite (times, 2)."""


def fly(made: orbit.Constellation, pair: Sequence[str], time_s: np.ndarray = TIME_S) -> Flown:
    """Twice the latency of the shortest route, at each time."""
    routes = made.routes(*pair, time_s)
    found = np.flatnonzero(routes.hops >= 0)
    position_m = made.states(time_s, "ecef").position_m
    row = {id: i for i, id in enumerate(made.satellite_ids)}
    elevation_deg = np.full((len(time_s), 2), np.nan)
    for end, (city, hop) in enumerate(zip(pair, (1, -2))):
        seen = [row[routes.paths[i][hop]] for i in found]
        looked = orbit.look_angles(*CITIES[city], 0.0, position_m[seen, found])
        elevation_deg[found, end] = looked.elevation_deg
    return Flown(np.where(routes.hops >= 0, 2e3 * routes.latency_s, np.nan), elevation_deg)


def published_ms(folder: Path, simulator: str, case: Case, pair: Sequence[str]) -> np.ndarray:
    """A series at 0, 1, … 199 s; Hypatia's files have nanoseconds, some of them no header."""
    text = read_text(folder / simulator / case.folder / f"ping_{pair[0]}_to_{pair[1]}_rtt.csv")
    rows = [row[-2:] for row in csv.reader(text.splitlines()) if row[0][0].isdigit()]
    units = (1e-9, 1e-6) if simulator == "Hypatia" else (1.0, 1.0)
    time_s, rtt_ms = (np.array(rows, dtype=np.float64) * units).T
    if not np.array_equal(time_s.round(6), TIME_S):
        raise ValueError(f"{simulator}, {case.folder}, {pair}: not one row a second from 0 to 199 s")
    return rtt_ms


def fly_all(folder: Path) -> None:
    """Every shell and pair, as published and with a true mask."""
    rows: list[dict[str, Any]] = []
    drawn: list[dict[str, Any]] = []
    for case in CASES:
        worlds = {
            "copied": world(case, case.rev_per_day, true_mask=False),
            "leocraft": world(case, case.leocraft_rev_per_day, true_mask=False),
            "masked": world(case, case.rev_per_day, true_mask=True),
            "stated": world(case, None, true_mask=True),
        }
        for pair in PAIRS:
            key = dict(zip(("shell", "from", "to"), (case.preset, *pair)))
            flown = {name: fly(made, pair) for name, made in worlds.items()}
            published = {name: published_ms(folder, name, case, pair) for name in ("Hypatia", "LEOCraft")}
            rows.append({**key, **_figures(case, flown, published)})
            columns = (TIME_S, flown["copied"].rtt_ms, flown["masked"].rtt_ms)
            drawn += [
                {**key, "time_s": t_s, "copied_ms": copied_ms, "masked_ms": masked_ms}
                for t_s, copied_ms, masked_ms in zip(*(column[DRAWN].tolist() for column in columns))
            ]
    RESULTS.mkdir(parents=True, exist_ok=True)
    Table.of(rows).to_csv(RESULTS / "summary.csv", digits=6)
    Table.of(drawn).to_csv(RESULTS / "series.csv", digits=6)


def _figures(case: Case, flown: dict[str, Flown], published: dict[str, np.ndarray]) -> dict[str, float]:
    """A row of the summary."""
    hypatia, leocraft = published["Hypatia"], published["LEOCraft"]
    copied, masked, stated = flown["copied"], flown["masked"], flown["stated"]
    rise_percent = 100.0 * (masked.rtt_ms / copied.rtt_ms - 1.0)
    figures = {
        "min_elevation_deg": case.min_elevation_deg,
        "hypatia_ms": np.median(hypatia),
        "off_hypatia": np.abs(copied.rtt_ms / hypatia - 1.0).max(),
        "leocraft_ms": np.median(leocraft),
        "off_leocraft": np.abs(flown["leocraft"].rtt_ms / leocraft - 1.0).max(),
        "leocraft_longer_percent": np.median(100.0 * (leocraft / hypatia - 1.0)),
        "lowest_deg": copied.elevation_deg.min(),
        "below_mask": np.mean(copied.elevation_deg < case.min_elevation_deg),
        "below_horizon": np.mean(copied.elevation_deg < 0.0),
        "masked_ms": np.nanmedian(masked.rtt_ms),
        "median_rise_percent": np.nanmedian(rise_percent),
        "most_rise_percent": np.nanmax(rise_percent),
        "masked_reached": np.isfinite(masked.rtt_ms).mean(),
        "masked_lowest_deg": np.nanmin(masked.elevation_deg),
        "stated_ms": np.nanmedian(stated.rtt_ms),
        "stated_reached": np.isfinite(stated.rtt_ms).mean(),
    }
    return {name: float(figure) for name, figure in figures.items()}


def write_sample(folder: Path) -> None:
    """Every 20th second of the published series, into the package."""
    rows = []
    for case in CASES:
        for pair in PAIRS:
            series = [published_ms(folder, name, case, pair) for name in ("Hypatia", "LEOCraft")]
            for i in range(0, len(TIME_S), SAMPLED):
                rows.append((case.preset, *pair, i, *(f"{values[i]:.6f}" for values in series)))
    Table(("shell", "from", "to", "time_s", "hypatia_ms", "leocraft_ms"), rows).to_csv(SAMPLE)


def tables(folder: Path = RESULTS) -> dict[str, str]:
    """The tables of the page, from the stored rows."""
    rows = list(Table.read_csv(folder / "summary.csv"))
    return {"ranges": _ranges(), "reproduced": _reproduced(rows), "masks": _masks(rows)}


def _ranges() -> str:
    """Over a sphere a satellite at elevation ε is at r² = R² + range² + 2 R range sin ε."""
    heads = (
        "shell",
        "stated mask",
        "links cut at",
        "true elevation there",
        "range of the mask",
        "flown at",
    )
    rows = []
    for case in CASES:
        shell = orbit.preset(case.preset, altitude_m=None, mean_motion_rev_per_day=case.rev_per_day)
        room = shell.semi_major_axis_m**2 - EARTH_RADIUS_M**2
        below = EARTH_RADIUS_M * math.sin(math.radians(case.min_elevation_deg))
        sine = (room - case.max_range_m**2) / (2.0 * EARTH_RADIUS_M * case.max_range_m)
        lengths_m = (
            case.max_range_m,
            math.sqrt(below**2 + room) - below,
            shell.semi_major_axis_m - EARTH_RADIUS_M,
        )
        cut, true, altitude = (f"{length / 1e3:,.0f} km" for length in lengths_m)
        angles = f"{case.min_elevation_deg:g}°", f"{math.degrees(math.asin(sine)):.1f}°"
        rows.append((case.preset, angles[0], cut, angles[1], true, altitude))
    return Table(heads, rows).to_markdown(align="right")


def _reproduced(rows: list[dict[str, Any]]) -> str:
    heads = ("shell", "trip", "Hypatia, median", "off by at most", "LEOCraft, median", "off by at most")
    cells = [
        (row["shell"], _trip(row), _ms(row["hypatia_ms"]), f"{row['off_hypatia']:.1e}")
        + (_ms(row["leocraft_ms"]), f"{row['off_leocraft']:.1e}")
        for row in rows
    ]
    return Table(heads, cells).to_markdown(align="right")


def _masks(rows: list[dict[str, Any]]) -> str:
    heads = (
        "shell",
        "trip",
        "mask",
        "lowest published",
        "below it",
        "median",
        "with the mask",
        "rise, median",
    )
    cells = [
        (row["shell"], _trip(row), f"{row['min_elevation_deg']:g}°", f"{row['lowest_deg']:.1f}°")
        + (f"{100 * row['below_mask']:.0f} %", _ms(row["hypatia_ms"]), _ms(row["masked_ms"]))
        + (f"{row['median_rise_percent']:.1f} %", f"{row['most_rise_percent']:.1f} %")
        for row in rows
    ]
    return Table((*heads, "most"), cells).to_markdown(align="right")


def _trip(row: dict[str, Any]) -> str:
    return f"{CITY_NAMES[row['from']]}–{CITY_NAMES[row['to']]}"


def _ms(value: float) -> str:
    return f"{value:.1f} ms"


def _rows_of(table: Table, case: Case, pair: Sequence[str]) -> list[dict[str, Any]]:
    return [row for row in table if (row["shell"], row["from"], row["to"]) == (case.preset, *pair)]


def draw(folder: Path = RESULTS) -> Any:
    """A panel a shell and pair: published, flown with the same faults, and with a true mask."""
    from matplotlib import pyplot

    from constellm.plot import palette, style

    series, published = Table.read_csv(folder / "series.csv"), Table.read_csv(SAMPLE)
    line, dots = {"linestyle": "-"}, {"linestyle": "", "marker": "o", "markersize": 3.5}
    curves = (
        (series, "masked_ms", "with a true elevation mask", {**line, "color": palette.ALERT}),
        (series, "copied_ms", "with the published faults", {**line, "color": palette.CYCLE[0]}),
        (published, "hypatia_ms", "published (Hypatia)", {**dots, "color": palette.INK}),
    )
    with style.in_force():
        figure, panels = pyplot.subplots(3, 3, figsize=(9.0, 6.6), sharex=True, layout="constrained")
        for case, panels_of_case in zip(CASES, panels):
            for pair, ax in zip(PAIRS, panels_of_case):
                for table, column, label, look in curves:
                    rows = _rows_of(table, case, pair)
                    points = ([row[name] for row in rows] for name in ("time_s", column))
                    ax.plot(*points, label=label, **look)
                style.grid(ax)
                if case is CASES[0]:
                    ax.set_title(_trip(dict(zip(("from", "to"), pair))))
            panels_of_case[0].set_ylabel(f"{case.preset}\nround trip (ms)")
        for ax in panels[-1]:
            ax.set_xlabel("time (s)")
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def write_page() -> None:
    fill_page(PAGE, tables())
    # No version in the file, so that it changes only with the picture.
    draw().savefig(FIGURE, dpi=100, metadata={"Software": None})


def main(command: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("step", choices=("fly", "sample", "page"))
    parser.add_argument("--published", type=Path, metavar="FOLDER", help="the published series")
    options = parser.parse_args(command)
    if options.step == "page":
        write_page()
    elif options.published is None:
        parser.error(f"{options.step} needs --published")
    else:
        (fly_all if options.step == "fly" else write_sample)(options.published)


if __name__ == "__main__":
    main()
