"""Small constellations, drawn and chosen, and the links that brute force says they have."""

from __future__ import annotations

import numpy as np

from constellm import orbit
from oracles import constellation as oracle

SVALBARD = orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.0)
DUBAI = orbit.station("Dubai", 25.2, 55.3, min_elevation_deg=8.0)


def world(**changes):
    given = {
        "satellites": orbit.preset("iridium-next"),
        "stations": [SVALBARD, DUBAI],
        "links": [orbit.plus_grid(rate_bps=2.5e9, seam="open"), orbit.ground(rate_bps=0.8e9)],
        "epoch": "2026-03-01T12:00:00Z",
    }
    return orbit.Constellation(**{**given, **changes})


def links_of(graph):
    ends = zip(graph.from_.tolist(), graph.to.tolist())
    return dict(zip(ends, zip(graph.latency_s.tolist(), graph.rate_bps.tolist())))


def random_world(seed):
    """Few satellites, odd shapes, rules of every kind."""
    random = np.random.default_rng(seed)
    shells = [
        orbit.Shell(
            name=name,
            planes=int(random.integers(1, 6)),
            satellites_per_plane=int(random.integers(1, 9)),
            altitude_m=float(random.uniform(4e5, 3e6)),
            inclination_deg=float(random.uniform(0, 180)),
            raan_spread_deg=float(random.choice([180.0, 360.0])),
            phasing=float(random.uniform(-3, 3)),
            eccentricity=float(random.uniform(0, 0.05)),
            propagator=str(random.choice(["j2", "two-body"])),
        )
        for name in "ab"[: int(random.integers(1, 3))]
    ]
    limits = {
        "max_range_m": float(random.uniform(2e6, 8e6)),
        "grazing_altitude_m": float(random.uniform(0, 5e5)),
        "max_latitude_deg": float(random.uniform(20, 90)),
        "max_angular_rate_rad_per_s": float(random.uniform(5e-4, 5e-3)),
        "max_range_rate_m_per_s": float(random.uniform(500, 6000)),
    }
    some = {key: value for key, value in limits.items() if random.random() < 0.4}
    of_ground = {key: value for key, value in some.items() if key.startswith(("max_r", "max_ang"))}
    rules = [
        orbit.plus_grid(
            seam=str(random.choice(["open", "closed"])),
            shift=int(random.integers(-3, 4)),
            rate_bps=3e9,
            **some,
        ),
        orbit.nearest(int(random.integers(1, 6)), rate_bps=2e9, overhead_s=1e-3, **some),
        orbit.nearest(2, str(random.choice([shell.name for shell in shells]))),
        orbit.ground(rate_bps=1e9, **of_ground),
    ]
    stations = [
        orbit.station(
            f"g{i}",
            float(random.uniform(-90, 90)),
            float(random.uniform(-180, 180)),
            float(random.uniform(0, 4e3)),
            min_elevation_deg=float(random.uniform(-5, 30)),
            max_range_m=None if random.random() < 0.5 else float(random.uniform(1e6, 5e6)),
        )
        for i in range(4)
    ]
    sets = [orbit.sample_elements()[:9]] if random.random() < 0.5 else []
    order = [rules[i] for i in random.permutation(len(rules))]
    return orbit.Constellation([*shells, *sets], stations=stations, links=order, epoch="2024-01-13")


def expected_links(made, t_s):
    states = made.states(t_s)
    turn_rad = float(orbit.gmst_rad(made.epoch, t_s))
    return oracle.links_at(
        made.links, made.shells, made.stations, states.position_m, states.velocity_m_per_s, turn_rad
    )
