"""Ground stations, and files of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._core.orbit import Station
from ..core.checks import short
from ..core.files import read_json
from ..core.plain import as_list, as_object, as_text, check_keys

_SHIPPED = Path(__file__).parent / "data" / "brahe"

STATION_LISTS: dict[str, str] = {
    "atlas": "Atlas", "aws": "Amazon Web Services", "dsn": "NASA's Deep Space Network", "ksat": "KSAT",
    "leaf": "Leaf Space", "nen": "NASA's Near Earth Network", "ssc": "SSC", "viasat": "Viasat",
}  # fmt: skip
"""Networks whose stations `sample_stations` has, by the names of their lists."""


def station(
    id: str,
    latitude_deg: float,
    longitude_deg: float,
    altitude_m: float = 0.0,
    *,
    min_elevation_deg: float = 25.0,
    max_range_m: float | None = None,
) -> Station:
    """A station on the ground.

    Parameters
    ----------
    id : str
        What it is called in networks and files.
    latitude_deg, longitude_deg : float
        Geodetic, and to the east.
    altitude_m : float
        Above the ellipsoid of WGS 84 [m].
    min_elevation_deg : float
        It sees what stands higher: a true elevation above the horizon, without refraction.
    max_range_m : float, optional
        And what is nearer [m]; default: at any distance.

    Returns
    -------
    Station

    Raises
    ------
    ValueError, TypeError
        Names the field, the value and the range.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.station("Svalbard", 78.2, 15.4).min_elevation_deg
    25.0
    """
    return Station(
        id=id,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        altitude_m=altitude_m,
        min_elevation_deg=min_elevation_deg,
        max_range_m=max_range_m,
    )


def read_stations(
    path: str | os.PathLike[str],
    *,
    band: str | None = None,
    min_elevation_deg: float = 25.0,
    max_range_m: float | None = None,
) -> tuple[Station, ...]:
    """Stations in a file of GeoJSON, a collection of points.

    Each point has longitude, latitude and perhaps altitude, and the properties ``name``, which becomes the
    id, and if known ``provider`` and ``frequency_bands``, a list of texts. A file that says more is refused.

    Parameters
    ----------
    path : path
    band : str, optional
        Only the stations that have this band.
    min_elevation_deg, max_range_m : float
        Of every station, as in `station`.

    Returns
    -------
    tuple of Station
        In the order of the file.

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read or is not understood, or a name stands twice: names the place in the file.

    Examples
    --------
    >>> import json, pathlib
    >>> from constellm import orbit
    >>> point = {"type": "Point", "coordinates": [15.4, 78.2]}
    >>> feature = {"type": "Feature", "geometry": point, "properties": {"name": "Svalbard"}}
    >>> _ = pathlib.Path("sites.json").write_text(
    ...     json.dumps({"type": "FeatureCollection", "features": [feature]})
    ... )
    >>> [(site.id, site.latitude_deg) for site in orbit.read_stations("sites.json", min_elevation_deg=5.0)]
    [('Svalbard', 78.2)]
    """
    try:
        data = as_object("file", read_json(path))
        check_keys("file", data, ("type", "features"), ())
        _expect("type", data["type"], "FeatureCollection")
        found: dict[str, tuple[Station, list[str]]] = {}
        for i, feature in enumerate(as_list("features", data["features"])):
            one, bands = _station(f"features[{i}]", feature, min_elevation_deg, max_range_m)
            if one.id in found:
                raise ValueError(f"features[{i}].properties.name: {short(one.id)} stands twice")
            found[one.id] = one, bands
    except (ValueError, TypeError) as error:
        raise type(error)(f"{os.fspath(path)!r}: {error}") from None
    return tuple(one for one, bands in found.values() if band is None or band in bands)


def sample_stations(name: str, **more: Any) -> tuple[Station, ...]:
    """The stations of a network that is known, which the package brings.

    Parameters
    ----------
    name : str
        A key of `STATION_LISTS`.
    **more
        As of `read_stations`.

    Returns
    -------
    tuple of Station
        Lists of several networks have places, and so ids, in common.

    Raises
    ------
    ValueError
        For an unknown name, and as `read_stations`.

    Examples
    --------
    >>> from constellm import orbit
    >>> [site.id for site in orbit.sample_stations("dsn", band="Ka")]
    ['Goldstone', 'Canberra', 'Madrid']
    """
    if name not in STATION_LISTS:
        raise ValueError(f"stations: {short(name)} is not one of {', '.join(map(repr, STATION_LISTS))}")
    return read_stations(_SHIPPED / f"{name}.json", **more)


def _station(
    where: str, feature: Any, min_elevation_deg: float, max_range_m: float | None
) -> tuple[Station, list[str]]:
    feature = as_object(where, feature)
    check_keys(where, feature, ("type", "geometry", "properties"), ())
    _expect(f"{where}.type", feature["type"], "Feature")
    point = as_object(f"{where}.geometry", feature["geometry"])
    check_keys(f"{where}.geometry", point, ("type", "coordinates"), ())
    _expect(f"{where}.geometry.type", point["type"], "Point")
    place = as_list(f"{where}.geometry.coordinates", point["coordinates"])
    if len(place) not in (2, 3):
        raise ValueError(
            f"{where}.geometry.coordinates: expected longitude, latitude and, if any, altitude, "
            f"got {short(place)}"
        )
    properties = as_object(f"{where}.properties", feature["properties"])
    check_keys(f"{where}.properties", properties, ("name",), ("provider", "frequency_bands"))
    as_text(f"{where}.properties.provider", properties.get("provider", ""))
    bands = as_list(f"{where}.properties.frequency_bands", properties.get("frequency_bands", []))
    for i, band in enumerate(bands):
        as_text(f"{where}.properties.frequency_bands[{i}]", band)
    name = as_text(f"{where}.properties.name", properties["name"])
    try:
        one = station(
            name, place[1], place[0], *place[2:], min_elevation_deg=min_elevation_deg, max_range_m=max_range_m
        )
    except (ValueError, TypeError) as error:
        raise type(error)(f"{where}: {error}") from None
    return one, bands


def _expect(where: str, value: Any, wanted: str) -> None:
    if value != wanted:
        raise ValueError(f"{where}: {short(value)} is not {wanted!r}")
