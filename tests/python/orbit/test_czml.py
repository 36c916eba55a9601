"""CZML: packets as its schema has them, positions as Cesium interpolates them, links while they are."""

from __future__ import annotations

import gzip
import json
from datetime import datetime

import numpy as np
import pytest

from constellm import orbit

EPOCH = "2026-03-01T12:00:00Z"


def world(**changes):
    given = {
        "satellites": orbit.preset("iridium-next"),
        "stations": orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.0),
        "links": [orbit.plus_grid(seam="open", max_latitude_deg=60.0), orbit.ground()],
        "epoch": EPOCH,
    }
    return orbit.Constellation(**{**given, **changes})


def seconds(text):
    """Since the epoch."""
    moment, zero = (datetime.fromisoformat(one.replace("Z", "+00:00")) for one in (text, EPOCH))
    return (moment - zero).total_seconds()


def spans(packet):
    given = packet["availability"]
    return [tuple(map(seconds, text.split("/"))) for text in ([given] if isinstance(given, str) else given)]


def test_the_document_comes_first_and_ids_are_all_different():
    packets = world().to_czml(0.0, 600.0)
    head = packets[0]
    assert (head["id"], head["version"], head["name"]) == ("document", "1.0", "constellation")
    assert head["clock"]["interval"] == "2026-03-01T12:00:00Z/2026-03-01T12:10:00Z"
    assert head["clock"]["currentTime"] == EPOCH and head["clock"]["step"] == "SYSTEM_CLOCK_MULTIPLIER"
    ids = [packet["id"] for packet in packets]
    assert len(set(ids)) == len(ids)
    kinds = [id.partition("/")[0] for id in ids]
    assert (kinds.count("satellite"), kinds.count("station")) == (66, 1)
    json.dumps(packets, allow_nan=False)


@pytest.mark.parametrize("stop_s", [900.0, 600.001, 90.0])
def test_positions_between_samples_are_those_of_the_orbit_to_a_centimetre(stop_s):
    """As Cesium does it: a polynomial of the given degree through the nearest samples."""
    interpolate = pytest.importorskip("scipy.interpolate").BarycentricInterpolator
    sky = world()
    packet = next(p for p in sky.to_czml(0.0, stop_s) if p["id"] == "satellite/iridium-next/2/5")
    position = packet["position"]
    assert position["referenceFrame"] == "FIXED" and position["interpolationAlgorithm"] == "LAGRANGE"
    samples = np.array(position["cartesian"]).reshape(-1, 4)
    steps = np.diff(samples[:, 0])
    assert samples[0, 0] == 0.0 and samples[-1, 0] == stop_s and steps.max() <= 60.0 and np.ptp(steps) < 1e-9
    place = sky.satellite_ids.index("iridium-next/2/5")
    points = position["interpolationDegree"] + 1
    for time_s in np.array([0.03, 0.1, 0.5, 0.98]) * stop_s:
        first = int(np.clip(np.searchsorted(samples[:, 0], time_s) - points // 2, 0, len(samples) - points))
        near = samples[first : first + points]
        there = interpolate(near[:, 0], near[:, 1:])(time_s)
        assert np.linalg.norm(there - sky.states(time_s, frame="ecef").position_m[place]) < 0.01


def test_samples_count_from_the_start_since_cesium_counts_leap_seconds():
    sky = world(epoch="2000-01-01T12:00:00Z")  # five of them before
    packet = sky.to_czml("2026-03-01T12:00:00Z", "2026-03-01T12:10:00Z", links=False)[1]
    assert packet["position"]["epoch"] == packet["availability"].partition("/")[0] == EPOCH
    assert packet["position"]["cartesian"][::4] == [60.0 * i for i in range(11)]
    first = sky.states(EPOCH, frame="ecef").position_m[0]
    assert packet["position"]["cartesian"][1:4] == first.round(3).tolist()


def test_lines_are_there_while_there_are_links():
    sky = world()
    lines = {
        tuple(sorted(packet["polyline"]["positions"]["references"])): spans(packet)
        for packet in sky.to_czml(0.0, 1800.0)
        if "polyline" in packet
    }
    assert any(len(times) > 1 for times in lines.values()) or any(times[0][0] > 0 for times in lines.values())
    names = [f"satellite/{id}#position" for id in sky.satellite_ids] + ["station/Svalbard#position"]
    for time_s in np.arange(37.0, 1800.0, 97.0):
        graph = sky.at(time_s).graph
        there = {tuple(sorted((names[a], names[b]))) for a, b in zip(graph.from_, graph.to)}
        drawn = {ends for ends, times in lines.items() if any(a <= time_s < b for a, b in times)}
        assert drawn == there


def test_a_satellite_without_a_state_is_left_out_from_then_on():
    pytest.importorskip("sgp4")
    sets = orbit.sample_elements()[:2]
    columns = {
        name: getattr(sets, name)
        for name in ("epoch", "inclination_deg", "raan_deg", "argument_of_perigee_deg", "mean_anomaly_deg")
    }
    falling = orbit.ElementSets(
        sets.catalogue_number,
        **columns,
        mean_motion_rev_per_day=[16.4, 14.3],
        eccentricity=[0.0005, 0.0002],
        bstar=[0.2, 0.0],
    )
    sky = orbit.Constellation(falling, links=orbit.LinkRule(pattern="all"))
    states = sky.states(np.arange(0.0, 86401.0, 600.0))
    assert states.error[0].any() and not states.error[1].any()
    lost = int(np.argmax(states.error[0] != 0))
    packets = {packet["id"]: packet for packet in sky.to_czml(0.0, 86400.0, 600.0, links=False)}
    samples = sorted(len(p["position"]["cartesian"]) // 4 for p in packets.values() if "position" in p)
    assert lost > 1 and samples == [lost, 145]
    json.dumps(list(packets.values()), allow_nan=False)


def test_rules_without_windows_and_too_many_samples_are_refused():
    sky = world(links=orbit.LinkRule(pattern="all", max_links=4))
    with pytest.raises(ValueError, match="max_links"):
        sky.to_czml(0.0, 600.0)
    assert len(sky.to_czml(0.0, 600.0, links=False)) == 68
    with pytest.raises(ValueError, match="step_s: 0.01 makes 86401 samples of 66 satellites"):
        sky.to_czml(0.0, 864.0, 0.01, links=False)


def test_number_signs_in_ids_do_not_end_references():
    sky = world(stations=orbit.station("No#1\\", 78.2, 15.4, min_elevation_deg=8.0), links=orbit.ground())
    ends = [
        end
        for p in sky.to_czml(0.0, 600.0)
        if "polyline" in p
        for end in p["polyline"]["positions"]["references"]
    ]
    assert "station/No\\#1\\\\#position" in ends


def test_files(tmp_path):
    sky = world()
    orbit.write_czml(sky, tmp_path / "sky.czml", 0.0, 600.0)
    assert json.loads((tmp_path / "sky.czml").read_text(encoding="utf-8")) == sky.to_czml(0.0, 600.0)
    orbit.write_czml(sky, tmp_path / "sky.czml.gz", 0.0, 600.0, 120.0, links=False)
    assert json.loads(gzip.decompress((tmp_path / "sky.czml.gz").read_bytes()))[0]["id"] == "document"


def test_colours_are_those_of_the_figures():
    from constellm.orbit import czml
    from constellm.plot import palette

    for rgba, colour in (
        (czml._SATELLITE, palette.SATELLITE), (czml._STATION, palette.INK),
        (czml._LINK, palette.MUTED), (czml._CONTACT, palette.CONTACT),
    ):  # fmt: skip
        assert "#{:02x}{:02x}{:02x}".format(*rgba) == colour
