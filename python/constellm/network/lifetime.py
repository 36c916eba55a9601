"""How long a path lives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._core.network import Snapshot
from ..core.checks import instance
from .routing import Place, as_positions


def path_lifetime_s(snapshot: Snapshot, path: Sequence[Place]) -> float:
    """How much longer all links of a path exist, from the snapshot's instant on.

    Parameters
    ----------
    snapshot : Snapshot
        One that knows how long its links live.
    path : sequence of str or int
        Nodes on the way, by id or position.

    Returns
    -------
    float
        The least lifetime of its links [s]; inf where no end is known, and without a link.

    Raises
    ------
    ValueError, TypeError
        If the snapshot knows no lifetimes, or a link of the path does not exist.

    Examples
    --------
    >>> from constellm import network
    >>> graph = network.Graph(["a", "b", "c"], from_=[0, 1], to=[1, 2], rate_bps=1e9, latency_s=0.01)
    >>> network.path_lifetime_s(network.Snapshot(0.0, graph, lifetime_s=[60.0, 25.0]), ["a", "b", "c"])
    25.0
    """
    lifetime_s = instance("snapshot", snapshot, Snapshot).lifetime_s
    if lifetime_s is None:
        raise ValueError("snapshot: it does not know how long its links live")
    graph = snapshot.graph
    nodes = as_positions(graph.nodes, "path", path)
    least_s = np.inf
    for hop, (a, b) in enumerate(zip(nodes[:-1], nodes[1:])):
        link = np.flatnonzero((graph.from_ == a) & (graph.to == b))
        if not len(link):
            ends = f"{graph.nodes[int(a)].id!r} to {graph.nodes[int(b)].id!r}"
            raise ValueError(f"path[{hop}]: there is no link from {ends}")
        least_s = min(least_s, float(lifetime_s[link[0]]))
    return least_s
