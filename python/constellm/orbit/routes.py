"""Routes through a constellation at instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from .labelled import routes_dataset

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, eq=False, repr=False)
class Routes(Displayed):
    """Routes of least latency from one node to another; what `Constellation.routes` gives.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
    >>> found = world.routes("collaborative-12/0/0", "collaborative-12/0/6", [0.0, 60.0])
    >>> found, found.hops.tolist()
    (Routes('collaborative-12/0/0' to 'collaborative-12/0/6': 2 instants, 2 with a route), [6, 6])
    """

    source: str
    target: str
    time_s: NDArray[np.float64]
    """Since the epoch (times,) [s]."""
    latency_s: NDArray[np.float64]
    """inf where there is no route (times,) [s]."""
    paths: tuple[tuple[str, ...], ...]
    """Ids from the source to the target; empty where there is no route (times,)."""

    @property
    def hops(self) -> NDArray[np.int64]:
        """Links of each route; -1 where there is none (times,)."""
        return np.array([len(path) - 1 for path in self.paths], dtype=np.int64)

    def table(self) -> Table:
        """Columns ``time_s``, ``latency_s`` (empty where there is no route) and ``path``, ids and blanks."""
        rows = [
            (t_s, latency_s if path else "", " ".join(path))
            for t_s, latency_s, path in zip(self.time_s.tolist(), self.latency_s.tolist(), self.paths)
        ]
        return Table(("time_s", "latency_s", "path"), rows)

    def to_xarray(self) -> xarray.Dataset:
        """With labels: ``latency_s``, ``hops`` and ``path`` (ids and blanks) over ``t_s``.

        Returns
        -------
        xarray.Dataset

        Raises
        ------
        ImportError
            Where xarray is absent.
        """
        return routes_dataset(self)

    def __repr__(self) -> str:
        return f"Routes({self._size()})"

    def _size(self) -> str:
        found = int(np.count_nonzero(self.hops >= 0))
        instants = counted(len(self.paths), "instant")
        return f"{self.source!r} to {self.target!r}: {instants}, {found} with a route"

    def _display(self) -> Display:
        rows = [
            (quantity(t_s, "s", digits=6), quantity(latency_s, "s"), str(hops), " → ".join(path))
            if path
            else (quantity(t_s, "s", digits=6), "–", "–", "–")
            for t_s, latency_s, hops, path in zip(
                self.time_s.tolist(), self.latency_s.tolist(), self.hops.tolist(), self.paths
            )
        ]
        return Display([f"Routes {self._size()}"], [Table(("time", "latency", "hops", "path"), rows)])
