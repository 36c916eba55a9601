"""The look of every figure, in force only while one is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..core.optional import optional_import
from ..core.quantity import common_prefix, cut_in_the_middle, printable, split_unit
from . import palette

_LONGEST_NAME = 24

# Shares of images, stored as fractions and shown in hundredths: what an axis says, and its unit.
_SHARES = {
    "accuracy": ("accuracy", "%"),
    "agreement": ("same class as without cuts", "%"),
    "loss": ("loss of accuracy", "points"),
    "expected_loss": ("expected loss of accuracy", "points"),
}

_RC = {
    "axes.axisbelow": True,
    "axes.edgecolor": palette.MUTED,
    "axes.labelcolor": palette.INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "font.size": 9,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "pdf.fonttype": 42,
    "text.color": palette.INK,
    "text.usetex": False,
    "xtick.color": palette.MUTED,
    "xtick.labelcolor": palette.INK,
    "xtick.labelsize": 8,
    "ytick.color": palette.MUTED,
    "ytick.labelcolor": palette.INK,
    "ytick.labelsize": 8,
}


def matplotlib() -> Any:
    """The matplotlib package, imported when the first figure is drawn.

    Raises
    ------
    ImportError
        Where it is not installed; the message says how to get it.
    """
    return optional_import("matplotlib", extra="plot", purpose="figures need matplotlib")


@contextmanager
def in_force() -> Iterator[None]:
    """New figures and axes have the style."""
    library = matplotlib()
    with library.rc_context(_RC):
        yield
        # The first figure loads the backend, and that of a notebook says here that it shows figures at once:
        # no part of the style, and to outlive it.
        interactive = library.is_interactive()
    library.interactive(interactive)


@contextmanager
def drawing(ax: Any, size: tuple[float, float], *, polar: bool = False) -> Iterator[Any]:
    """The axes to draw on, with the style in force: `ax`, or those of a new figure of `size` inches.

    Raises
    ------
    ValueError
        Where polar axes are wanted and `ax` is none.
    """
    with in_force():
        if ax is None:
            from matplotlib import pyplot

            kind = {"projection": "polar"} if polar else None
            ax = pyplot.subplots(figsize=size, layout="constrained", subplot_kw=kind)[1]
        elif polar:
            if ax.name != "polar":
                raise ValueError("ax: expected polar axes, as of pyplot.subplot(projection='polar')")
        else:
            ax.set_axisbelow(True)
            ax.spines[["right", "top"]].set_visible(False)
        yield ax


def grid(ax: Any, axis: str = "both") -> None:
    """Faint lines behind what is drawn, also on axes that were made elsewhere."""
    ax.grid(True, axis=axis, color=palette.PALE, linewidth=0.6)


def from_zero(ax: Any) -> None:
    """Heights begin at 0, with room for the marks of the highest."""
    highest = float(ax.dataLim.y1)
    ax.set_ylim(0.0, 1.08 * highest if 0.0 < highest < np.inf else 1.0)


def plain(text: str, *, longest: int = _LONGEST_NAME) -> str:
    """A name from a problem on one line, and not too long."""
    return cut_in_the_middle(printable(str(text)), longest)


def name(text: str, *, longest: int = _LONGEST_NAME) -> str:
    """A name from a problem as a label: `plain`, and no mathematics for matplotlib."""
    return plain(text, longest=longest).replace("$", r"\$")


def is_geometric(values: ArrayLike) -> bool:
    """Whether at least three positive numbers grow by one factor, which calls for a logarithmic axis."""
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "iuf" or numbers.size < 3 or not np.all(numbers > 0):
        return False
    steps = np.diff(np.log(numbers))
    return bool(abs(steps[0]) > 0 and np.allclose(steps, steps[0], rtol=1e-3))


def spans_decades(values: ArrayLike) -> bool:
    """Whether the finite values are positive and differ so much that a linear scale hides the small ones."""
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    return bool(numbers.size > 1 and numbers.min() > 0 and numbers.max() > 50 * numbers.min())


def field_words(field: str) -> tuple[str, str]:
    """A field, or the address of a sweep's axis, in words, and its unit.

    ``nodes[satellite].flop_per_s`` is the speed of nodes satellite in FLOP/s; with a star at its end, a
    factor.
    """
    place, dot, last = field.rpartition(".")
    stem, star = last.removesuffix(" *"), last.endswith(" *")
    text, unit = split_unit(stem)
    if dot:
        text += f" of {place.replace('[', ' ').replace(']', '').replace('->', ' → ')}"
    return (f"{text}, as a factor", "") if star else (text, unit)


def label_axis(axis: Any, field: str, values: ArrayLike, *, log: bool = False) -> None:
    """Label an axis, or that of a colour bar, by a field's name; the unit's prefix suits `values`."""
    from matplotlib.ticker import EngFormatter, FuncFormatter

    text, unit = field_words(field)
    if field in _SHARES:
        text, unit = _SHARES[field]
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g}"))
    elif log:
        # Factors and errors read better as they are: 0.01, not 10m.
        axis.set_major_formatter(
            EngFormatter(sep="") if unit else FuncFormatter(lambda value, _: f"{value:g}")
        )
        axis.set_minor_formatter("")
    elif unit:
        prefix, scale = common_prefix(np.ravel(np.asarray(values, dtype=float)), unit)
        unit = prefix + unit
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / scale:.6g}"))
    axis.set_label_text(f"{text} ({unit})" if unit else text)
