"""Shells of Walker's kinds, and those of known constellations."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._core.orbit import Shell

_SPREAD_DEG = {"delta": 360.0, "star": 180.0}


def walker(
    name: str,
    *,
    planes: int,
    satellites_per_plane: int,
    altitude_m: float,
    inclination_deg: float,
    phasing: float = 0.0,
    kind: str = "delta",
    **more: Any,
) -> Shell:
    """A shell of circular orbits in Walker's notation, inclination: satellites / planes / phasing.

    Parameters
    ----------
    name : str
        Begins the ids of its satellites.
    planes, satellites_per_plane : int
        At least 1.
    altitude_m : float
        Above the equatorial radius [m].
    inclination_deg : float
        In [0, 180] [deg].
    phasing : float
        Walker's F: satellites of the next plane are F · 360 / (planes · satellites_per_plane) degrees ahead.
    kind : str
        ``"delta"``: ascending nodes over 360 degrees; ``"star"``: over 180, so that one half of the planes
        ascends where the other descends.
    **more
        Other fields of `Shell`.

    Returns
    -------
    Shell

    Raises
    ------
    ValueError, TypeError
        For an unknown kind, and what `Shell` refuses.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.walker("a", planes=3, satellites_per_plane=2, altitude_m=550e3, inclination_deg=53.0).ids[:3]
    ('a/0/0', 'a/0/1', 'a/1/0')
    """
    if kind not in _SPREAD_DEG:
        raise ValueError(f"kind: {kind!r} is not one of {', '.join(map(repr, _SPREAD_DEG))}")
    return Shell(
        name=name,
        planes=planes,
        satellites_per_plane=satellites_per_plane,
        altitude_m=altitude_m,
        inclination_deg=inclination_deg,
        phasing=phasing,
        **{"raan_spread_deg": _SPREAD_DEG[kind], **more},
    )


class Preset(NamedTuple):
    """A shell of a known constellation, and where its figures come from.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.PRESETS["kuiper-630"].source
    'Hypatia (Kassing et al., ACM IMC 2020); every other plane half a spacing ahead.'
    """

    shell: Shell
    source: str
    """With what it does not state and is assumed."""


def _alternating(
    name: str, planes: int, satellites_per_plane: int, *, altitude_m: float, inclination_deg: float
) -> Shell:
    """Every other plane is half a spacing ahead, as Hypatia lays its shells out."""
    half_deg = 180.0 / satellites_per_plane
    return Shell(
        name=name,
        planes=planes,
        satellites_per_plane=satellites_per_plane,
        plane_phase_deg=[half_deg * (plane % 2) for plane in range(planes)],
        altitude_m=altitude_m,
        inclination_deg=inclination_deg,
    )


_HYPATIA = "Hypatia (Kassing et al., ACM IMC 2020); every other plane half a spacing ahead"
_ASSUMED_PHASE = "half a spacing from plane to plane is assumed"

PRESETS: dict[str, Preset] = {
    "starlink-550": Preset(
        _alternating("starlink-550", 72, 22, altitude_m=550e3, inclination_deg=53.0),
        f"{_HYPATIA}. Its mean motion of 15.19 rev/day means 509 km and is not taken: the altitude is.",
    ),
    "kuiper-630": Preset(
        _alternating("kuiper-630", 34, 34, altitude_m=630e3, inclination_deg=51.9), f"{_HYPATIA}."
    ),
    "telesat-1015": Preset(
        _alternating("telesat-1015", 27, 13, altitude_m=1015e3, inclination_deg=98.98), f"{_HYPATIA}."
    ),
    "oneweb": Preset(
        walker(
            "oneweb",
            planes=12,
            satellites_per_plane=49,
            altitude_m=1200e3,
            inclination_deg=87.9,
            phasing=6.0,
            kind="star",
        ),
        "OneWeb's constellation of 588 satellites, a star; planes 15 degrees apart are assumed, and "
        f"{_ASSUMED_PHASE}.",
    ),
    "iridium-next": Preset(
        walker(
            "iridium-next",
            planes=6,
            satellites_per_plane=11,
            altitude_m=780e3,
            inclination_deg=86.4,
            phasing=3.0,
            kind="star",
            raan_spread_deg=6 * 31.6,
        ),
        "Fossa et al., An overview of the Iridium low Earth orbit satellite system, IEEE NAECON 1998: planes "
        f"that move alike are 31.6 degrees apart, those at the seam 22; {_ASSUMED_PHASE}.",
    ),
    "collaborative-12": Preset(
        walker("collaborative-12", planes=1, satellites_per_plane=12, altitude_m=500e3, inclination_deg=53.0),
        "The ring of the study `paper.collaborative`; its inclination is assumed and changes no distance.",
    ),
    "space-xnet": Preset(
        walker(
            "space-xnet",
            planes=33,
            satellites_per_plane=32,
            altitude_m=550e3,
            inclination_deg=87.0,
            phasing=16.5,
        ),
        "Space-XNet (Wang et al., arXiv 2605.00515): planes, satellites, altitude, inclination. Ascending "
        "nodes over 360 degrees and half a spacing from plane to plane are assumed: of the geometries tried "
        "they come closest to the published latencies. A star has raan_spread_deg=180.",
    ),
}
"""Shells by name, with their sources."""


def preset(name: str, **changes: Any) -> Shell:
    """A shell of `PRESETS`; what its figures rest on stands in ``PRESETS[name].source``.

    ``starlink-550``, ``kuiper-630`` and ``telesat-1015`` are those of Hypatia, ``oneweb`` and
    ``iridium-next`` stars, ``collaborative-12`` and ``space-xnet`` those of papers. The dense cluster of
    Google's Suncatcher study is no shell; `cluster` makes it.

    Parameters
    ----------
    name : str
        A key of `PRESETS`.
    **changes
        Fields of `Shell` that are to be others.

    Returns
    -------
    Shell

    Raises
    ------
    ValueError, TypeError
        For an unknown name, and what `Shell` refuses.

    Examples
    --------
    >>> from constellm import orbit
    >>> shell = orbit.preset("starlink-550")
    >>> shell.satellites, round(shell.period_s / 60, 1)
    (1584, 95.6)
    """
    if name not in PRESETS:
        raise ValueError(f"preset: {name!r} is not one of {', '.join(map(repr, PRESETS))}")
    shell = PRESETS[name].shell
    return shell.replace(**changes) if changes else shell
