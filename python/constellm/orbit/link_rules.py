"""Rules of links: which satellites and stations are joined, and when."""

from __future__ import annotations

from typing import Any

from .._core.orbit import LinkRule
from ..core.checks import positive
from ..core.constants import LIGHT_M_PER_S

EVERY_SHELL = "*"
"""In place of a shell's name: each of a constellation's shells."""


def _rule(pattern: str, more: dict[str, Any], **fields: Any) -> LinkRule:
    """With a Doppler shift of a carrier, where one is given, as a range rate."""
    shift, carrier = (more.pop(name, None) for name in ("max_doppler_hz", "carrier_hz"))
    if shift is None and carrier is None:
        return LinkRule(pattern=pattern, **fields, **more)
    if shift is None or carrier is None:
        missing = "max_doppler_hz" if shift is None else "carrier_hz"
        raise ValueError(f"{missing}: missing; a Doppler shift is that of a carrier's frequency")
    if more.get("max_range_rate_m_per_s") is not None:
        raise ValueError("max_doppler_hz: given beside max_range_rate_m_per_s, which says the same")
    rate = LIGHT_M_PER_S * positive("max_doppler_hz", shift) / positive("carrier_hz", carrier)
    return LinkRule(pattern=pattern, **fields, **{**more, "max_range_rate_m_per_s": rate})


def plus_grid(shell: str = EVERY_SHELL, **more: Any) -> LinkRule:
    """Links of a +Grid: to both neighbours in the plane, and to one in either neighbouring plane.

    From a satellite both ways to the next one of its plane, and to index + ``shift`` of the next plane; from
    the last plane to plane 0 where the seam is closed.

    Parameters
    ----------
    shell : str
        Name of the shell; ``"*"``: each shell of the constellation has its +Grid.
    **more
        Other fields of `LinkRule`: ``seam`` (``"closed"``, the default, or ``"open"``), ``shift``,
        ``max_range_m``, ``grazing_altitude_m``, ``max_latitude_deg``, ``max_angular_rate_rad_per_s``,
        ``max_range_rate_m_per_s``, ``acquisition_s``, ``rate_bps`` or ``budget``, ``overhead_s``,
        ``survival``, ``seed``. In place of a range rate the Doppler shift that a receiver follows,
        ``max_doppler_hz``, with ``carrier_hz``, the carrier's frequency: c · shift / carrier [m/s].

    Returns
    -------
    LinkRule

    Raises
    ------
    ValueError, TypeError
        What `LinkRule` refuses.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.plus_grid(rate_bps=2.5e9, max_latitude_deg=75.0).pattern
    'plus-grid'
    >>> orbit.plus_grid(max_doppler_hz=250e3, carrier_hz=25e9).max_range_rate_m_per_s
    2997.92458
    """
    return _rule("plus-grid", more, shell=shell)


def nearest(count: int, shell: str | None = None, **more: Any) -> LinkRule:
    """Links between satellites that are among each other's nearest.

    Every satellite asks for its `count` nearest: those before which it counts fewer than that, others that
    are nearer by more than a millimetre, and those of smaller index that are as near to a millimetre. A link
    exists where both asked and the other conditions hold, which cut links and add none.

    Parameters
    ----------
    count : int
        How many each asks for.
    shell : str, optional
        Name of the shell of which they are; ``"*"``: within each shell; default: among all satellites.
    **more
        Other fields of `LinkRule`, as in `plus_grid` but for ``seam`` and ``shift``.

    Returns
    -------
    LinkRule

    Raises
    ------
    ValueError, TypeError
        What `LinkRule` refuses.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.nearest(4, max_range_m=2e6).count
    4
    """
    return _rule("nearest", more, count=count, shell=shell)


def ground(shell: str | None = None, **more: Any) -> LinkRule:
    """Links between stations and the satellites that they see, both ways.

    Parameters
    ----------
    shell : str, optional
        Name of the shell that the stations serve; default: every satellite.
    **more
        Other fields of `LinkRule`, as in `plus_grid` but for ``seam``, ``shift``, ``grazing_altitude_m`` and
        ``max_latitude_deg``.

    Returns
    -------
    LinkRule

    Raises
    ------
    ValueError, TypeError
        What `LinkRule` refuses.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.ground(rate_bps=0.8e9).rate_bps
    800000000.0
    """
    return _rule("ground", more, shell=shell)
