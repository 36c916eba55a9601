"""Passes against skyfield and brahe, J2 against SGP4; the tables of docs/orbit-elements.md are their rows."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from constellm import orbit

pytest.importorskip("sgp4")

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "orbit-elements.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made(tool) -> ModuleType:
    return tool("orbit_truth")


def test_passes_are_those_of_skyfield(made) -> None:
    """Every rising and setting of two satellites over 104 stations, within 50 ms."""
    pytest.importorskip("skyfield")
    sets, sites = orbit.sample_elements()[[0, 79]], made.stations()
    ours = made.passes(sets, sites)
    assert len(sites) == 104 and len(ours.open_s) > 900
    off_s = made.off_skyfield_s(sets, sites, ours, ut1_is_utc=True)
    assert len(off_s) > 2 * len(ours.open_s) - 20
    assert np.abs(off_s).max() < 1e-3


def test_skyfield_finds_no_others(made) -> None:
    """As many passes, at the half second to which it knows them, over the two highest stations."""
    api = pytest.importorskip("skyfield.api")
    sets = orbit.sample_elements()[:1]
    sites = sorted(made.stations(), key=lambda site: -abs(site.latitude_deg))[:2]
    ours, scale = made.passes(sets, sites), api.load.timescale(delta_t=made.UTC_TO_TT_S)
    (lines,) = made._lines(sets)
    satellite = api.EarthSatellite(*lines, ts=scale)
    start, stop = (scale.utc(*made.DATE, 0, 0, second) for second in (0.0, made.DAY_S))
    for place, site in enumerate(sites):
        topos = api.wgs84.latlon(site.latitude_deg, site.longitude_deg, site.altitude_m)
        times, kinds = satellite.find_events(topos, start, stop, altitude_degrees=made.MASK_DEG)
        found_s = (times - start) * made.DAY_S
        for kind, ends_s in ((0, ours.open_s), (2, ours.close_s)):
            mine = np.sort(ends_s[(ours.station == place) & (ends_s > 0.0) & (ends_s < made.DAY_S)])
            assert len(mine) > 8
            np.testing.assert_allclose(found_s[kinds == kind], mine, atol=0.5)


def test_passes_are_those_of_brahe(made) -> None:
    """It moves satellites with the constants of WGS 84, and so do we here; it misses the shortest passes."""
    pytest.importorskip("brahe")
    sets, sites = orbit.sample_elements()[[0]], made.stations()
    off_s, missed_s = made.off_brahe_s(sets, sites, made.passes_of_wgs84(sets, sites))
    assert len(off_s) > 900 and np.abs(off_s).max() < 1e-3
    assert (missed_s < made.STEP_S).all() and len(missed_s) < 3
    # With the constants that element sets are made with, its satellites are tens of metres off.
    off_s, _ = made.off_brahe_s(sets, sites, made.passes(sets, sites))
    assert 1e-3 < np.median(np.abs(off_s)) < 20e-3


def test_constants_of_wgs_84_are_as_far_off_as_the_page_says(made) -> None:
    sets, time_s = orbit.sample_elements(), np.arange(0.0, made.DAY_S, 600.0)
    ours_m = orbit.propagate(sets, time_s, epoch=made.EPOCH).position_m
    midnight = np.full(len(time_s), 2_440_587.5 + orbit.Epoch(made.EPOCH).microseconds / 86.4e9)
    theirs_m = [one.sgp4_array(midnight, time_s / 86_400.0)[1] * 1e3 for one in made._records(sets, "WGS84")]
    away_m = np.linalg.norm(ours_m - theirs_m, axis=-1)
    told = f"up to {away_m.max():.0f} m elsewhere, half of the time {np.median(away_m):.0f}."
    assert told in " ".join(PAGE.split())


def starlink() -> list[orbit.ElementSets]:
    data = os.environ.get("CONSTELLM_DATA")
    return [orbit.read_elements(Path(data) / "tle" / "starlink.txt")] if data else []


@pytest.mark.parametrize("sets", [orbit.sample_elements(), *starlink()], ids=len)
def test_j2_is_some_kilometres_off_for_a_day(made, sets) -> None:
    off_m = made.j2_off_m(sets, 24.0)
    distance_m = np.linalg.norm(off_m, axis=-1)
    assert 5e3 < np.median(distance_m) < 20e3 and np.quantile(distance_m, 0.95) < 25e3
    assert np.quantile(np.abs(off_m[..., 0]), 0.95) < 12e3 and np.abs(off_m[..., 2]).max() < 4e3
    # Kozai's mean motion kept: along the orbit nothing runs away but what air brakes.
    assert np.median(np.abs(off_m[..., 1])) < 15e3


@pytest.mark.parametrize("name", re.findall(r"<!-- end of (\w+) -->", PAGE))
def test_tables_are_those_of_the_rows(made, name) -> None:
    table = made.tables()[name]
    assert table.count("\n") >= 6
    assert f"<!-- {name} -->\n{table}<!-- end of {name} -->" in PAGE
