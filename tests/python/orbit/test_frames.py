"""Frames, places, look angles, lines of sight, sunlight: golden values, closed forms, there and back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from constellm import orbit

A_M, F = 6378137.0, 1.0 / 298.257223563


def test_sidereal_time_of_the_textbook():
    """Vallado, 4th ed., example 3-5; Meeus, Astronomical Algorithms, examples 12.a and 12.b."""
    assert math.degrees(orbit.gmst_rad("1992-08-20T12:14:00Z")) == pytest.approx(152.578787810, abs=1e-7)
    assert math.degrees(orbit.gmst_rad("1987-04-10")) == pytest.approx(197.693195, abs=1e-6)
    assert math.degrees(orbit.gmst_rad("1987-04-10T19:21:00Z")) == pytest.approx(128.7378734, abs=3e-7)
    epoch = orbit.Epoch("2026-03-01T01:02:03.456789Z")
    later = np.array([0.0, 1.0, 86400.0, 3e6, -3e6])
    each = [float(orbit.gmst_rad(epoch + float(t))) for t in later]
    assert np.abs(np.exp(1j * orbit.gmst_rad(epoch, later)) - np.exp(1j * np.array(each))).max() < 1e-12


def test_positions_and_velocities_there_and_back():
    shell, epoch = orbit.preset("telesat-1015"), "2026-03-01T12:00:00Z"
    time_s = np.array([0.0, 10.0, 5000.0])
    r, v, _ = orbit.propagate(shell, time_s)
    r_ecef = orbit.teme_to_ecef(r, epoch=epoch, time_s=time_s)
    v_ecef = orbit.velocity_teme_to_ecef(r, v, epoch=epoch, time_s=time_s)
    assert orbit.ecef_to_teme(r_ecef, epoch=epoch, time_s=time_s) == pytest.approx(r, abs=1e-8)
    assert orbit.velocity_ecef_to_teme(r_ecef, v_ecef, epoch=epoch, time_s=time_s) == pytest.approx(
        v, abs=1e-10
    )
    assert np.linalg.norm(r_ecef, axis=-1) == pytest.approx(np.linalg.norm(r, axis=-1), rel=1e-15)


def test_the_velocity_in_ecef_is_the_derivative_there():
    epoch, step = "2026-03-01T12:00:00Z", 0.5
    elements = orbit.Elements(semi_major_axis_m=[7e6], inclination_rad=[1.0])
    time_s = np.array([-step, 0.0, step]) + 700.0
    r, v, _ = orbit.propagate(elements, time_s, propagator="two-body")
    ecef = orbit.teme_to_ecef(r, epoch=epoch, time_s=time_s)[0]
    found = orbit.velocity_teme_to_ecef(r, v, epoch=epoch, time_s=time_s)[0, 1]
    assert (ecef[2] - ecef[0]) / (2 * step) == pytest.approx(found, abs=1e-3)


def test_ten_thousand_places_there_and_back():
    random = np.random.default_rng(2)
    latitude_deg = np.concatenate(
        [random.uniform(-90, 90, 9990), [90, -90, 0, 89.9999999, -89.9999999, 1e-9] + [45] * 4]
    )
    longitude_deg = random.uniform(-180, 180, 10000)
    altitude_m = np.concatenate([random.uniform(-1e4, 1e5, 5000), random.uniform(-6e6, 1e8, 5000)])
    position = orbit.geodetic_to_ecef(latitude_deg, longitude_deg, altitude_m)
    found = orbit.ecef_to_geodetic(position)
    assert np.abs(found[2] - altitude_m).max() < 1e-7
    again = orbit.geodetic_to_ecef(*found)
    assert np.linalg.norm(again - position, axis=-1).max() < 1e-7  # the last place of 1e8 m is 1.5e-8
    low = np.abs(altitude_m) < 1e6
    assert np.linalg.norm(again - position, axis=-1)[low].max() < 5e-9
    assert np.abs(found[0] - latitude_deg)[low].max() < 1e-13 * 180


def test_the_ellipsoid_at_its_ends():
    ends = np.array([[A_M, 0.0, 0.0], [0.0, 0.0, A_M * (1 - F)]])
    assert orbit.geodetic_to_ecef([0.0, 90.0], 0.0) == pytest.approx(ends, abs=1e-9)
    with pytest.raises(ValueError, match="point 1 is 1000 m from the Earth's centre"):
        orbit.ecef_to_geodetic([[7e6, 0, 0], [0, 1000.0, 0]])


def test_satellites_overhead_and_at_the_horizon():
    random = np.random.default_rng(3)
    latitude_deg, longitude_deg = random.uniform(-90, 90, 500), random.uniform(-180, 180, 500)
    ground = orbit.geodetic_to_ecef(latitude_deg, longitude_deg, 100.0)
    above = orbit.geodetic_to_ecef(latitude_deg, longitude_deg, 600e3)
    for i in range(500):
        seen = orbit.look_angles(latitude_deg[i], longitude_deg[i], 100.0, above[i])
        assert float(seen.elevation_deg) == pytest.approx(90.0, abs=1e-5)
        assert float(seen.range_m) == pytest.approx(599900.0, abs=1e-6)
        # A step north, east, south and west is at azimuth 0, 90, 180, 270 and elevation 0.
        lat, lon = math.radians(latitude_deg[i]), math.radians(longitude_deg[i])
        east = np.array([-math.sin(lon), math.cos(lon), 0.0])
        north = np.array([-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)])
        steps = ground[i] + 1e5 * np.array([north, east, -north, -east])
        around = orbit.look_angles(latitude_deg[i], longitude_deg[i], 100.0, steps)
        assert np.abs(around.elevation_deg).max() < 1e-10
        assert np.abs(np.sin(np.radians(around.azimuth_deg - [0, 90, 180, 270]))).max() < 1e-10
        assert (around.azimuth_deg >= 0).all() and (around.azimuth_deg < 360).all()


def test_elevation_and_range_on_a_circular_orbit_by_the_law_of_cosines():
    """From the equator at an equatorial satellite: range² + 2 R range sin(elevation) = r² - R²."""
    angle = np.linspace(0.0, 0.35, 20)
    radius_m = A_M + 550e3
    satellites = radius_m * np.stack([np.cos(angle), np.sin(angle), 0.0 * angle], axis=-1)
    seen = orbit.look_angles(0.0, 0.0, 0.0, satellites)
    sine = np.sin(np.radians(seen.elevation_deg))
    assert seen.range_m**2 + 2 * A_M * seen.range_m * sine == pytest.approx(radius_m**2 - A_M**2, rel=1e-12)


def test_range_rate_and_doppler_are_derivatives():
    epoch, time_s = "2026-03-01", np.array([99.5, 100.0, 100.5])
    r, v, _ = orbit.propagate(orbit.preset("starlink-550"), time_s, propagator="two-body")
    ecef = orbit.teme_to_ecef(r, epoch=epoch, time_s=time_s)
    speed = orbit.velocity_teme_to_ecef(r, v, epoch=epoch, time_s=time_s)
    seen = orbit.look_angles([48.1, -33.9], [11.6, 18.4], [500.0, 0.0], ecef, speed)
    assert seen.range_m.shape == (2, 1584, 3)
    derivative = seen.range_m[..., 2] - seen.range_m[..., 0]
    assert seen.range_rate_m_per_s[..., 1] == pytest.approx(derivative, abs=0.05)
    wavelength_m = 299792458.0 / 20e9
    assert orbit.doppler_hz(derivative, frequency_hz=20e9) == pytest.approx(-derivative / wavelength_m)
    assert orbit.look_angles(0.0, 0.0, 0.0, ecef).range_rate_m_per_s is None


def test_lines_of_sight_graze_where_geometry_says():
    radius_m, half = A_M + 550e3, np.linspace(0.01, 1.5, 50)
    a = radius_m * np.stack([np.cos(half), np.sin(half), 0 * half], axis=-1)
    sight = orbit.line_of_sight(a, a * [1.0, -1.0, 1.0])
    assert sight.range_m == pytest.approx(2.0 * radius_m * np.sin(half))
    assert sight.grazing_altitude_m == pytest.approx(radius_m * np.cos(half) - A_M, abs=1e-6)
    # Beyond the nearer end the line does not count.
    up = orbit.line_of_sight([7e6, 0.0, 0.0], [8e6, 1.0, 0.0])
    assert float(up.grazing_altitude_m) == pytest.approx(7e6 - A_M) and up.range_rate_m_per_s is None
    assert float(orbit.line_of_sight([7e6, 0, 0], [-7e6, 0, 0]).grazing_altitude_m) == pytest.approx(-A_M)
    with pytest.raises(ValueError, match="both ends or for none"):
        orbit.line_of_sight([7e6, 0, 0], [0, 7e6, 0], [0, 0, 0])


def test_rates_of_lines_are_derivatives_and_zero_where_nothing_turns():
    shell = orbit.preset("iridium-next", propagator="two-body")
    r, v, _ = orbit.propagate(shell, np.array([-0.05, 0.0, 0.05]) + 300.0)
    sight = orbit.line_of_sight(r[:33], r[33:], v[:33], v[33:])
    line = r[33:] - r[:33]
    unit = line / np.linalg.norm(line, axis=-1, keepdims=True)
    turned = np.linalg.norm(unit[:, 2] - unit[:, 0], axis=-1) / 0.1
    assert sight.angular_rate_rad_per_s[:, 1] == pytest.approx(turned, rel=1e-5)
    assert sight.range_rate_m_per_s[:, 1] == pytest.approx(
        (sight.range_m[:, 2] - sight.range_m[:, 0]) / 0.1, abs=1e-3
    )
    # Neighbours on a circle keep their range, and their line turns as fast as they go round.
    ring_r, ring_v, _ = orbit.propagate(orbit.preset("collaborative-12", propagator="two-body"), 77.0)
    ring = orbit.line_of_sight(ring_r, np.roll(ring_r, 1, 0), ring_v, np.roll(ring_v, 1, 0))
    period_s = orbit.preset("collaborative-12").period_s
    assert ring.angular_rate_rad_per_s == pytest.approx(2 * math.pi / period_s)
    assert np.abs(ring.range_rate_m_per_s).max() < 1e-8


def test_the_sun_of_the_textbook():
    """Vallado, 4th ed., example 5-1: 2006-04-02, 00:00 UTC."""
    sun = orbit.sun_teme_m("2006-04-02")
    assert sun / 149597870700.0 == pytest.approx([0.9771945, 0.1924424, 0.0834308], abs=2e-4)
    distances = (
        np.linalg.norm(orbit.sun_teme_m("2026-01-01", np.arange(366) * 86400.0), axis=-1) / 149597870700.0
    )
    assert distances.min() == pytest.approx(0.9833, abs=2e-4) and distances.argmin() in range(1, 5)
    assert distances.max() == pytest.approx(1.0167, abs=2e-4)


def test_the_share_of_a_circular_orbit_in_shadow():
    """Of a cylinder: arccos(sqrt(1 - (R/r)²) / cos β) / π; the cone's umbra and penumbra lie about it."""
    radius_m = A_M + 550e3
    for beta_deg in (0.0, 20.0, 45.0, 60.0, 68.0, 80.0):
        angle = np.linspace(0.0, 2 * np.pi, 20000, endpoint=False)
        beta = math.radians(beta_deg)
        ring = radius_m * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
        sun = 1.496e11 * np.array([math.cos(beta), 0.0, math.sin(beta)])
        share = orbit.sunlit_share(ring, sun)
        cosine = math.sqrt(1 - (A_M / radius_m) ** 2) / math.cos(beta)
        expected = math.acos(cosine) / math.pi if cosine < 1 else 0.0
        assert 1.0 - share.mean() == pytest.approx(expected, abs=4e-3)
        assert ((share >= 0) & (share <= 1)).all()
        assert (share == 0).mean() <= expected + 1e-4 and (share < 1).mean() >= expected - 1e-4


def test_penumbra_fades_without_a_jump():
    height = np.linspace(A_M - 60e3, A_M + 60e3, 2001)
    behind = np.stack([np.full_like(height, -2500e3), height, 0 * height], axis=-1)
    share = orbit.sunlit_share(behind, [1.496e11, 0.0, 0.0])
    assert share[0] == 0.0 and share[-1] == 1.0
    assert (np.diff(share) >= -1e-12).all() and np.diff(share).max() < 0.01
    assert float(orbit.sunlit_share([-1.6e9, 0.0, 0.0], [1.496e11, 0.0, 0.0])) == pytest.approx(
        1 - (A_M / 1.6e9) ** 2 / (6.957e8 / 1.512e11) ** 2, abs=1e-4
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: orbit.geodetic_to_ecef(91.0, 0.0), r"latitude_deg: 91 is not in \[-90, 90\]"),
        (lambda: orbit.geodetic_to_ecef(0.0, math.nan), "longitude_deg: nan is not in"),
        (
            lambda: orbit.teme_to_ecef([[7e6, 0, 0]], epoch="2026-01-01", time_s=[0, 1]),
            r"time_s: shape \(2,\) beside",
        ),
        (
            lambda: orbit.teme_to_ecef([7e6, 0], epoch="2026-01-01"),
            r"position_teme_m: expected shape \(..., 3\)",
        ),
        (lambda: orbit.teme_to_ecef([7e6, 0, 0], epoch="soon"), "epoch: 'soon'"),
        (
            lambda: orbit.velocity_teme_to_ecef([7e6, 0, 0], [[1, 0, 0]], epoch="2026-01-01"),
            "beside position_teme_m",
        ),
        (lambda: orbit.sunlit_share([7e6, 0, 0], ["sun"] * 3), "sun_m: expected numbers"),
    ],
)
def test_wrong_calls_name_what_is_wrong(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()
