"""Numbers and names as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import codec, model, network, split
from constellm.core.quantity import printable, quantity, split_unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "s", "0 s"),
        (2.5e-3, "s", "2.5 ms"),
        (999.96, "B", "1 kB"),
        (0.99996, "s", "1 s"),
        (1234567, "B", "1.23 MB"),
        (-5e9, "bit/s", "-5 Gbit/s"),
        (1372.67, "s", "1370 s"),
        (1e30, "FLOP", "1000000000000 EFLOP"),
        (3.2e-11, "s/B", "32 ps/B"),
        (1234.5, "1/s", "1230 1/s"),
        (12, "", "12"),
        (math.nan, "J", "–"),
        (math.inf, "J", "∞"),
        (-math.inf, "J", "-∞"),
    ],
)
def test_quantity(value, unit, text):
    assert quantity(value, unit) == text


@given(st.floats(1e-9, 1e17))
def test_a_quantity_keeps_three_digits(value):
    number, symbol = quantity(value, "B").split()
    scale = {"n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
    assert float(number) * scale[symbol[:-1]] == pytest.approx(value, rel=5.1e-3)
    assert 1 <= float(number) < 1000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("delay_s", ("delay", "s")),
        ("rate_bps", ("rate", "bit/s")),
        ("max_energy_j", ("max energy", "J")),
        ("memory_bytes", ("memory", "B")),
        ("bytes", ("data", "B")),
        ("flop_per_s", ("speed", "FLOP/s")),
        ("gateway_flop_per_token", ("gateway", "FLOP/token")),
        ("flop_per_token", ("work", "FLOP/token")),
        ("memory_bandwidth_bytes_per_s", ("memory bandwidth", "B/s")),
        ("encode_s_per_byte", ("encode", "s/B")),
        ("max_error", ("max error", "")),
        ("tokens_per_s", ("tokens", "1/s")),
        ("micro_batches", ("micro batches", "")),
        ("image_px", ("image", "px")),
    ],
)
def test_split_unit(name, expected):
    assert split_unit(name) == expected


def test_the_unit_of_every_field_of_a_record_is_read_from_its_name():
    records = [getattr(area, name) for area in (codec, model, network, split) for name in area.__all__]
    fields = [field for record in records for field in getattr(record, "fields", ()) if field.unit]
    assert len(fields) > 30
    told = {field.name: split_unit(field.name)[1] for field in fields if field.name != "seconds"}
    assert told == {field.name: field.unit for field in fields if field.name != "seconds"}


def test_printable():
    assert printable("a\nb\tc → d") == "a?b?c → d"
