"""Rows of everything that was measured, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..codec.compressor import AtCuts, Compressors
from ..codec.measured_cuts import MeasuredCuts
from ..core.checks import count
from ..images import ImageSet
from ..infer.infer import Segmented
from .campaign import Measuring


class Measurements:
    """Every codec alone at its boundaries, and sets of several cuts, on other images.

    Parameters
    ----------
    net : Segmented
        The network.
    images : pair of ImageSet
        What single cuts are measured on, and what sets of several are.
    batch : int
        Images that are encoded together.
    measuring : Measuring
        How, and the rows at hand.
    """

    def __init__(
        self, net: Segmented, images: tuple[ImageSet, ImageSet], batch: int, measuring: Measuring
    ) -> None:
        self.blocks = count("net.blocks", net.blocks, least=2)
        self.compressors: dict[str, AtCuts] = {}
        self._net, self._images, self._batch, self._measure = net, images, batch, measuring.measure
        self._rows: dict[tuple[tuple[int, str], ...], MeasuredCuts] = {}
        self._known = {tuple(row.plan.items()): row for row in measuring.known}
        for row in measuring.known:
            expected = len(images[len(row.cuts) > 1])
            if (row.blocks, row.images) != (self.blocks, expected):
                cuts = "one cut" if len(row.cuts) == 1 else "several cuts"
                raise ValueError(
                    f"measured: a row of {row.blocks} blocks and {row.images} images, "
                    f"expected {self.blocks} and {expected} for {cuts}"
                )

    @property
    def rows(self) -> list[MeasuredCuts]:
        """All, in the order in which they were measured."""
        return list(self._rows.values())

    def single(self) -> dict[tuple[int, str], MeasuredCuts]:
        """Rows of one cut, by boundary and codec."""
        return {cuts[0]: row for cuts, row in self._rows.items() if len(cuts) == 1}

    def add(self, compressors: Compressors) -> None:
        """Take codecs into the menu, and measure each alone wherever it is given."""
        self.compressors.update(compressors)
        inside = range(1, self.blocks)
        self.measure_sets(
            [
                {count(f"compressors[{name!r}]", k, most=self.blocks - 1): name}
                for name, at in compressors.items()
                for k in (sorted(at) if isinstance(at, Mapping) else inside)
            ]
        )

    def take_known_sets(self) -> int:
        """Take the sets of several cuts that were at hand, as far as the menu has their codecs; how many."""
        names = self.compressors.keys()
        given = [dict(key) for key in self._known if len(key) > 1 and {name for _, name in key} <= names]
        self.measure_sets(given)
        return len(given)

    def measure_sets(self, wanted: Sequence[dict[int, str]]) -> None:
        """Measure sets of cuts that have no row yet."""
        keys = {tuple(sorted(cuts.items())): cuts for cuts in wanted}
        for key in keys:
            if key in self._known:
                self._rows.setdefault(key, self._known[key])
        missing = [cuts for key, cuts in keys.items() if key not in self._rows]
        for several in (False, True):
            some = [cuts for cuts in missing if (len(cuts) > 1) == several]
            for row in self._run(self._images[several], some) if some else ():
                self._rows[tuple(row.plan.items())] = row

    def row(self, cuts: Mapping[int, str]) -> MeasuredCuts | None:
        """The row of a set of cuts, measured now where it was not; None for no cut."""
        if not cuts:
            return None
        self.measure_sets([dict(cuts)])
        return self._rows[tuple(sorted(cuts.items()))]

    def on(self, images: ImageSet, cuts: Mapping[int, str]) -> MeasuredCuts | None:
        """The same on other images; not among `rows`."""
        return self._run(images, [dict(cuts)])[0] if cuts else None

    def _run(self, images: ImageSet, sets: list[dict[int, str]]) -> list[MeasuredCuts]:
        found = self._measure(
            self._net, images, self.compressors, boundaries=(), combinations=sets, batch=self._batch
        )
        return list(found.rows)
