"""Transfer problems as values: what they hold, what they refuse."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from constellm import flow, network

CONTACTS = network.ContactPlan(
    ["a", "b", "station"], from_=[0, 1], to=[1, 2], open_s=[0, 30], close_s=[60, 90], rate_bps=[8e6, 4e6]
)


def problem(**changes):
    return flow.Problem(CONTACTS, **{"supply_bytes": {"a": 2e6}, "sinks": ["station"], **changes})


def test_arrays_mappings_and_one_number_say_the_same():
    by_id = problem(storage_bytes={"a": 2e6, "b": 1e6})
    assert by_id == problem(supply_bytes=[2e6, 0, 0], storage_bytes=[2e6, 1e6, math.inf], sinks=[2])
    assert by_id.sinks == ("station",)
    assert by_id.demand_bytes.tolist() == [0, 0, 0]
    everywhere = problem(supply_bytes=3e6)
    assert everywhere.supply_bytes.tolist() == [3e6] * 3
    assert everywhere.wanted_bytes == 6e6  # what the sink has itself has arrived


def test_values_are_kept_as_they_were():
    given = np.array([2e6, 0.0, 0.0])
    made = problem(supply_bytes=given)
    given[0] = 7.0
    assert made.supply_bytes[0] == 2e6
    with pytest.raises(ValueError, match="read-only"):
        made.supply_bytes[0] = 7.0
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        made.supply_bytes.flags.writeable = True
    with pytest.raises(AttributeError):
        made.name = "other"


def test_equality_pickle_and_replace():
    made = problem()
    assert pickle.loads(pickle.dumps(made)) == made == made.replace()
    for changes in (
        {"name": "other"},
        {"supply_bytes": {"a": 1e6}},
        {"storage_bytes": {"b": 1.0}},
        {"sinks": ["b"]},
        {"sinks": (), "demand_bytes": {"b": 1e6}},
        {
            "contacts": network.ContactPlan(
                ["a", "b", "station"], from_=[0], to=[2], open_s=0, close_s=1, rate_bps=1
            )
        },
    ):
        assert made.replace(**changes) != made, changes
    assert made != "transfer"
    with pytest.raises(TypeError, match=r"did you mean 'sinks'"):
        made.replace(sink=["b"])


def test_repr_and_summary():
    made = problem(storage_bytes={"b": 1e9}, name="down")
    assert repr(made) == "Problem('down': 3 nodes, 2 contacts, 2 MB to 1 sink)"
    assert made.summary().splitlines() == [
        "Problem 'down': 3 nodes, 2 contacts, 2 MB to 1 sink",
        "",
        "  node     supply  storage  demand",
        "  a        2 MB    ∞        0 B",
        "  b        0 B     1 GB     0 B",
        "  station  0 B     ∞        0 B     sink",
    ]
    assert "<table" in made._repr_html_()
    back = problem(sinks=(), demand_bytes={"b": 1e6, "station": 1e6})
    assert repr(back) == "Problem('transfer': 3 nodes, 2 contacts, 2 MB to 2 nodes on demand)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"supply_bytes": [1, 2]}, r"supply_bytes: expected a scalar or shape \(3,\), got shape \(2,\)"),
        ({"supply_bytes": [-1, 0, 0]}, r"supply_bytes\[0\]: -1 is not in \[0, 1e\+30\]"),
        ({"supply_bytes": {"a": math.nan}}, r"supply_bytes\['a'\]: nan is not in \[-inf, inf\]"),
        ({"supply_bytes": [math.inf, 0, 0]}, r"supply_bytes\[0\]: inf is not in \[0, 1e\+30\]"),
        ({"supply_bytes": {"c": 1}}, "supply_bytes: 'c' is not the id of a node"),
        ({"storage_bytes": {"a": 1e6}}, r"storage_bytes\[0\]: 1e\+06 is not in \[2e\+06, inf\]: its supply"),
        ({"storage_bytes": [math.nan, 1, 1]}, r"storage_bytes\[0\]: nan is not in \[2e\+06, inf\]"),
        ({"demand_bytes": {"b": 1.0}}, r"demand_bytes\[1\]: 1 is not in \[0, 0\]: there are sinks"),
        (
            {"demand_bytes": {"b": 3e6}, "sinks": ()},
            r"demand_bytes: their sum, 3e\+06, is not in \[0, 2e\+06\]",
        ),
        ({"sinks": ()}, "sinks: must not be empty where there are no demand_bytes"),
        ({"sinks": ["c"]}, r"sinks\[0\]: 'c' is not the id of a node"),
        ({"sinks": ["a", "a"]}, r"sinks\[1\]: node 0 stands there twice"),
        ({"sinks": [3]}, r"sinks\[0\]: 3 is not in \[0, 2\]"),
        ({"supply_bytes": [1e20, 1, 0]}, r"supply_bytes\[1\]: 1 is neither 0 nor at least 1e-14"),
        ({"name": "a/b"}, "name: 'a/b' is not 1 to 100 characters"),
    ],
)
def test_refusals_name_field_value_and_range(changes, message):
    with pytest.raises(ValueError, match=message):
        problem(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"supply_bytes": "much"}, "supply_bytes: expected numbers, got 'much'"),
        ({"supply_bytes": {"a": "2"}}, r"supply_bytes\['a'\]: expected a number, got '2'"),
        ({"sinks": "station"}, "sinks: expected a sequence of nodes, got 'station'"),
        ({"sinks": [1.0]}, r"sinks\[0\]: expected an integer, got 1.0"),
        ({"name": 3}, "name: expected text, got 3"),
    ],
)
def test_other_types_are_refused(changes, message):
    with pytest.raises(TypeError, match=message):
        problem(**changes)


def test_contacts_out_of_range_are_refused():
    with pytest.raises(TypeError, match="contacts: expected a ContactPlan"):
        flow.Problem("contacts", supply_bytes=0.0)
    for field, value, message in (
        ("open_s", -1.0, r"contacts\[0\].open_s: -1 is not in \[0, 1e\+15\]"),
        ("close_s", 1e16, r"contacts\[0\].close_s: 1e\+16 is not in \[open_s, 1e\+15\], nor inf"),
        ("rate_bps", 1e31, r"contacts\[0\].rate_bps: 1e\+31 is not in \(0, 1e\+30\]"),
    ):
        columns = {"open_s": 0.0, "close_s": 1.0, "rate_bps": 1.0, field: value}
        contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], **columns)
        with pytest.raises(ValueError, match=message):
            flow.Problem(contacts, supply_bytes=[1.0, 0.0], sinks=["b"])
