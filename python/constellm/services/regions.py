"""Where requests come from: regions with people, and the satellites over them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import instance, positive, real
from ..orbit import Constellation, Epoch, look_angles

_PLACES = Path(__file__).parent / "data" / "natural_earth" / "places.csv"


@dataclass(frozen=True)
class Region:
    """A place whose people send requests.

    Parameters
    ----------
    name : str
        Of the region.
    latitude_deg, longitude_deg : float
        Geodetic, and to the east: in [-90, 90] and [-180, 360].
    population : float
        People, > 0: its share of all requests.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import services
    >>> services.Region("Munich", 48.1, 11.6, population=1.5e6).population
    1500000.0
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    population: float

    def __post_init__(self) -> None:
        if not instance("name", self.name, str):
            raise ValueError("name: must not be empty")
        put = object.__setattr__
        put(self, "latitude_deg", real("latitude_deg", self.latitude_deg, least=-90, most=90))
        put(self, "longitude_deg", real("longitude_deg", self.longitude_deg, least=-180, most=360))
        put(self, "population", positive("population", self.population))


@lru_cache(maxsize=1)
def regions() -> tuple[Region, ...]:
    """Twenty-seven large cities of the world with the people of their agglomerations.

    The places of scale rank 0 of Natural Earth at 1:110m (public domain), in the order of that file; their
    populations are of about 2010.

    Returns
    -------
    tuple of Region

    Examples
    --------
    >>> from constellm import services
    >>> largest = max(services.regions(), key=lambda region: region.population)
    >>> len(services.regions()), largest.name, largest.population
    (27, 'Tokyo', 35676000.0)
    """
    with _PLACES.open(encoding="utf-8", newline="") as file:
        return tuple(
            Region(
                row["name"],
                float(row["latitude_deg"]),
                float(row["longitude_deg"]),
                population=float(row["population"]),
            )
            for row in csv.DictReader(file)
        )


def overhead(
    constellation: Constellation,
    regions: Sequence[Region],
    t: Any = 0.0,
    *,
    min_elevation_deg: float = 5.0,
) -> tuple[str, ...]:
    """The satellite that stands highest over each region.

    Parameters
    ----------
    constellation : orbit.Constellation
        Whose satellites are looked at; satellites that are lost then are left out.
    regions : sequence of Region
        Places on the ellipsoid, at altitude 0.
    t : float, Epoch, str, datetime or numpy.datetime64
        The instant, as of `Constellation.seconds`.
    min_elevation_deg : float
        So high it has to stand at least, in [-90, 90].

    Returns
    -------
    tuple of str
        An id each; of equal elevations the first satellite's.

    Raises
    ------
    ValueError, TypeError
        Where no satellite stands high enough: names the region; and for what is no instant.

    Examples
    --------
    >>> from constellm import orbit, services
    >>> world = orbit.Constellation(orbit.preset("iridium-next"), links=orbit.plus_grid(seam="open"))
    >>> services.overhead(world, services.regions()[:2])
    ('iridium-next/5/10', 'iridium-next/1/4')
    """
    least = real("min_elevation_deg", min_elevation_deg, least=-90, most=90)
    instance("constellation", constellation, Constellation)
    seconds = float(constellation.seconds(t).reshape(()))
    position_m = constellation.states(seconds, frame="ecef").position_m
    there = _there(constellation, seconds)
    ids = constellation.satellite_ids
    found = []
    for i, region in enumerate(regions):
        instance(f"regions[{i}]", region, Region)
        seen = look_angles(region.latitude_deg, region.longitude_deg, 0.0, position_m).elevation_deg
        elevation = np.where(there & np.isfinite(seen), seen, -np.inf)
        best = int(np.argmax(elevation))
        if not elevation[best] >= least:
            raise ValueError(
                f"regions[{i}]: over {region.name!r} the highest satellite stands at {elevation[best]:.1f}°, "
                f"not in [{least:g}, 90], as min_elevation_deg says"
            )
        found.append(ids[best])
    return tuple(found)


def _there(constellation: Constellation, seconds: float) -> NDArray[np.bool_]:
    """Which satellites are not lost at that instant."""
    lost = set()
    for outage in constellation.outages:
        start, stop = (float(constellation.seconds(x).reshape(())) if isinstance(x, Epoch) else x
                       for x in (outage.start, outage.stop))  # fmt: skip
        if len(outage.ids) == 1 and start <= seconds < stop:
            lost.add(outage.ids[0])
    return np.array([id not in lost for id in constellation.satellite_ids])
