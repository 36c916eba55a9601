"""Gossip among planes: how many rounds until all think alike, and on what they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, positive, short

WEIGHTS = ("neighbours", "metropolis")
"""How a plane weighs its neighbours: as it is published, or so that the mean of all stays what it was."""

_MOST_ROUNDS = 1_000_000


@dataclass(frozen=True)
class Gossip:
    """How planes come to agree; what `gossip` gives.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.gossip([[1], [0]], alpha=0.5).rounds
    1
    """

    rounds: int
    """Until every plane's model is within the tolerance of the limit, whichever one model differed by 1."""
    rounds_bound: int
    """So many are enough by the spectral gap."""
    gap: float
    """1 − the second largest eigenvalue's size."""
    share: tuple[float, ...]
    """Of each plane's first model in the limit; 1/planes each where it is the mean."""


def gossip(
    neighbours: Sequence[Sequence[int]],
    *,
    alpha: float = 0.5,
    tolerance: float = 1e-3,
    weights: str = "neighbours",
) -> Gossip:
    """Planes that mix their models with those of their neighbours, round after round.

    Parameters
    ----------
    neighbours : sequence of sequences of int
        Of each plane, by position; both ways.
    alpha : float
        Weight of the neighbours, in (0, 1].
    tolerance : float
        In (0, 1): of the largest difference from the limit, where one plane's model differed by 1 from those
        of all others, whichever it was.
    weights : {"neighbours", "metropolis"}
        ``w_i ← (1 − α) w_i + α/|N_i| Σ w_j``, as published; or ``w_i ← w_i + α Σ (w_j − w_i) /
        max(|N_i|, |N_j|)``.

    Returns
    -------
    Gossip

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range: of neighbours that are not so both ways, of planes that
        are not all connected, of rounds that never end (α = 1 on planes that fall into two sides).

    Notes
    -----
    The published rule keeps the mean only where all planes have as many neighbours: else the limit weighs
    planes by their numbers of neighbours, and the ends of a chain count half. Metropolis weights (Xiao and
    Boyd, *Fast linear iterations for distributed averaging*, Systems & Control Letters 53, 2004) keep it.
    Counted by running it from all models at once, powers of the matrix; the bound is √(largest/least share)
    (1 − gap)^rounds ≤ tolerance.

    Examples
    --------
    >>> from constellm import tune
    >>> chain = [[1], [0, 2], [1, 3], [2, 4], [3]]
    >>> found = tune.gossip(chain, alpha=0.5)
    >>> found.rounds, found.rounds_bound, [round(share, 3) for share in found.share]
    (38, 46, [0.125, 0.25, 0.25, 0.25, 0.125])
    >>> fair = tune.gossip(chain, alpha=0.5, weights="metropolis")
    >>> fair.rounds, round(fair.share[0], 3)
    (59, 0.2)
    """
    joined = _matrix(neighbours)
    alpha = positive("alpha", alpha, most=1.0)
    tolerance = positive("tolerance", tolerance)
    if tolerance >= 1.0:
        raise ValueError(f"tolerance: {tolerance:g} is not in (0, 1)")
    n, degree = len(joined), joined.sum(axis=1)
    if n == 1:
        return Gossip(0, 0, 1.0, (1.0,))
    if weights == "neighbours":
        mixing = alpha * joined / degree[:, None]
        share = degree / degree.sum()
    elif weights == "metropolis":
        mixing = alpha * joined / np.maximum(degree[:, None], degree[None])
        share = np.full(n, 1.0 / n)
    else:
        raise ValueError(f"weights: {short(weights)} is not one of {', '.join(map(repr, WEIGHTS))}")
    mixing[np.diag_indices(n)] = 1.0 - mixing.sum(axis=1)
    # Similar to a symmetric matrix, so that its eigenvalues are real.
    root = np.sqrt(share)
    sizes = np.sort(np.abs(np.linalg.eigvalsh(root[:, None] * mixing / root[None])))
    second = float(sizes[-2])
    if second > 1.0 - 1e-12:
        raise ValueError("neighbours: planes that are not all connected, or fall into two sides at alpha = 1")
    spread = float(root.max() / root.min())
    bound = 1 if second == 0.0 else max(1, int(np.ceil(np.log(tolerance / spread) / np.log(second))))
    if bound > _MOST_ROUNDS:
        raise ValueError(f"neighbours: {bound} rounds may be wanted, more than {_MOST_ROUNDS}")
    rounds, power = 0, np.eye(n)
    while np.abs(power - share).max() > tolerance:
        rounds, power = rounds + 1, power @ mixing
    return Gossip(rounds, bound, 1.0 - second, tuple(share.tolist()))


def _matrix(neighbours: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    n = len(neighbours)
    if not n:
        raise ValueError("neighbours: expected at least one plane")
    joined = np.zeros((n, n))
    for i, row in enumerate(neighbours):
        for j in row:
            place = count(f"neighbours[{i}]", j, least=0, most=n - 1)
            if place == i:
                raise ValueError(f"neighbours[{i}]: a plane is no neighbour of itself")
            joined[i, place] = 1.0
    if not np.array_equal(joined, joined.T):
        raise ValueError("neighbours: not the same both ways")
    if n > 1 and not joined.any(axis=1).all():
        raise ValueError(f"neighbours[{int(np.argmin(joined.any(axis=1)))}]: it has none")
    return joined
