"""What every experiment is: a computation of rows, and figures drawn from the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..rows import Tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    """What is compared, and under which assumptions beyond those of `PARAMETERS`."""
    compute: Callable[[bool], Tables]
    """Rows by name of the table, on coarse grids if true is given; no seconds, so that every run finds the
    same."""
    draw: Callable[[Tables], list[Picture]]
    """Figures from those rows."""
