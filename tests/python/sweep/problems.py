"""Small problems for sweeps, as functions that other processes can import."""

from __future__ import annotations

import numpy as np

from constellm.codec import Codec
from constellm.model import Layer
from constellm.network import chain, with_ground
from constellm.split import Problem

FIGURES = ["delay_s", "bottleneck_s", "lower_bound_s", "error", "energy_j", "bytes", "stages", "labels"]


def small(*, layers: int = 3, memory_bytes: float = 100.0, name: str = "small") -> Problem:
    """Satellites s0, s1, s2 with links of group isl, and a ground behind a link of group s2g."""
    orbit = chain(
        3, flop_per_s=[1e9, 2e9, 1e9], memory_bytes=memory_bytes, rate_bps=1e6, power_w=5.0, tx_power_w=1.0
    )
    return Problem(
        name=name,
        layers=[
            Layer(name=f"l{i}", flop=1e9 * (i + 1), memory_bytes=30.0, output_bytes=1e5)
            for i in range(layers)
        ],
        input_bytes=1e5,
        network=with_ground(orbit, at="s2", rate_bps=2e6),
        codecs=[
            Codec(name="none", ratio=1.0, error=0.0),
            Codec(name="half", ratio=2.0, error=0.1, encode_s_per_byte=1e-9),
        ],
        micro_batches=4,
        max_error=0.15,
    )


def assert_same(found, expected) -> None:
    """Equal results, seconds apart."""
    for name in [*FIGURES, "status", "message"]:
        np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(expected[name]), err_msg=name)
