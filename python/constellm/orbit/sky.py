"""How a constellation's satellites move and which links its rules make, as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import orbit as _core
from .._core.orbit import LinkRule, Shell, Station
from ..core.epoch import Epoch
from ..network import Graph
from .constellation_parts import Part
from .constellation_windows import motions_of, sample_times
from .element_sets import ElementSets
from .frames import gmst_rad
from .motion import elements, mean_element_sets, propagate
from .sgp4_states import Sgp4
from .states import States

_AT_ONCE = 64  # instants whose states are computed together


class Sky:
    """What of a constellation is computed; times are seconds since its epoch, `outages` rows for the core."""

    def __init__(
        self,
        satellites: Sequence[Part],
        stations: Sequence[Station],
        links: Sequence[LinkRule],
        outages: Sequence[tuple[int, int, float, float]],
        epoch: Epoch,
    ) -> None:
        self._satellites = satellites
        self._shells = [part for part in satellites if isinstance(part, Shell)]
        self._stations = stations
        self._links = links
        self._outages = outages
        self._epoch = epoch
        self._acquisition_s = max((rule.acquisition_s or 0.0 for rule in links), default=0.0)

    @cached_property
    def _moved(self) -> list[Shell | Sgp4]:
        """What moves each part; SGP4 made ready once."""
        return [
            Sgp4(part)
            if isinstance(part, ElementSets)
            else Sgp4(mean_element_sets(elements(part), self._epoch))
            if part.propagator == "sgp4"
            else part
            for part in self._satellites
        ]

    def states(self, time_s: NDArray[np.float64]) -> States:
        """Of all satellites, in TEME."""
        parts = [
            moved.propagate(time_s, epoch=self._epoch)
            if isinstance(moved, Sgp4)
            else propagate(moved, time_s)
            for moved in self._moved
        ]
        return States(*(np.concatenate(values) for values in zip(*parts)))

    def links_at(self, time_s: NDArray[np.float64], *, slot: int = 0) -> Iterator[_core.Links]:
        """Links at each of the times, whose slots count from `slot`."""
        for _, given in self.at_once(time_s, slot=slot):
            for i, t_s in enumerate(given["time_s"].tolist()):
                of_one = {
                    "position_teme_m": given["position_teme_m"][:, i],
                    "velocity_teme_m_per_s": given["velocity_teme_m_per_s"][:, i],
                    "gmst_rad": float(given["gmst_rad"][i]),
                    "slot": given["slot"] + i,
                    "time_s": t_s,
                }
                yield _core.links_at(**{**given, **of_one})

    def at_once(self, time_s: NDArray[np.float64], *, slot: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """What the core is given for some instants after the others, and the place of the first.

        Slots count from `slot`.
        """
        # Motions between samples know no satellite that has no state in their span, and of a long one there
        # are many: where they are needed each instant has its own, that none depends on what else is asked.
        sampled = any(isinstance(moved, Sgp4) for moved in self._moved)
        together = 1 if sampled and self._acquisition_s else _AT_ONCE
        for first in range(0, len(time_s), together):
            some = time_s[first : first + together]
            states = self.states(some)
            yield (
                first,
                {
                    "rules": self._links,
                    "shells": self._shells,
                    "stations": self._stations,
                    "position_teme_m": states.position_m,
                    "velocity_teme_m_per_s": states.velocity_m_per_s,
                    "gmst_rad": gmst_rad(self._epoch, some),
                    "slot": slot + first,
                    "outages": self._outages,
                    "time_s": some,
                    "motions": self._motions(some.min(), some.max()) if self._acquisition_s else None,
                    "epoch": self._epoch,
                },
            )

    def windows(self, start_s: float, stop_s: float, slot_s: float | None, threads: int) -> _core.Windows:
        """When links exist; slots, for each of which links are drawn, count from the start."""
        return _core.windows(
            self._links,
            self._shells,
            self._stations,
            self._motions(start_s, stop_s),
            self._epoch,
            start_s,
            stop_s,
            threads,
            self._outages,
            slot_s,
        )

    def _motions(self, start_s: float, stop_s: float) -> list[_core.Motion]:
        """With what was before, as far as it takes to acquire links."""
        first_s = start_s - self._acquisition_s
        return motions_of(self._satellites, self._moved, self._epoch, first_s, stop_s)

    def check_lifetimes(
        self, graph: Graph, lifetime_s: NDArray[np.float64], t_s: float, stop_s: float
    ) -> None:
        """Refuse lifetimes that are unknown: a satellite of too few states has no windows."""
        ended = lifetime_s <= 0.0
        if not ended.any() or all(isinstance(moved, Shell) for moved in self._moved):
            return
        samples_s = sample_times(t_s, stop_s, sum(len(part.ids) for part in self._satellites))
        missing = np.asarray(np.isnan(self.states(samples_s).position_m).any(axis=-1))
        for node in np.unique([graph.from_[ended], graph.to[ended]]).tolist():
            if node < len(missing) and missing[node].any():
                last_s = samples_s[int(np.argmax(missing[node]))] - t_s
                raise ValueError(
                    f"horizon_s: satellite {graph.nodes[node].id!r} has no state {last_s:g} s on, so "
                    "that it is not known how long its links live; leave the horizon out"
                )
