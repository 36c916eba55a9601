"""Snapshots and timelines: which one holds, how long links live, what is refused."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from constellm import network


def graph(*links, nodes=("a", "b", "c")):
    ends = [(nodes.index(link[0]), nodes.index(link[1])) for link in links]
    from_, to = zip(*ends) if ends else ((), ())
    return network.Graph(network.Nodes(list(nodes)), from_=from_, to=to, rate_bps=1e9)


@pytest.fixture
def timeline():
    return network.Timeline(
        [0.0, 10.0, 20.0], [graph("ab", "bc"), graph("ab", "ca"), graph("bc", "ca")], end_s=25.0
    )


def test_contacts_and_churn(timeline):
    contacts = timeline.contacts
    rows = zip(
        contacts.from_.tolist(), contacts.to.tolist(), contacts.open_s.tolist(), contacts.close_s.tolist()
    )
    assert list(rows) == [(0, 1, 0, 20), (1, 2, 0, 10), (2, 0, 10, 25), (1, 2, 20, 25)]
    assert (timeline.opened.tolist(), timeline.closed.tolist()) == ([0, 1, 1], [0, 1, 1])
    assert contacts is timeline.contacts and np.shares_memory(contacts.open_s, timeline.contacts.open_s)
    assert len(contacts) == 4 and repr(contacts) == "Contacts(4)"


def test_snapshots_in_time(timeline):
    assert [snapshot.t_s for snapshot in timeline] == timeline.t_s.tolist() == [0, 10, 20]
    assert timeline.at(9.999).t_s == 0 and timeline.at(10).t_s == 10
    assert timeline[-1].valid_s == 5 and timeline.end_s == 25
    assert timeline[0].lifetime_s.tolist() == [20, 10]
    assert timeline[1].lifetime_s.tolist() == [10, math.inf], "the end of the timeline is no end of a link"
    assert (timeline.next_change(0), timeline.next_change(10), timeline.next_change(24)) == (10, 20, math.inf)
    assert timeline[0].graph.nodes is timeline[2].graph.nodes
    for t_s in (-1, 25, math.nan):
        with pytest.raises(ValueError, match=r"t_s: .* is not in \[0, 25\)"):
            timeline.at(t_s)
    with pytest.raises(IndexError, match=r"snapshot 3 is not in \[-3, 3\)"):
        timeline[3]


def test_values(timeline):
    assert repr(timeline) == "Timeline(3 snapshots from 0 s to 25 s, 4 contacts)"
    again = pickle.loads(pickle.dumps(timeline))
    assert again == timeline and again[0].graph.nodes is again[2].graph.nodes
    snapshot = timeline[1]
    assert repr(snapshot) == "Snapshot(t_s=10, valid_s=10: 3 nodes, 2 links)"
    assert pickle.loads(pickle.dumps(snapshot)) == snapshot != snapshot.replace(valid_s=3.0)
    assert snapshot.to_dict()["lifetime_s"] == [10, math.inf]
    later = timeline.replace(end_s=40.0)
    assert later.end_s == 40 and later.t_s.tolist() == [0, 10, 20] and timeline.end_s == 25
    assert later[0].graph.nodes is timeline[0].graph.nodes
    plain = timeline.to_dict()
    assert (plain["t_s"], plain["end_s"]) == ([0, 10, 20], 25)
    assert plain["graphs"] == [one.graph.to_dict() for one in timeline]
    for value in (timeline, snapshot, snapshot.graph):
        assert {field.name for field in type(value).fields} <= set(dir(value)) | {"graphs", "group"}
        assert value.replace() == value
    unknown = network.Snapshot(0.0, snapshot.graph)
    assert unknown.lifetime_s is None and unknown.valid_s == math.inf
    assert pickle.loads(pickle.dumps(unknown)) == unknown
    with pytest.raises(ValueError, match="read-only"):
        snapshot.lifetime_s[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        timeline.t_s[0] = 1


def test_refusals():
    one = graph("ab")
    with pytest.raises(ValueError, match=r"t_s: expected a scalar or shape \(1,\), got shape \(2,\)"):
        network.Timeline([0.0, 1.0], [one])
    with pytest.raises(ValueError, match=r"t_s\[1\]: 0 is not in \(0, inf\)"):
        network.Timeline([0.0, 0.0], [one, one])
    with pytest.raises(ValueError, match=r"end_s: 0 is not in \(0, inf\]"):
        network.Timeline([0.0], [one], end_s=0.0)
    with pytest.raises(ValueError, match=r"graphs\[1\]: its nodes are not those of graphs\[0\]"):
        network.Timeline([0.0, 1.0], [one, graph("xy", nodes=("x", "y"))])
    with pytest.raises(ValueError, match=r"lifetime_s: expected a scalar or shape \(1,\)"):
        network.Snapshot(0.0, one, lifetime_s=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"lifetime_s\[0\]: -1 is not in \[0, inf\]"):
        network.Snapshot(0.0, one, lifetime_s=-1.0)
    with pytest.raises(TypeError, match="t_s: expected a number"):
        network.Snapshot("now", one)
