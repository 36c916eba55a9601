"""Small fleets: two satellites and a station, and a star of planes over real stations."""

from __future__ import annotations

import pytest

from constellm import network, orbit, tune

STATIONS = {"Svalbard": (78.23, 15.39), "Troll": (-72.01, 2.53), "Inuvik": (68.32, -133.55)}


@pytest.fixture
def pair():
    """Satellites a and b joined for good, of which a sees the station g for good; 1 Gbit/s everywhere."""
    plan = network.ContactPlan(
        ["a", "b", "g"],
        from_=[0, 1, 0, 2],
        to=[1, 0, 2, 0],
        open_s=0.0,
        close_s=1e4,
        rate_bps=1e9,
        owlt_s=[0.01, 0.01, 0.005, 0.005],
    )
    return tune.Fleet(plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15)


@pytest.fixture(scope="session")
def star():
    """Six planes of eleven, three stations, two hours; inter-plane links up to 70 degrees."""
    world = orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=[orbit.station(id, *place, min_elevation_deg=10.0) for id, place in STATIONS.items()],
        links=[
            orbit.plus_grid(seam="open", rate_bps=1e9, max_latitude_deg=70.0),
            orbit.ground(rate_bps=0.3e9),
        ],
    )
    return tune.fleet(world, 0.0, 7200.0, images=500, board_flop_per_s=1e12, server_flop_per_s=1e15)


@pytest.fixture(scope="session")
def spectral():
    """The workload of SpectralGPT."""
    return tune.spectral_gpt()
