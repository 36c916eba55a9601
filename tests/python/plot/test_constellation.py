"""Maps, skies, contacts and globes: what is drawn, counted; also of 1,584 satellites."""

from __future__ import annotations

import re

import numpy as np
import pytest

from constellm import codec, model, network, orbit, plot, split
from constellm.plot import palette

SVALBARD = orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=10.0)
DUBAI = orbit.station("Dubai", 25.2, 55.3, min_elevation_deg=10.0)


@pytest.fixture(scope="module")
def world():
    return orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=[SVALBARD, DUBAI],
        links=[orbit.plus_grid(seam="open"), orbit.ground()],
        epoch="2026-03-01T12:00:00Z",
    )


@pytest.fixture(scope="module")
def starlink():
    return orbit.Constellation(
        orbit.preset("starlink-550"),
        stations=[orbit.station("Munich", 48.1, 11.6), orbit.station("Dubai", 25.2, 55.3)],
        links=[orbit.plus_grid(), orbit.ground()],
        epoch="2026-03-01T12:00:00Z",
    )


def lines_of(axes, colour):
    """Of this colour, but not the coasts."""
    from matplotlib.colors import to_rgb

    found = [lines for lines in axes.collections if hasattr(lines, "get_segments") and lines.zorder >= 1]
    same = [lines for lines in found if np.allclose(lines.get_color()[0][:3], to_rgb(colour))]
    return [segment for lines in same for segment in lines.get_segments()]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def pairs_of(graph, group):
    chosen = graph.group_of == graph.groups.index(group)
    return {tuple(sorted(ends)) for ends in zip(graph.from_[chosen].tolist(), graph.to[chosen].tolist())}


# --- maps --------------------------------------------------------------------------------------------


def test_each_pair_of_a_snapshot_is_one_line_or_two_at_the_date_line(starlink):
    axes = plot.plot_world_map(starlink, 60.0)
    graph = starlink.at(60.0).graph
    for group, colour in (("isl", palette.MUTED), ("s2g", palette.CONTACT)):
        drawn, pairs = lines_of(axes, colour), pairs_of(graph, group)
        assert len(pairs) <= len(drawn) <= 1.1 * len(pairs)
    assert len(axes.collections) < 12 and len(axes.texts) == 2
    assert axes.get_title(loc="left") == "1584 satellites at 2026-03-01T12:01:00Z, 3168 links between them"
    assert legend(axes) == ["link", "link to a station", "satellite", "sees satellites within", "station"]


def test_no_line_crosses_the_map(starlink):
    axes = plot.plot_world_map(
        starlink, 0.0, tracks=["starlink-550/0/0", "starlink-550/9/9"], track_s=20_000.0
    )
    for colour in (palette.MUTED, palette.CONTACT, palette.TRACK):
        for segment in lines_of(axes, colour):
            assert np.abs(np.diff(segment[:, 0])).max() < 90.0
    assert axes.get_xlim() == (-180.0, 180.0) and axes.get_ylim() == (-90.0, 90.0)


def test_satellites_are_where_they_are(world):
    axes = plot.plot_world_map(world, 600.0, links=False)
    latitude, longitude, _ = orbit.ecef_to_geodetic(world.states(600.0, frame="ecef").position_m)
    spots = [np.asarray(dots.get_offsets()) for dots in axes.collections if len(dots.get_offsets()) == 66]
    assert np.allclose(spots[0], np.stack([longitude, latitude], axis=1))
    assert legend(axes) == ["satellite", "sees satellites within", "station"]


def test_a_track_begins_at_the_satellite_and_lasts(world):
    axes = plot.plot_world_map(world, 600.0, tracks="iridium-next/2/3", track_s=100.0)
    track = min(lines_of(axes, palette.TRACK), key=lambda line: abs(line[0, 0]))
    place = world.satellite_ids.index("iridium-next/2/3")
    for time_s, spot in ((600.0, track[0]), (700.0, track[-1])):
        latitude, longitude, _ = orbit.ecef_to_geodetic(world.states(time_s, frame="ecef").position_m[place])
        assert spot == pytest.approx([float(longitude), float(latitude)])


def test_routes_of_every_kind(world):
    routes = world.routes("Svalbard", "Dubai", [0.0, 60.0])
    hops = int(routes.hops[1])
    plan = world.contacts(0.0, 600.0)
    for route in (routes, routes.paths[1], list(routes.paths[1])):
        axes = plot.plot_world_map(world, 60.0, route=route)
        assert hops <= len(lines_of(axes, palette.ROUTE)) <= hops + 2
        assert f"Svalbard → Dubai: {hops} hops" in axes.get_title(loc="left")
    arrived = network.earliest_arrival(plan, "Svalbard").route(0, "Dubai")
    assert "Svalbard → Dubai" in plot.plot_world_map(world, 0.0, route=arrived).get_title(loc="left")


def test_the_route_of_a_plan(world):
    able = world.replace(computers={"flop_per_s": 1e12, "memory_bytes": 8e9})
    layers = model.from_arrays(
        flop=[1e9] * 4, memory_bytes=[1e8] * 4, output_bytes=[1e5] * 4, input_bytes=1e6
    )
    problem = split.Problem(
        model=layers,
        network=able.at(0.0, ends="Svalbard"),
        source="iridium-next/0/5",
        sink="Svalbard",
        codecs=codec.menu("none"),
    )
    plan = split.solve(problem)
    axes = plot.plot_world_map(able, 0.0, route=plan)
    assert len(lines_of(axes, palette.ROUTE)) >= len(plan.path) - 1
    assert "delay" in axes.get_title(loc="left")


def test_where_there_is_no_route(world):
    apart = world.replace(links=orbit.ground())
    axes = plot.plot_world_map(apart, 0.0, route=apart.routes("Svalbard", "Dubai", [0.0]))
    assert axes.get_title(loc="left").endswith("no route from Svalbard to Dubai")
    assert "route" not in legend(axes)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"t": [0.0, 1.0]}, ValueError, r"t: expected one instant, got shape \(2,\)"),
        ({"tracks": ["iridium-next/0/0", "x"]}, ValueError, r"tracks\[1\]: no satellite has id 'x'"),
        ({"track_s": 0.0}, ValueError, r"track_s: 0.0 is not in \(0, 604800\]"),
        ({"route": ["Svalbard", "x"]}, ValueError, r"route\[1\]: no satellite or station has id 'x'"),
        ({"route": "Svalbard"}, TypeError, "route: expected Routes, a Plan, a ContactRoute or ids in order"),
        ({"route": [1]}, TypeError, r"route\[0\]: expected a str, got 1"),
        ({"tracks": 3}, TypeError, "tracks: expected ids, got 3"),
    ],
)
def test_wrong_arguments_of_maps(world, arguments, error, said):
    with pytest.raises(error, match=said):
        plot.plot_world_map(world, **arguments)


def test_routes_of_another_instant(world):
    with pytest.raises(ValueError, match="route: it has no instant 30, at which the world is drawn"):
        plot.plot_world_map(world, 30.0, route=world.routes("Svalbard", "Dubai", [0.0]))


def test_a_route_over_a_satellite_that_is_gone():
    pytest.importorskip("sgp4")
    sets = orbit.sample_elements()[:2]
    falling = orbit.ElementSets(
        **{**vars(sets), "bstar": [0.2, 0.0], "mean_motion_rev_per_day": [16.4, 14.3]}
    )
    sky = orbit.Constellation(falling)
    ids = list(sky.satellite_ids)
    gone = rf"route\[1\]: '{ids[0]}' has no state at 20"
    with pytest.raises(ValueError, match=gone):
        plot.plot_world_map(sky, 86400.0, route=ids[::-1])
    assert not plot.plot_world_map(sky, 86400.0, tracks=ids).texts


def test_many_stations_have_neither_names_nor_circles():
    sites = orbit.sample_stations("nen")
    many = [orbit.station(f"s{i}", i, 3.0 * i) for i in range(31)]
    assert 10 < len(sites) <= 30
    shell = orbit.preset("iridium-next")
    assert not plot.plot_world_map(orbit.Constellation(shell, stations=many)).texts
    named = plot.plot_world_map(orbit.Constellation(shell, stations=sites))
    assert len(named.texts) == len(sites)


# --- the sky -----------------------------------------------------------------------------------------


def tracks_of(axes, colour=palette.CONTACT):
    return [line for line in axes.lines if line.get_color() == colour and line.get_marker() == "None"]


def test_a_pass_begins_and_ends_at_the_mask(world):
    axes = plot.plot_sky(world, "Svalbard", 0.0, 3600.0, satellites="iridium-next/1/0")
    windows = world.windows(0.0, 3600.0)
    mine = (windows.from_ == world.satellite_ids.index("iridium-next/1/0")) & (windows.to == 66)
    assert len(tracks_of(axes)) == np.count_nonzero(mine) == 1
    azimuth, down = tracks_of(axes)[0].get_data()
    assert [down[0], down[-1]] == pytest.approx([80.0, 80.0], abs=0.01)
    at = world.states(windows.open_s[mine], frame="ecef").position_m[11]
    seen = orbit.look_angles(78.2, 15.4, 0.0, at)
    assert np.degrees(azimuth[0]) == pytest.approx(seen.azimuth_deg[0])
    said = [text.get_text() for text in axes.texts]
    marks = [text for text in said if re.fullmatch(r"\d\d:\d\d", text)]
    assert "iridium-next/1/0" in said and "10°" in said and 3 <= len(marks) <= 8
    assert axes.get_title(loc="left") == "Svalbard: 1 pass\n2026-03-01, 12:00 to 13:00 UTC"


def test_marks_stand_where_the_satellite_is_then(world):
    axes = plot.plot_sky(world, "Svalbard", 0.0, 3600.0, satellites="iridium-next/1/0")
    (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
    words = [text.get_text() for text in axes.texts if re.fullmatch(r"\d\d:\d\d", text.get_text())]
    for word, around, down in zip(words, *dots.get_data()):
        at = world.states(f"2026-03-01T{word}:00Z", frame="ecef").position_m[11]
        seen = orbit.look_angles(78.2, 15.4, 0.0, at)
        assert [np.degrees(around), 90 - down] == pytest.approx(
            [float(seen.azimuth_deg), float(seen.elevation_deg)]
        )


def test_many_passes_are_cut_to_the_longest(starlink):
    axes = plot.plot_sky(starlink, "Munich", 0.0, 600.0, most=20)
    windows = starlink.windows(0.0, 600.0)
    length_s = np.sort((windows.close_s - windows.open_s)[windows.to == 1584])
    assert len(tracks_of(axes)) == 20
    assert axes.get_title(loc="left").startswith(f"Munich: 20 longest of {len(length_s)} passes")
    assert not any(text.get_text().startswith("starlink") for text in axes.texts)


def test_the_rule_of_stations_cuts_passes_too(world):
    near = world.replace(links=orbit.ground(max_range_m=1.5e6, survival=0.5))
    for sky in (near, world):
        axes = plot.plot_sky(sky, "Dubai", 0.0, 6000.0)
        low = max(line.get_ydata().max() for line in tracks_of(axes))
        assert (low > 79.9) == (sky is world)


def test_wrong_arguments_of_skies(world):
    from matplotlib import pyplot

    for arguments, said in (
        (("Oslo", 0.0, 60.0), "station: no station has id 'Oslo'"),
        (("Dubai", 60.0, 0.0), "stop"),
    ):
        with pytest.raises(ValueError, match=said):
            plot.plot_sky(world, *arguments)
    with pytest.raises(ValueError, match=r"satellites\[0\]: no satellite has id 'x'"):
        plot.plot_sky(world, "Dubai", 0.0, 60.0, satellites="x")
    with pytest.raises(ValueError, match="ax: expected polar axes"):
        plot.plot_sky(world, "Dubai", 0.0, 60.0, ax=pyplot.subplots()[1])
    given = pyplot.subplot(projection="polar")
    assert plot.plot_sky(world, "Dubai", 0.0, 60.0, ax=given) is given


# --- contacts ----------------------------------------------------------------------------------------


def bars_of(axes):
    return [len(bars.get_paths()) for bars in axes.collections]


def test_a_row_for_each_pair_below_its_station(world):
    plan = world.contacts(0.0, 6000.0)
    axes = plot.plot_contacts(plan, most=1000)
    windows = world.windows(0.0, 6000.0)
    down = windows.to >= 66
    pairs = set(zip(windows.from_[down].tolist(), windows.to[down].tolist()))
    assert len(bars_of(axes)) == len(pairs) and sum(bars_of(axes)) == np.count_nonzero(down)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[0] == "Svalbard" and "Dubai" in labels and len(labels) == len(pairs) + 2
    assert not any(label.startswith(("→", "←")) for label in labels)
    assert axes.get_title(loc="left") == f"Contacts of 2 nodes: {len(pairs)} pairs"
    assert axes.get_xlabel() == "time since 2026-03-01T12:00:00Z (s)"


def test_a_pair_counts_once_where_both_have_rows(world):
    plan = world.replace(stations=(), links=orbit.plus_grid(seam="open")).contacts(0.0, 600.0)
    axes = plot.plot_contacts(plan, most=1000)
    pairs = {frozenset(ends) for ends in zip(plan.from_.tolist(), plan.to.tolist())}
    assert len(bars_of(axes)) == 2 * len(pairs)
    assert axes.get_title(loc="left") == f"Contacts of 66 nodes: {len(pairs)} pairs"


def test_of_many_rows_the_longest_stay(starlink):
    axes = plot.plot_contacts(starlink.contacts(0.0, 600.0))
    assert len(bars_of(axes)) == 40
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels.index("Dubai") - labels.index("Munich") == 21
    assert re.fullmatch(r"Contacts of 2 nodes: 40 longest of \d+ pairs", axes.get_title(loc="left"))


def test_one_way_contacts_have_arrows_and_what_has_no_end_is_cut():
    plan = network.ContactPlan(
        ["a", "b", "c"], from_=[0, 1, 1, 2], to=[1, 0, 2, 0], open_s=[0, 0, 5, 20],
        close_s=[10, 10, np.inf, 30], rate_bps=1e6,
    )  # fmt: skip
    axes = plot.plot_contacts(plan, of=["b", "c"])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a", "→ c", "c", "→ a"]
    assert axes.get_xlabel() == "time (s)" and axes.get_xlim()[1] < 31.0


def test_wrong_arguments_of_contacts(world):
    plan = world.contacts(0.0, 60.0)
    with pytest.raises(ValueError, match=r"of\[0\]: no node has id 'x'"):
        plot.plot_contacts(plan, of="x")
    with pytest.raises(ValueError, match=r"most: 0 is not in \[1, inf\)"):
        plot.plot_contacts(plan, most=0)
    with pytest.raises(ValueError, match="plan: 1 node of 1 have no contacts in it"):
        plot.plot_contacts(network.ContactPlan(["a"], from_=[], to=[], open_s=[], close_s=[], rate_bps=1.0))
    with pytest.raises(TypeError, match="of: expected ids, got 3"):
        plot.plot_contacts(plan, of=3)
    with pytest.raises(TypeError, match="plan: expected a ContactPlan"):
        plot.plot_contacts(world)


# --- globes ------------------------------------------------------------------------------------------


def test_a_globe_has_one_trace_of_each_kind(starlink):
    pytest.importorskip("plotly")
    globe = plot.plot_globe(starlink, 60.0, route=starlink.routes("Munich", "Dubai", [60.0]))
    traces = {trace.name: trace for trace in globe.data}
    kinds = [
        "Earth",
        "coast",
        "link",
        "link to a station",
        "route",
        "satellite",
        "station",
        "on the route",
        "names",
    ]
    assert list(traces) == kinds
    assert len(traces["link"].x) == 3 * 3168 and len(traces["satellite"].x) == 1584
    place = starlink.states(60.0, frame="ecef").position_m[7]
    assert [traces["satellite"][axis][7] for axis in "xyz"] == pytest.approx((place / 1e6).tolist())
    assert traces["satellite"].text[7] == "starlink-550/0/7"
    assert globe.layout.title.text.startswith("1584 satellites at 2026-03-01T12:01:00Z<br>3168 links")


def test_names_are_no_markup_of_a_globe(world):
    pytest.importorskip("plotly")
    odd = orbit.station("A, <b> $5$", 78.2, 15.4, min_elevation_deg=10.0)
    sky = world.replace(stations=[odd, DUBAI])
    globe = plot.plot_globe(sky, 0.0, route=sky.routes(odd.id, "Dubai", [0.0]))
    lines = globe.layout.title.text.split("<br>")
    assert len(lines) == 3 and lines[2].startswith("A, &lt;b&gt; $5$ → Dubai: ") and lines[2].endswith(" ms")
    title = plot.plot_world_map(sky, 0.0, route=sky.routes(odd.id, "Dubai", [0.0])).get_title(loc="left")
    assert r"A, <b> \$5\$ → Dubai" in title


def test_a_globe_of_satellites_alone(world):
    pytest.importorskip("plotly")
    globe = plot.plot_globe(world.replace(stations=(), links=()), links=False)
    assert [trace.name for trace in globe.data] == ["Earth", "coast", "satellite"]
