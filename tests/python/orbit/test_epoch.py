"""Instants of UTC: reading, writing, arithmetic."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from constellm.orbit import Epoch

NOON = Epoch("2026-03-01T12:00:00Z")


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00",
        "2026-03-01 12:00Z",
        "2026-03-01T07:00:00-05:00",
        "2026-03-02T01:45:00.000000+13:45",
        "2026-03-01T11:59:59.9999996Z",
        "2026-03-01T12:00:00.0000004Z",
        datetime(2026, 3, 1, 12),
        datetime(2026, 3, 1, 7, tzinfo=timezone(timedelta(hours=-5))),
        np.datetime64("2026-03-01T12", "h"),
        np.datetime64("2026-03-01T11:59:59.999999600", "ns"),
        NOON,
    ],
)
def test_one_instant_in_many_forms(value):
    assert Epoch(value) == NOON


def test_random_instants_agree_with_datetime_and_numpy():
    random = np.random.default_rng(1)
    for microseconds in random.integers(-62_135_596_800_000_000, 253_402_300_799_999_999, 3000):
        epoch = Epoch.from_microseconds(microseconds)
        told = epoch.to_datetime()
        assert told == datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=int(microseconds))
        assert epoch.to_datetime64() == np.datetime64(int(microseconds), "us")
        assert Epoch(told) == Epoch(epoch.to_datetime64()) == Epoch(str(epoch)) == epoch
        assert epoch.microseconds == microseconds


def test_seconds_order_hash_and_pickle():
    later = NOON + 60.5
    assert str(later) == "2026-03-01T12:01:00.5Z" and repr(NOON) == "Epoch('2026-03-01T12:00:00Z')"
    assert later - NOON == 60.5 and later - 60.5 == NOON and later == 60.5 + NOON
    assert NOON + np.float64(1e-6) > NOON and NOON + np.int64(1) > NOON
    assert later > NOON and later >= NOON and later != NOON and NOON != "2026-03-01T12:00:00Z"
    assert {NOON: 1}[Epoch(str(NOON))] == 1
    assert pickle.loads(pickle.dumps(later)) == later
    assert Epoch("2017-01-01") - Epoch("2016-12-31") == 86400.0  # a leap second lies between


def test_julian_dates():
    assert Epoch("2000-01-01T12:00:00Z").julian_date == (2451544.5, 0.5)
    assert Epoch("1957-10-04T19:26:24Z").julian_date == (
        2436115.5,
        0.81,
    )  # Meeus, Astronomical Algorithms, 7.a


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        ("2016-12-31T23:59:60Z", ValueError, "'2016-12-31T23:59:60Z': a leap second has no instant"),
        ("2026-02-30", ValueError, r"'2026-02-30': the day 30 is not in \[1, 28\]"),
        ("yesterday", ValueError, "expected 4 digits of the year at 'yesterday'"),
        (np.datetime64("NaT"), ValueError, "NaT is no instant"),
        (1.5e9, TypeError, "expected an Epoch, ISO 8601 text, datetime or datetime64, got 1500000000.0"),
        (None, TypeError, "got None"),
    ],
)
def test_what_is_no_instant_is_refused(value, error, says):
    with pytest.raises(error, match=says):
        Epoch(value)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e18])
def test_nothing_leads_out_of_the_calendar(seconds):
    with pytest.raises(ValueError, match="seconds: .* lead out of"):
        NOON + seconds
    with pytest.raises(TypeError):
        NOON + "1"
    with pytest.raises(TypeError):
        NOON + NOON
