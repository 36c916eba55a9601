"""Contenders of the scenario: a method each, and what it may use there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import sweep
from ...codec import menu
from ...core.table import Row, Rows
from ...split import Problem
from . import scenario


@dataclass(frozen=True)
class Contender:
    """A way to run the task."""

    label: str
    method: str
    """Of `constellm.split.solve`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it changes of the scenario, by keyword of `constellm.paper.collaborative.problem`."""


CHAIN = Contender("optimal chain", "optimal")
"""The paper's scheme, solved exactly: any of the five satellites hosts layers, the ground none."""

GROUND_ONLY = Contender("ground only", "ground-only", {"ground_computes": True})
"""All raw images are relayed down, over four hops and the ground link, and the ground hosts all layers."""

SINGLE = Contender("single satellite", "single-satellite")
"""The sensing satellite hosts all layers."""

BEST_SATELLITE = Contender("best single satellite", "single-best")
"""One satellite hosts all layers, the one where it is quickest; raw images are relayed to it."""

UNIFORM = Contender("uniform split", "uniform")
"""Equally many layers on each of the five satellites, with the best codecs for that."""

PROPORTIONAL = Contender("compute-proportional split", "compute-proportional")
"""Layers in proportion to the satellites' speeds, with the best codecs: the paper's heuristic split."""

TOP_K = Contender("Top-k, optimal split", "optimal", {"codecs": menu("top-k", value_bits=8)})
"""The exact split with Top-k in place of the mask: 8-bit values and 16-bit positions, no entropy coder."""

QUANTISE = Contender("quantise only, optimal split", "optimal", {"codecs": menu("quantise")})
"""The exact split with 2 to 8 bits an element."""

RAW = Contender("no compression, optimal split", "no-compression")
"""The exact split with activations as they are."""

ANYWHERE = Contender("optimal, ground may compute", "optimal", {"ground_computes": True})
"""The exact plan when the ground may host layers as well."""

FIGURES = ("delay_s", "bottleneck_s", "bytes", "error", "stages", "status")


def solved(contenders: Sequence[Contender], axes: Mapping[str, Any], **settings: Any) -> Rows:
    """Every contender at every combination of the scenario's settings.

    Parameters
    ----------
    contenders : sequence of Contender
    axes : mapping of str to sequence
        Keywords of `constellm.paper.collaborative.problem` with their values.
    **settings
        Other keywords of `constellm.paper.collaborative.problem`, the same for all.

    Returns
    -------
    Rows
        ``contender``, the axes, then `FIGURES`.
    """
    rows: Rows = []
    for contender in contenders:
        found = sweep.run(_factory({**settings, **contender.settings}), axes, method=contender.method)
        faults = {message for message in np.asarray(found["message"]).ravel().tolist() if message}
        if faults:
            raise ValueError(f"{contender.label}: {faults.pop()}")
        for cell in np.ndindex(*map(len, axes.values())):
            row: Row = {"contender": contender.label}
            row.update({name: plain(values[at]) for (name, values), at in zip(axes.items(), cell)})
            row.update({name: np.asarray(found[name])[cell].item() for name in FIGURES})
            rows.append(row)
    return rows


def plain(value: Any) -> Any:
    """A setting as it stands in a row: an image size as ``"256x256"``, other tuples with commas."""
    if not isinstance(value, tuple):
        return value
    return ("x" if len(value) == 2 else ", ").join(map(str, value))


def problem_of(contender: Contender, **settings: Any) -> Problem:
    """The problem that a contender is given."""
    return scenario.problem(**{**settings, **contender.settings})


def _factory(settings: Mapping[str, Any]) -> Callable[..., Problem]:
    """`constellm.paper.collaborative.problem` with `settings` in place of its defaults."""

    def factory(**axes: Any) -> Problem:
        return scenario.problem(**{**settings, **axes})

    return factory
