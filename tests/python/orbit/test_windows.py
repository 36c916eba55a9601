"""Windows of constellations against the links of instants, and of links against scipy's root search."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import network, orbit
from oracles import constellation as oracle

START = "2026-03-01T12:00:00Z"
SVALBARD = orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.0)
EDGE_S = 1e-3


def random_world(seed):
    """Few satellites under some rules, with random limits, draws, losses and times to acquire."""
    random = np.random.default_rng(seed)
    shell = orbit.Shell(
        name="a",
        planes=int(random.integers(2, 5)),
        satellites_per_plane=int(random.integers(2, 6)),
        altitude_m=float(random.uniform(6e5, 3e6)),
        inclination_deg=float(random.uniform(30, 100)),
        phasing=float(random.choice([0.0, 1.0, 2.5])),
        eccentricity=float(random.choice([0.0, 0.02])),
    )
    limits = {
        "max_range_m": float(random.uniform(3e6, 9e6)),
        "max_latitude_deg": float(random.uniform(30, 90)),
        "max_angular_rate_rad_per_s": float(random.uniform(5e-4, 5e-3)),
        "max_range_rate_m_per_s": float(random.uniform(500, 6000)),
        "acquisition_s": float(random.uniform(1, 90)),
        "survival": float(random.uniform(0.5, 1.0)),
    }

    def some(but=()):
        return {key: value for key, value in limits.items() if key not in but and random.random() < 0.4}

    rules = [
        orbit.plus_grid(grazing_altitude_m=-2e6, **some()),
        orbit.nearest(int(random.integers(1, 5)), grazing_altitude_m=-2e6, **some()),
        orbit.nearest(2, "a", grazing_altitude_m=-2e6),
        orbit.LinkRule(pattern="ring", shell="a", **some(("max_latitude_deg",))),
        orbit.ground(**some(("max_latitude_deg",))),
        orbit.LinkRule(pattern="all", **some()),
    ]
    chosen = [rules[i] for i in random.permutation(len(rules))[:4]]
    sets = [orbit.sample_elements()[:5]] if random.random() < 0.5 else []
    stations = [SVALBARD, orbit.station("x", 10.0, -60.0, min_elevation_deg=0.0, max_range_m=3e6)]
    lost = [
        orbit.Outage("a/0/0", start=200.0, stop=500.0),
        orbit.Outage(("a/1/0", "a/1/1"), stop=float(random.uniform(0.0, 900.0))),
        orbit.Outage("x", start=600.0),
    ]
    return orbit.Constellation(
        [shell, *sets],
        stations=stations,
        links=chosen,
        outages=lost[: int(random.integers(0, 4))],
        epoch="2024-01-13",
    )


def rows_of(windows):
    columns = (windows.from_, windows.to, windows.rule, windows.open_s, windows.close_s)
    return list(zip(*(column.tolist() for column in columns)))


def links_of(graph):
    return set(zip(graph.from_.tolist(), graph.to.tolist()))


def check(rows, t_s, found):
    """The windows that are open then are the links, but for those about to open or to close."""
    near = {(a, b) for a, b, _, *edges_s in rows if min(abs(edge_s - t_s) for edge_s in edges_s) < EDGE_S}
    inside = {(a, b) for a, b, _, open_s, close_s in rows if open_s <= t_s < close_s}
    assert inside - near == found - near


@pytest.mark.parametrize("seed", range(10))
def test_a_link_is_there_where_a_window_is_open(seed):
    made, slot_s, stop_s = random_world(seed), 20.0, 1200.0
    rows = rows_of(made.windows(0.0, stop_s, slot_s=slot_s))
    edges_s = np.array([edge for row in rows for edge in row[3:]])
    random = np.random.default_rng(seed)
    some = random.choice(edges_s, 60) if len(edges_s) else edges_s
    looks_s = np.concatenate([some - 2 * EDGE_S, some + 2 * EDGE_S, random.uniform(0.0, stop_s, 60)])
    for t_s in looks_s[(looks_s >= 0.0) & (looks_s < stop_s)].tolist():
        check(rows, t_s, links_of(made.at(t_s, slot=int(t_s // slot_s)).graph))


def test_windows_of_nearest_are_those_of_brute_force_by_tenths_of_a_second():
    shell = orbit.walker("a", planes=3, satellites_per_plane=4, altitude_m=2e6, inclination_deg=60.0)
    made = orbit.Constellation(
        [shell, orbit.sample_elements()[:4]],
        links=orbit.nearest(3, grazing_altitude_m=-6e6, max_range_rate_m_per_s=5e3),
        epoch="2024-01-13",
    )
    stop_s = 60.0
    rows = rows_of(made.windows(0.0, stop_s))
    assert len(rows) > 20
    time_s = np.arange(0.05, stop_s, 0.1)
    states = made.states(time_s)
    for k, t_s in enumerate(time_s.tolist()):
        found = oracle.links_at(
            made.links, made.shells, (), states.position_m[:, k], states.velocity_m_per_s[:, k], 0.0
        )
        check(rows, t_s, set(found))


def test_a_shell_of_starlink_has_windows_of_nearest():
    made = orbit.Constellation(orbit.preset("starlink-550"), links=orbit.nearest(4))
    rows = rows_of(made.windows(0.0, 60.0))
    assert len(rows) > 4000
    for t_s in (0.5, 30.0, 59.5):
        check(rows, t_s, links_of(made.at(t_s).graph))


@pytest.mark.parametrize("rule", [orbit.ground, orbit.plus_grid])
def test_range_rates_are_met_where_scipy_finds_them(rule):
    brentq = pytest.importorskip("scipy.optimize").brentq
    most = 2000.0
    made = orbit.Constellation(
        orbit.preset("iridium-next", propagator="two-body"),  # whose velocities are those of its positions
        stations=SVALBARD.replace(min_elevation_deg=-90.0),
        links=rule(max_range_rate_m_per_s=most),
        epoch=START,
    )
    # By differences of ranges in the frame that turns with the Earth, which know nothing of velocities.
    place = orbit.geodetic_to_ecef(78.2, 15.4, 0.0)

    def rate(a, b, t_s, step_s=0.01):
        states = made.states(t_s + np.array([-step_s, step_s]), "ecef").position_m
        there = place if b == 66 else states[b]
        return float(np.diff(np.linalg.norm(states[a] - there, axis=-1))[0]) / (2 * step_s)

    tried = 0
    for a, b, _, *edges_s in rows_of(made.windows(0.0, 3000.0))[::37]:
        for edge_s in edges_s:

            def room(t_s, ends=(a, b)):
                return abs(rate(min(ends), max(ends), t_s)) - most

            if room(edge_s - 2.0) * room(edge_s + 2.0) < 0.0:
                assert brentq(room, edge_s - 2.0, edge_s + 2.0, xtol=1e-7) == pytest.approx(edge_s, abs=1e-5)
                tried += 1
    assert tried > 5


def test_a_doppler_shift_of_a_carrier_is_a_range_rate():
    rule = orbit.ground(max_doppler_hz=200e3, carrier_hz=20e9)
    assert rule == orbit.ground(max_range_rate_m_per_s=299792458.0 / 1e5)
    made = orbit.Constellation(orbit.preset("starlink-550"), stations=SVALBARD, links=rule, epoch=START)
    all_of_them = made.replace(links=orbit.ground())
    cut = links_of(all_of_them.at(100.0).graph) - links_of(made.at(100.0).graph)
    look = orbit.look_angles(78.2, 15.4, 0.0, *made.states(100.0, "ecef")[:2])
    shift_hz = np.abs(orbit.doppler_hz(look.range_rate_m_per_s, frequency_hz=20e9))
    seen = look.elevation_deg >= 8.0
    assert {a for a, b in cut if b == 1584} == set(np.flatnonzero(seen & (shift_hz > 200e3)).tolist())
    for given, says in (
        ({"max_doppler_hz": 1e5}, "carrier_hz: missing"),
        ({"carrier_hz": 1e5}, "max_doppler_hz: missing"),
        ({"max_doppler_hz": 0.0, "carrier_hz": 1e5}, r"max_doppler_hz: 0.0 is not in \(0, inf\)"),
        (
            {"max_doppler_hz": 1.0, "carrier_hz": 1e5, "max_range_rate_m_per_s": 1.0},
            "max_doppler_hz: given beside max_range_rate_m_per_s",
        ),
    ):
        with pytest.raises(ValueError, match=says):
            orbit.plus_grid(**given)


# ---- acquisition ---------------------------------------------------------------------------------


def test_links_are_there_once_their_conditions_have_held():
    wait_s = 60.0
    shell = orbit.preset("iridium-next")
    given = {"stations": SVALBARD, "epoch": START}
    made = orbit.Constellation(shell, links=orbit.ground(acquisition_s=wait_s), **given)
    at_once = orbit.Constellation(shell, links=orbit.ground(), **given)
    raw = rows_of(at_once.windows(-wait_s, 6000.0))
    expected = [
        (a, b, rule, max(open_s + wait_s, 0.0), close_s)
        for a, b, rule, open_s, close_s in raw
        if max(open_s + wait_s, 0.0) < close_s
    ]
    expected.sort(key=lambda row: (row[3], row[0], row[1]))
    found = rows_of(made.windows(0.0, 6000.0))
    assert len(found) > 10 and [row[:3] for row in found] == [row[:3] for row in expected]
    np.testing.assert_allclose([row[3:] for row in found], [row[3:] for row in expected], atol=1e-5)
    # Satellites that are above the mask at the start have been so for a while, or not.
    opens = {row[3] for row in found}
    assert 0.0 in opens
    timeline = made.timeline(0.0, 1200.0, 30.0)
    for k, t_s in enumerate(timeline.t_s.tolist()):
        check(found, t_s, links_of(timeline[k].graph))
    routes = made.routes("Svalbard", "iridium-next/0/0", [0.0])
    assert routes.hops[0] in (-1, 1)


def test_satellites_of_sgp4_are_asked_for_what_was_before():
    given = {"stations": SVALBARD, "links": orbit.ground(acquisition_s=120.0)}
    made = orbit.Constellation(orbit.sample_elements()[:20], **given)
    rows = rows_of(made.windows(0.0, 3000.0))
    assert rows
    for t_s in np.linspace(1.0, 2999.0, 15).tolist():
        check(rows, t_s, links_of(made.at(t_s).graph))


def test_a_satellite_that_is_lost_to_sgp4_has_the_links_before_at_each_of_many_instants():
    # The first goes below the ground on its way, where SGP4 has no state.
    sets = orbit.ElementSets.of_mean_elements(
        epoch=START,
        mean_motion_rev_per_day=[15.5, 15.5],
        eccentricity=[0.08, 0.001],
        inclination_deg=[53.0, 53.0],
        raan_deg=[0.0, 0.0],
        argument_of_perigee_deg=[0.0, 0.0],
        mean_anomaly_deg=[180.0, 181.0],
    )
    rule = orbit.LinkRule(pattern="all", acquisition_s=10.0, grazing_altitude_m=-6e6)
    made = orbit.Constellation(sets, links=rule)
    time_s = 60.0 * np.arange(64)
    alone = [made.at(t_s).graph.link_count for t_s in time_s.tolist()]
    assert 0 in alone and 2 in alone
    assert [one.graph.link_count for one in made.timeline(0.0, 3840.0, 60.0)] == alone
    hops = made.latencies(sets.ids[0], time_s).hops[:, 0, 1]
    assert [2 if found == 1 else 0 for found in hops.tolist()] == alone


def test_instants_far_apart_have_links_of_sgp4_that_take_time_to_acquire():
    shell = orbit.preset("iridium-next").replace(propagator="sgp4")
    made = orbit.Constellation(shell, links=orbit.plus_grid(seam="open", acquisition_s=10.0), epoch=START)
    time_s = [0.0, 4e7, 8e7]  # 66 satellites by minutes make more states than a span may have
    found = made.latencies(made.ids[0], time_s)
    for k, t_s in enumerate(time_s):
        least_s = network.latencies(network.Timeline([t_s], [made.at(t_s).graph]), made.ids[0]).latency_s[0]
        np.testing.assert_allclose(found.latency_s[k], least_s, rtol=1e-12)
        assert np.isfinite(least_s).sum() > 50


# ---- slots ---------------------------------------------------------------------------------------


def test_contacts_in_slots_are_those_of_the_timeline():
    made = orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=SVALBARD,
        links=[
            orbit.plus_grid(seam="open", survival=0.5, seed=2),
            orbit.ground(survival=0.9),
            orbit.nearest(1),
        ],
        epoch=START,
    )
    start_s, slot_s = 33.0, 7.5
    timeline = made.timeline(start_s, start_s + 120.0, slot_s)
    rows = rows_of(made.windows(start_s, start_s + 120.0, slot_s=slot_s))
    for k, t_s in enumerate(timeline.t_s.tolist()):
        inside = {(a, b) for a, b, _, open_s, close_s in rows if open_s <= t_s < close_s}
        assert inside == links_of(timeline[k].graph)
    plan = made.contacts(start_s, start_s + 120.0, slot_s=slot_s)
    assert plan.open_s.tolist() == [row[3] for row in rows]
    always = made.replace(links=[rule.replace(survival=1.0) for rule in made.links])
    assert rows_of(always.windows(0.0, 60.0, slot_s=7.0)) == rows_of(always.windows(0.0, 60.0))


# ---- masks ---------------------------------------------------------------------------------------


def test_masks_count_what_look_angles_say():
    shell = orbit.preset("starlink-550")
    stations = [
        orbit.station("Dubai", 25.2, 55.3, min_elevation_deg=40.0, max_range_m=1.5e6),
        orbit.station("Munich", 48.1, 11.6, min_elevation_deg=10.0, max_range_m=1e6),
    ]
    made = orbit.Constellation(shell, stations=stations, links=orbit.ground(), epoch=START)
    time_s = np.array([0.0, 100.0, 2000.0])
    masks = made.masks(time_s)
    assert masks.stations == ("Dubai", "Munich") and masks.time_s.tolist() == time_s.tolist()
    position = made.states(time_s, "ecef").position_m
    for i, one in enumerate(stations):
        look = orbit.look_angles(one.latitude_deg, one.longitude_deg, one.altitude_m, position)
        high, near = look.elevation_deg >= one.min_elevation_deg, look.range_m <= one.max_range_m
        assert masks.linked[i].tolist() == (high & near).sum(axis=0).tolist()
        assert masks.below_mask[i].tolist() == (~high & near).sum(axis=0).tolist()
        assert masks.out_of_range[i].tolist() == (high & ~near).sum(axis=0).tolist()
    assert masks.below_mask[0].sum() > 0 and masks.out_of_range[1].sum() > 0
    lines = masks.summary().splitlines()
    assert repr(masks) == "Masks(2 stations, 3 instants)" and lines[0] == "Masks of 2 stations, 3 instants"
    assert "cut by elevation alone" in lines[2] and lines[3].startswith("  Dubai")
    table = masks.table()
    assert table.columns == ("station", "time_s", "linked", "below_mask", "out_of_range")
    counts = (masks.linked, masks.below_mask, masks.out_of_range)
    assert table.rows[4] == ("Munich", 100.0, *(int(values[1, 1]) for values in counts))
    assert made.replace(stations=()).masks(time_s).linked.shape == (0, 3)
    assert "–" in made.masks([]).summary() and made.masks([]).linked.shape == (2, 0)
    with pytest.raises(ValueError, match=r"times: expected shape \(times,\), got \(\)"):
        made.masks(0.0)
