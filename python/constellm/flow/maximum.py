"""Maximum flows: a thin face of the compiled engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import flow as _core


@dataclass(frozen=True, eq=False)
class MaximumFlow:
    """The most that flows, how it does, and a cut that lets no more through; what `maximum_flow` gives.

    Examples
    --------
    >>> from constellm import flow
    >>> flow.maximum_flow([0, 1], [1, 2], [5, 3], 0, 2)
    MaximumFlow(value=3)
    """

    value: int
    flow: NDArray[np.int64]
    """On each arc (arcs,)."""
    on_source_side: NDArray[np.bool_]
    """Of a minimum cut, the largest such side (nodes,)."""

    def __repr__(self) -> str:
        return f"MaximumFlow(value={self.value})"


def maximum_flow(
    from_: ArrayLike, to: ArrayLike, capacity: ArrayLike, source: int, target: int
) -> MaximumFlow:
    """The most that can flow from one node of a graph to another.

    Parameters
    ----------
    from_, to : array_like of int, shape (arcs,)
        Which nodes each arc leads from and to; nodes are numbered from 0.
    capacity : array_like of int, shape (arcs,)
        Of each arc, >= 0; in sum below 2**62. Anything but integers is refused.
    source, target : int
        Two nodes.

    Returns
    -------
    MaximumFlow

    Raises
    ------
    TypeError, ValueError
        Naming what is wrong; for capacities whose sum would overflow, too.

    Notes
    -----
    Push-relabel, first in, first out, with global relabelling and gaps (Cherkassky & Goldberg 1997), then the
    excess goes back, so that what is given is a flow.

    Examples
    --------
    >>> from constellm import flow
    >>> arcs = {"from_": [0, 0, 1, 2], "to": [1, 2, 3, 3], "capacity": [4, 2, 3, 5]}
    >>> found = flow.maximum_flow(**arcs, source=0, target=3)
    >>> found.value, found.flow.tolist(), found.on_source_side.tolist()
    (5, [3, 2, 3, 2], [True, True, False, False])
    """
    value, flow, side = _core.maximum_flow(from_, to, capacity, source, target)
    return MaximumFlow(value, flow, side)
