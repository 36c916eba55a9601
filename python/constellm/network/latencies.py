"""Least latencies between nodes over the snapshots of a timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._core import network as _core
from ..core.checks import count, instance
from ..core.display import Display, Displayed
from ..core.optional import optional_import
from ..core.quantity import counted, quantity
from ..core.table import Table
from .routing import Place, as_positions, places_of

if TYPE_CHECKING:
    import xarray

_MOST = 500_000_000  # 6 GB


@dataclass(frozen=True, eq=False, repr=False)
class Latencies(Displayed):
    """Least latencies from sources to targets at times; what `latencies` and `Constellation.latencies` give.

    Examples
    --------
    >>> from constellm import network
    >>> graph = network.Graph(["a", "b", "c"], from_=[0, 1], to=[1, 2], rate_bps=1e9, latency_s=[1, 2])
    >>> found = network.latencies(network.Timeline([0.0], [graph]), "a")
    >>> found, found.latency_s[0, 0].tolist(), found.hops[0, 0].tolist()
    (Latencies(1 time, 1 source, 3 targets), [0.0, 1.0, 3.0], [0, 1, 2])
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    time_s: NDArray[np.float64]
    """(times,) [s]."""
    latency_s: NDArray[np.float64]
    """inf where no way leads (times, sources, targets) [s]."""
    hops: NDArray[np.int32]
    """Fewest of the paths of that latency; -1 where no way leads (times, sources, targets)."""

    def __repr__(self) -> str:
        return f"Latencies({self._size()})"

    def _size(self) -> str:
        sizes = [
            counted(len(self.time_s), "time"),
            counted(len(self.sources), "source"),
            counted(len(self.targets), "target"),
        ]
        return ", ".join(sizes)

    def _display(self) -> Display:
        rows = []
        for s, source in enumerate(self.sources):
            reached = self.hops[:, s] >= 0
            some = self.latency_s[:, s][reached]
            ends = [quantity(float(of(some)), "s") for of in (np.min, np.median, np.max)] if some.size else []
            rows.append((source, f"{np.count_nonzero(reached)} of {reached.size}", *(ends or ["–"] * 3)))
        return Display(
            [f"Latencies {self._size()}"], [Table(("source", "reached", "least", "median", "greatest"), rows)]
        )

    def to_xarray(self) -> xarray.Dataset:
        """As an `xarray.Dataset` over ``t_s``, ``source`` and ``target``, with units in the attributes."""
        xarray = optional_import("xarray", extra="sweep", purpose="this needs xarray")
        dims = ("t_s", "source", "target")
        variables = {
            "latency_s": (dims, self.latency_s, {"units": "s"}),
            "hops": (dims, self.hops),
        }
        coords = {
            "t_s": ("t_s", self.time_s, {"units": "s"}),
            "source": list(self.sources),
            "target": list(self.targets),
        }
        return xarray.Dataset(variables, coords)


def latencies(
    timeline: _core.Timeline,
    sources: Place | Sequence[Place] | NDArray[np.integer] | None = None,
    targets: Place | Sequence[Place] | NDArray[np.integer] | None = None,
    *,
    relays: Place | Sequence[Place] | NDArray[np.integer] | None = None,
    threads: int = 1,
) -> Latencies:
    """Least latencies over the links' ``latency_s`` in every snapshot.

    Parameters
    ----------
    timeline : Timeline
    sources, targets : str or int, or sequence of them, optional
        Ids or positions of nodes; default: every node.
    relays : str or int, or sequence of them, optional
        The nodes that pass on what is for others; the rest only begin or end a path. Default: every node.
    threads : int
        At most so many; small tasks use fewer.

    Returns
    -------
    Latencies
        Arrays (snapshots, sources, targets). Paths of a snapshot are given by `shortest_paths`.

    Raises
    ------
    ValueError, TypeError
        For what is no node, and for more than 500,000,000 latencies.

    Examples
    --------
    >>> from constellm import network
    >>> ends = {"from_": [0, 1, 0], "to": [1, 2, 2]}
    >>> early = network.Graph(["a", "b", "c"], **ends, rate_bps=1e9, latency_s=[1, 1, 3])
    >>> late = early.replace(latency_s=[1, 2, 3])
    >>> found = network.latencies(network.Timeline([0.0, 60.0], [early, late]), "a", "c")
    >>> found.latency_s.ravel().tolist(), found.hops.ravel().tolist()
    ([2.0, 3.0], [2, 1])
    """
    instance("timeline", timeline, _core.Timeline)
    nodes = timeline[0].graph.nodes
    start, end = places_of(nodes, "sources", sources), places_of(nodes, "targets", targets)
    check_size(len(timeline), len(start), len(end))
    passing = None if relays is None else as_positions(nodes, "relays", relays)
    latency_s, hops = _core.latencies(timeline, start, end, passing, count("threads", threads, most=1024))
    return Latencies(ids_of(nodes, start), ids_of(nodes, end), timeline.t_s, latency_s, hops)


def ids_of(nodes: _core.Nodes, positions: NDArray[np.int32]) -> tuple[str, ...]:
    """Ids of the nodes at these positions."""
    ids = nodes.ids()
    return tuple(ids[i] for i in positions.tolist())


def check_size(times: int, sources: int, targets: int) -> None:
    """Refuse tables that no memory holds."""
    check_cells(f"targets: {targets} of them, {sources} sources and {times} times", times * sources * targets)


def check_cells(what: str, cells: int) -> None:
    """As `check_size`, of `what`, which begins with the field."""
    if cells > _MOST:
        raise ValueError(f"{what} make {cells} latencies, more than {_MOST}; ask for fewer at once")
