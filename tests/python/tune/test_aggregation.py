"""Sums between orbits by every way, against closed forms and each other."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import network, tune
from python.tune.fleets import two_planes

SIZE = 30_760.0


def test_every_way_by_hand():
    fleet, sent = two_planes(), 8 * SIZE / 1e6
    tree = tune.aggregate(fleet, SIZE, start_s=3.0)
    # A message to the other plane; the sum back to it and on to its neighbours, or the other way around.
    assert tree.delay_s == pytest.approx(3 * sent + 0.2 + 0.2 + 0.1)
    assert tree.start_s == 3.0 and tree.sent_bytes % SIZE == 0
    chain = tune.aggregate(fleet, SIZE, method="chain")
    assert chain.delay_s == pytest.approx(2 * (sent + 0.2 + sent + 0.1))
    assert chain.sent_bytes == 6 * SIZE
    ring = tune.aggregate(fleet, SIZE, method="ring")
    assert ring.delay_s == pytest.approx(2 * 5 * (sent / 6 + 0.2))
    gossip = tune.aggregate(fleet, SIZE, method="gossip")
    assert gossip.detail == "1 rounds"  # two that mix by halves agree at once
    assert gossip.delay_s == pytest.approx(sent + 0.2 + 2 * 2 * (sent / 3 + 0.1))
    assert tree.delay_s < chain.delay_s
    assert tune.aggregate(fleet, SIZE, method="ground").finish_s == np.inf


def test_of_satellites_that_each_have_their_own_message_the_tree_is_slower(star):
    planes = tune.aggregate(star, SIZE)
    alone = tune.sum_tree(star.contacts, [[id] for id in star.satellites], message_bytes=SIZE)
    assert planes.delay_s < alone.delay_s < 0.3
    bound = tune.sum_tree(star.contacts, star.rings, message_bytes=SIZE).lower_bound_s
    assert bound <= planes.delay_s


def test_the_tree_is_never_later_than_a_chain(star):
    for start_s in np.linspace(0.0, 6000.0, 13):
        tree, chain = (
            tune.aggregate(star, SIZE, start_s=start_s, method=method) for method in ("tree", "chain")
        )
        assert start_s < tree.finish_s <= chain.finish_s


def test_over_the_ground_it_waits_for_passes(star):
    found = tune.aggregate(star, SIZE, method="ground")
    assert found.down_s > 0.0 and found.up_s > 0.0
    assert found.delay_s < tune.aggregate(star.without("Troll"), SIZE, method="ground").delay_s + 1e-9
    no_isl = star.contacts
    station = [no_isl.nodes.position(id) for id in star.stations]
    ground = np.isin(no_isl.from_, station) | np.isin(no_isl.to, station)
    columns = ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
    alone = network.ContactPlan(no_isl.nodes, **{name: getattr(no_isl, name)[ground] for name in columns})
    waits = tune.aggregate(star.replace(contacts=alone), SIZE, method="ground")
    assert waits.isl_s == 0.0 and waits.delay_s > 100 * found.delay_s
    tree = tune.aggregate(star.replace(contacts=alone), SIZE)
    assert tree.finish_s == np.inf or tree.delay_s > 100.0  # stations relay nothing but messages


def test_planes_that_nothing_joins_never_sum_up():
    fleet = two_planes(close_s=[100.0] * 12 + [1e-3] * 6)
    for method in ("tree", "chain"):
        assert tune.aggregate(fleet, SIZE, method=method).finish_s == np.inf
    for method in ("ring", "gossip"):
        assert tune.aggregate(fleet, SIZE, start_s=1.0, method=method).finish_s == np.inf


def test_one_plane_has_nobody_to_sum_up_with(pair):
    assert tune.aggregate(pair, SIZE).delay_s == 0.0
    for method in ("tree", "chain", "ring", "gossip"):
        assert tune.aggregate(pair.without("b"), SIZE, method=method).delay_s == 0.0


def test_what_is_wrong_is_refused(pair):
    with pytest.raises(ValueError, match="method: 'star' is not one of 'tree', 'chain', 'ring'"):
        tune.aggregate(pair, SIZE, method="star")
    with pytest.raises(ValueError, match=r"message_bytes: 0 is not in \(0, inf\)"):
        tune.aggregate(pair, 0)
