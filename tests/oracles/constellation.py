"""Links of a constellation at an instant, by brute force over all pairs, and routes by networkx.

Written from the words of the format (docs/formats.md) with numpy alone; positions and velocities are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

RADIUS_M, FLATTENING = 6378137.0, 1 / 298.257223563
LIGHT_M_PER_S = 299_792_458.0
EARTH_RAD_PER_S = 7.292115e-5

Link = tuple[int, int]
"""Positions of sender and receiver: satellites, then stations."""


def links_at(
    rules: Sequence[Any],
    shells: Sequence[Any],
    stations: Sequence[Any],
    position_m: np.ndarray,
    velocity_m_per_s: np.ndarray,
    turn_rad: float,
) -> dict[Link, tuple[int, float, float]]:
    """The rule, the latency [s] and the rate [bit/s] of each link, in both directions.

    Parameters
    ----------
    position_m, velocity_m_per_s
        Of the satellites in the inertial frame (satellites, 3).
    turn_rad
        By which the Earth has turned in it.
    """
    found: dict[Link, tuple[int, float, float]] = {}
    for number, rule in enumerate(rules):
        for a, b in _pairs(rule, shells, stations, position_m):
            if (a, b) in found or not _holds(
                rule, a, b, shells, stations, position_m, velocity_m_per_s, turn_rad
            ):
                continue
            start, end = (_place(x, stations, position_m, turn_rad) for x in (a, b))
            range_m = float(np.linalg.norm(end - start))
            latency_s = range_m / LIGHT_M_PER_S + rule.overhead_s
            found[a, b] = found[b, a] = number, latency_s, _rate(rule, range_m)
    return found


def _rate(rule: Any, range_m: float) -> float:
    if rule.budget is not None:
        return float(rule.budget.rate_bps(range_m))
    return 1e9 if rule.rate_bps is None else rule.rate_bps


def _pairs(
    rule: Any, shells: Sequence[Any], stations: Sequence[Any], position_m: np.ndarray
) -> Iterator[Link]:
    """Those that a rule would join."""
    satellites = len(position_m)
    first = {shell.name: start for shell, start in zip(shells, _starts(shells))}
    if rule.pattern == "plus-grid":
        shell = next(shell for shell in shells if shell.name == rule.shell)
        start, planes, each = first[rule.shell], shell.planes, shell.satellites_per_plane
        for p in range(planes):
            for k in range(each):
                here = start + p * each + k
                if each > 1:
                    yield here, start + p * each + (k + 1) % each
                if planes > 1 and (p + 1 < planes or rule.seam != "open"):
                    yield here, start + (p + 1) % planes * each + (k + (rule.shift or 0)) % each
    elif rule.pattern == "nearest":
        members = list(range(satellites))
        if rule.shell is not None:
            shell = next(shell for shell in shells if shell.name == rule.shell)
            members = list(range(first[rule.shell], first[rule.shell] + shell.satellites))
        members = [a for a in members if np.isfinite(position_m[a]).all()]
        asked = set()
        for a in members:
            others = [b for b in members if b != a]
            away = {b: float(np.linalg.norm(position_m[b] - position_m[a])) for b in others}
            for b in others:
                nearer = sum(away[c] < away[b] - 1e-3 for c in others)
                as_near = sum(c < b and abs(away[c] - away[b]) <= 1e-3 for c in others)
                if nearer + as_near < rule.count:
                    asked.add((a, b))
        yield from ((a, b) for a, b in sorted(asked) if a < b and (b, a) in asked)
    else:
        yield from ((a, satellites + g) for a in range(satellites) for g in range(len(stations)))


def _starts(shells: Sequence[Any]) -> list[int]:
    return [sum(shell.satellites for shell in shells[:i]) for i in range(len(shells))]


def _plane(satellite: int, shells: Sequence[Any]) -> tuple[int, ...]:
    for i, (shell, start) in enumerate(zip(shells, _starts(shells))):
        if start <= satellite < start + shell.satellites:
            return i, (satellite - start) // shell.satellites_per_plane
    return (-1, satellite)  # of an element set: a plane of its own


def _holds(
    rule: Any,
    a: int,
    b: int,
    shells: Sequence[Any],
    stations: Sequence[Any],
    position_m: np.ndarray,
    velocity_m_per_s: np.ndarray,
    turn_rad: float,
) -> bool:
    satellites = len(position_m)
    start, end = (_place(x, stations, position_m, turn_rad) for x in (a, b))
    if not np.isfinite([start, end]).all():
        return False
    line = end - start
    range_m = float(np.linalg.norm(line))
    if rule.max_range_m is not None and range_m > rule.max_range_m:
        return False
    motion = [
        velocity_m_per_s[x] if x < satellites else np.cross([0.0, 0.0, EARTH_RAD_PER_S], place)
        for x, place in ((a, start), (b, end))
    ]
    rate_m_per_s = abs(line @ (motion[1] - motion[0])) / range_m
    if rule.max_range_rate_m_per_s is not None and rate_m_per_s > rule.max_range_rate_m_per_s:
        return False
    turn = np.cross(line, motion[1] - motion[0]) / range_m**2
    if rule.max_angular_rate_rad_per_s is not None and np.linalg.norm(turn) > rule.max_angular_rate_rad_per_s:
        return False
    if b >= satellites:
        station = stations[b - satellites]
        up = _turned(_normal(station.latitude_deg, station.longitude_deg), turn_rad)
        elevation_deg = np.degrees(np.arcsin(-line @ up / range_m))
        near = station.max_range_m is None or range_m <= station.max_range_m
        return bool(elevation_deg >= station.min_elevation_deg and near)
    if (
        rule.max_latitude_deg is not None
        and _plane(a, shells) != _plane(b, shells)
        and max(_latitude_deg(start), _latitude_deg(end)) > rule.max_latitude_deg
    ):
        return False
    share = np.clip(-(start @ line) / range_m**2, 0.0, 1.0)
    grazing_m = 80e3 if rule.grazing_altitude_m is None else rule.grazing_altitude_m
    return bool(np.linalg.norm(start + share * line) - RADIUS_M >= grazing_m)


def _latitude_deg(position_m: np.ndarray) -> float:
    return float(np.degrees(np.arcsin(abs(position_m[2]) / np.linalg.norm(position_m))))


def _place(x: int, stations: Sequence[Any], position_m: np.ndarray, turn_rad: float) -> np.ndarray:
    if x < len(position_m):
        return position_m[x]
    station = stations[x - len(position_m)]
    up = _normal(station.latitude_deg, station.longitude_deg)
    squared = FLATTENING * (2 - FLATTENING)  # of the eccentricity
    across = RADIUS_M / np.sqrt(1 - squared * up[2] ** 2)
    fixed = (across + station.altitude_m) * up - [0.0, 0.0, squared * across * up[2]]
    return _turned(fixed, turn_rad)


def _normal(latitude_deg: float, longitude_deg: float) -> np.ndarray:
    phi, lam = np.radians([latitude_deg, longitude_deg])
    return np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def _turned(fixed: np.ndarray, turn_rad: float) -> np.ndarray:
    """From the frame that turns with the Earth to the inertial one."""
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    return np.array([c * fixed[0] - s * fixed[1], s * fixed[0] + c * fixed[1], fixed[2]])


def route(
    links: dict[Link, tuple[int, float, float]], satellites: int, source: int, target: int
) -> tuple[float, list[int]]:
    """Least latency and its path; inf and none where no way leads. Stations do not relay."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from((source, target))
    for (a, b), (_, latency_s, _) in links.items():
        if a < satellites or a == source:
            graph.add_edge(a, b, weight=latency_s)
    try:
        latency_s, path = networkx.single_source_dijkstra(graph, source, target)
    except networkx.NetworkXNoPath:
        return float("inf"), []
    return float(latency_s), path
