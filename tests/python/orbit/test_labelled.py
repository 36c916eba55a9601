"""States and routes with labels."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import orbit

pytest.importorskip("xarray")


def world():
    return orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=[orbit.station("Svalbard", 78.2, 15.4), orbit.station("Dubai", 25.2, 55.3)],
        links=[orbit.plus_grid(seam="open"), orbit.ground()],
        epoch="2026-03-01T12:00:00Z",
    )


def test_states():
    found = world().to_xarray([0.0, 60.0], frame="ecef")
    states = world().states([0.0, 60.0], frame="ecef")
    assert dict(found.sizes) == {"satellite": 66, "t_s": 2, "axis": 3}
    there = found.position_m.sel(satellite="iridium-next/3/2", t_s=60.0).values
    assert np.array_equal(there, states.position_m[3 * 11 + 2, 1])
    assert found.attrs == {"epoch": "2026-03-01T12:00:00Z", "frame": "ecef"}
    assert found.velocity_m_per_s.attrs == {"units": "m/s"} and not found.error.any()


def test_one_time_has_no_dimension():
    with pytest.raises(ValueError, match=r"times: expected shape \(times,\), got \(\)"):
        world().to_xarray(0.0)


def test_routes():
    routes = world().routes("Svalbard", "Dubai", [0.0, 600.0])
    found = routes.to_xarray()
    assert found.latency_s.values.tolist() == routes.latency_s.tolist()
    assert found.path.sel(t_s=600.0).item() == " ".join(routes.paths[1])
    assert found.hops.values.tolist() == routes.hops.tolist() and found.attrs["target"] == "Dubai"
