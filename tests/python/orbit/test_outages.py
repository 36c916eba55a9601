"""What is lost by schedule: at instants, over time and in windows."""

from __future__ import annotations

import pickle
from math import inf

import numpy as np
import pytest

from constellm import orbit
from oracles import random_constellations


def world(**changes):
    """Whose links have no rates."""
    return random_constellations.world(**{"links": [orbit.plus_grid(seam="open"), orbit.ground()], **changes})


def some_outages(made, random, count=12):
    outages, lost = [], []
    satellites = len(made.satellite_ids)
    for _ in range(count):
        start_s = float(random.choice([-inf, random.uniform(0, 2500)]))
        stop_s = float(random.choice([inf, max(start_s, 0.0) + random.uniform(1, 800)]))
        if random.random() < 0.5:
            ends = (int(random.integers(len(made.ids))),)
        else:
            a, b = divmod(int(random.integers(satellites)), 11)
            ends = (11 * a + b, 11 * a + (b + 1) % 11)
        outages.append(orbit.Outage([made.ids[end] for end in ends], start=start_s, stop=stop_s))
        lost.append((ends, start_s, stop_s))
    return outages, lost


def is_lost(lost, pair, t_s):
    return any(
        start_s <= t_s < stop_s and (set(ends) == set(pair) if len(ends) == 2 else ends[0] in pair)
        for ends, start_s, stop_s in lost
    )


def links_of(graph):
    return set(zip(graph.from_.tolist(), graph.to.tolist()))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_lost_has_no_links_and_no_windows(seed):
    random = np.random.default_rng(seed)
    whole = world()
    outages, lost = some_outages(whole, random)
    cut = whole.replace(outages=outages)
    times = np.append(random.uniform(0, 3000, 20), [x for _, a, b in lost for x in (a, b) if 0 <= x < 3000])
    windows = cut.windows(0.0, 3000.0)
    for t_s in times.tolist():
        expected = {pair for pair in links_of(whole.at(t_s).graph) if not is_lost(lost, pair, t_s)}
        assert links_of(cut.at(t_s).graph) == expected
        open_now = (windows.open_s <= t_s) & (t_s < windows.close_s)
        assert set(zip(windows.from_[open_now].tolist(), windows.to[open_now].tolist())) == expected
    assert len(cut.contacts(0.0, 3000.0)) == len(windows)
    edges = np.concatenate([windows.open_s, windows.close_s])
    assert any(b in edges for _, _, b in lost if b < 3000)


def test_routes_and_timelines_go_round_what_is_lost():
    source, target = "iridium-next/2/0", "iridium-next/2/2"
    between = "iridium-next/2/1"
    made = world(outages=orbit.Outage(between, start=60.0, stop=120.0))
    routes = made.routes(source, target, [0.0, 60.0, 119.0, 120.0])
    assert [between in path for path in routes.paths] == [True, False, False, True]
    timeline = made.timeline(0.0, 180.0, 60.0)
    counts = [snapshot.graph.link_count for snapshot in timeline]
    assert counts[1] < min(counts[0], counts[2])
    # A link lives until its end is lost.
    snapshot = made.at(0.0, horizon_s=600.0)
    ends = [
        i for i, pair in enumerate(zip(snapshot.graph.from_.tolist(), snapshot.graph.to.tolist()))
        if set(pair) == {made.ids.index(source), made.ids.index(between)}
    ]  # fmt: skip
    assert snapshot.lifetime_s[ends].tolist() == [60.0, 60.0]
    assert "1 outage" in repr(made) and between in made.summary()


def test_the_ends_of_a_lost_link_still_ask_for_each_other():
    sets = orbit.sample_elements()
    whole = orbit.Constellation(sets, links=orbit.nearest(4))
    t = "2024-01-13T00:00:00Z"
    links = links_of(whole.at(t).graph)
    a, b = min(links)
    cut = whole.replace(outages=orbit.Outage((whole.ids[a], whole.ids[b])))
    assert links_of(cut.at(t).graph) == links - {(a, b), (b, a)}


def test_the_nearest_of_a_lost_satellite_find_others():
    sets = orbit.sample_elements()
    made = orbit.Constellation(sets, links=orbit.nearest(4), outages=orbit.Outage(sets.ids[7]))
    others = orbit.Constellation(sets[[i for i in range(len(sets)) if i != 7]], links=orbit.nearest(4))
    t = "2024-01-13T00:00:00Z"
    by_id = [{(one.ids[a], one.ids[b]) for a, b in links_of(one.at(t).graph)} for one in (made, others)]
    assert by_id[0] == by_id[1] and by_id[0]


def test_instants_count_from_the_epoch():
    by_seconds = world(outages=orbit.Outage(("Dubai",), start=60, stop=90.5))
    by_instants = world(
        outages=orbit.Outage("Dubai", start="2026-03-01T12:01:00Z", stop="2026-03-01T12:01:30.5Z")
    )
    by_numpy = world(outages=orbit.Outage("Dubai", start=np.int64(60), stop=np.float32(90.5)))
    assert by_numpy == by_seconds
    for t_s in (59.9, 60.0, 90.0, 90.5):
        assert by_seconds.at(t_s).graph == by_instants.at(t_s).graph
    assert by_seconds == pickle.loads(pickle.dumps(by_seconds)) == by_seconds.replace()
    assert by_seconds != world() and by_seconds.outages[0].ids == ("Dubai",)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: orbit.Outage(5), "ids: expected the id of a node or those of a link's two ends, got 5"),
        (lambda: orbit.Outage(("a", "b", "c")), "ids: expected the id of a node"),
        (lambda: orbit.Outage(("a", "a")), "ids: 'a' has no link with itself"),
        (lambda: orbit.Outage("a", start=float("nan")), r"start: nan is not in \[-inf, inf\]"),
        (lambda: orbit.Outage("a", start=10**400), r"start: 1000.* is not in \[-inf, inf\]"),
        (lambda: orbit.Outage("a", start=np.timedelta64(5, "m")), "start: expected an Epoch"),
        (lambda: orbit.Outage("a", stop="noon"), "stop: 'noon'"),
        (lambda: world(outages="Dubai"), "outages: expected an Outage, or a sequence of them, got 'Dubai'"),
        (
            lambda: world(outages=[orbit.Outage("Rome")]),
            r"outages\[0\].ids: no satellite or station has id 'Rome'",
        ),
        (
            lambda: world(outages=orbit.Outage(("Dubai", "Svalbard"))),
            r"outages\[0\].ids: \('Dubai', 'Svalbard'\) are both stations, which have no link",
        ),
        (
            lambda: world(outages=orbit.Outage("Dubai", start=5, stop=5)),
            r"outages\[0\].stop: 5 s is not after the start, 5 s",
        ),
    ],
)
def test_what_cannot_be_lost_is_refused(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()


def test_files_have_no_outages(tmp_path):
    made = world(outages=orbit.Outage("Dubai"))
    path = tmp_path / "sky.json"
    with pytest.raises(ValueError, match=r"outages: the format has no place for them; save world.replace"):
        orbit.save_constellation(made, path)
    orbit.save_constellation(made.replace(outages=()), path)
    assert orbit.load_constellation(path, outages=made.outages) == made
