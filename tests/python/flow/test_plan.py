"""Plans and cuts as values."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from constellm import flow, network

CONTACTS = network.ContactPlan(
    ["a", "b", "station"], from_=[0, 1], to=[1, 2], open_s=[0, 30], close_s=[60, 90], rate_bps=[8e6, 4e6]
)
PROBLEM = flow.Problem(CONTACTS, supply_bytes={"a": 2e6}, sinks=["station"])


@pytest.fixture(scope="module")
def plan():
    return flow.solve(PROBLEM)


def test_plan_shows_what_flows(plan):
    assert repr(plan) == "Plan('transfer': optimal, finish_s=34, gap=0)"
    assert plan.summary().splitlines()[:3] == [
        "Plan of 'transfer': optimal, by 'optimal'",
        "all has arrived after 34 s; no plan finishes sooner",
        "2 flows over 2 contacts",
    ]
    assert "<table" in plan._repr_html_()
    assert repr(flow.solve(PROBLEM, time_limit_s=0.0)) == "Plan('transfer': time_limit)"


def test_plans_are_equal_that_say_the_same(plan):
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert replace(plan, seconds=5.0, method="another", rounds=7) == plan
    for changes in (
        {"status": "feasible"},
        {"finish_s": 35.0},
        {"lower_bound_s": 0.0},
        {"sent_bytes": 2 * plan.sent_bytes},
        {"cut": None},
        {"problem": PROBLEM.replace(name="other")},
    ):
        assert replace(plan, **changes) != plan, changes
    assert replace(plan, finish_s=math.nan) == replace(plan, finish_s=math.nan)
    assert plan != 34.0


def test_gap_is_relative_to_the_end(plan):
    assert replace(plan, lower_bound_s=17.0).gap == 0.5
    assert math.isnan(replace(plan, finish_s=math.nan).gap)
    assert replace(plan, finish_s=0.0, lower_bound_s=0.0).gap == 0.0
    text = replace(plan, lower_bound_s=33.15, status="time_limit").summary()
    assert "no plan finishes more than 2.50% sooner" in text


def test_columns_are_read_only_and_of_one_length(plan):
    for name in ("contact", "start_s", "end_s", "sent_bytes"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(plan, name)[0] = 0
    with pytest.raises(ValueError, match="are not of one length"):
        replace(plan, end_s=[1.0])
    with pytest.raises(TypeError, match="contact: expected an array of int32"):
        replace(plan, contact=[0.0, 1.0])
    with pytest.raises(ValueError, match="contact: .* are not in the range of int32"):
        replace(plan, contact=[0, 2**40])


def test_cuts():
    cut = flow.Cut([0, 4], [[True, False], [True, True]])
    assert cut == flow.Cut(np.array([0.0, 4.0]), np.array([[1, 0], [1, 1]], bool))
    assert pickle.loads(pickle.dumps(cut)) == cut != flow.Cut([0.0], [[True, False]])
    assert repr(cut) == "Cut(2 stretches, 2 nodes)"
    assert cut != 4
    for start_s, side, message in (
        ([0.0, 4.0], [[True, False]], r"source_side: shape \(1, 2\) is not \(2, nodes\)"),
        ([1.0], [[True]], r"start_s: \[1.0\] do not rise from 0"),
        ([0.0, 0.0], [[True], [True]], "do not rise from 0"),
        ([0.0, math.inf], [[True], [True]], "do not rise from 0"),
        ([0.0], [True], "source_side: expected 2 dimensions"),
    ):
        with pytest.raises(ValueError, match=message):
            flow.Cut(start_s, side)
    with pytest.raises(TypeError, match="source_side: expected an array of bool"):
        flow.Cut([0.0], [[1]])
