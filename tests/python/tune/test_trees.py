"""Trees of sums against what they do when they are played, and against all trees there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from constellm import network, tune

SIZE = 1e6  # a second at 8 Mbit/s


def random_plan(rng, nodes):
    """Contacts that come and go, some too short for a message."""
    count = int(rng.integers(nodes, 5 * nodes))
    from_ = rng.integers(0, nodes, count)
    to = (from_ + rng.integers(1, nodes, count)) % nodes
    open_s = rng.integers(0, 12, count) / 2.0
    return network.ContactPlan(
        [f"n{i}" for i in range(nodes)],
        from_=from_,
        to=to,
        open_s=open_s,
        close_s=open_s + rng.integers(1, 16, count) / 2.0,
        rate_bps=8e6 * rng.integers(1, 4, count),
        owlt_s=rng.integers(0, 3, count) / 4.0,
    )


def random_groups(rng, nodes):
    """Some of the nodes, in groups."""
    order = rng.permutation(nodes)[: int(rng.integers(2, nodes + 1))]
    cuts = np.flatnonzero(rng.random(len(order) - 1) < 0.5) + 1
    return [[f"n{i}" for i in group] for group in np.split(order, cuts)]


def earliest(plan, source, t_s):
    """Arrivals by relaxing all contacts until nothing changes."""
    ids = plan.nodes.ids()
    at = dict.fromkeys(ids, np.inf) | {source: t_s}
    for _ in ids:
        for a, b, open_s, close_s, rate, owlt in zip(
            plan.from_, plan.to, plan.open_s, plan.close_s, plan.rate_bps, plan.owlt_s
        ):
            end = max(at[ids[a]], open_s) + 8 * SIZE / rate
            if end <= close_s * (1 + 1e-12):  # thirds of a second are rounded
                at[ids[b]] = min(at[ids[b]], end + owlt)
    return at


def check_hop(plan, hop):
    """It lies within a contact of its ends."""
    a, b = (plan.nodes.position(id) for id in (hop.sender, hop.receiver))
    rows = (plan.from_ == a) & (plan.to == b)
    sent_s = 8 * SIZE / plan.rate_bps[rows]
    fits = (plan.open_s[rows] <= hop.start_s + 1e-9) & (hop.start_s + sent_s <= plan.close_s[rows] + 1e-9)
    fits &= np.isclose(hop.start_s + sent_s, hop.end_s)
    fits &= np.isclose(hop.end_s + plan.owlt_s[rows], hop.arrival_s)
    assert fits.any(), hop


def test_sums_are_the_earliest_and_everybody_has_each_message_once(random_problems):
    made = 0
    for seed in range(random_problems):
        rng = np.random.default_rng(seed)
        nodes = int(rng.integers(2, 7))
        plan, groups = random_plan(rng, nodes), random_groups(rng, nodes)
        start_s = float(rng.integers(0, 3))
        found = tune.sum_tree(plan, groups, message_bytes=SIZE, start_s=start_s)
        members = [id for group in groups for id in group]
        reach = {id: earliest(plan, id, start_s) for id in members}
        heard = {to: max(min(reach[id][to] for id in group) for group in groups) for to in plan.nodes.ids()}
        assert found.lower_bound_s == pytest.approx(max(heard[id] for id in members))
        best = np.inf
        for root in plan.nodes.ids():
            if np.isfinite(heard[root]):
                onward = earliest(plan, root, heard[root])
                best = min(best, max(onward[id] for id in members))
        assert found.finish_s == pytest.approx(best)
        if found.root is None:
            assert best == np.inf
            continue
        made += 1
        assert found.lower_bound_s <= found.finish_s + 1e-12
        assert found.gathered_s == pytest.approx(heard[found.root])

        # Played: sums are disjoint, nobody sends before it has heard from all below it.
        holds = {id: set() for id in plan.nodes.ids()}
        senders = {hop.sender for hop in found.gather}
        assert len(senders) == len(found.gather) and found.root not in senders
        for i, group in enumerate(groups):
            giver = [id for id in group if id == found.root] or [id for id in group if id in senders]
            # Of a group that several nodes pass through one gives; whichever, it counts once.
            holds[giver[0]].add(i)
        for hop in found.gather:
            check_hop(plan, hop)
            assert hop.start_s >= start_s - 1e-9 and hop.arrival_s <= found.gathered_s + 1e-9
            for other in found.gather:
                if other.receiver == hop.sender:
                    assert other.arrival_s <= hop.start_s + 1e-9
            assert not holds[hop.receiver] & holds[hop.sender]
            holds[hop.receiver] |= holds[hop.sender]
        assert holds[found.root] == set(range(len(groups)))

        has = {found.root: found.gathered_s}
        for hop in found.hand_out:
            check_hop(plan, hop)
            assert has[hop.sender] <= hop.start_s + 1e-9 and hop.receiver not in has
            has[hop.receiver] = hop.arrival_s
        assert set(members) <= set(has)
        assert max(has[id] for id in members) == pytest.approx(found.finish_s)
    assert made > random_problems / 5


def test_other_names_and_another_order_of_contacts_change_nothing(random_problems):
    for seed in range(random_problems // 10):
        rng = np.random.default_rng(1000 + seed)
        plan, groups = random_plan(rng, 5), random_groups(rng, 5)
        found = tune.sum_tree(plan, groups, message_bytes=SIZE)
        order = rng.permutation(len(plan))
        columns = {
            name: getattr(plan, name)[order]
            for name in ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
        }
        turned = network.ContactPlan([f"m{i}" for i in range(5)], **columns)
        renamed = [[id.replace("n", "m") for id in group] for group in groups]
        again = tune.sum_tree(turned, renamed, message_bytes=SIZE)
        assert (again.gathered_s, again.finish_s, again.lower_bound_s) == (
            found.gathered_s,
            found.finish_s,
            found.lower_bound_s,
        )


def test_sums_that_are_there_already_and_those_that_never_come():
    plan = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0, close_s=10, rate_bps=8e6)
    alone = tune.sum_tree(plan, [["a"]], message_bytes=SIZE, start_s=2.0)
    assert (alone.root, alone.finish_s, alone.hops) == ("a", 2.0, 0)
    never = tune.sum_tree(plan, [["a"], ["b"]], message_bytes=SIZE)
    assert (never.root, never.finish_s, never.lower_bound_s) == (None, np.inf, np.inf)
    one = tune.sum_tree(plan, [["a", "b"]], message_bytes=SIZE)
    assert (one.gathered_s, one.finish_s, one.hops) == (0.0, 1.0, 1)


def test_what_are_no_groups_is_refused():
    plan = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0, close_s=10, rate_bps=8e6)
    for groups, said in (
        ([], "expected at least one"),
        ([["a"], []], "of at least one id each"),
        ([["a"], ["a"]], "an id stands twice"),
        ([["c"]], "'c'"),
    ):
        with pytest.raises(ValueError, match=said):
            tune.sum_tree(plan, groups, message_bytes=SIZE)
    with pytest.raises(ValueError, match=r"message_bytes: 0.0 is not in \(0, inf\)"):
        tune.sum_tree(plan, [["a"]], message_bytes=0.0)


# ---- narrow trees ------------------------------------------------------------------------------


def diameter(edges, weights):
    """Of a tree, by all shortest ways."""
    n = len(weights)
    far = np.full((n, n), np.inf)
    np.fill_diagonal(far, 0.0)
    for a, b in edges:
        far[a, b] = far[b, a] = weights[a, b]
    for k in range(n):
        far = np.minimum(far, far[:, [k]] + far[[k]])
    return far.max()


def all_trees(n):
    """Edges of every tree on n nodes, by Prüfer's sequences."""
    for code in itertools.product(range(n), repeat=n - 2):
        degree = [1 + code.count(v) for v in range(n)]
        edges = []
        for v in code:
            leaf = degree.index(1)
            edges.append((leaf, v))
            degree[leaf] -= 1
            degree[v] -= 1
        edges.append(tuple(v for v in range(n) if degree[v] == 1))
        yield edges


def test_no_tree_is_narrower(random_problems):
    for seed in range(max(random_problems // 10, 10)):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 6))
        drawn = rng.integers(1, 9, (n, n)) + 0.0 if seed % 2 else rng.random((n, n)) + 0.01
        weights = np.triu(drawn, 1) + np.triu(drawn, 1).T
        gone = np.triu(rng.random((n, n)) < 0.3, 1)
        weights[gone | gone.T] = np.inf
        np.fill_diagonal(weights, 0.0)
        best = min(diameter(edges, weights) for edges in all_trees(n))
        if not np.isfinite(best):
            with pytest.raises(ValueError, match="the graph is not connected"):
                tune.minimum_diameter_tree(weights)
            continue
        found = tune.minimum_diameter_tree(weights)
        assert len(found.edges) == n - 1
        assert found.diameter == pytest.approx(best) == pytest.approx(diameter(found.edges, weights))


def test_what_are_no_weights_is_refused():
    for weights, said in (
        ([[0.0, 1.0]], r"shape \(1, 2\) is not \(nodes, nodes\)"),
        ([[0.0, 0.0], [0.0, 0.0]], r"0.0 is not in \(0, inf\]"),
        ([[0.0, np.nan], [np.nan, 0.0]], r"nan is not in \(0, inf\]"),
        ([[0.0, 1.0], [2.0, 0.0]], "not the same both ways"),
    ):
        with pytest.raises(ValueError, match=said):
            tune.minimum_diameter_tree(weights)
    assert tune.minimum_diameter_tree([[0.0]]).edges == ()
