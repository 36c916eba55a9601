"""Rules of links: which satellites and stations are joined, and when."""

from __future__ import annotations

from typing import Any

from .._core.orbit import LinkRule

EVERY_SHELL = "*"
"""In place of a shell's name: each of a constellation's shells."""


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
        ``rate_bps`` or ``budget``, ``overhead_s``, ``survival``, ``seed``.

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
    """
    return LinkRule(pattern="plus-grid", shell=shell, **more)


def nearest(count: int, shell: str | None = None, **more: Any) -> LinkRule:
    """Links between satellites that are among each other's nearest.

    Every satellite asks for its `count` nearest; a link exists where both asked and the other conditions
    hold, which cut links and add none.

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
    return LinkRule(pattern="nearest", count=count, shell=shell, **more)


def ground(shell: str | None = None, **more: Any) -> LinkRule:
    """Links between stations and the satellites that they see, both ways.

    Parameters
    ----------
    shell : str, optional
        Name of the shell that the stations serve; default: every satellite.
    **more
        Other fields of `LinkRule`: ``max_range_m``, ``max_angular_rate_rad_per_s``, ``rate_bps``
        or ``budget``, ``overhead_s``, ``survival``, ``seed``.

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
    return LinkRule(pattern="ground", shell=shell, **more)
