"""Passes of satellites over a station, as it sees them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, instance, short
from ..core.quantity import counted
from ..orbit import Constellation, Epoch, Station, ground, look_angles
from ..orbit.constellation_parts import instant_s
from . import palette, style
from .scene import satellite_positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 61  # along a pass
_TIMED = 3  # passes; above, there are no marks of time
_NAMED = 12  # passes; above, they have no names and no ways below the mask
_MARKS = 8  # of time along a pass at most
_MARK_STEPS_S = (60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_BESIDE = 9.0  # how far words stand from a way [points]
_BEFORE_S = 900.0  # how far a pass is followed below the mask


class _Pass(NamedTuple):
    satellite: int
    open_s: float
    close_s: float


def plot_sky(
    world: Constellation,
    station: str,
    start: Any,
    stop: Any,
    *,
    satellites: str | Iterable[str] | None = None,
    most: int = 60,
    ax: Axes | None = None,
) -> Axes:
    """The sky of a station with the passes of satellites: azimuth around, the zenith in the middle.

    North is up and east to the right, as on a map. A pass is drawn while the station's rules have a link,
    from its opening to its closing; an arrow tells where to. Up to 12 passes have names and, dotted, their
    ways down to the horizon; up to three have marks of time. The shaded ring lies below the station's least
    elevation.

    Parameters
    ----------
    world : Constellation
        Of its rules those for stations count; where there is none, `ground` does.
    station : str
        Its id.
    start, stop : float, Epoch, str, datetime or numpy.datetime64
        As of `Constellation.seconds`.
    satellites : str or sequence of str, optional
        Ids; default: all that come by.
    most : int
        Passes that are drawn; of more the longest. The title says how many there are.
    ax : matplotlib.projections.polar.PolarAxes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on; its radius is 90 less the elevation [deg].

    Raises
    ------
    ValueError, TypeError
        For an unknown id, axes that are not polar, and as `Constellation.windows`.

    Examples
    --------
    >>> from constellm import orbit, plot
    >>> svalbard = orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=10.0)
    >>> world = orbit.Constellation(orbit.preset("iridium-next"), stations=svalbard)
    >>> ax = plot.plot_sky(world, "Svalbard", 0.0, 1200.0, satellites="iridium-next/0/1")
    """
    instance("world", world, Constellation)
    place = _station(world, station)
    start_s, stop_s = instant_s(world, "start", start), instant_s(world, "stop", stop)
    wanted = None if satellites is None else set(satellite_positions(world, "satellites", satellites))
    passes = _passes(world, place, start_s, stop_s, wanted)
    drawn = sorted(passes, key=lambda one: (one.open_s - one.close_s, one.open_s, one.satellite))
    drawn = sorted(drawn[: count("most", most)], key=lambda one: (one.open_s, one.satellite))
    with style.drawing(ax, (5.6, 5.9), polar=True) as ax:
        _dome(ax, place)
        for one in drawn:
            _draw(ax, world, place, one, len(drawn))
        part = f"{len(drawn)} longest of " if len(drawn) < len(passes) else ""
        moments = f"{_clock(world, start_s)} to {_clock(world, stop_s)}"
        day = str(world.epoch + start_s)[:10]
        ax.set_title(
            f"{style.name(place.id)}: {part}{counted(len(passes), 'pass', 'passes')}\n{day}, {moments} UTC",
            fontsize=9,
            fontweight="normal",
            pad=14,
        )
    return ax


def _station(world: Constellation, id: str) -> Station:
    for one in world.stations:
        if one.id == id:
            return one
    raise ValueError(f"station: no station has id {short(id)}")


def _passes(
    world: Constellation, station: Station, start_s: float, stop_s: float, wanted: set[int] | None
) -> list[_Pass]:
    rules = [rule.replace(survival=1.0) for rule in world.links if rule.pattern == "ground"] or [ground()]
    alone = world.replace(stations=station, links=rules, computers=None)
    windows = alone.windows(start_s, stop_s)
    columns = (windows.from_, windows.to, windows.open_s, windows.close_s)
    found = [
        _Pass(a, open_s, close_s)
        for a, b, open_s, close_s in zip(*(column.tolist() for column in columns))
        if b == len(world.satellite_ids)  # each link goes both ways
    ]
    return [one for one in found if wanted is None or one.satellite in wanted]


def _dome(ax: Axes, station: Station) -> None:
    ax.set_theta_zero_location("N")
    ax.set_theta_direction(-1)
    ax.set_ylim(0, 90)
    ax.set_yticks([30, 60, 90], ["60°", "30°", ""])
    ax.set_rlabel_position(157.5)
    ax.set_xticks(np.radians(range(0, 360, 45)), ["N", "45°", "E", "135°", "S", "225°", "W", "315°"])
    ax.tick_params(colors=palette.MUTED)
    ax.grid(color=palette.PALE, linewidth=0.6)
    ax.spines["polar"].set_color(palette.MUTED)
    if station.min_elevation_deg > 0:
        around = np.linspace(0.0, 2.0 * np.pi, 181)
        ring = 90.0 - station.min_elevation_deg
        ax.fill_between(around, ring, 90.0, color=palette.PALE, alpha=0.7, linewidth=0, zorder=0.5)
        ax.plot(around, np.full_like(around, ring), color=palette.MUTED, linewidth=0.8, linestyle="--")
        ax.annotate(f"{station.min_elevation_deg:g}°", (np.radians(22.5), ring), xytext=(0, 2),
                    textcoords="offset points", fontsize=7, color=palette.MUTED)  # fmt: skip


def _draw(ax: Axes, world: Constellation, station: Station, one: _Pass, passes: int) -> None:
    azimuth, height = _seen(world, station, one.satellite, np.linspace(one.open_s, one.close_s, _POINTS))
    crowd = passes > _NAMED
    ax.plot(azimuth, 90 - height, color=palette.CONTACT, linewidth=1.0 if crowd else 2.2,
            alpha=0.6 if crowd else 1.0, solid_capstyle="round", zorder=3)  # fmt: skip
    if one.close_s > one.open_s:
        tip, tail = (azimuth[-1], 90 - height[-1]), (azimuth[-3], 90 - height[-3])
        head = {"arrowstyle": "-|>", "color": palette.CONTACT, "mutation_scale": 6 if crowd else 12}
        ax.annotate("", tip, xytext=tail, arrowprops=head, zorder=3)
    if crowd:
        return
    for times in (
        np.linspace(one.open_s, one.open_s - _BEFORE_S, _POINTS),
        np.linspace(one.close_s, one.close_s + _BEFORE_S, _POINTS),
    ):
        around, above = _seen(world, station, one.satellite, times)
        down = int(np.argmax(above < 0)) if (above < 0).any() else len(above)
        ax.plot(around[:down], 90 - above[:down], color=palette.SATELLITE, linewidth=1.0, linestyle=":")
    # Early on the way, where those that meet near the zenith are apart; times stand on the other side.
    early = slice(_POINTS // 4, _POINTS // 4 + 2)
    _say(ax, world.satellite_ids[one.satellite], azimuth[early], height[early], -1, fontweight="bold")
    if passes <= _TIMED:
        _mark_times(ax, world, station, one)


def _mark_times(ax: Axes, world: Constellation, station: Station, one: _Pass) -> None:
    length_s = one.close_s - one.open_s
    step_s = next((step for step in _MARK_STEPS_S if length_s / step <= _MARKS), _MARK_STEPS_S[-1])
    # On whole steps of the clock, which counts in microseconds.
    zero_us, step_us = world.epoch.microseconds, int(1e6 * step_s)
    first, last = (-(-(world.epoch + end).microseconds // step_us) for end in (one.open_s, one.close_s))
    times = np.array([(mark * step_us - zero_us) / 1e6 for mark in range(first, last)])
    azimuth, height = _seen(world, station, one.satellite, times)
    ax.plot(azimuth, 90 - height, "o", markersize=4, color=palette.CONTACT, markeredgecolor="white", zorder=4)
    onward = _seen(world, station, one.satellite, times + 1.0)
    for at_s, around, above in zip(
        times, np.stack([azimuth, onward[0]], 1), np.stack([height, onward[1]], 1)
    ):
        _say(ax, _clock(world, at_s), around, above, 1)


def _say(
    ax: Axes, words: str, azimuth: NDArray[np.float64], height: NDArray[np.float64], side: int, **look: Any
) -> None:
    """Words beside the first of two places on a way: on its outer side, or with -1 on its inner one."""
    from matplotlib.patheffects import withStroke

    x, y = (90 - height) * np.sin(azimuth), (90 - height) * np.cos(azimuth)
    normal = np.array([y[0] - y[1], x[1] - x[0]])
    normal *= side * (1 if normal @ [x[0], y[0]] >= 0 else -1) / max(float(np.hypot(*normal)), 1e-12)
    across = "center" if abs(normal[0]) < 0.5 else "left" if normal[0] > 0 else "right"
    ax.annotate(style.name(words), (azimuth[0], 90 - height[0]), ha=across, va="center", fontsize=7, zorder=5,
                textcoords="offset points", xytext=tuple(_BESIDE * normal),
                path_effects=[withStroke(linewidth=2.0, foreground="white")], **look)  # fmt: skip


def _clock(world: Constellation, time_s: float) -> str:
    moment: Epoch = world.epoch + float(time_s)
    return str(moment)[11 : 19 if moment.microseconds % 60_000_000 else 16]


def _seen(
    world: Constellation, station: Station, satellite: int, times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Azimuth [rad] and elevation [deg] of a satellite."""
    place = world.states(times, frame="ecef").position_m[satellite]
    seen = look_angles(station.latitude_deg, station.longitude_deg, station.altitude_m, place)
    return np.radians(seen.azimuth_deg), seen.elevation_deg
