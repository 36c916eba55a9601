"""Random numbers of this area: a stream of its own for each purpose."""

from __future__ import annotations

import numpy as np

from ..core.checks import count

_PURPOSES = ("gateways", "random placement", "nearest placement")


def generator(purpose: str, seed: int) -> np.random.Generator:
    """Of a purpose and a seed: draws for one purpose say nothing of those for another of the same seed."""
    return np.random.default_rng([_PURPOSES.index(purpose), count("seed", seed, least=0)])
