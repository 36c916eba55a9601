"""What stations see of a constellation, and what keeps the rest from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.display import Display, Displayed
from ..core.quantity import counted
from ..core.table import Table


@dataclass(frozen=True, eq=False, repr=False)
class Masks(Displayed):
    """How many satellites stations have, and how many one mask alone cuts; what `Constellation.masks` gives.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(
    ...     orbit.preset("starlink-550"),
    ...     stations=orbit.station("Munich", 48.1, 11.6, min_elevation_deg=10.0, max_range_m=1.2e6),
    ...     links=orbit.ground(),
    ... )
    >>> found = world.masks([0.0, 60.0])
    >>> found, found.linked.tolist(), found.out_of_range.tolist()
    (Masks(1 station, 2 instants), [[22, 24]], [[23, 26]])
    """

    stations: tuple[str, ...]
    """Ids (stations,)."""
    time_s: NDArray[np.float64]
    """Since the epoch (times,) [s]."""
    linked: NDArray[np.int64]
    """Satellites that have a link with the station (stations, times)."""
    below_mask: NDArray[np.int64]
    """Satellites without one that are near enough, and only stand too low (stations, times)."""
    out_of_range: NDArray[np.int64]
    """Satellites without one that stand high enough, and are only too far (stations, times)."""

    def table(self) -> Table:
        """Columns ``station``, ``time_s``, ``linked``, ``below_mask`` and ``out_of_range``."""
        counts = (self.linked, self.below_mask, self.out_of_range)
        rows = [
            (station, t_s, *(int(values[i, k]) for values in counts))
            for i, station in enumerate(self.stations)
            for k, t_s in enumerate(self.time_s.tolist())
        ]
        return Table(("station", "time_s", "linked", "below_mask", "out_of_range"), rows)

    def __repr__(self) -> str:
        return f"Masks({self._size()})"

    def _size(self) -> str:
        return f"{counted(len(self.stations), 'station')}, {counted(len(self.time_s), 'instant')}"

    def _display(self) -> Display:
        def spread(counts: NDArray[np.int64]) -> str:
            if not len(counts):
                return "–"
            least, most = int(counts.min()), int(counts.max())
            return str(least) if least == most else f"{least} to {most}"

        rows = [
            (station, *(spread(values[i]) for values in (self.linked, self.below_mask, self.out_of_range)))
            for i, station in enumerate(self.stations)
        ]
        columns = ("station", "linked", "cut by elevation alone", "cut by range alone")
        return Display([f"Masks of {self._size()}"], [Table(columns, rows)])
