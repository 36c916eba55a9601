"""A constellation about a globe that turns under the pointer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.optional import optional_import
from ..orbit import Constellation, geodetic_to_ecef
from . import palette
from .earth import shores
from .scene import Route, Scene, scene

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_SUNK = 0.995  # the ball is so much smaller than the Earth, so that coasts lie above its flat faces
_NAMES_AT = 1.13  # of a station's distance from the centre
_MEGAMETRE = 1e-6  # plotly's camera and hover like small numbers


def plot_globe(
    world: Constellation, t: Any = 0.0, *, route: Route | None = None, links: bool = True
) -> Figure:
    """A constellation in space, to be turned and zoomed in a notebook or a browser.

    Parameters
    ----------
    world : Constellation
        What is drawn.
    t : float, Epoch, str, datetime or numpy.datetime64
        The instant, as of `Constellation.seconds`.
    route : Routes, Plan, ContactRoute or sequence of str, optional
        A way to show, as of `plot_world_map`.
    links : bool
        Whether links are drawn beside those of the route.

    Returns
    -------
    plotly.graph_objects.Figure
        Shows itself in a notebook; its ``write_html`` makes a page of it. The frame turns with the Earth, and
        a unit is 1,000 km.

    Raises
    ------
    ValueError, TypeError
        As `plot_world_map`.
    ImportError
        Where plotly is absent; the message says how to get it.

    Examples
    --------
    >>> from constellm import orbit, plot
    >>> world = orbit.Constellation(orbit.preset("iridium-next"), links=orbit.plus_grid(seam="open"))
    >>> globe = plot.plot_globe(world, 60.0)
    >>> [trace.name for trace in globe.data]
    ['Earth', 'coast', 'link', 'satellite']
    """
    graphs = optional_import(
        "plotly.graph_objects", extra="interactive", purpose="a globe that turns needs plotly"
    )
    shown = scene(world, t, route=route, links=links)
    made = graphs.Figure([*_earth(graphs), *_links(graphs, shown), *_nodes(graphs, shown)])
    nothing = {"visible": False}
    made.update_layout(
        title={
            "text": "<br>".join(map(escape, shown.words)), "font": {"size": 13, "color": palette.INK},
            "x": 0.02, "y": 0.97, "yanchor": "top",
        },
        width=760,
        height=680,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor="white",
        legend={"x": 0.02, "y": 0.02, "itemsizing": "constant"},
        scene={
            "xaxis": nothing, "yaxis": nothing, "zaxis": nothing, "aspectmode": "data",
            "camera": {"eye": _eye(shown)},
        },
    )  # fmt: skip
    return made


def _eye(shown: Scene) -> dict[str, float]:
    """Above the middle of the route, or of the stations, or the zero meridian."""
    nodes = shown.route or list(range(shown.satellites, len(shown.place_m)))
    toward = shown.place_m[nodes].mean(axis=0) if nodes else np.zeros(3)
    length = float(np.linalg.norm(toward))
    if not length > 0:
        toward, length = np.array([1.0, 0.0, 0.4]), float(np.hypot(1.0, 0.4))
    return dict(zip("xyz", (1.45 / length * toward).tolist()))


def _earth(graphs: Any) -> list[Any]:
    latitude, longitude = np.meshgrid(np.linspace(-90, 90, 37), np.linspace(-180, 180, 73), indexing="ij")
    ball = _SUNK * _MEGAMETRE * geodetic_to_ecef(latitude, longitude, 0.0)
    coasts = [geodetic_to_ecef(line[:, 1], line[:, 0], 0.0) for line in shores()]
    plain = {"ambient": 0.9, "diffuse": 0.2, "specular": 0.0}
    return [
        graphs.Surface(
            x=ball[..., 0], y=ball[..., 1], z=ball[..., 2], name="Earth", showscale=False, hoverinfo="skip",
            colorscale=[[0, palette.LAND], [1, palette.LAND]], surfacecolor=np.zeros(ball.shape[:2]),
            lighting=plain,
        ),
        _lines(graphs, coasts, "coast", palette.MUTED, 1.5, showlegend=False),
    ]  # fmt: skip


def _lines(
    graphs: Any, lines: list[NDArray[np.float64]], name: str, colour: str, width: float, **more: Any
) -> Any:
    """One trace for all of them, with gaps."""
    gap = np.full((1, 3), np.nan)
    points = np.concatenate([part for line in lines for part in (_MEGAMETRE * line, gap)])
    return graphs.Scatter3d(
        x=points[:, 0], y=points[:, 1], z=points[:, 2], mode="lines", name=name, hoverinfo="skip",
        line={"color": colour, "width": width}, **more,
    )  # fmt: skip


def _links(graphs: Any, shown: Scene) -> list[Any]:
    hops = np.array(shown.hops, dtype=int).reshape(-1, 2)
    return [
        _lines(graphs, list(shown.place_m[pairs]), name, colour, width, opacity=opacity)
        for pairs, name, colour, width, opacity in (
            (shown.isl, "link", palette.MUTED, 1, 0.6),
            (shown.contacts, "link to a station", palette.CONTACT, 2, 0.8),
            (hops, "route", palette.ROUTE, 8, 1.0),
        )
        if len(pairs)
    ]


def _nodes(graphs: Any, shown: Scene) -> list[Any]:
    ids = np.array([escape(id) for id in shown.world.ids])  # plotly takes tags for its own
    number = shown.satellites
    size = 2 if number > 500 else 4
    relays = [node for node in shown.route if node < number]
    traces = []
    for nodes, name, colour, pixels, symbol in (
        (list(range(number)), "satellite", palette.SATELLITE, size, "circle"),
        (list(range(number, len(ids))), "station", palette.INK, 5, "diamond"),
        (relays, "on the route", palette.ROUTE, 6, "circle"),
    ):
        if nodes:
            marker = {"size": pixels, "color": colour, "symbol": symbol}
            more = {"hoverinfo": "text", "marker": marker, "showlegend": name != "on the route"}
            traces.append(_points(graphs, shown.place_m[nodes], ids[nodes], name, mode="markers", **more))
    if number < len(ids):
        # Above the stations, or what lies on them would hide the words.
        above, font = _NAMES_AT * shown.place_m[number:], {"color": palette.INK, "size": 12}
        more = {"hoverinfo": "skip", "textfont": font, "textposition": "top center", "showlegend": False}
        traces.append(_points(graphs, above, ids[number:], "names", mode="text", **more))
    return traces


def _points(graphs: Any, place_m: NDArray[np.float64], words: NDArray[Any], name: str, **more: Any) -> Any:
    x, y, z = _MEGAMETRE * place_m.T
    return graphs.Scatter3d(x=x, y=y, z=z, text=words, name=name, **more)
