"""States of satellites and pairs in sight beside other packages, in one run.

Each contender takes its turn in every round. A row has ``task``, ``solver``, ``median_s``, ``least_s``,
``runs`` and ``ratio``, the peer's fastest run over constellm's median: noise can only make it smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tables
import timing

from constellm import orbit
from constellm._core.orbit import in_sight
from constellm.core.constants import EARTH_RADIUS_M
from constellm.orbit.motion import mean_element_sets

SHELL = orbit.preset("starlink-550")
EPOCH = orbit.Epoch("2026-03-01T12:00:00Z")
EPOCH_DAY = 2_461_101.0  # Julian date of it
DAY_S = 86_400.0
GRAZING_M = 80e3
OWN = "constellm"
SGP4 = "sgp4's `SatrecArray`"
TREE = "scipy's `cKDTree.query_pairs`, then the line of sight"
TREE_ALONE = "scipy's `cKDTree.query_pairs` alone"
DENSE = "numpy, all pairs"
CHUNKS = "numpy, all pairs, 256 satellites at a time"


def rows_of(task: str, runs: dict[str, list[float]], **figures: Any) -> tables.Rows:
    """A row for each contender, constellm's own among them."""
    own = timing.summary(runs[OWN])
    return [
        {
            "task": task,
            "solver": solver,
            "median_s": its.median_s,
            "least_s": its.least_s,
            "runs": its.runs,
            "ratio": its.least_s / own.median_s,
            **figures,
        }
        for solver, its in ((solver, timing.summary(seconds)) for solver, seconds in runs.items())
    ]


def satrecs(sets: orbit.ElementSets) -> list[Any]:
    """The satellites as the package `sgp4` has them."""
    from sgp4.api import WGS72, Satrec

    lines = orbit.format_elements(sets, "tle").splitlines()
    return [Satrec.twoline2rv(*two, WGS72) for two in zip(lines[::2], lines[1::2])]


def states(shell: orbit.Shell = SHELL, epochs: int = 1000, rounds: int = 5) -> tables.Rows:
    """Secular J2 beside SGP4: not the same theory, but the same satellites and times."""
    from sgp4.api import SatrecArray

    time_s = 60.0 * np.arange(epochs)
    peer = SatrecArray(satrecs(mean_element_sets(orbit.elements(shell), EPOCH)))
    days, fractions = np.full(epochs, EPOCH_DAY), time_s / DAY_S
    contenders = {
        OWN: lambda: orbit.propagate(shell, time_s),
        SGP4: lambda: peer.sgp4(days, fractions),
    }
    error, position_km, _ = peer.sgp4(days[:10], fractions[:10])
    position_m = orbit.propagate(shell, time_s[:10]).position_m
    apart_m = np.linalg.norm(1e3 * position_km - position_m, axis=-1)
    assert not error.any() and apart_m.max() < 50e3, f"up to {apart_m.max():g} m apart"
    return rows_of(
        "states", timing.in_turn(contenders, rounds), shell=shell.name, states=len(shell.ids) * epochs
    )


def tangents(position_m: np.ndarray) -> np.ndarray:
    """From each satellite to where its line of sight grazes; two see each other within the sum of theirs."""
    return np.sqrt((position_m**2).sum(axis=1) - (EARTH_RADIUS_M + GRAZING_M) ** 2)


def by_numpy(position_m: np.ndarray, chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs in sight, and their range; `chunk` satellites against all at a time."""
    tangent_m, squared = tangents(position_m), (position_m**2).sum(axis=1)
    found = []
    for start in range(0, len(position_m), chunk):
        rows = slice(start, start + chunk)
        range_m = np.sqrt(
            np.maximum(squared[rows, None] + squared - 2.0 * (position_m[rows] @ position_m.T), 0.0)
        )
        a, b = np.nonzero(range_m <= tangent_m[rows, None] + tangent_m)
        later = b > a + start
        found.append((a[later] + start, b[later], range_m[a[later], b[later]]))
    a, b, range_m = (np.concatenate(columns) for columns in zip(*found))
    return np.stack((a, b), axis=1), range_m


def by_tree_alone(position_m: np.ndarray) -> np.ndarray:
    """Pairs within the longest line of sight. The tree is of one epoch, so it is built anew."""
    from scipy.spatial import cKDTree

    return cKDTree(position_m).query_pairs(2.0 * tangents(position_m).max(), output_type="ndarray")


def by_tree(position_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the tree's pairs that see each other, and their range."""
    pairs, tangent_m = by_tree_alone(position_m), tangents(position_m)
    a, b = pairs.T
    range_m = np.linalg.norm(position_m[a] - position_m[b], axis=1)
    seen = range_m <= tangent_m[a] + tangent_m[b]
    return pairs[seen], range_m[seen]


def sight(shell: orbit.Shell = SHELL, rounds: int = 9) -> tables.Rows:
    """All pairs of satellites that see each other at an epoch, and their range."""
    position_m = orbit.propagate(shell, 0.0).position_m
    contenders = {
        OWN: lambda: in_sight(position_m, None, GRAZING_M),
        TREE: lambda: by_tree(position_m),
        TREE_ALONE: lambda: by_tree_alone(position_m),
        CHUNKS: lambda: by_numpy(position_m, 256),
        DENSE: lambda: by_numpy(position_m, len(position_m)),
    }
    a, b, range_m = in_sight(position_m, None, GRAZING_M)
    for pairs, its_range_m in (by_tree(position_m), by_numpy(position_m, 256)):
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        assert np.array_equal(pairs[order], np.stack((a, b), axis=1)), "other pairs"
        np.testing.assert_allclose(its_range_m[order], range_m, atol=1.0)
    return rows_of("sight", timing.in_turn(contenders, rounds), shell=shell.name, pairs=len(a))
