"""Constellations as Hypatia keeps them: a folder of text files.

The files are described in satgenpy/README.md of github.com/snkas/hypatia (Kassing et al., ACM IMC 2020).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.orbit import LinkRule, Shell, Station
from ..core.checks import count, decimal, instance, short
from ..core.constants import EARTH_RADIUS_M
from ..core.epoch import Epoch
from ..core.files import as_path, read_text, write_text
from .constellation import Constellation
from .constellation_parts import MOST_SATELLITES
from .element_files import format_elements, parse_elements
from .element_sets import ElementSets
from .frames import geodetic_to_ecef
from .hypatia_links import fitting_rule, pairs_of
from .link_rules import ground, plus_grid
from .motion import elements, mean_element_sets

_SETS, _LINKS, _STATIONS = "tles.txt", "isls.txt", "ground_stations.txt"
_BASIC, _DESCRIPTION = "ground_stations.basic.txt", "description.txt"
_LIMITS = ("max_gsl_length_m", "max_isl_length_m")

_ROUNDING_DEG = 1.01e-4  # between two angles of lines, each to four decimals
_ASTRAY_M = 100.0  # between a station's latitude, longitude and its place; WGS 72 and 84 differ by 5

_ROUND = 1e-3  # eccentricity; heights differ by some ten kilometres

_DRAG = ("bstar", "mean_motion_dot", "mean_motion_ddot")
_SHAPE = ("epoch", "mean_motion_rev_per_day", "eccentricity", "inclination_deg", "argument_of_perigee_deg")


def read_hypatia(folder: str | os.PathLike[str], *, min_elevation_deg: float = 0.0) -> Constellation:
    """Read a constellation from a folder of Hypatia.

    That is ``tles.txt``, and where they are there ``isls.txt``, ``ground_stations.txt`` (or
    ``ground_stations.basic.txt``) and ``description.txt``. Satellites evenly spaced on their planes, as far
    as the digits tell, become a `Shell` that SGP4 moves, other ones `ElementSets`. The pairs of ``isls.txt``
    become the rule that joins just these: a +Grid of some shift and seam, or rings. Stations see what is
    nearer than ``max_gsl_length_m``: a mask of range, not of elevation. Rates are in none of the files.

    Parameters
    ----------
    folder : path
    min_elevation_deg : float
        A mask of elevation beside that of range, of every station.

    Returns
    -------
    Constellation
        At the epoch of the element sets; named, as its shell, by the first word of the first satellite.

    Raises
    ------
    OSError, ValueError, TypeError
        Where a file cannot be read or is not understood, names file, line and value; and for pairs that no
        rule joins.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(
    ...     orbit.preset("kuiper-630"),
    ...     stations=orbit.station("Tokyo", 35.6895, 139.69171, min_elevation_deg=30.0),
    ...     links=[orbit.plus_grid(), orbit.ground()],
    ... )
    >>> orbit.write_hypatia(world, "kuiper")
    >>> orbit.read_hypatia("kuiper")
    Constellation(1156 satellites, 1 station, 2 rules of links, epoch 2000-01-01T12:00:00Z)
    """
    place = as_path(folder)
    planes, of_each, name, sets = _read_sets(place / _SETS)
    limits = _read_limits(place / _DESCRIPTION) if (place / _DESCRIPTION).exists() else {}
    shell = _as_shell(name, planes, of_each, sets)
    rules = []
    if (place / _LINKS).exists():
        pairs = _read_pairs(place / _LINKS, planes * of_each)
        if len(pairs):
            # Hypatia's links are there throughout: no grazing altitude but the Earth's.
            more = {"grazing_altitude_m": 0.0, "max_range_m": limits.get("max_isl_length_m")}
            rules.append(_rule(place / _LINKS, shell, pairs, more))
    stations = []
    for file in (_STATIONS, _BASIC):
        if (place / file).exists():
            stations = list(_read_stations(place / file, min_elevation_deg, limits.get("max_gsl_length_m")))
            rules.append(ground())
            break
    part = sets if shell is None else shell
    try:
        return Constellation(part, stations=stations, links=rules, epoch=sets.epoch[0], name=name)
    except ValueError as error:  # for names
        raise ValueError(f"{os.fspath(place)!r}: {error}") from None


def write_hypatia(world: Constellation, folder: str | os.PathLike[str]) -> None:
    """Write a shell, its links and its stations as a folder of Hypatia.

    ``tles.txt``, ``isls.txt``, ``ground_stations.txt`` and ``description.txt``; Hypatia makes the others from
    them. Its satellites are moved by SGP4, whatever moves the shell's, and TLE round angles to 0.0001°. A
    mask of elevation becomes the range at which a satellite of the shell stands there, over a sphere of the
    equatorial radius, and a grazing altitude the length of the link that touches it: Hypatia knows lengths
    alone. Rates are in none of the files.

    Parameters
    ----------
    world : Constellation
        One shell, with at most one rule of links between satellites, a +Grid or rings, and `ground` where
        there are stations.
    folder : path
        Made where it is not there; the four files are replaced.

    Raises
    ------
    TypeError, ValueError
        For what the files have no place for: other satellites, eccentricities above 0.001, rules and
        conditions, overheads, computers, stations whose masks differ, names with a comma, and epochs before
        2000.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(orbit.preset("starlink-550"), links=orbit.plus_grid())
    >>> orbit.write_hypatia(world, "starlink")
    """
    instance("world", world, Constellation)
    if len(world.satellites) != 1 or not world.shells:
        raise ValueError(f"satellites: {len(world.satellites)} parts are not one shell, as Hypatia has")
    if world.computers:
        raise ValueError("computers: Hypatia has none; write world.replace(computers=None)")
    if not Epoch("2000-01-01") <= world.epoch < Epoch("2057-01-01"):
        raise ValueError(
            f"epoch: {world.epoch} is not of the years 2000 to 2056, which TLE and Hypatia read alike"
        )
    shell = world.shells[0]
    if shell.eccentricity > _ROUND:
        raise ValueError(
            f"eccentricity: {shell.eccentricity:g} is not in [0, {_ROUND:g}], where one length is a mask all "
            "along the orbit"
        )
    between, down = _rules_to_write(world)
    pairs = np.empty((0, 2), dtype=np.int64) if between is None else pairs_of(between, shell)
    # Hypatia wants both; where there are no such links, any length does.
    longest_m = _longest_m(shell, between or plus_grid())
    limits = {
        "max_gsl_length_m": longest_m if down is None else _reach_m(world, shell, down),
        "max_isl_length_m": longest_m,
    }
    sets = mean_element_sets(elements(shell), world.epoch)
    numbered = ElementSets(
        np.arange(1, len(sets) + 1),
        name=[f"{shell.name} {i}" for i in range(len(sets))],
        **{key: getattr(sets, key) for key in (*_SHAPE, "raan_deg", "mean_anomaly_deg")},
    )
    head = f"{shell.planes} {shell.satellites_per_plane}\n"
    lines = [_station_line(i, one) for i, one in enumerate(world.stations)]
    place = as_path(folder)
    place.mkdir(parents=True, exist_ok=True)
    write_text(head + format_elements(numbered, "tle"), place / _SETS)
    write_text("".join(f"{a} {b}\n" for a, b in pairs.tolist()), place / _LINKS)
    write_text("".join(lines), place / _STATIONS)
    write_text("".join(f"{key}={value:.10f}\n" for key, value in limits.items()), place / _DESCRIPTION)


# --- reading -----------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """What is written in a file, with the place for messages."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield f"{os.fspath(path)!r}: line {number}", line.strip()


def _integers(where: str, words: list[str], wanted: str) -> list[int]:
    if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError(f"{where}: {short(' '.join(words))} is not {wanted}")
    return [int(word) for word in words]


def _read_sets(path: Path) -> tuple[int, int, str, ElementSets]:
    text = read_text(path)
    head, _, rest = text.partition("\n")
    where = f"{os.fspath(path)!r}: line 1"
    wanted = "the number of planes and of the satellites of each"
    planes, of_each = _integers(where, head.split(), wanted)
    for field, number in (("planes", planes), ("satellites of each", of_each)):
        count(f"{where}: {field}", number, most=MOST_SATELLITES)
    try:
        # An empty line in place of the first one keeps the numbers of lines.
        sets = parse_elements("\n" + rest)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)!r}: {error}") from None
    if len(sets) != planes * of_each:
        raise ValueError(f"{where}: {planes} planes of {of_each} are not the {len(sets)} satellites below")
    for i, name in enumerate(sets.name.tolist()):
        if name.split()[1:2] != [str(i)]:
            raise ValueError(f"{os.fspath(path)!r}: name[{i}]: {short(name)} has not {i} as its second word")
    return planes, of_each, str(sets.name[0]).split()[0], sets


def _as_shell(name: str, planes: int, of_each: int, sets: ElementSets) -> Shell | None:
    """The shell that these sets are, but for the rounding of their digits; None where they are none."""
    same = all((getattr(sets, key) == getattr(sets, key)[0]).all() for key in (*_SHAPE, *_DRAG))
    if not same or any(getattr(sets, key)[0] for key in _DRAG):
        return None
    plane = np.arange(planes)
    raan = sets.raan_deg.reshape(planes, of_each)
    told = float((raan[-1, 0] - raan[0, 0]) % 360.0) * planes / (planes - 1) if planes > 1 else 360.0
    for spread in (round(told, 2), told):  # a round one where it does
        if spread <= 360.0 and _off(raan, raan[0, 0] + plane[:, None] * spread / planes) <= _ROUNDING_DEG:
            break
    else:
        return None
    # The phase of a plane is the mean of what its satellites say of it.
    even = 360.0 / of_each * np.arange(of_each)
    anomaly = sets.mean_anomaly_deg.reshape(planes, of_each)
    first = anomaly[:, :1]
    phase = first[:, 0] + _turned(anomaly - even - first).mean(axis=1)
    if _off(anomaly, phase[:, None] + even) > _ROUNDING_DEG:
        return None
    return Shell(
        name=name,
        planes=planes,
        satellites_per_plane=of_each,
        raan0_deg=float(raan[0, 0]),
        raan_spread_deg=spread,
        plane_phase_deg=phase.round(6).tolist(),
        propagator="sgp4",
        **{key: float(getattr(sets, key)[0]) for key in _SHAPE[1:]},
    )


def _turned(angle_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    return (angle_deg + 180.0) % 360.0 - 180.0


def _off(found_deg: NDArray[np.float64], wanted_deg: NDArray[np.float64]) -> float:
    return float(np.abs(_turned(found_deg - wanted_deg)).max())


def _read_pairs(path: Path, satellites: int) -> NDArray[np.int64]:
    found: dict[tuple[int, int], None] = {}
    for where, line in _lines(path):
        a, b = _integers(where, line.split(), "two numbers of satellites")
        if b >= satellites:
            raise ValueError(f"{where}: {b} is not in [0, {satellites - 1}], the satellites of {_SETS}")
        if not a < b:
            raise ValueError(f"{where}: {a} is not below {b}, as Hypatia orders pairs")
        if (a, b) in found:
            raise ValueError(f"{where}: the pair {a} {b} stands twice")
        found[a, b] = None
    return np.array(list(found), dtype=np.int64).reshape(-1, 2)


def _rule(path: Path, shell: Shell | None, pairs: NDArray[np.int64], more: dict[str, Any]) -> LinkRule:
    where = f"{os.fspath(path)!r}: {len(pairs)} pairs"
    if shell is None:
        raise ValueError(f"{where}, but the satellites are not evenly spaced, and no rule joins other ones")
    rule = fitting_rule(pairs, shell, more)
    if rule is None:
        raise ValueError(
            f"{where} are no +Grid of {shell.planes} planes of {shell.satellites_per_plane}, whatever its "
            "shift and seam, nor rings: no rule of links joins just these"
        )
    return rule


def _read_limits(path: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    for where, line in _lines(path):
        key, _, text = line.partition("=")
        if key not in _LIMITS or key in found:
            raise ValueError(f"{where}: {short(key)} is not one of {', '.join(_LIMITS)}, each once")
        found[key] = _number(f"{where}: {key}", text)
        if not 0.0 < found[key] < np.inf:
            raise ValueError(f"{where}: {key}: {text} is not in (0, inf)")
    return found


def _number(where: str, text: str) -> float:
    try:
        return decimal(text.strip())
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _read_stations(path: Path, min_elevation_deg: float, max_range_m: float | None) -> Iterator[Station]:
    names = ("latitude", "longitude", "elevation", "x", "y", "z")
    known: dict[str, int] = {}
    for i, (where, line) in enumerate(_lines(path)):
        cells = line.split(",")
        if len(cells) not in (5, 8):
            raise ValueError(f"{where}: {len(cells)} columns, where a station has 5, or 8 with its place")
        if cells[0].strip() != str(i):
            raise ValueError(f"{where}: id {short(cells[0])} is not {i}: they count from 0")
        numbers = [_number(f"{where}: {name}", cell) for name, cell in zip(names, cells[2:])]
        try:
            one = Station(
                id=cells[1].strip(),
                latitude_deg=numbers[0],
                longitude_deg=numbers[1],
                altitude_m=numbers[2],
                min_elevation_deg=min_elevation_deg,
                max_range_m=max_range_m,
            )
        except (ValueError, TypeError) as error:
            raise type(error)(f"{where}: {error}") from None
        if known.setdefault(one.id, i) != i:
            raise ValueError(f"{where}: {short(one.id)} is the name of station {known[one.id]} already")
        if len(cells) == 8:
            off_m = float(np.linalg.norm(_place(one) - numbers[3:]))
            if not off_m <= _ASTRAY_M:
                raise ValueError(
                    f"{where}: x, y, z: {off_m:.0f} m from latitude and longitude is above {_ASTRAY_M:g}"
                )
        yield one


# --- writing -----------------------------------------------------------------------------------------


def _place(one: Station) -> NDArray[np.float64]:
    return geodetic_to_ecef(one.latitude_deg, one.longitude_deg, one.altitude_m)


def _rules_to_write(world: Constellation) -> tuple[LinkRule | None, LinkRule | None]:
    """That between satellites, and that of the stations."""
    if world.outages:
        raise ValueError(f"outages: {len(world.outages)} of them have no place in Hypatia's files")
    found: dict[bool, LinkRule] = {}
    for i, rule in enumerate(world.links):
        where = f"links[{i}]"
        if rule.pattern not in ("plus-grid", "ring", "ground"):
            raise ValueError(f"{where}.pattern: {rule.pattern!r} joins no fixed pairs, as Hypatia has them")
        for key, plain in (
            ("max_latitude_deg", None), ("max_angular_rate_rad_per_s", None),
            ("max_range_rate_m_per_s", None), ("acquisition_s", None), ("budget", None), ("survival", 1.0),
            ("overhead_s", 0.0),
        ):  # fmt: skip
            if getattr(rule, key) != plain:
                raise ValueError(
                    f"{where}.{key}: {short(getattr(rule, key))} has no place in Hypatia's files"
                )
        down = rule.pattern == "ground"
        if down in found:
            raise ValueError(f"{where}: a second rule of its kind, where Hypatia has one")
        found[down] = rule
    if bool(world.stations) != (True in found):
        raise ValueError("links: Hypatia has a rule for stations just where there are some: orbit.ground()")
    return found.get(False), found.get(True)


def _reach_m(world: Constellation, shell: Shell, rule: LinkRule) -> float:
    """Of the stations' links; d = -R sin e + sqrt(r² - R² cos² e) at the least elevation e."""
    found: dict[float, str] = {}
    for one in world.stations:
        rise = np.radians(one.min_elevation_deg)
        far_m = np.sqrt(shell.semi_major_axis_m**2 - (EARTH_RADIUS_M * np.cos(rise)) ** 2)
        limits = [far_m - EARTH_RADIUS_M * np.sin(rise), one.max_range_m, rule.max_range_m]
        found.setdefault(float(min(limit for limit in limits if limit is not None)), one.id)
    if len(found) > 1:
        (one_m, one_id), (other_m, other_id) = list(found.items())[:2]
        raise ValueError(
            f"stations: {one_id!r} sees satellites to {one_m:.0f} m and {other_id!r} to {other_m:.0f} m, "
            "where Hypatia has one range"
        )
    return next(iter(found))


def _longest_m(shell: Shell, rule: LinkRule) -> float:
    """Of links between satellites: 2 sqrt(r² - (R + h)²) touches the altitude h."""
    grazing_m = 80e3 if rule.grazing_altitude_m is None else rule.grazing_altitude_m
    low_m, high_m = EARTH_RADIUS_M + grazing_m, shell.semi_major_axis_m
    if not low_m < high_m:
        raise ValueError(f"links: grazing_altitude_m: {grazing_m:g} is not below the satellites")
    longest_m = 2.0 * float(np.sqrt(high_m**2 - low_m**2))
    return longest_m if rule.max_range_m is None else min(longest_m, rule.max_range_m)


def _station_line(number: int, one: Station) -> str:
    if "," in one.id or not one.id.isprintable() or one.id != one.id.strip():
        raise ValueError(f"stations[{number}].id: {short(one.id)} has no place between commas")
    x, y, z = _place(one).tolist()
    return (
        f"{number},{one.id},{one.latitude_deg!r},{one.longitude_deg!r},{one.altitude_m:f},{x:f},{y:f},{z:f}\n"
    )
