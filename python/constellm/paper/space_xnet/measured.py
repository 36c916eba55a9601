"""What a token takes by each scheme, over several draws of all that is random."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ...core.table import Row, Rows
from ...moe import SCHEMES
from ...plot import palette
from .scenario import Scenario, reached

THREADS = 2


def measured(
    scenario: Scenario,
    draws: int,
    *,
    schemes: Iterable[str] = tuple(SCHEMES),
    weights: NDArray[np.float64] | None = None,
) -> Rows:
    """A row for each scheme: mean, least and greatest token latency of the draws.

    Parameters
    ----------
    scenario : Scenario
    draws : int
        Seeds 0, 1, ...: of outages, weights, random gateways and placements.
    schemes : sequence of str
        Of `constellm.moe.SCHEMES`.
    weights : array_like, shape (layers, experts), optional
        Default: those of the scenario, another set in each draw.

    Returns
    -------
    Rows
        ``scheme``, ``token_latency_s``, ``least_s``, ``most_s``, ``cut_off``, the share of slots left out.
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in schemes}
    for seed in range(draws):
        drawn = scenario.arrangements(seed, schemes=tuple(found), weights=weights, threads=THREADS)
        for name, one in drawn.items():
            found[name].append(reached(one))
    rows: Rows = []
    for name, values in found.items():
        latency_s, cut_off = np.array(values).T
        row: Row = {"scheme": name, "token_latency_s": float(latency_s.mean())}
        row.update(least_s=float(latency_s.min()), most_s=float(latency_s.max()))
        rows.append({**row, "cut_off": float(cut_off.mean())})
    return rows


def look_of(scheme: str) -> palette.Look:
    """The look of a scheme, one in all figures."""
    return dict(zip(SCHEMES, palette.series(list(SCHEMES))))[scheme]
