"""Constellations: states, links against brute force, contacts against instants."""

from __future__ import annotations

import pickle
from datetime import datetime

import numpy as np
import pytest

from constellm import codec, model, network, orbit, split
from constellm.orbit.constellation_parts import instants
from oracles.random_constellations import DUBAI, SVALBARD, expected_links, links_of, random_world, world

# ---- what it consists of -------------------------------------------------------------------------


def test_ids_are_those_of_shells_then_sets_then_stations():
    shell, sets = orbit.preset("collaborative-12"), orbit.sample_elements()[:3]
    made = world(satellites=[sets, shell], links=[])
    assert made.satellites == (shell, sets) and made.shells == (shell,) and made.element_sets == (sets,)
    assert made.satellite_ids == (*shell.ids, *sets.ids)
    assert made.ids == (*shell.ids, *sets.ids, "Svalbard", "Dubai")
    assert tuple(made.nodes.ids()) == made.ids
    assert [made.nodes[i].group for i in (0, 12, 15)] == ["collaborative-12", "satellite", "ground"]


def test_the_epoch_is_that_of_the_first_set_or_that_of_j2000():
    shell, sets = orbit.preset("collaborative-12"), orbit.sample_elements()
    assert orbit.Constellation(shell).epoch == orbit.Epoch("2000-01-01T12:00:00Z")
    assert orbit.Constellation([shell, sets[7:]]).epoch == orbit.Epoch(sets.epoch[7])
    assert orbit.Constellation(sets, epoch=datetime(2024, 1, 13)).epoch == orbit.Epoch("2024-01-13")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"satellites": []}, r"satellites: 0 of them are not in \[1, 100000\]"),
        ({"satellites": orbit.sample_elements()[:0]}, r"satellites: 0 of them are not in \[1, 100000\]"),
        (
            {"satellites": "starlink-550"},
            "satellites: expected a Shell or ElementSets, or a sequence of them",
        ),
        ({"satellites": [5]}, r"satellites\[0\]: expected a Shell or ElementSets, got 5"),
        (
            {"satellites": [orbit.preset("iridium-next")] * 2},
            r"satellites\[1\]: id 'iridium-next/0/0' is of satellites\[0\] already",
        ),
        (
            {"satellites": [orbit.sample_elements(), orbit.sample_elements()[70:71]]},
            r"satellites\[1\]: id '\d+' is of satellites\[0\] already",
        ),
        ({"stations": [DUBAI, DUBAI]}, r"stations\[1\]: id 'Dubai' is of stations\[0\] already"),
        (
            {"stations": DUBAI.replace(id="iridium-next/5/10")},
            r"stations\[0\]: id 'iridium-next/5/10' is of satellites\[0\] already",
        ),
        ({"stations": ["Dubai"]}, r"stations\[0\]: expected a Station, got 'Dubai'"),
        ({"links": orbit.plus_grid("iridium")}, r"links\[0\].shell: no shell has the name 'iridium'"),
        ({"links": ["plus-grid"]}, r"links\[0\]: expected a LinkRule, got 'plus-grid'"),
        (
            {"satellites": orbit.sample_elements(), "links": orbit.plus_grid()},
            r"links\[0\].shell: no shell has the name '\*': there is none",
        ),
        ({"epoch": "yesterday"}, "epoch: 'yesterday'"),
        ({"name": "a b"}, r"name: 'a b' is not 1 to 100 characters of \[A-Za-z0-9._-\]"),
        ({"name": 5}, "name: 5 is not"),
        ({"computers": 5}, "computers: expected a Device or a mapping, got 5"),
        ({"computers": {"Rome": {}}}, "computers: 'Rome' is no id, no name of a shell and not"),
        ({"computers": {"Dubai": 1e12}}, r"computers\['Dubai'\]: expected a Device or a mapping, got 1000"),
        ({"computers": {"*": {"flops": 1e12}}}, r"computers\['\*'\]: unknown field 'flops'"),
        ({"computers": {"flop_per_s": -1.0}}, r"computers\['\*'\]: flop_per_s: -1 is not in \[0, inf\)"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, says):
    with pytest.raises((ValueError, TypeError), match=says):
        world(**changes)


def test_more_satellites_than_fly_are_refused_at_once():
    shell = orbit.walker("a", planes=1000, satellites_per_plane=60, altitude_m=5e5, inclination_deg=50.0)
    with pytest.raises(ValueError, match=r"satellites: 120000 of them are not in \[1, 100000\]"):
        orbit.Constellation([shell, shell.replace(name="b")])


def test_a_rule_for_every_shell_is_one_for_each():
    shells = [orbit.preset("collaborative-12"), orbit.preset("iridium-next")]
    made = orbit.Constellation(shells, links=[orbit.plus_grid(), orbit.ground(), orbit.nearest(2, "*")])
    assert [(rule.pattern, rule.shell) for rule in made.links] == [
        *(("plus-grid", shell.name) for shell in shells),
        ("ground", None),
        *(("nearest", shell.name) for shell in shells),
    ]


def test_computers_by_id_by_shell_and_for_the_others():
    device = network.device("jetson-agx-orin-30w", utilisation=0.2)
    made = world(
        satellites=[orbit.preset("iridium-next"), orbit.preset("collaborative-12"), orbit.sample_elements()],
        computers={
            "*": {"flop_per_s": 1.0, "memory_bytes": 2.0},
            "iridium-next": device,
            "iridium-next/1/0": {},
            "Dubai": {"flop_per_s": 3e12, "memory_bytes": 4e9, "power_w": 5.0},
        },
    )
    of = {node.id: node for node in made.nodes}
    assert of["iridium-next/0/0"].flop_per_s == device.flop_per_s
    assert of["iridium-next/0/0"].power_w == device.power_w
    assert of["iridium-next/1/0"].flop_per_s == 0.0
    assert (of["collaborative-12/0/3"].flop_per_s, of["41917"].memory_bytes) == (1.0, 2.0)
    assert (of["Svalbard"].flop_per_s, of["Dubai"].power_w) == (0.0, 5.0)
    every = world(computers={"flop_per_s": 1e12, "memory_bytes": 8e9}).nodes
    assert {node.flop_per_s for node in every if node.group != "ground"} == {1e12}
    assert world(computers=device).nodes[0].memory_bytes == device.memory_bytes


# ---- where satellites are ------------------------------------------------------------------------


def test_states_are_those_of_the_parts():
    shell, sets = orbit.preset("collaborative-12", propagator="two-body"), orbit.sample_elements()[:3]
    made = world(satellites=[shell, sets], links=[])
    time_s = np.array([0.0, 60.0, -7.5])
    states = made.states(time_s)
    parts = orbit.propagate(shell, time_s), orbit.propagate(sets, time_s, epoch=made.epoch)
    for values, *of_parts in zip(states, *parts):
        assert np.array_equal(values, np.concatenate(of_parts))
    on_earth = made.states(time_s, "ecef")
    assert np.array_equal(
        on_earth.position_m, orbit.teme_to_ecef(states.position_m, epoch=made.epoch, time_s=time_s)
    )
    assert np.array_equal(
        on_earth.velocity_m_per_s,
        orbit.velocity_teme_to_ecef(*states[:2], epoch=made.epoch, time_s=time_s),
    )
    assert made.states(60.0, "ecef").position_m.shape == (15, 3)
    assert np.array_equal(made.states(60.0).position_m, states.position_m[:, 1])


def test_a_shell_under_sgp4_has_its_elements_at_the_epoch():
    shell = orbit.preset("collaborative-12", propagator="sgp4")
    made = orbit.Constellation(shell, epoch="2026-03-01")
    expected = orbit.propagate(shell, [0.0, 60.0], epoch="2026-03-01")
    assert np.array_equal(made.states([0.0, 60.0]).position_m, expected.position_m)


@pytest.mark.parametrize(
    "times",
    [
        [0.0, 60.0],
        np.array([0, 60]),
        ["2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z"],
        [orbit.Epoch("2026-03-01T12:00:00Z"), datetime(2026, 3, 1, 12, 1)],
        np.array(["2026-03-01T12:00", "2026-03-01T12:01"], "M8[s]"),
    ],
)
def test_times_are_seconds_or_instants(times):
    assert world().seconds(times).tolist() == [0.0, 60.0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda made: made.seconds([0.0, np.nan]), "times: nan is not a finite number"),
        (lambda made: made.seconds("noon"), "times: 'noon': expected 4 digits of the year"),
        (lambda made: made.seconds([None]), "times: expected an Epoch, ISO 8601 text"),
        (lambda made: made.states(0.0, "eci"), "frame: 'eci' is not 'teme' or 'ecef'"),
        (lambda made: made.at([0.0]), r"t: expected one instant, got shape \(1,\)"),
        (lambda made: made.at(0.0, slot=-1), r"slot: -1 is not in \[0, inf\)"),
        (lambda made: made.at(0.0, horizon_s=0.0), r"horizon_s: 0.0 is not in \(0, inf\)"),
        (lambda made: made.at(0.0, ends="Rome"), "ends: no satellite or station has id 'Rome'"),
        (lambda made: made.routes("Rome", "Dubai", [0.0]), "source: no satellite or station has id 'Rome'"),
        (lambda made: made.routes("Dubai", 5, [0.0]), "target: expected a str, got 5"),
        (lambda made: made.routes("Dubai", "Svalbard", 0.0), r"times: expected shape \(times,\), got \(\)"),
        (lambda made: made.latencies("Rome", [0.0]), r"sources\[0\]: no node has id 'Rome'"),
        (lambda made: made.latencies("Dubai", [0.0], targets={"Dubai"}), "targets: expected nodes in order"),
        (
            lambda made: made.latencies_between([("Dubai", "Rome")], [0.0]),
            r"blocks\[0\]\[1\]\[0\]: no node has id 'Rome'",
        ),
        (
            lambda made: made.latencies_between([(np.array([0, 68]), "Dubai")], [0.0]),
            r"blocks\[0\]\[0\]\[1\]: 68 is not in \[0, 67\]",
        ),
        (
            lambda made: made.latencies_between([("Dubai", "Dubai"), "Dubai"], [0.0]),
            r"blocks\[1\]: expected sources and targets, got 'Dubai'",
        ),
        (
            lambda made: made.latencies_between([(made.ids, made.ids)], np.zeros(200_000)),
            "blocks: 1 of them and 200000 times make 924800000 latencies",
        ),
        (lambda made: made.latencies("Dubai", 0.0), r"times: expected shape \(times,\), got \(\)"),
        (
            lambda made: made.latencies(made.ids, np.zeros(200_000)),
            "targets: 68 of them, 68 sources and 200000 times make 924800000 latencies",
        ),
        (lambda made: made.timeline(0.0, 0.0, 1.0), "stop: 0 is not after the start, 0"),
        (lambda made: made.timeline(0.0, 9.0, 0.0), r"step: 0.0 is not in \(0, inf\)"),
        (lambda made: made.timeline(0.0, 1e9, 1e-3), "step: 0.001 .* more than 10000000 instants"),
        (lambda made: made.contacts(0.0, 60.0, threads=0), r"threads: 0 is not in \[1, 1024\]"),
    ],
)
def test_wrong_calls_name_what_is_wrong(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call(world())


def test_instants_leave_the_stop_out():
    assert instants(0.0, 60.0, 20.0).tolist() == [0.0, 20.0, 40.0]
    assert instants(-5.0, 5.1, 5.0).tolist() == [-5.0, 0.0, 5.0]
    assert len(instants(0.0, 0.3, 0.1)) == 3  # of steps that binary numbers have not
    assert instants(0.0, 1.0, 100.0).tolist() == [0.0]


# ---- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_links_are_those_of_brute_force(seed):
    made = random_world(seed)
    for t_s in (0.0, 1234.5):
        found, expected = links_of(made.at(t_s).graph), expected_links(made, t_s)
        assert found.keys() == expected.keys()
        for pair, (_, latency_s, rate_bps) in expected.items():
            assert found[pair] == (pytest.approx(latency_s, rel=1e-9), rate_bps)


def test_a_satellite_without_a_state_has_no_links():
    sets = orbit.sample_elements()[:20]
    columns = {name: value.copy() for name, value in vars(sets).items()}
    columns["mean_motion_rev_per_day"][1], columns["bstar"][1] = 16.3, 0.01
    made = orbit.Constellation(
        orbit.ElementSets(**columns), stations=SVALBARD, links=[orbit.nearest(6), orbit.ground()]
    )
    t_s = 10 * 86_400.0
    assert made.states(t_s).error[1] != 0
    graph = made.at(t_s).graph
    assert (
        graph.link_count
        and 1 not in graph.from_
        and links_of(graph).keys() == expected_links(made, t_s).keys()
    )


def test_links_with_stations_have_a_group_of_their_own():
    graph = world().at(0.0).graph
    ground = (graph.from_ >= 66) | (graph.to >= 66)
    groups = np.array(graph.groups)[graph.group_of]
    assert set(groups[ground]) == {"s2g"} and set(groups[~ground]) == {"isl"}
    assert set(graph.rate_bps[ground]) == {0.8e9} and set(graph.rate_bps[~ground]) == {2.5e9}


def test_stations_that_are_no_ends_have_no_links():
    made = world()
    whole, one = made.at(0.0).graph, made.at(0.0, ends="Dubai").graph
    expected = {pair: figures for pair, figures in links_of(whole).items() if 66 not in pair}
    assert len(expected) < whole.link_count and links_of(one) == expected
    assert made.timeline(0.0, 60.0, 60.0, ends=["Dubai"])[0].graph == one
    assert made.at(0.0, ends=["Dubai", "Svalbard"]).graph == whole


def test_a_timeline_has_the_instants_one_after_the_other():
    made = world()
    timeline = made.timeline("2026-03-01T12:00:00Z", 250.0, 100.0)
    assert timeline.t_s.tolist() == [0.0, 100.0, 200.0] and timeline.end_s == 250.0
    for i, t_s in enumerate(timeline.t_s):
        assert timeline[i].graph == made.at(float(t_s)).graph


def test_links_that_survive_by_chance_are_drawn_slot_by_slot():
    made = world(links=orbit.plus_grid(survival=0.5, seed=3))
    slots = [links_of(made.at(0.0, slot=slot).graph).keys() for slot in range(3)]
    assert slots[0] != slots[1] != slots[2]
    every = links_of(world(links=orbit.plus_grid()).at(0.0).graph).keys()
    assert all(found < every and all((b, a) in found for a, b in found) for found in slots)
    timeline = made.timeline(0.0, 3e-3, 1e-3)
    assert [links_of(timeline[i].graph).keys() for i in range(3)] == slots


# ---- contacts ------------------------------------------------------------------------------------


def test_windows_are_open_where_instants_have_links():
    made = world(
        satellites=[orbit.preset("iridium-next", planes=3, phasing=0.0), orbit.sample_elements()[:4]],
        links=[orbit.plus_grid(seam="open", max_latitude_deg=60.0), orbit.ground(overhead_s=1e-3)],
        epoch="2024-01-13",
    )
    stop_s = 3000.0
    windows = made.windows(0.0, stop_s)
    columns = [windows.from_, windows.to, windows.open_s, windows.close_s]
    rows = list(zip(*(column.tolist() for column in columns)))
    assert rows == sorted(rows, key=lambda row: (row[2], row[0], row[1]))
    for t_s in np.linspace(1.0, stop_s - 1.0, 40):
        near = {(a, b) for a, b, *ends in rows if min(abs(end - t_s) for end in ends) < 2e-3}
        inside = {(a, b) for a, b, open_s, close_s in rows if open_s <= t_s <= close_s}
        assert links_of(made.at(float(t_s)).graph).keys() - near == inside - near
    plan = made.contacts(0.0, stop_s)
    assert plan.epoch == "2024-01-13T00:00:00Z" and plan.nodes.ids() == list(made.ids)
    assert np.array_equal(plan.open_s, windows.open_s) and np.array_equal(plan.rate_bps, windows.rate_bps)
    middle_s = (windows.open_s + windows.close_s) / 2
    for i in range(0, len(plan), 17):
        latency_s, _ = links_of(made.at(float(middle_s[i])).graph)[windows.from_[i], windows.to[i]]
        assert plan.owlt_s[i] == pytest.approx(latency_s, rel=1e-6)


def test_contacts_route_messages():
    plan = world().contacts(0.0, 1200.0)
    found = network.earliest_arrival(plan, "Svalbard", size_bytes=1e6)
    assert np.isfinite(found.arrival_s[0, plan.nodes.position("Dubai")])


def test_lifetimes_are_told_as_far_as_the_horizon():
    made = world()
    snapshot = made.at(60.0, horizon_s=900.0)
    assert snapshot.graph == made.at(60.0).graph and made.at(60.0).lifetime_s is None
    lifetime_s = snapshot.lifetime_s
    ground = np.array([max(pair) >= 66 for pair in links_of(snapshot.graph)])
    assert np.isinf(lifetime_s[~ground]).all() and np.isfinite(lifetime_s[ground]).any()
    for pair, lives_s in zip(links_of(snapshot.graph), lifetime_s.tolist()):
        if np.isfinite(lives_s):
            assert pair in links_of(made.at(60.0 + lives_s - 0.01).graph)
            assert pair not in links_of(made.at(60.0 + lives_s + 0.01).graph)


def test_what_windows_cannot_say_is_refused():
    with pytest.raises(ValueError, match=r"links\[0\].survival: 0.5 is drawn for slots; windows need slot_s"):
        world(links=orbit.plus_grid(survival=0.5)).contacts(0.0, 60.0)
    with pytest.raises(ValueError, match=r"slot_s: 0.0 is not in \(0, inf\)"):
        world(links=orbit.plus_grid(survival=0.5)).contacts(0.0, 60.0, slot_s=0.0)
    with pytest.raises(ValueError, match="slot_s: 0.001 from 0 to 1e.06 makes more than 10000000 slots"):
        world(links=orbit.plus_grid(survival=0.5)).contacts(0.0, 1e6, slot_s=1e-3)
    with pytest.raises(ValueError, match="'nearest' of 66 satellites over 1e.08 s is more than"):
        world(links=orbit.nearest(4)).contacts(0.0, 1e8)
    sets = world(satellites=orbit.sample_elements(), links=orbit.ground())
    with pytest.raises(ValueError, match="stop: 80 satellites of SGP4 over 1e.09 s are more than 50000000"):
        sets.contacts(0.0, 1e9)


# ---- as a value ----------------------------------------------------------------------------------


def test_problems_take_it():
    made = world(computers={"flop_per_s": 1e12, "memory_bytes": 8e9})
    problem = split.Problem(
        model=model.from_arrays(
            flop=[1e10] * 4, memory_bytes=[1e9] * 4, output_bytes=[1e6] * 4, input_bytes=1e7
        ),
        network=made.at("2026-03-01T12:10:00Z"),
        source="iridium-next/0/3",
        sink="Svalbard",
        codecs=codec.menu("none"),
    )
    plan = split.solve(problem, time_limit_s=5.0)
    assert plan.path[0] == "iridium-next/0/3" and plan.path[-1] == "Svalbard"
    assert split.check(problem, plan) == []


def test_equality_pickles_and_copies():
    made = world(computers={"flop_per_s": 1e12, "memory_bytes": 8e9})
    made.at(0.0)
    copy = pickle.loads(pickle.dumps(made))
    assert copy == made == world(computers={"flop_per_s": 1e12, "memory_bytes": 8e9}) and copy != 5
    assert copy.at(0.0).graph == made.at(0.0).graph
    for change in (
        {"name": "other"}, {"epoch": "2026-03-02"}, {"stations": DUBAI}, {"links": []}, {"computers": None},
        {"satellites": orbit.preset("oneweb"), "links": []},
    ):  # fmt: skip
        assert made.replace(**change) != made
    assert made.replace() == made and world().replace() == world() == world(computers={})
    with pytest.raises(TypeError, match="unexpected keyword argument 'shells'"):
        made.replace(shells=[])
    with pytest.raises(TypeError, match="unhashable"):
        hash(made)
    with pytest.raises(AttributeError):
        made.name = "other"
    moved = orbit.Constellation(orbit.sample_elements())
    moved.states(0.0)
    assert np.array_equal(
        pickle.loads(pickle.dumps(moved)).states(0.0).position_m, moved.states(0.0).position_m
    )


def test_displays():
    made = world(satellites=[orbit.preset("iridium-next"), orbit.sample_elements()], name="both")
    assert (
        repr(made)
        == "Constellation(146 satellites, 2 stations, 2 rules of links, epoch 2026-03-01T12:00:00Z)"
    )
    assert repr(orbit.Constellation(orbit.preset("oneweb"), stations=DUBAI, links=orbit.ground())) == (
        "Constellation(588 satellites, 1 station, 1 rule of links, epoch 2000-01-01T12:00:00Z)"
    )
    assert [" ".join(line.split()) for line in made.summary().splitlines()] == [
        "Constellation both: 146 satellites, 2 stations, 2 rules of links",
        "time 0 is 2026-03-01T12:00:00Z",
        "",
        "shell planes of each altitude inclination propagator",
        "iridium-next 6 11 780 km 86.4 ° j2",
        "element sets – 80 – – sgp4",
        "",
        "station latitude longitude elevation from",
        "Svalbard 78.2 ° 15.4 ° 8 °",
        "Dubai 25.2 ° 55.3 ° 8 °",
        "",
        "links shell rate",
        "plus-grid iridium-next 2.5 Gbit/s",
        "ground all 800 Mbit/s",
    ]
    html = world(stations=DUBAI.replace(id="<b>"))._repr_html_()
    assert "<td>&lt;b&gt;</td>" in html


@pytest.mark.parametrize("call", ["windows", "contacts", "to_czml"])
def test_spans_are_of_one_instant_each(call: str) -> None:
    sky = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
    with pytest.raises(ValueError, match=r"start: expected one instant, got shape \(1,\)"):
        getattr(sky, call)([0.0], 10.0)
    with pytest.raises(ValueError, match=r"stop: expected one instant, got shape \(2,\)"):
        getattr(sky, call)(0.0, [10.0, 20.0])


def test_lifetimes_of_a_satellite_that_decays_end_with_it_or_are_refused():
    sets = orbit.sample_elements()[:2]
    falling = orbit.ElementSets(
        sets.catalogue_number,
        epoch=[sets.epoch[0]] * 2,
        inclination_deg=[86.4, 86.4],
        raan_deg=[0.0, 0.0],
        argument_of_perigee_deg=[0.0, 0.0],
        mean_anomaly_deg=[180.0, 170.0],
        mean_motion_rev_per_day=[15.5, 13.0],
        eccentricity=[0.08, 0.001],
    )
    sky = orbit.Constellation(falling, links=orbit.LinkRule(pattern="all", grazing_altitude_m=-6e6))
    lost_s = 60.0 * int(np.argmax(sky.states(60.0 * np.arange(100)).error[0] != 0))
    assert lost_s > 1000.0 and sky.at(0.0).graph.link_count == 2
    # Windows know it until the last of the samples, one a minute.
    assert sky.windows(0.0, lost_s + 300.0).close_s.tolist() == [lost_s - 60.0] * 2
    assert sky.at(0.0, horizon_s=lost_s + 300.0).lifetime_s.tolist() == [lost_s - 60.0] * 2
    assert sky.at(0.0, horizon_s=lost_s - 600.0).lifetime_s.tolist() == [np.inf] * 2
    with pytest.raises(ValueError, match=rf"horizon_s: satellite '{sky.ids[0]}' has no state 120 s on"):
        sky.at(lost_s - 120.0, horizon_s=300.0)
