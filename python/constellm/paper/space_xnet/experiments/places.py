"""Where gateways and experts are: on a map, and about the globe."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.table import Rows, where
from ....plot import palette
from ....plot.earth import coastline, shores
from ...report.draw import panels
from ...report.study import Picture

_SHOWN = ("sorted", "rand-intra", "rand-place")
_NAMED_LAYERS = (0, 8, 16, 24)
"""Layers whose gateways and experts are joined, so that the eye has something to follow."""
_VIEW_DEG = (35.0, 20.0)
"""Latitude and longitude above which the globe is seen."""


def picture_of_places(rows: Rows) -> Picture:
    """Maps and globes of three schemes, a colour for each layer."""
    layers = 1 + max(row["layer"] for row in rows)
    shown = [name for name in _SHOWN if where(rows, scheme=name)]
    with panels(len(shown), 2, (10.5, 3.0 * len(shown))) as (figure, axes):
        import matplotlib

        colours = matplotlib.colormaps["hsv"](np.arange(layers) / layers)
        for (left, right), name in zip(axes, shown):
            own = where(rows, scheme=name)
            _map(left, own, colours)
            _globe(right, own, colours)
            left.set_title(name)
    return Picture(
        "places",
        figure,
        "Satellites of the first slot that are gateways (squares) or host experts (dots), on a map and "
        "about the globe, in a colour for each layer; every eighth layer's gateway is joined to its "
        "experts. Sorted keeps a layer within some hops of its gateway, along a ring; random placements "
        "spread it.",
    )


def _map(ax: Any, rows: Rows, colours: NDArray[np.float64]) -> None:
    from matplotlib.collections import LineCollection

    ax.add_collection(LineCollection(shores(), colors=palette.MUTED, linewidths=0.4))
    _nodes(ax, rows, colours, _degrees(rows), wrap=True)
    ax.set_xlim(-180, 180)
    ax.set_ylim(-90, 90)
    ax.set_xticks(range(-180, 181, 60))
    ax.set_yticks(range(-90, 91, 30))
    ax.set_aspect("equal")


def _globe(ax: Any, rows: Rows, colours: NDArray[np.float64]) -> None:
    """Seen from far away; what is behind the Earth is left out."""
    from matplotlib.collections import LineCollection

    turned = np.linspace(0, 2 * np.pi, 181)
    ax.fill(np.cos(turned), np.sin(turned), color=palette.LAND, zorder=0)
    ax.add_collection(LineCollection(_near_shores(), colors=palette.MUTED, linewidths=0.4))
    place, front = _seen(_degrees(rows))
    above = np.where(front, 1.09 * place, np.nan)
    _nodes(ax, rows, colours, above.T, wrap=False)
    ax.set_xlim(-1.15, 1.15)
    ax.set_ylim(-1.15, 1.15)
    ax.set_aspect("equal")
    ax.set_axis_off()


def _near_shores() -> list[NDArray[np.float64]]:
    """Coasts as lines of places on the picture, with gaps for what is on the far side."""
    seen = map(_seen, coastline())
    return [np.where(front, place, np.nan).T for place, front in seen if front.any()]


def _degrees(rows: Rows) -> NDArray[np.float64]:
    return np.array([[row["longitude_deg"], row["latitude_deg"]] for row in rows])


def _seen(degrees: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Orthographic: right and up (2, points), and which are on the near side."""
    longitude, latitude = np.radians(degrees).T
    tilt, turn = np.radians(_VIEW_DEG)
    east = longitude - turn
    right = np.cos(latitude) * np.sin(east)
    up = np.cos(tilt) * np.sin(latitude) - np.sin(tilt) * np.cos(latitude) * np.cos(east)
    near = np.sin(tilt) * np.sin(latitude) + np.cos(tilt) * np.cos(latitude) * np.cos(east)
    return np.stack([right, up]), near > 0


def _nodes(ax: Any, rows: Rows, colours: NDArray[np.float64], at: NDArray[np.float64], *, wrap: bool) -> None:
    layer = np.array([row["layer"] for row in rows])
    gateway = np.array([row["role"] == "gateway" for row in rows])
    for chosen in _NAMED_LAYERS:
        start = at[(layer == chosen) & gateway]
        for end in at[(layer == chosen) & ~gateway]:
            if len(start) and not (wrap and abs(end[0] - start[0, 0]) > 180):
                ends = np.stack([start[0], end])
                ax.plot(ends[:, 0], ends[:, 1], color=colours[chosen], linewidth=0.7, zorder=2)
    for kind, marker, size in ((~gateway, "o", 7), (gateway, "s", 22)):
        edge = palette.INK if marker == "s" else "none"
        ax.scatter(
            at[kind, 0], at[kind, 1], s=size, c=colours[layer[kind]], marker=marker, edgecolors=edge,
            linewidths=0.6, zorder=3,
        )  # fmt: skip
