"""How right orbits and passes are: passes against skyfield and brahe, J2 against SGP4.

    python tools/orbit_truth.py passes                            # docs/results/orbits/passes.csv
    python tools/orbit_truth.py j2 --elements starlink.txt        # docs/results/orbits/j2.csv
    python tools/orbit_truth.py page                              # tables of docs/orbit-elements.md

Satellites are the shipped ones of Iridium NEXT on 13 January 2024, stations those of all shipped lists.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from constellm import orbit
from constellm._core import orbit as _core
from constellm.core.quantity import quantity
from constellm.core.table import Table
from constellm.paper.report.marks import fill_page

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results" / "orbits"
PAGE = ROOT / "docs" / "orbit-elements.md"

DATE, EPOCH, DAY_S = (2024, 1, 13), "2024-01-13", 86_400.0
MASK_DEG = 10.0
UTC_TO_TT_S = 37.0 + 32.184
STEP_S = 30.0  # brahe looks so often whether a satellite is up


class Passes(NamedTuple):
    """Of satellites over stations, columns [passes]."""

    satellite: np.ndarray
    station: np.ndarray
    open_s: np.ndarray
    close_s: np.ndarray


def stations() -> list[orbit.Station]:
    """One at every place of the shipped lists."""
    places = {
        (one.latitude_deg, one.longitude_deg): one
        for name in orbit.STATION_LISTS
        for one in orbit.sample_stations(name, min_elevation_deg=MASK_DEG)
    }
    return [one.replace(id=f"g{i}") for i, one in enumerate(places.values())]


# ---- passes --------------------------------------------------------------------------------------


def passes(sets: orbit.ElementSets, sites: Sequence[orbit.Station]) -> Passes:
    """Ours, over a day."""
    world = orbit.Constellation(sets, stations=sites, links=orbit.ground(), epoch=EPOCH)
    return _passes_of(world.windows(0.0, DAY_S), len(sets))


def passes_of_wgs84(sets: orbit.ElementSets, sites: Sequence[orbit.Station]) -> Passes:
    """Ours, for satellites that SGP4 moves with the constants of WGS 84."""
    step_s, beyond = 60.0, 4
    start_s = -beyond * step_s
    time_s = start_s + step_s * np.arange(round(DAY_S / step_s) + 1 + 2 * beyond)
    midnight = 2_440_587.5 + orbit.Epoch(EPOCH).microseconds / 86.4e9
    states = [
        one.sgp4_array(np.full(len(time_s), midnight), time_s / 86_400.0)[1:]
        for one in _records(sets, "WGS84")
    ]
    position_m, velocity_m_per_s = (1e3 * np.array(values) for values in zip(*states))
    motion = _core.SampledMotion(position_m, velocity_m_per_s, start_s, step_s)
    found = _core.windows([orbit.ground()], [], sites, [motion], orbit.Epoch(EPOCH), 0.0, DAY_S, 1)
    return _passes_of(found, len(sets))


def _lines(sets: orbit.ElementSets) -> list[tuple[str, str]]:
    lines = orbit.format_elements(sets, "tle").splitlines()
    return list(zip(lines[1::3], lines[2::3]))


def _records(sets: orbit.ElementSets, constants: str) -> list[Any]:
    from sgp4 import api

    return [api.Satrec.twoline2rv(one, two, getattr(api, constants)) for one, two in _lines(sets)]


def _passes_of(windows: Any, satellites: int) -> Passes:
    down = windows.from_ < satellites
    columns = (windows.from_, windows.to - satellites, windows.open_s, windows.close_s)
    return Passes(*(np.asarray(column)[down] for column in columns))


def off_skyfield_s(
    sets: orbit.ElementSets, sites: Sequence[orbit.Station], ours: Passes, *, ut1_is_utc: bool
) -> np.ndarray:
    """How late our risings and settings are by skyfield's elevations, to first order [ends].

    Its own `find_events` knows times to half a second alone.
    """
    from skyfield.api import EarthSatellite, load, wgs84

    scale = load.timescale(delta_t=UTC_TO_TT_S) if ut1_is_utc else load.timescale(builtin=True)
    off = []
    for satellite, lines in enumerate(_lines(sets)):
        mine = ours.satellite == satellite
        ends_s = np.concatenate([ours.open_s[mine], ours.close_s[mine]])
        places = np.tile(ours.station[mine], 2)
        inside = (ends_s > 0.0) & (ends_s < DAY_S)
        ends_s, places = ends_s[inside], places[inside]
        around_s = np.concatenate([ends_s - 0.05, ends_s, ends_s + 0.05])
        times = scale.utc(*DATE, 0, 0, around_s)
        seen_from = EarthSatellite(*lines, ts=scale)
        for place in np.unique(places):
            site = sites[place]
            topos = wgs84.latlon(site.latitude_deg, site.longitude_deg, site.altitude_m)
            elevation_deg = (seen_from - topos).at(times).altaz()[0].degrees.reshape(3, -1)
            before, at, after = elevation_deg[:, places == place]
            off.append((at - MASK_DEG) * 0.1 / (after - before))
    return np.concatenate(off)


def off_brahe_s(
    sets: orbit.ElementSets, sites: Sequence[orbit.Station], ours: Passes
) -> tuple[np.ndarray, np.ndarray]:
    """How late our risings and settings are by brahe's [ends], and how long the passes are that it misses."""
    import brahe

    brahe.set_global_eop_provider_from_static_provider(brahe.StaticEOPProvider.from_zero())
    start = brahe.Epoch.from_datetime(*DATE, 0, 0, 0.0, 0.0, brahe.TimeSystem.UTC)
    above = brahe.ElevationConstraint(min_elevation_deg=MASK_DEG)
    search = brahe.AccessSearchConfig(
        initial_time_step=STEP_S, adaptive_step=False, time_tolerance=1e-4, parallel=False
    )
    off, missed = [], []
    for satellite, lines in enumerate(_lines(sets)):
        moved = brahe.SGPPropagator.from_tle(*lines, 60.0)
        for place, site in enumerate(sites):
            location = brahe.PointLocation(site.longitude_deg, site.latitude_deg, site.altitude_m)
            found = brahe.location_accesses(location, moved, start, start + DAY_S, above, config=search)
            theirs = np.array([[one.window_open - start, one.window_close - start] for one in found]).reshape(
                -1, 2
            )
            for i in np.flatnonzero((ours.satellite == satellite) & (ours.station == place)):
                ends_s = np.array([ours.open_s[i], ours.close_s[i]])
                met = (theirs[:, 0] < ends_s[1]) & (theirs[:, 1] > ends_s[0])
                if not met.any():
                    missed.append(ends_s[1] - ends_s[0])
                    continue
                (one,) = theirs[met]
                off.append((ends_s - one)[(ends_s > 0.0) & (ends_s < DAY_S)])
                theirs = theirs[~met]
            if len(theirs):
                raise ValueError(f"satellite {satellite}, station {place}: a pass of brahe's is none of ours")
    return np.concatenate(off), np.array(missed)


def write_passes() -> None:
    import brahe
    import skyfield

    sets, sites = orbit.sample_elements(), stations()
    ours = passes(sets, sites)
    rows = []
    for clock, ut1_is_utc in (("its own UT1", False), ("UT1 = UTC", True)):
        off_s = off_skyfield_s(sets, sites, ours, ut1_is_utc=ut1_is_utc)
        rows.append(_row(f"skyfield {skyfield.__version__}", clock, ours, off_s, np.empty(0)))
    for constants, mine in (
        ("WGS 72 and its WGS 84", ours),
        ("WGS 84 in both", passes_of_wgs84(sets, sites)),
    ):
        rows.append(
            _row(
                f"brahe {brahe.__version__}", f"UT1 = UTC; {constants}", mine, *off_brahe_s(sets, sites, mine)
            )
        )
    _write("passes", rows)


def _row(peer: str, setting: str, ours: Passes, off_s: np.ndarray, missed_s: np.ndarray) -> dict[str, Any]:
    return {
        "peer": peer,
        "setting": setting,
        "passes": len(ours.open_s),
        "ends": len(off_s),
        "median_off_ms": 1e3 * float(np.median(np.abs(off_s))),
        "most_off_ms": 1e3 * float(np.abs(off_s).max()),
        "beyond_50_ms": int((np.abs(off_s) > 0.05).sum()),
        "missed": len(missed_s),
        "longest_missed_s": float(missed_s.max(initial=0.0)),
    }


# ---- J2 ------------------------------------------------------------------------------------------


def j2_off_m(sets: orbit.ElementSets, hours: float) -> np.ndarray:
    """How far J2 is from SGP4, along the radius, the motion and the normal (satellites, times, 3).

    At twelve times of the 100 minutes before `hours` from each set's own epoch, so of all phases.
    """
    # Near the Earth SGP4 asks for the time since the epoch alone, so that all may have one epoch.
    together = orbit.ElementSets(**{**vars(sets), "epoch": EPOCH})
    time_s = hours * 3600.0 - np.linspace(0.0, 6000.0, 12)
    position_m, velocity_m_per_s, _ = orbit.propagate(together, time_s)
    away_m = orbit.propagate(orbit.elements(together), time_s).position_m - position_m
    radial = position_m / np.linalg.norm(position_m, axis=-1, keepdims=True)
    normal = np.cross(position_m, velocity_m_per_s)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    axes = np.stack([radial, np.cross(normal, radial), normal], axis=-1)
    return np.einsum("stk,stkj->stj", away_m, axes)


HOURS = (2.0, 6.0, 12.0, 24.0)
PARTS = ("radial", "along", "cross")


def write_j2(elements: Path | None) -> None:
    sources = {"Iridium NEXT": orbit.sample_elements()}
    if elements is not None:
        sources[elements.stem.title()] = orbit.read_elements(elements)
    rows = []
    for name, sets in sources.items():
        for hours in HOURS:
            off_m = j2_off_m(sets, hours)
            distance_m = np.linalg.norm(off_m, axis=-1)
            rows.append(
                {
                    "satellites": name,
                    "sets": len(sets),
                    "hours": hours,
                    **{f"{word}_km": float(value) / 1e3 for word, value in _quantiles(distance_m).items()},
                    **{
                        f"{part}_95_km": float(np.quantile(np.abs(off_m[..., i]), 0.95)) / 1e3
                        for i, part in enumerate(PARTS)
                    },
                    "beyond_100_km": int((distance_m.max(axis=1) > 100e3).sum()),
                }
            )
    _write("j2", rows)


def _quantiles(values: np.ndarray) -> dict[str, float]:
    return dict(zip(("median", "95", "most"), np.quantile(values, [0.5, 0.95, 1.0]).tolist()))


def _write(name: str, rows: list[dict[str, Any]]) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    Table.of(rows).to_csv(RESULTS / f"{name}.csv", digits=4)


# ---- the page ------------------------------------------------------------------------------------


def tables(folder: Path = RESULTS) -> dict[str, str]:
    """The tables of the page, from the stored rows."""
    heads = ("peer", "setting", "ends", "off, median", "at most", "beyond 50 ms", "passes it misses")
    rows = [
        (row["peer"], row["setting"], f"{row['ends']:,}", _ms(row["median_off_ms"]), _ms(row["most_off_ms"]))
        + (
            str(row["beyond_50_ms"]),
            f"{row['missed']} of {row['passes']:,}" if "brahe" in row["peer"] else "–",
        )
        for row in Table.read_csv(folder / "passes.csv")
    ]
    j2_heads = ("satellites", "after", "median", "95 %", "most", *(f"{part}, 95 %" for part in PARTS))
    j2_heads += ("beyond 100 km",)
    j2_rows = [
        (
            row["satellites"],
            f"{row['hours']:g} h",
            *(f"{row[f'{word}_km']:.1f} km" for word in ("median", "95")),
        )
        + (f"{row['most_km']:,.0f} km", *(f"{row[f'{part}_95_km']:.1f} km" for part in PARTS))
        + (f"{row['beyond_100_km']} of {row['sets']:,}",)
        for row in Table.read_csv(folder / "j2.csv")
    ]
    return {
        "passes": Table(heads, rows).to_markdown(align="right"),
        "j2": Table(j2_heads, j2_rows).to_markdown(align="right"),
    }


def _ms(value: float) -> str:
    return quantity(value / 1e3, "s", digits=2)


def main(command: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("step", choices=("passes", "j2", "page"))
    parser.add_argument("--elements", type=Path, help="a file of element sets, beside the shipped ones")
    options = parser.parse_args(command)
    steps = {
        "passes": write_passes,
        "j2": lambda: write_j2(options.elements),
        "page": lambda: fill_page(PAGE, tables()),
    }
    steps[options.step]()


if __name__ == "__main__":
    main()
