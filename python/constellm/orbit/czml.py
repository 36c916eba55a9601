"""Constellations as CZML, which Cesium shows on a globe over time.

The language is described in the CZML Guide of AnalyticalGraphicsInc/czml-writer. Positions are in the frame
FIXED, which turns with the Earth: Cesium's INERTIAL is the ICRF, from which TEME drifts by 0.014 degrees a
year since 2000.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import instance
from ..core.files import write_text
from .constellation_parts import instant_s, instants
from .frames import geodetic_to_ecef

if TYPE_CHECKING:
    from .constellation import Constellation

_MOST_STATES = 5_000_000  # samples of all satellites: some 250 MB of text
_DEGREE = 7  # of the polynomials between samples
_SPEED_UP = 60.0  # of the clock

# Colours are those of the figures, `plot.palette`.
_SATELLITE = [0x66, 0x66, 0x66, 255]
_STATION = [0x33, 0x33, 0x33, 255]
_LINK = [0x8A, 0x8A, 0x8A, 150]
_CONTACT = [0x00, 0x9E, 0x73, 200]

Packet = dict[str, Any]


def packets(
    world: Constellation, start: Any, stop: Any, step_s: float, *, links: bool, threads: int
) -> list[Packet]:
    """As `Constellation.to_czml`."""
    start_s, stop_s = instant_s(world, "start", start), instant_s(world, "stop", stop)
    # All of one length, and enough of them: polynomials are as good as their most uneven samples.
    steps = max(len(instants(start_s, stop_s, step_s)), _DEGREE)
    time_s = np.linspace(start_s, stop_s, steps + 1)
    satellites = len(world.satellite_ids)
    if len(time_s) * satellites > _MOST_STATES:
        raise ValueError(
            f"step_s: {step_s:g} makes {len(time_s)} samples of {satellites} satellites, together more than "
            f"{_MOST_STATES}; a longer step does"
        )
    span = _interval(world, start_s, stop_s)
    made = [_document(world, span, start_s)]
    position_m = world.states(time_s, frame="ecef").position_m
    until_s = np.full(satellites, stop_s)
    for i, id in enumerate(world.satellite_ids):
        lost = ~np.isfinite(position_m[i]).all(axis=1)
        known = int(np.argmax(lost)) if lost.any() else len(time_s)
        until_s[i] = time_s[known - 1] if known > 1 else -np.inf
        if known > 1:
            end = span if known == len(time_s) else _interval(world, start_s, until_s[i])
            made.append(_satellite(world, id, end, time_s[:known], position_m[i, :known]))
    for one in world.stations:
        place = geodetic_to_ecef(one.latitude_deg, one.longitude_deg, one.altitude_m)
        made.append(_station(one.id, place))
    return [*made, *_links(world, start_s, stop_s, until_s, threads)] if links else made


def write_czml(
    world: Constellation,
    path: str | os.PathLike[str],
    start: Any,
    stop: Any,
    step_s: float = 60.0,
    *,
    links: bool = True,
    threads: int = 1,
) -> None:
    """Write a constellation over time as a file of CZML, for Cesium.

    Parameters
    ----------
    world : Constellation
    path : path
        Replaced where it exists; ``.czml`` by custom, ``.czml.gz`` compresses.
    start, stop, step_s, links, threads
        As of `Constellation.to_czml`.

    Raises
    ------
    ValueError, TypeError
        As `Constellation.to_czml`.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(orbit.preset("iridium-next"), links=orbit.plus_grid(seam="open"))
    >>> orbit.write_czml(world, "iridium.czml", 0.0, 600.0)
    """
    from .constellation import Constellation

    made = instance("world", world, Constellation).to_czml(start, stop, step_s, links=links, threads=threads)
    write_text("[\n" + ",\n".join(json.dumps(packet, allow_nan=False) for packet in made) + "\n]\n", path)


def _interval(world: Constellation, start_s: float, stop_s: float) -> str:
    return f"{world.epoch + start_s}/{world.epoch + stop_s}"


def _document(world: Constellation, span: str, start_s: float) -> Packet:
    clock = {
        "interval": span,
        "currentTime": str(world.epoch + start_s),
        "multiplier": _SPEED_UP,
        "range": "LOOP_STOP",
        "step": "SYSTEM_CLOCK_MULTIPLIER",
    }
    return {"id": "document", "name": world.name, "version": "1.0", "clock": clock}


def _satellite(
    world: Constellation, id: str, span: str, time_s: NDArray[np.float64], position_m: NDArray[np.float64]
) -> Packet:
    # To a millimetre: as long as it need be. Seconds count from the first sample, since Cesium counts leap
    # seconds, of which there are five from 2000 on.
    samples = np.column_stack([time_s - time_s[0], position_m.round(3)])
    return {
        "id": f"satellite/{id}",
        "name": id,
        "availability": span,
        "position": {
            "referenceFrame": "FIXED",
            "epoch": str(world.epoch + time_s[0]),
            "interpolationAlgorithm": "LAGRANGE",
            "interpolationDegree": min(_DEGREE, len(time_s) - 1),
            "cartesian": samples.ravel().tolist(),
        },
        "point": {"pixelSize": 4, "color": {"rgba": _SATELLITE}},
    }


def _station(id: str, place_m: NDArray[np.float64]) -> Packet:
    return {
        "id": f"station/{id}",
        "name": id,
        "position": {"referenceFrame": "FIXED", "cartesian": place_m.round(3).tolist()},
        "point": {"pixelSize": 8, "color": {"rgba": _STATION}},
        "label": {
            "text": id,
            "font": "12px sans-serif",
            "fillColor": {"rgba": _STATION},
            "showBackground": True,
            "backgroundColor": {"rgba": [255, 255, 255, 180]},
            "horizontalOrigin": "LEFT",
            "pixelOffset": {"cartesian2": [8, 0]},
        },
    }


def _links(
    world: Constellation, start_s: float, stop_s: float, until_s: NDArray[np.float64], threads: int
) -> list[Packet]:
    """A line for each pair, there while a link of either direction is."""
    windows = world.windows(start_s, stop_s, threads=threads)
    spans: dict[tuple[int, int], list[tuple[float, float]]] = {}
    satellites = len(until_s)
    for a, b, open_s, close_s in zip(
        *(column.tolist() for column in (windows.from_, windows.to, windows.open_s, windows.close_s))
    ):
        pair = (min(a, b), max(a, b))
        ends_s = min(until_s[node] for node in pair if node < satellites)
        if open_s < min(close_s, ends_s):
            spans.setdefault(pair, []).append((open_s, min(close_s, ends_s)))
    ids = [f"satellite/{id}" for id in world.satellite_ids] + [f"station/{one.id}" for one in world.stations]
    return [
        _link(world, ids[a], ids[b], _joined(spans[a, b]), _LINK if b < satellites else _CONTACT)
        for a, b in sorted(spans)
    ]


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The times when at least one of them is, in order."""
    found: list[tuple[float, float]] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        else:
            found.append((start, stop))
    return found


def _link(
    world: Constellation, a: str, b: str, spans: list[tuple[float, float]], colour: list[int]
) -> Packet:
    times = [_interval(world, *span) for span in spans]
    return {
        "id": f"link/{a}/{b}",
        "availability": times[0] if len(times) == 1 else times,
        "polyline": {
            "positions": {"references": [f"{_escaped(end)}#position" for end in (a, b)]},
            "arcType": "NONE",
            "width": 1,
            "material": {"solidColor": {"color": {"rgba": colour}}},
        },
    }


def _escaped(id: str) -> str:
    """In references a number sign ends the id, unless a backslash stands before it."""
    return id.replace("\\", "\\\\").replace("#", "\\#")
