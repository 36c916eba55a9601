"""A study: what is computed of a paper, drawn, and held against its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.table import Rows, Table, Tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATED, DERIVED, ASSUMED = "stated", "derived", "assumed"


@dataclass(frozen=True)
class Parameter:
    """A number of a study and where it comes from."""

    name: str
    """Keyword of the study's problems, or a phrase for what has no keyword."""
    value: Any
    unit: str
    status: str
    """``stated`` (by the paper, or the maker of a device), ``derived`` (computed from what is stated) or
    ``assumed``."""
    source: str
    """Where it stands, how it is computed, or why it is assumed."""


@dataclass(frozen=True)
class Picture:
    """A figure with what it shows and what it assumes."""

    name: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Experiment:
    """One comparison."""

    title: str
    text: str
    """What is compared, and under which assumptions beyond the study's parameters."""
    compute: Callable[[bool], Tables]
    """Rows by name of the table, on coarse grids if true is given; no seconds, so that every run finds the
    same."""
    draw: Callable[[Tables], list[Picture]]
    """Figures from those rows."""


@dataclass(frozen=True)
class Study:
    """A paper, and what is made of it here."""

    name: str
    """In the command line."""
    title: str
    introduction: str
    """What the paper is and how it was known, and what the numbers rest on."""
    verdicts: str
    """How a verdict comes about, and the assumptions under what is found here."""
    parameters: tuple[Parameter, ...]
    experiments: tuple[Experiment, ...]
    """In the order of the page."""
    claims: Callable[[Tables], Rows]
    """Of the rows of all experiments: `constellm.paper.report.claims.claim` rows."""


def parameters_table(parameters: tuple[Parameter, ...]) -> Table:
    """The parameters as a table; names that are keywords in code spans."""
    return Table(
        ("parameter", "value", "status", "source or reason"),
        tuple(
            (f"`{p.name}`" if p.name.isidentifier() else p.name, _shown(p), p.status, p.source)
            for p in parameters
        ),
    )


def _shown(parameter: Parameter) -> str:
    if parameter.value is None:
        return "see right"
    parts = parameter.value if isinstance(parameter.value, tuple) else (parameter.value,)
    floats = [part for part in parts if isinstance(part, float)]
    scale, prefix = 1.0, ""
    if parameter.unit:
        scale, prefix = next(
            (step for step in _PREFIXES if any(part >= step[0] for part in floats)), (1.0, "")
        )
    text = ", ".join(f"{part / scale:.4g}" if isinstance(part, float) else str(part) for part in parts)
    return f"{text} {prefix}{parameter.unit}".rstrip()


_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"))
