"""What experts on random satellites cost on average over all placements, in closed form.

Where every placement is as likely, the satellites of the K picks are K random ones, whatever the weights: of
n satellites at rising latencies the j-th is the slowest with probability C(j - 1, K - 1) / C(n, K).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def expected_latency_s(problem: Any) -> float:
    """Mean token latency over all placements of a layer on the satellites that have a latency in every slot.

    Layers must not share satellites.
    """
    total_s = 0.0
    for layer in problem.layers:
        open_ = ~np.isnan(layer.latency_s).any(axis=0)
        latency_s = np.sort(layer.latency_s[:, open_], axis=1)
        n, k = latency_s.shape[1], problem.top_k
        slowest = [math.comb(j - 1, k - 1) / math.comb(n, k) for j in range(1, n + 1)]
        total_s += layer.base_s + float((latency_s @ slowest).mean())
    return total_s
