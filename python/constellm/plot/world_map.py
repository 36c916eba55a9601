"""A constellation on a map of the world."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import positive
from ..orbit import Constellation, ecef_to_geodetic
from . import palette, style
from .earth import arcs, circle, coastline, on_map, shores, sight_rad
from .scene import Route, Scene, satellite_positions, scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMED = 30  # stations with a name and a circle of their own
_TRACK_STEP_S = 30.0
_MOST_TRACK_S = 7 * 86_400.0
_NAME_EDGE = 2.5  # width of the white edge that parts a name from what lies below it


def plot_world_map(
    world: Constellation,
    t: Any = 0.0,
    *,
    route: Route | None = None,
    tracks: str | Iterable[str] = (),
    track_s: float = 5400.0,
    links: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """A constellation on a map: satellites, links, stations and what they see, ground tracks and a route.

    Longitude to the right and latitude upwards, both in degrees. Links and tracks are drawn where they lie
    below; what crosses the date line goes on at the other edge. The circle about a station is where it sees
    satellites as high as the middle one, over a sphere; above 30 stations there are neither circles nor
    names.

    Parameters
    ----------
    world : Constellation
        What is drawn.
    t : float, Epoch, str, datetime or numpy.datetime64
        The instant, as of `Constellation.seconds`.
    route : Routes, Plan, ContactRoute or sequence of str, optional
        A way to show; `Routes` need one at `t`, ids are taken in their order.
    tracks : str or sequence of str
        Ids of satellites whose ground tracks are drawn.
    track_s : float
        How long the tracks are, from `t` on; a week at most [s].
    links : bool
        Whether links are drawn beside those of the route.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError, TypeError
        For an unknown id, `Routes` without that instant, and what `world.at` raises.

    Examples
    --------
    >>> from constellm import orbit, plot
    >>> world = orbit.Constellation(
    ...     orbit.preset("iridium-next"),
    ...     stations=[orbit.station("Svalbard", 78.2, 15.4), orbit.station("Dubai", 25.2, 55.3)],
    ...     links=[orbit.plus_grid(seam="open"), orbit.ground()],
    ... )
    >>> ax = plot.plot_world_map(world, 60.0, route=world.routes("Svalbard", "Dubai", [60.0]))
    >>> ax.get_title(loc="left")
    '66 satellites at 2000-01-01T12:01:00Z, 121 links between them, Svalbard → Dubai: 4 hops, 27.8 ms'
    """
    shown = scene(world, t, route=route, links=links)
    followed = satellite_positions(world, "tracks", tracks)
    length_s = positive("track_s", track_s, most=_MOST_TRACK_S)
    latitude, longitude, _ = ecef_to_geodetic(shown.place_m)
    spots = np.stack([longitude, latitude], axis=1)
    with style.drawing(ax, (9.0, 5.1)) as ax:
        _earth(ax)
        handles = [*_links(ax, shown), *_tracks(ax, shown, followed, length_s)]
        handles += [*_nodes(ax, shown, spots), *_highlight(ax, shown, spots)]
        _frame(ax)
        ax.set_title(style.name(", ".join(shown.words), longest=200), fontsize=9, fontweight="normal", pad=20)
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(handles),
                  borderaxespad=0.2, handlelength=1.4, columnspacing=1.2)  # fmt: skip
    return ax


def _earth(ax: Axes) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    land = Path.make_compound_path(*(Path(line, closed=True) for line in coastline()))
    ax.add_patch(PathPatch(land, facecolor=palette.LAND, linewidth=0, zorder=0.4))
    ax.add_collection(LineCollection(shores(), colors=palette.MUTED, linewidths=0.4, zorder=0.5))


def _lines(ax: Axes, pieces: list[NDArray[np.float64]], label: str, **look: Any) -> list[Any]:
    """One artist for all of them; none for none."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    if not pieces:
        return []
    ax.add_collection(LineCollection(pieces, **look), autolim=False)
    return [Line2D([], [], color=look["colors"], linewidth=max(look["linewidths"], 1.0),
                   linestyle=look.get("linestyles", "-"), label=label)]  # fmt: skip


def _links(ax: Axes, shown: Scene) -> list[Any]:
    handles = []
    for pairs, label, colour in (
        (shown.isl, "link", palette.MUTED), (shown.contacts, "link to a station", palette.CONTACT),
    ):  # fmt: skip
        pieces = on_map(*arcs(*(shown.place_m[pairs[:, end]] for end in (0, 1)))) if len(pairs) else []
        faint = max(0.25, min(0.8, 600 / (len(pairs) + 1)))
        handles += _lines(ax, pieces, label, colors=colour, linewidths=0.6, alpha=faint, zorder=1)
    return handles


def _tracks(ax: Axes, shown: Scene, satellites: list[int], length_s: float) -> list[Any]:
    if not satellites:
        return []
    times = shown.time_s + np.append(np.arange(0.0, length_s, _TRACK_STEP_S), length_s)
    below = shown.world.states(times, frame="ecef").position_m[satellites]
    pieces = []
    for line in below:
        latitude, longitude, _ = ecef_to_geodetic(line[np.isfinite(line).all(axis=1)])
        pieces += on_map(longitude, latitude)
    return _lines(ax, pieces, "ground track", colors=palette.TRACK, linewidths=1.3, zorder=2)


def _nodes(ax: Axes, shown: Scene, spots: NDArray[np.float64]) -> list[Any]:
    moving, standing = spots[: shown.satellites], spots[shown.satellites :]
    size = max(3.0, min(16.0, 6000 / len(moving)))
    handles = [
        ax.scatter(*moving.T, s=size, color=palette.SATELLITE, linewidths=0, zorder=3, label="satellite")
    ]
    if not len(standing):
        return handles
    stations = shown.world.stations
    if len(stations) <= _MOST_NAMED:
        radius_m = float(np.nanmedian(np.linalg.norm(shown.place_m[: shown.satellites], axis=1)))
        pieces = []
        for one in stations:
            pieces += on_map(*circle(one.latitude_deg, one.longitude_deg, sight_rad(one, radius_m)))
        handles += _lines(ax, pieces, "sees satellites within", colors=palette.INK, linewidths=0.8,
                          linestyles=(0, (4, 2)), zorder=4)  # fmt: skip
        for one, spot in zip(stations, standing):
            _name(ax, spot, one.id)
    handles.append(
        ax.scatter(
            *standing.T,
            s=34,
            marker="^",
            color=palette.INK,
            edgecolors="white",
            linewidths=0.6,
            zorder=6,
            label="station",
        )  # fmt: skip
    )
    return handles


def _name(ax: Axes, spot: NDArray[np.float64], id: str) -> None:
    from matplotlib.patheffects import withStroke

    # Towards the middle of the map, so that it is not cut.
    right = spot[0] > 120.0
    ax.annotate(style.name(id), spot, xytext=(-6 if right else 6, -3), textcoords="offset points",
                ha="right" if right else "left", va="top", fontsize=8, fontweight="bold", zorder=7,
                path_effects=[withStroke(linewidth=_NAME_EDGE, foreground="white")])  # fmt: skip


def _highlight(ax: Axes, shown: Scene, spots: NDArray[np.float64]) -> list[Any]:
    if not shown.route:
        return []
    ends = np.array(shown.hops, dtype=int).reshape(-1, 2)
    pieces = on_map(*arcs(shown.place_m[ends[:, 0]], shown.place_m[ends[:, 1]])) if len(ends) else []
    handles = _lines(ax, pieces, "route", colors=palette.ROUTE, linewidths=2.2, zorder=5)
    relays = spots[[node for node in shown.route if node < shown.satellites]]
    ax.scatter(*relays.T, s=26, color=palette.ROUTE, edgecolors="white", linewidths=0.6, zorder=6)
    return handles


def _frame(ax: Axes) -> None:
    ax.set_xlim(-180, 180)
    ax.set_ylim(-90, 90)
    ax.set_aspect("equal")
    ax.spines[["right", "top"]].set_visible(True)
    for axis, ticks, sides in ((ax.xaxis, range(-180, 181, 60), "WE"), (ax.yaxis, range(-60, 61, 30), "SN")):
        words = [f"{abs(at)}°{sides[at > 0] if at % 180 else ''}" for at in ticks]
        axis.set_ticks(list(ticks), words)
    style.grid(ax)
