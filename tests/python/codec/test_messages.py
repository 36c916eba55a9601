"""Messages that version 0.1.0 wrote, in tests/data/messages, decode to what its oracle says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from constellm import codec
from constellm.codec import Scheme
from oracles import activation_codec as oracle

MESSAGES = Path(__file__).parents[2] / "data" / "messages"


def smooth(tokens: int, features: int) -> np.ndarray:
    """Rows that resemble those before them, from integers, so that they are the same everywhere."""
    t, f = np.arange(tokens)[:, None], np.arange(features)[None, :]
    noise = ((t * 7919 + f * 104729 + (t * f) % 251 * 31) % 1009) / 1009 - 0.5
    shape = ((f * 37 % 23) / 11.5 - 1) * (1 + ((t // 64 * 5 + f) % 7) / 7)
    return (np.float32(0.8) * shape + np.float32(0.3) * noise).astype(np.float32)


CASES = {
    "two-lanes": (smooth(96, 33), Scheme(sparsify="top-k", keep=0.3, bits=6)),
    "four-lanes": (smooth(300, 10), Scheme(sparsify="top-k", keep=0.3, bits=5)),
    "eight-lanes": (smooth(1030, 12), Scheme(sparsify="top-k", keep=0.25, bits=4)),
    "dense": (smooth(1024, 7), Scheme(bits=4)),
    "zero-order": (smooth(300, 60), Scheme(sparsify="top-k", keep=0.1, bits=4, entropy="zero-order")),
}


@pytest.mark.parametrize("name", CASES)
def test_messages_of_the_first_version_decode_bit_by_bit(name):
    x, scheme = CASES[name]
    message = (MESSAGES / f"0.1.0-{name}.bin").read_bytes()
    decoded = codec.decode(message)
    assert decoded.tobytes() == oracle.reconstruct(x, scheme).tobytes()
    assert len(codec.encode(x, scheme)) <= 1.001 * len(message)
