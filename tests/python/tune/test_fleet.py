"""Fleets as values, of constellations, and with what is lost; plans moved, cut and played backwards."""

from __future__ import annotations

import pickle
from math import inf

import numpy as np
import pytest

from constellm import network, orbit, tune
from constellm.tune.contacts import backwards, cut_out, moved

NAMES = ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")


def random_plan(rng):
    """Contacts among four nodes."""
    count = int(rng.integers(1, 20))
    from_ = rng.integers(0, 4, count)
    open_s = rng.integers(0, 20, count) / 2.0
    return network.ContactPlan(
        ["a", "b", "c", "d"],
        from_=from_,
        to=(from_ + rng.integers(1, 4, count)) % 4,
        open_s=open_s,
        close_s=open_s + rng.integers(1, 10, count),
        rate_bps=rng.integers(1, 9, count) * 1e6,
        owlt_s=rng.integers(0, 4, count) / 4.0,
    )


def open_at(plan, t):
    """Contacts at a moment, as often as they are open."""
    here = (plan.open_s <= t) & (t < plan.close_s)
    return sorted(zip(plan.from_[here], plan.to[here], plan.rate_bps[here], plan.owlt_s[here]))


def test_plans_are_moved_and_cut_at_every_moment(random_problems):
    for seed in range(random_problems):
        rng = np.random.default_rng(seed)
        plan = random_plan(rng)
        t_s = float(rng.integers(0, 20)) / 2
        later = moved(plan, t_s)
        nodes, pairs = rng.choice(4, int(rng.integers(0, 2)), replace=False).tolist(), [(0, 1)] * (seed % 2)
        start_s = float(rng.integers(0, 10))
        stop_s = inf if seed % 3 == 0 else start_s + float(rng.integers(1, 10))
        left = cut_out(plan, nodes, pairs, [(start_s, stop_s)])
        for t in np.arange(0.25, 25.0, 0.5):
            assert open_at(later, t) == open_at(plan, t + t_s)
            kept = [
                row
                for row in open_at(plan, t)
                if not start_s <= t < stop_s
                or not (row[0] in nodes or row[1] in nodes or {row[0], row[1]} in [set(p) for p in pairs])
            ]
            assert open_at(left, t) == kept


def test_latest_departures_are_earliest_arrivals_backwards(random_problems):
    """Leaving at the latest one is there by the deadline, and a moment later no more."""
    for seed in range(random_problems // 3):
        plan, size, end_s = random_plan(np.random.default_rng(seed)), 5e5, 12.0
        back = network.earliest_arrival(backwards(plan, end_s), "a", size_bytes=size).arrival_s[0]
        for at, id in enumerate("abcd"):
            latest_s = end_s - back[at]
            if id == "a":
                assert back[at] == 0.0
                continue
            if not latest_s > -inf:
                assert network.earliest_arrival(plan, id, size_bytes=size, t_s=-99.0).arrival_s[0, 0] > end_s
                continue
            ways = network.earliest_arrival(
                plan, [id, id], size_bytes=size, t_s=[latest_s - 1e-9, latest_s + 1e-6]
            )
            assert ways.arrival_s[0, 0] <= end_s + 1e-9 < ways.arrival_s[1, 0]


def test_a_fleet_is_a_value(pair, star):
    for fleet in (pair, star):
        again = pickle.loads(pickle.dumps(fleet))
        assert again == fleet and again is not fleet and fleet != "fleet"
        assert fleet != fleet.replace(antennas=2) and fleet.replace() == fleet
        assert fleet != fleet.replace(images=7)
        assert repr(fleet) in fleet.summary() and "<table" in fleet._repr_html_()
        with pytest.raises(ValueError, match="read-only"):
            fleet.images[0] = 3.0


def test_a_fleet_of_a_constellation(star):
    assert len(star.rings) == 6 and {len(ring) for ring in star.rings} == {11}
    assert star.satellites[:2] == ("iridium-next/0/0", "iridium-next/0/1")
    assert star.stations == ("Svalbard", "Troll", "Inuvik")
    assert star.end_s == 7200.0 and star.contacts.open_s.min() == 0.0


def test_time_begins_at_the_start_and_uplinks_have_their_rate():
    world = orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=10.0),
        links=[orbit.plus_grid(seam="open"), orbit.ground(rate_bps=3e8)],
    )
    speeds = {"images": 5, "board_flop_per_s": 1.0, "server_flop_per_s": 1.0}
    one = tune.fleet(world, 600.0, 1200.0, uplink_bps=1e8, **speeds)
    whole = tune.fleet(world, 0.0, 1200.0, **speeds)
    assert one.end_s == 600.0
    station = one.contacts.nodes.position("Svalbard")
    up, down = one.contacts.from_ == station, one.contacts.to == station
    assert set(one.contacts.rate_bps[up]) == {1e8} and set(one.contacts.rate_bps[down]) == {3e8}
    ends = [(row[0], row[1]) for row in open_at(one.contacts, 300.0)]
    assert ends == [(row[0], row[1]) for row in open_at(whole.contacts, 900.0)]


def test_what_is_lost_for_good_leaves_the_fleet(star):
    lost = star.without(["iridium-next/1/3", "Troll"])
    assert len(lost.satellites) == 65 and lost.stations == ("Svalbard", "Inuvik")
    assert lost.rings[1][0] == "iridium-next/1/4" and lost.rings[1][-1] == "iridium-next/1/2"
    assert lost.images.sum() == 65 * 500
    gone = [lost.contacts.nodes.position(id) for id in ("iridium-next/1/3", "Troll")]
    assert not np.isin(lost.contacts.from_, gone).any() and not np.isin(lost.contacts.to, gone).any()
    for_a_while = star.without("iridium-next/1/3", start_s=0.0, stop_s=60.0)
    assert for_a_while.satellites == star.satellites


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([["a", "b"]], ["x"]), r"stations\[0\]: 'x' is no node of the contacts"),
        (([["a", "a"]], ["g"]), r"rings\[0\]\[1\]: 'a' stands twice"),
        (([["a"], ["b", "g"]], ["g"]), r"stations\[0\]: 'g' stands twice"),
        (([], ["g"]), "rings: expected the satellites of at least one plane"),
        ((["ab"], ["g"]), r"rings\[0\]: expected a sequence of ids, got 'ab'"),
        (([[["a"]]], ["g"]), r"rings\[0\]\[0\]: \['a'\] is no node of the contacts"),
        (([["a"], []], ["g"]), r"rings\[1\]: must not be empty"),
    ],
)
def test_what_is_no_fleet_is_refused(pair, given, said):
    speeds = {"images": 1, "board_flop_per_s": 1.0, "server_flop_per_s": 1.0}
    with pytest.raises((ValueError, TypeError), match=said):
        tune.Fleet(pair.contacts, *given, **speeds)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": [1, 2, 3]}, r"images: shape \(3,\) is neither \(\) nor \(2,\)"),
        ({"images": [1, -2]}, r"images\[1\]: -2 is not in \[0, inf\)"),
        ({"images": 0}, "images: no satellite has any"),
        ({"images": "many"}, "images: expected numbers, got 'many'"),
        ({"board_flop_per_s": 0}, r"board_flop_per_s: 0 is not in \(0, inf\)"),
        ({"server_flop_per_s": inf}, r"server_flop_per_s: inf is not in \(0, inf\)"),
        ({"antennas": 0}, r"antennas: 0 is not in \[1, inf\)"),
        ({"antennas": 1.5}, "antennas: expected an integer, got 1.5"),
        ({"powers": 3}, "powers: expected a Powers, got 3"),
        ({"contacts": 3}, "contacts: expected a ContactPlan, got 3"),
        ({"image": 3}, "unexpected keyword argument 'image'; did you mean 'images'"),
    ],
)
def test_fields_that_are_wrong_are_named(pair, changes, said):
    with pytest.raises((ValueError, TypeError), match=said):
        pair.replace(**changes)


def test_losses_that_are_wrong_are_named(pair):
    for given, said in (
        ({"ids": "x"}, r"ids\[0\]: 'x' is no satellite or station of the fleet"),
        ({"links": [("a", "x")]}, r"links\[0\]: .* are no two satellites or stations"),
        ({"ids": ["a", "b"]}, "ids: no satellite is left"),
        ({"ids": "a", "start_s": 5.0, "stop_s": 5.0}, "stop_s: 5 s is not after the start, 5 s"),
        ({"ids": "a", "stop_s": "noon"}, "stop_s: expected a number, got 'noon'"),
        ({"ids": 3}, "ids: expected an id or several, got 3"),
        ({"ids": [["a"]]}, r"ids\[0\]: \['a'\] is no satellite or station"),
        ({"links": [1]}, r"links\[0\]: 1 are no two satellites or stations"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            pair.without(**given)
    with pytest.raises(ValueError, match=r"isl_w: -1 is not in \[0, inf\)"):
        tune.Powers(isl_w=-1)
    plan = network.ContactPlan(["a", "g"], from_=[0], to=[1], open_s=-1.0, close_s=5.0, rate_bps=1.0)
    with pytest.raises(ValueError, match="one opens at -1 s, before 0"):
        tune.Fleet(plan, [["a"]], ["g"], images=1, board_flop_per_s=1, server_flop_per_s=1)
    with pytest.raises(TypeError, match="its element sets have no planes"):
        sets = orbit.Constellation(orbit.sample_elements())
        tune.fleet(sets, 0, 60, images=1, board_flop_per_s=1, server_flop_per_s=1)
