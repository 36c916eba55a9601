"""Ground stations: the value, files of them, the lists that the package brings."""

from __future__ import annotations

import json

import pytest

from constellm import orbit


def feature(
    name: object = "Svalbard", place: object = (15.4, 78.2), **properties: object
) -> dict[str, object]:
    point = {"type": "Point", "coordinates": list(place) if isinstance(place, tuple) else place}
    return {"type": "Feature", "geometry": point, "properties": {"name": name, **properties}}


def written(tmp_path, *features, **more):
    file = tmp_path / "sites.json"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **more}))
    return file


def test_a_station_has_defaults():
    made = orbit.station("Svalbard", 78.2, 15.4)
    assert made == orbit.Station(id="Svalbard", latitude_deg=78.2, longitude_deg=15.4)
    assert (made.altitude_m, made.min_elevation_deg, made.max_range_m) == (0.0, 25.0, None)
    other = orbit.station("Svalbard", 78.2, 15.4, 458.0, min_elevation_deg=5, max_range_m=2e6)
    assert (other.altitude_m, other.min_elevation_deg, other.max_range_m) == (458.0, 5.0, 2e6)
    assert other != made


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"latitude_deg": 90.1}, r"latitude_deg: 90.1 is not in \[-90, 90\]"),
        ({"longitude_deg": -361}, r"longitude_deg: -361 is not in \[-360, 360\]"),
        ({"altitude_m": float("nan")}, "altitude_m: nan is not in"),
        ({"min_elevation_deg": 91}, r"min_elevation_deg: 91 is not in \[-90, 90\]"),
        ({"max_range_m": 0.0}, r"max_range_m: 0 is not in \(0, inf\)"),
        ({"id": 5}, "id: expected"),
    ],
)
def test_a_wrong_station_is_refused(changes, says):
    given = {"id": "x", "latitude_deg": 0.0, "longitude_deg": 0.0}
    with pytest.raises((ValueError, TypeError), match=says):
        orbit.station(**{**given, **changes})


def test_a_file_is_read_in_its_order(tmp_path):
    file = written(
        tmp_path,
        feature("b", (15.4, 78.2), provider="P", frequency_bands=["S", "X"]),
        feature("a", (-70.9, -53.2, 120.0)),
    )
    first, second = orbit.read_stations(file, min_elevation_deg=5.0, max_range_m=3e6)
    assert (first.id, first.latitude_deg, first.longitude_deg, first.altitude_m) == ("b", 78.2, 15.4, 0.0)
    assert (second.id, second.altitude_m, second.min_elevation_deg, second.max_range_m) == (
        *("a", 120.0),
        *(5.0, 3e6),
    )
    assert [one.id for one in orbit.read_stations(file, band="X")] == ["b"]


@pytest.mark.parametrize(
    ("features", "more", "says"),
    [
        ([], {"crs": {}}, "file: unknown key 'crs'"),
        ([], {"type": "Feature"}, "type: 'Feature' is not 'FeatureCollection'"),
        ([5], {}, r"features\[0\]: expected an object, got 5"),
        ([{**feature(), "id": 1}], {}, r"features\[0\]: unknown key 'id'"),
        ([{**feature(), "type": "Point"}], {}, r"features\[0\].type: 'Point' is not 'Feature'"),
        ([{"type": "Feature", "geometry": {}}], {}, r"features\[0\]: missing required key 'properties'"),
        ([{**feature(), "geometry": None}], {}, r"features\[0\].geometry: expected an object, got None"),
        (
            [{**feature(), "geometry": {"type": "Polygon", "coordinates": []}}],
            {},
            r"features\[0\].geometry.type: 'Polygon' is not 'Point'",
        ),
        ([feature(place=(1.0,))], {}, r"features\[0\].geometry.coordinates: expected longitude, latitude"),
        ([feature(place="here")], {}, r"features\[0\].geometry.coordinates: expected a list, got 'here'"),
        ([feature(place=(15.4, 91.0))], {}, r"features\[0\]: latitude_deg: 91 is not in"),
        ([feature(place=("15", 78.2))], {}, r"features\[0\]: longitude_deg: expected"),
        ([feature(colour="red")], {}, r"features\[0\].properties: unknown key 'colour'"),
        ([feature(5)], {}, r"features\[0\].properties.name: expected text, got 5"),
        ([feature(provider=5)], {}, r"features\[0\].properties.provider: expected text, got 5"),
        ([feature(frequency_bands="S")], {}, r"properties.frequency_bands: expected a list, got 'S'"),
        ([feature(frequency_bands=["S", 1])], {}, r"properties.frequency_bands\[1\]: expected text, got 1"),
        ([feature(), feature()], {}, r"features\[1\].properties.name: 'Svalbard' stands twice"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, features, more, says):
    with pytest.raises((ValueError, TypeError), match=rf"sites.json': .*{says}"):
        orbit.read_stations(written(tmp_path, *features, **more))


def test_lists_that_the_package_brings():
    counts = {name: len(orbit.sample_stations(name)) for name in orbit.STATION_LISTS}
    assert counts == {
        "atlas": 11, "aws": 12, "dsn": 3, "ksat": 36, "leaf": 18, "nen": 18, "ssc": 10, "viasat": 9
    }  # fmt: skip
    for name in orbit.STATION_LISTS:
        for one in orbit.sample_stations(name, min_elevation_deg=10.0):
            assert one.min_elevation_deg == 10.0 and one.id
    with pytest.raises(ValueError, match="stations: 'nasa' is not one of 'atlas', 'aws', "):
        orbit.sample_stations("nasa")
