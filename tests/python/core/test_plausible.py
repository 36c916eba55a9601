"""Figures in the wrong unit are remarked on, once."""

from __future__ import annotations

import math
import warnings

import pytest

from constellm import network
from constellm.core import plausible
from constellm.core.plausible import ImplausibleUnits, warn_implausible


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(plausible, "_said", set())


def caught(field, values):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        warn_implausible(field, values)
    return [str(warning.message) for warning in found]


@pytest.mark.parametrize(
    ("field", "values", "words"),
    [
        ("rate_bps", [500.0], "rate_bps of 500 bit/s looks like another unit's; it is in bit/s"),
        ("flop_per_s", [2.0, 0.0], "flop_per_s of 2 FLOP/s looks"),
        ("memory_bytes", [8.0], "memory_bytes of 8 B looks"),
        ("latency_s", [20.0, 40.0], "latency_s of 20 s looks"),
    ],
)
def test_all_values_far_off_are_said_once(field, values, words):
    (message,) = caught(field, values)
    assert message.startswith(words)
    assert caught(field, values) == []


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("rate_bps", [500.0, 1e9]),
        ("flop_per_s", [0.0]),
        ("memory_bytes", [math.inf]),
        ("latency_s", [0.0, 0.01]),
        ("power_w", [1e-9]),
    ],
)
def test_one_that_may_be_meant_is_enough(field, values):
    assert caught(field, values) == []


def test_networks_are_looked_at_where_they_are_made():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        network.chain(2, flop_per_s=2, memory_bytes=8e9, rate_bps=500)
    assert [warning.category for warning in found] == [ImplausibleUnits] * 2
    assert all(warning.filename == __file__ for warning in found)
