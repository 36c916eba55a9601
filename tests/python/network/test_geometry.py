"""Lengths of a ring of satellites."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import network


def test_twelve_satellites_at_500_km():
    length_m = network.ring_hop_m(12, altitude_m=500e3)
    assert length_m == pytest.approx(2 * 6878.137e3 * math.sin(math.pi / 12), rel=1e-12)
    assert length_m / network.LIGHT_M_PER_S == pytest.approx(11.9e-3, abs=0.05e-3)


@given(n=st.integers(9, 100), altitude_m=st.floats(500e3, 2000e3))
def test_is_the_distance_of_two_points_on_the_orbit(n, altitude_m):
    radius = network.EARTH_RADIUS_M + altitude_m
    turn = 2 * math.pi / n
    distance = np.hypot(radius * math.cos(turn) - radius, radius * math.sin(turn))
    assert network.ring_hop_m(n, altitude_m=altitude_m) == pytest.approx(distance, rel=1e-9)


def test_refuses_what_no_ring_is():
    with pytest.raises(ValueError, match=r"satellites: 1 is not in \[2, inf\)"):
        network.ring_hop_m(1, altitude_m=500e3)
    with pytest.raises(ValueError, match=r"altitude_m: 0.0 is not in \(0, inf\)"):
        network.ring_hop_m(12, altitude_m=0.0)
    with pytest.raises(ValueError, match="altitude_m: nan"):
        network.ring_hop_m(12, altitude_m=math.nan)
    with pytest.raises(ValueError, match="do not see their neighbours past the Earth"):
        network.ring_hop_m(8, altitude_m=500e3)
