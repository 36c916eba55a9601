"""Rounds could be flown: no link carries two things at once, and nobody passes on what it has not."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import network, tune
from python.tune.fleets import SMALL, random_fleet, two_planes

SIZE = 30_760.0
CHUNKS = 3


def plan_of(ids, links, **more):
    """Links (from, to, open, close), both ways, at 1 Mbit/s."""
    rows = [row for a, b, *times in links for row in ((a, b, *times), (b, a, *times))]
    from_, to, open_s, close_s = zip(*rows)
    return network.ContactPlan(
        ids,
        from_=[ids.index(id) for id in from_],
        to=[ids.index(id) for id in to],
        open_s=open_s,
        close_s=close_s,
        **{"rate_bps": 1e6, **more},
    )


def fleet_of(plan, rings, stations, **more):
    """A fleet whose updates take next to nothing."""
    given = {"images": 1, "board_flop_per_s": 1e15, "server_flop_per_s": 1e15, **more}
    return tune.Fleet(plan, rings, stations, **given)


def exchanges(fleet, cut, ring, rate_bps, hop_s):
    """From when to when chunks go around a plane, one after the other."""
    images = fleet.images[[fleet.satellites.index(id) for id in ring]]
    embed_s = float(images.max()) * SMALL.board_flop(cut) / fleet.board_flop_per_s / CHUNKS
    takes_s = (len(ring) - 1) * (8.0 * float(images.max()) * SMALL.cut_bytes(cut) / CHUNKS / rate_bps + hop_s)
    end_s = 0.0
    for i in range(CHUNKS):
        begin_s = max((i + 1) * embed_s, end_s)
        end_s = begin_s + takes_s
        yield begin_s, end_s


def test_nothing_goes_down_over_links_while_their_plane_exchanges(random_problems):
    sent = 0
    for seed in range(random_problems // 3):
        fleet = random_fleet(np.random.default_rng(seed))
        cut = seed % 3
        found = tune.schedule_round(SMALL, fleet, tune.Scheme(cut=cut, all_gather=True, chunks=CHUNKS))
        plan, contacts = found.down, found.down.problem.contacts
        for ring in fleet.rings:
            at = [contacts.nodes.position(id) for id in ring]
            rows = np.isin(fleet.contacts.from_, at) & np.isin(fleet.contacts.to, at)
            if not rows.any():
                continue
            rate_bps = float(fleet.contacts.rate_bps[rows].min())
            inside = np.isin(contacts.from_[plan.contact], at) & np.isin(contacts.to[plan.contact], at)
            sent += int(inside.sum())
            for begin_s, end_s in exchanges(fleet, cut, ring, rate_bps, 0.01):
                both = np.minimum(plan.end_s, end_s) - np.maximum(plan.start_s, begin_s)
                assert not (both[inside] > 1e-9).any(), (seed, ring)
    assert sent  # some links are used at other times


def test_planes_sum_up_when_the_way_back_has_left_their_links():
    plan = plan_of(["a", "b", "c", "g"], [("g", "a", 0, 1e4), ("a", "b", 0, 1e4), ("b", "c", 0, 1e4)])
    fleet = fleet_of(plan, [["a", "b"], ["c"]], ["g"], images=[1, 1, 50])
    found = tune.schedule_round(SMALL, fleet, tune.Scheme(cut=0, chunks=4))
    back, summed = (next(p for p in found.phases if p.name == name) for name in ("back", "all-reduce"))
    rows = found.back.problem.contacts
    relayed = np.isin(rows.from_[found.back.contact], [0, 1]) & np.isin(rows.to[found.back.contact], [0, 1])
    assert summed.start_s >= back.start_s + found.back.end_s[relayed].max() - 1e-9


def test_who_has_no_images_waits_for_no_features():
    plan = plan_of(["a", "b", "c", "g"], [("g", "a", 0, 1e4), ("b", "c", 0, 1e4)])
    fleet = fleet_of(plan, [["a"], ["b", "c"]], ["g"], images=[50, 0, 0])
    found = tune.schedule_round(SMALL, fleet, tune.Scheme(cut=0, chunks=2))
    back, summed = (next(p for p in found.phases if p.name == name) for name in ("back", "all-reduce"))
    assert summed.start_s == back.start_s and summed.end_s < back.end_s


def test_sums_go_on_from_those_who_have_summed_up():
    """The link of a and b is out when they want to, and back when planes sum up with each other."""
    always = [(a, b, 0, 100) for a, b in ("be", "ec", "cd")]
    plan = plan_of([*"abcde"], [("a", "b", 0, 10), ("a", "b", 10.01, 100), *always])
    fleet = fleet_of(plan, [["a", "b", "e"], ["c", "d"]], [])
    found = tune.schedule_round(SMALL, fleet, tune.Scheme(cut=None), start_s=10.0)
    between = found.phases[-1]
    assert between.start_s > 10.01
    size = SMALL.head_bytes
    tree = tune.sum_tree(plan, [["a"], ["b", "e"], ["c", "d"]], message_bytes=size, start_s=between.start_s)
    assert found.finish_s == tree.finish_s
    assert tree.finish_s > tune.aggregate(fleet, size, start_s=between.start_s).finish_s
    given = {"start_s": between.start_s, "summed": [["a"], ["b", "e"], ["c", "d"]]}
    assert tune.aggregate(fleet, size, **given).finish_s == tree.finish_s
    with pytest.raises(ValueError, match="summed: not every satellite of the fleet once"):
        tune.aggregate(fleet, size, summed=[["a"], ["c", "d"]])


@pytest.mark.parametrize("method", ["ring", "gossip"])
def test_links_between_planes_last_until_all_is_summed(method):
    short = [100.0] * 12 + [0.2] * 6  # a message takes 0.246 s
    assert tune.aggregate(two_planes(), SIZE, method=method).finish_s < np.inf
    assert tune.aggregate(two_planes(close_s=short), SIZE, method=method).finish_s == np.inf


def test_links_within_planes_last_until_the_chain_has_ended():
    assert tune.aggregate(two_planes(), SIZE, method="chain").finish_s > 0.9
    short = two_planes(close_s=[0.9] * 12 + [100.0] * 6)  # enough for the sum of a plane
    assert tune.aggregate(short, SIZE, method="chain").finish_s == np.inf


def test_a_tree_over_the_ground_has_the_energy_of_its_transmitters():
    plan = plan_of(["a", "b", "g"], [("a", "g", 0, 100), ("b", "g", 0, 100)])
    powers = tune.Powers(board_w=0.0, isl_w=1e9, down_w=2.0, up_w=3.0)
    fleet = fleet_of(plan, [["a"], ["b"]], ["g"], powers=powers)
    between = tune.schedule_round(SMALL, fleet, tune.Scheme(cut=None)).phases[-1]
    sent_s = 8 * SMALL.head_bytes / 1e6
    assert between.detail == "root g"
    assert between.delay_s == pytest.approx(2 * sent_s)
    assert between.energy_j == pytest.approx(2 * sent_s * (2.0 + 3.0))


def test_a_tree_may_have_its_root_in_no_group():
    plan = plan_of(["a", "b", "c", "hub"], [(id, "hub", 0, 100) for id in "abc"], rate_bps=8e6)
    found = tune.sum_tree(plan, [["a"], ["b"], ["c"]], message_bytes=1e6)
    assert (found.root, found.gathered_s, found.finish_s) == ("hub", 1.0, 2.0)
    assert found.finish_s == found.lower_bound_s
