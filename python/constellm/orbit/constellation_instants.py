"""What a constellation tells of many instants: routes and latencies over its links, and masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray

from .._core import orbit as _core
from .._core.orbit import Station
from ..core.checks import count, instance, short
from ..network import Latencies, Nodes
from ..network.latencies import check_cells, check_size, ids_of
from ..network.routing import Place, as_positions, places_of
from .masks import Masks
from .routes import Routes
from .sky import Sky

Places = Union[Place, Sequence[Place], NDArray[np.integer]]


class _AtInstants:
    """Methods of `Constellation`, each an array over times."""

    if TYPE_CHECKING:

        @property
        def ids(self) -> tuple[str, ...]: ...

        @property
        def satellite_ids(self) -> tuple[str, ...]: ...

        @property
        def stations(self) -> tuple[Station, ...]: ...

        @property
        def nodes(self) -> Nodes: ...

        @property
        def _sky(self) -> Sky: ...

        def seconds(self, times: Any) -> NDArray[np.float64]: ...

    def routes(self, source: str, target: str, times: Any, *, threads: int = 1) -> Routes:
        """Routes of least latency at instants.

        Satellites relay, stations do not: a station is only ever an end. Of routes of equal latency the one
        of fewest hops counts.

        Parameters
        ----------
        source, target : str
            Ids.
        times : array_like, shape (times,)
            As of `seconds`. Links that survive with a probability are drawn for each.
        threads : int
            At most so many.

        Returns
        -------
        Routes

        Raises
        ------
        ValueError, TypeError
            For what is no id or no instant, and what `states` raises.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
        >>> found = world.routes("collaborative-12/0/0", "collaborative-12/0/2", [0.0, 60.0])
        >>> found.paths[0], (1e3 * found.latency_s).round(2).tolist()
        (('collaborative-12/0/0', 'collaborative-12/0/1', 'collaborative-12/0/2'), [23.75, 23.75])
        """
        time_s = self._several(times)
        start, end = (self._position(*place) for place in (("source", source), ("target", target)))
        ids, threads = self.ids, count("threads", threads, most=1024)
        latency_s = np.empty(len(time_s))
        paths: list[tuple[str, ...]] = []
        for first, given in self._sky.at_once(time_s):
            some_s, begin, node = _core.routes_at(**given, source=start, target=end, threads=threads)
            latency_s[first : first + len(some_s)] = some_s
            bounds, nodes = begin.tolist(), node.tolist()
            paths += [tuple(ids[n] for n in nodes[a:b]) for a, b in zip(bounds, bounds[1:])]
        return Routes(source, target, time_s, latency_s, tuple(paths))

    def latencies(
        self,
        sources: str | Sequence[str],
        times: Any,
        *,
        targets: str | Sequence[str] | None = None,
        threads: int = 1,
    ) -> Latencies:
        """Least latencies from many nodes to many others at instants; of the routes that `routes` gives.

        Parameters
        ----------
        sources : str or sequence of str
            Ids.
        times : array_like, shape (times,)
            As of `seconds`. Links that survive with a probability are drawn for each.
        targets : str or sequence of str, optional
            Ids; default: every satellite and station.
        threads : int
            At most so many.

        Returns
        -------
        network.Latencies
            Arrays (times, sources, targets).

        Raises
        ------
        ValueError, TypeError
            For what is no id or no instant, more than 500,000,000 latencies, and what `states` raises.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
        >>> found = world.latencies("collaborative-12/0/0", [0.0, 60.0])
        >>> found.latency_s.shape, found.hops[0, 0].tolist()
        ((2, 1, 12), [0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1])
        """
        time_s, nodes = self._several(times), self.nodes
        start, end = places_of(nodes, "sources", sources), places_of(nodes, "targets", targets)
        check_size(len(time_s), len(start), len(end))
        threads = count("threads", threads, most=1024)
        latency_s = np.empty((len(time_s), len(start), len(end)))
        hops = np.empty(latency_s.shape, dtype=np.int32)
        for first, given in self._sky.at_once(time_s):
            some = slice(first, first + len(given["time_s"]))
            latency_s[some], hops[some] = _core.latencies_at(
                **given, sources=start, targets=end, threads=threads
            )
        return Latencies(ids_of(nodes, start), ids_of(nodes, end), time_s, latency_s, hops)

    def latencies_between(
        self,
        blocks: Iterable[tuple[Places, Places]],
        times: Any,
        *,
        slot: int = 0,
        threads: int = 1,
    ) -> list[NDArray[np.float64]]:
        """Least latencies from some nodes to some, from others to others, and so on: those of `latencies`.

        Links of an instant are made once for all of them, and no hops are counted: so sixteen sources at once
        are followed through the network, which is fastest where they are near each other.

        Parameters
        ----------
        blocks : sequence of (sources, targets)
            Ids, or positions among the nodes: one or a sequence.
        times : array_like, shape (times,)
            As of `seconds`. Links that survive with a probability are drawn for each.
        slot : int
            Which slot the first of them is, for these links; the others follow.
        threads : int
            At most so many.

        Returns
        -------
        list of ndarray
            For each block (times, sources, targets); inf where no way leads [s].

        Raises
        ------
        ValueError, TypeError
            As `latencies`, for all blocks together.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
        >>> ids = world.satellite_ids
        >>> near, far = world.latencies_between([(ids[:2], ids[2:4]), (ids[0], ids[6])], [0.0])
        >>> near.shape, (1e3 * far).round(1).tolist()
        ((1, 2, 2), [[[71.3]]])
        """
        time_s, nodes = self._several(times), self.nodes
        ends = []
        for i, block in enumerate(blocks):
            if not isinstance(block, (tuple, list)) or len(block) != 2:
                raise TypeError(f"blocks[{i}]: expected sources and targets, got {short(block)}")
            start, end = (as_positions(nodes, f"blocks[{i}][{k}]", ids) for k, ids in enumerate(block))
            ends.append((start, end))
        cells = len(time_s) * sum(len(start) * len(end) for start, end in ends)
        check_cells(f"blocks: {len(ends)} of them and {len(time_s)} times", cells)
        slot = count("slot", slot, least=0)
        threads = count("threads", threads, most=1024)
        tables = [np.empty((len(time_s), len(start), len(end))) for start, end in ends]
        for first, given in self._sky.at_once(time_s, slot=slot):
            some = slice(first, first + len(given["time_s"]))
            parts = [(start, end, table[some]) for (start, end), table in zip(ends, tables)]
            _core.latencies_between_at(**given, blocks=parts, threads=threads)
        return tables

    def masks(self, times: Any) -> Masks:
        """How many satellites stations have, and how many their masks of elevation and range cut.

        Parameters
        ----------
        times : array_like, shape (times,)
            As of `seconds`.

        Returns
        -------
        Masks
            Counts (stations, times): satellites that are linked, by any rule, and those that one of the masks
            alone keeps from it, with every other limit of a rule met (draws and acquisition aside). What is
            too low and too far as well is counted in neither.

        Raises
        ------
        ValueError, TypeError
            For what is no instant, and what `states` raises.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(
        ...     orbit.preset("iridium-next"),
        ...     stations=orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.2, max_range_m=1.5e6),
        ...     links=orbit.ground(),
        ... )
        >>> found = world.masks([0.0, 60.0])
        >>> found.linked.tolist(), found.out_of_range.tolist()
        ([[1, 1]], [[6, 6]])
        """
        time_s = self._several(times)
        satellites, stations = len(self.satellite_ids), len(self.stations)
        counts = np.zeros((3, stations, len(time_s)), dtype=np.int64)
        for i, links in enumerate(self._sky.links_at(time_s)):
            linked = np.bincount(links.from_, minlength=satellites + stations)[satellites:]
            counts[:, :, i] = linked, links.below_mask, links.out_of_range
        return Masks(tuple(station.id for station in self.stations), time_s, *counts)

    def _several(self, times: Any) -> NDArray[np.float64]:
        time_s = self.seconds(times)
        if time_s.ndim != 1:
            raise ValueError(f"times: expected shape (times,), got {time_s.shape}")
        return time_s

    def _position(self, field: str, id: str) -> int:
        instance(field, id, str)
        try:
            return self.nodes.position(id)
        except ValueError:
            raise ValueError(f"{field}: no satellite or station has id {short(id)}") from None
