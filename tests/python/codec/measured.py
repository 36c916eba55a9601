"""Measured cuts made up from a known law of accumulation."""

from __future__ import annotations

import numpy as np

from constellm.codec import MeasuredCuts

BLOCKS = 6
CODECS = {"fine": 0.02, "middle": 0.1, "coarse": 0.4}
AMPLIFICATION = np.array([1.0, 0.8, 0.9, 1.1, 0.95, 0.5])


def made_up(cuts, *, exponent=2.0, slope=0.05, scatter=0.0, random=None, images=1000):
    """A row whose errors follow r_m^p = (a_m·r_{m-1})^p + ε^p, and whose loss is `slope` · r."""
    plan = dict(sorted(cuts.items()))
    first = min(plan)
    r, reached = 0.0, []
    for k in range(first, BLOCKS + 1):
        r = AMPLIFICATION[k - 1] * r if k > first else 0.0
        if k in plan:
            r = (r**exponent + CODECS[plan[k]] ** exponent) ** (1.0 / exponent)
        reached.append(r)
    noise = 0.0 if random is None else scatter * abs(random.standard_normal())
    loss = slope * reached[-1] * (1.0 + noise)
    return MeasuredCuts(
        cuts=tuple(plan),
        codecs=tuple(plan.values()),
        blocks=BLOCKS,
        images=images,
        error=tuple(CODECS[name] for name in plan.values()),
        reached=tuple(reached),
        ratio=tuple(1.0 / CODECS[name] for name in plan.values()),
        encode_s_per_byte=(1e-9,) * len(plan),
        decode_s_per_byte=(2e-9,) * len(plan),
        accuracy=0.95 - loss,
        agreement=1.0 - 2.0 * loss,
        loss=loss,
        loss_se=(2.0 * loss / images) ** 0.5,
        expected_loss=loss,
        expected_loss_se=(0.2 * loss / images) ** 0.5,
    )


def singles(**options):
    """Every codec at every boundary alone."""
    return [made_up({k: name}, **options) for k in range(1, BLOCKS) for name in CODECS]


def sets(count, *, seed=0, **options):
    """Random sets of two to four cuts."""
    random = np.random.Generator(np.random.PCG64(seed))
    names = list(CODECS)
    rows = []
    for _ in range(count):
        places = random.choice(np.arange(1, BLOCKS), size=random.integers(2, 5), replace=False)
        cuts = {int(k): names[random.integers(len(names))] for k in places}
        rows.append(made_up(cuts, random=random, **options))
    return rows
