"""Contact plans: values, earliest arrival against networkx, bookings, known answers, refusals."""

from __future__ import annotations

import math
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from constellm import network

PLANS = int(os.environ.get("CONSTELLM_RANDOM_PROBLEMS", "200"))


@pytest.fixture
def plan() -> network.ContactPlan:
    return network.ContactPlan(
        ["a", "b", "c"], from_=[0, 1, 0], to=[1, 2, 2], open_s=[0, 5, 30], close_s=[10, 20, 30],
        rate_bps=8e6, owlt_s=[0.5, 0.5, 0.0], epoch="2026-03-01T12:00:00Z",
    )  # fmt: skip


def test_values(plan):
    assert repr(plan) == "ContactPlan(3 nodes, 3 contacts, time 0 is 2026-03-01T12:00:00Z)"
    assert (len(plan), plan.epoch, plan.from_.dtype) == (3, "2026-03-01T12:00:00Z", np.int32)
    assert plan.volume_bytes.tolist() == [10e6, 15e6, 0]
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan == plan.replace() and plan != plan.replace(epoch=None) != 3
    assert plan.replace(epoch=None).epoch is None
    assert {field.name for field in plan.fields} == plan.to_dict().keys()
    plain = plan.to_dict()
    assert plain["open_s"] == [0, 5, 30] and plain["nodes"] == [node.to_dict() for node in plan.nodes]
    with pytest.raises(ValueError, match="read-only"):
        plan.open_s[0] = 1
    graph = plan.at(7.0).graph
    assert graph.nodes is plan.nodes
    assert (graph.from_.tolist(), graph.latency_s.tolist()) == ([0, 1], [0.5, 0.5])
    assert (
        network.ContactPlan(graph.nodes, from_=[], to=[], open_s=0, close_s=0, rate_bps=1).nodes is plan.nodes
    )


def test_shown(plan):
    assert plan.summary().startswith("Contact plan: 3 nodes, 3 contacts\ntime 0 is 2026-03-01T12:00:00Z")
    assert "8 Mbit/s" in plan.summary() and "500 ms" in plan._repr_html_()


def test_refusals(plan):
    for changes, says in [
        ({"close_s": [10, 4, 30]}, r"contacts\[1\]\.close_s: 4 is not in \[5, inf\]"),
        ({"open_s": math.nan}, r"contacts\[0\]\.open_s: nan is not in"),
        ({"rate_bps": [1, 0, 1]}, r"contacts\[1\]\.rate_bps: 0 is not in \(0, inf\)"),
        ({"owlt_s": [1, 1, math.inf]}, r"contacts\[2\]\.owlt_s: inf is not in \[0, inf\)"),
        ({"to": [1, 1, 2]}, r"contacts\[1\]\.to: node 1 sends to itself"),
        ({"to": [1, 3, 2]}, r"to\[1\]: 3 is not in \[0, 3\)"),
        ({"owlt_s": [1, 2]}, r"owlt_s: expected a scalar or shape \(3,\), got shape \(2,\)"),
        ({"epoch": "today"}, "epoch: 'today' is no moment in UTC, as '2026-03-01T12:00:00Z' is one"),
    ]:
        with pytest.raises(ValueError, match=says):
            plan.replace(**changes)
    with pytest.raises(TypeError, match="ContactPlan: unknown key 'owlt'; did you mean 'owlt_s'"):
        network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0, close_s=1, rate_bps=1, owlt=0)
    for wrong, says in [
        ({"sources": ["a", "z"]}, r"sources\[1\]: no node has id 'z'"),
        ({"sources": 3}, r"sources\[0\]: 3 is not in \[0, 2\]"),
        ({"sources": "a", "t_s": math.inf}, r"t_s\[0\]: inf is not in"),
        ({"sources": "a", "size_bytes": -1}, r"size_bytes\[0\]: -1 is not in \[0, inf\)"),
        ({"sources": ["a", "b"], "t_s": [1, 2, 3]}, r"t_s: expected a scalar or shape \(2,\)"),
    ]:
        with pytest.raises(ValueError, match=says):
            network.earliest_arrival(plan, **wrong)
    found = network.earliest_arrival(plan, ["a"])
    with pytest.raises(ValueError, match=r"message: 1 is not in \[0, 0\]"):
        found.route(1, "c")
    with pytest.raises(ValueError, match="target: no node has id 'z'"):
        found.route(0, "z")


def test_many_messages(plan):
    found = network.earliest_arrival(plan, ["a", "a", "b", 0], t_s=[0, 0, 6, 10], size_bytes=[0, 1e6, 0, 0])
    assert repr(found) == "EarliestArrival(4 messages, 3 nodes)"
    assert found.arrival_s.tolist() == [
        [0, 0.5, 5.5], [0, 1.5, 6.5], [math.inf, 6, 6.5], [10, math.inf, math.inf]
    ]  # fmt: skip
    assert found.hops.tolist() == [[0, 1, 2], [0, 1, 2], [-1, 0, 1], [0, -1, -1]]
    route = found.route(1, "c")
    assert repr(route) == "ContactRoute(a → b → c)"
    assert (route.contacts.tolist(), route.start_s.tolist()) == ([0, 1], [0, 5])
    assert (route.end_s.tolist(), route.arrival_s.tolist()) == ([1, 6], [1.5, 6.5])
    assert found.route(3, "c") is None
    assert found.route(3, "a").nodes == ["a"] and len(found.route(3, "a").contacts) == 0


def test_two_messages_through_the_volume_of_one_contact():
    plan = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=10.0, rate_bps=8.0)
    first = network.earliest_arrival(plan, "a", t_s=2.0, size_bytes=5.0).route(0, "b")
    left = network.book(plan, first)
    assert list(zip(left.open_s, left.close_s)) == [(0, 2), (7, 10)]
    assert left.volume_bytes.sum() == plan.volume_bytes.sum() - 5
    assert network.earliest_arrival(left, "a", size_bytes=5.0).route(0, "b") is None
    assert network.earliest_arrival(left, "a", size_bytes=3.0).arrival_s[0, 1] == 10
    assert network.earliest_arrival(left, "a", size_bytes=2.0).arrival_s[0, 1] == 2
    with pytest.raises(
        ValueError, match=r"transmissions\[0\]\.end_s: 7 is not in \[2, 2\]|start_s: 2 is not"
    ):
        network.book(left, first)


def test_a_plan_of_a_timeline():
    def graph(rate_bps, latency_s):
        return network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=rate_bps, latency_s=latency_s)

    timeline = network.Timeline([0.0, 10.0], [graph(8e6, 1.0), graph(4e6, 2.0)], end_s=30.0)
    plan = network.ContactPlan.from_timeline(timeline, epoch="2026-03-01T12:00:00Z")
    assert (plan.open_s, plan.close_s, plan.rate_bps, plan.owlt_s) == ([0], [30], [4e6], [2])
    assert plan.nodes is timeline[0].graph.nodes and plan.epoch == "2026-03-01T12:00:00Z"
    endless = network.ContactPlan.from_timeline(timeline.replace(end_s=math.inf))
    assert endless.close_s.tolist() == [math.inf] and endless.epoch is None
    assert network.earliest_arrival(endless, "a", t_s=1e6, size_bytes=4e6).arrival_s[0, 1] == 1e6 + 10


def test_earliest_arrivals_are_those_of_networkx():
    """Every node at every second; hops are the length of edges, so that the fewest come out too."""
    nx = pytest.importorskip("networkx")
    seconds, reached = 40, 0
    for seed in range(PLANS):
        random = np.random.default_rng(seed)
        n, contacts = int(random.integers(2, 8)), int(random.integers(1, 25))
        from_ = random.integers(0, n, contacts)
        to = (from_ + random.integers(1, n, contacts)) % n
        open_s = random.integers(0, 12, contacts)
        plan = network.ContactPlan(
            [f"n{v}" for v in range(n)], from_=from_, to=to, open_s=open_s, rate_bps=8.0,
            close_s=open_s + random.integers(0, 6, contacts), owlt_s=random.integers(0, 3, contacts),
        )  # fmt: skip
        size = int(random.integers(0, 3))
        expanded = nx.DiGraph()
        expanded.add_weighted_edges_from(((v, t), (v, t + 1), 0) for v in range(n) for t in range(seconds))
        for c in range(contacts):
            for t in range(int(plan.open_s[c]), int(plan.close_s[c])):
                if t + size <= plan.close_s[c]:
                    ends = (int(from_[c]), t), (int(to[c]), t + size + int(plan.owlt_s[c]))
                    expanded.add_edge(*ends, weight=1)
        found = network.earliest_arrival(plan, range(n), size_bytes=size, threads=2)
        for source in range(n):
            there = nx.single_source_dijkstra_path_length(expanded, (source, 0))
            for v in range(n):
                first = next((t for t in range(seconds) if (v, t) in there), math.inf)
                assert found.arrival_s[source, v] == first, seed
                assert found.hops[source, v] == there.get((v, first), -1), seed
                reached += math.isfinite(first)
    assert reached > 5 * PLANS


@pytest.fixture(scope="module")
def hdtn() -> Path:
    data = os.environ.get("CONSTELLM_DATA")
    if data is None or not (Path(data) / "contact_plans").is_dir():
        pytest.skip("CONSTELLM_DATA is not set")
    return Path(data) / "contact_plans" / "hdtn"


@pytest.mark.parametrize(
    ("name", "contacts", "empty", "next_hop"),
    [("10nodes.json", 368, 6, "3686"), ("50nodes.json.gz", 7186, 148, "3513")],
)
def test_known_answers(hdtn, name, contacts, empty, next_hop):
    plan = network.load_contact_plan(hdtn / name)
    assert len(plan) == contacts
    assert np.count_nonzero(plan.open_s == plan.close_s) == empty == np.count_nonzero(plan.volume_bytes == 0)
    found = network.earliest_arrival(plan, "20", size_bytes=0)
    at = plan.nodes.position("40")
    assert (found.arrival_s[0, at], found.hops[0, at]) == (2, 2)
    assert found.route(0, "40").nodes == ["20", next_hop, "40"]
    back = network.earliest_arrival(plan, "40").route(0, "20")
    assert back.nodes[:: len(back.nodes) - 1] == ["40", "20"], "from a higher number to a lower one"


def test_the_tutorial_of_hdtn_there_and_back(hdtn, tmp_path):
    plan = network.load_contact_plan(hdtn / "cgrTutorial.json")
    for name in ("again.json", "again.json.gz", "again.ionrc"):
        network.save_contact_plan(plan, tmp_path / name)
        assert network.load_contact_plan(tmp_path / name) == plan
