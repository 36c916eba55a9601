"""Transfers of the benchmarks: data of satellites that is wanted at stations, over hours of contacts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from constellm import flow, orbit

STATIONS = {
    "Svalbard": (78.2, 15.4), "Troll": (-72.0, 2.5), "Inuvik": (68.3, -133.5), "Punta Arenas": (-53.2, -70.9),
    "Awarua": (-46.5, 168.4), "Singapore": (1.35, 103.8),
}  # fmt: skip


class Case(NamedTuple):
    """Satellites, stations, hours, rates and data."""

    name: str
    large: bool
    """72 × 22 satellites at 550 km, else 6 × 11 at 780 km."""
    stations: int
    """The first ones."""
    hours: float
    between_bps: float
    ground_bps: float
    data_bytes: float
    """In all."""
    aim_s: float
    """In which it should be proven to `aim_gap`, and then is stopped where that is above 0."""
    aim_gap: float = 0.0
    fine: bool = False
    """Whether its finest network is given to peers."""


CASES = (
    Case("66 satellites, 1 station, 15 h", False, 1, 15.0, 1e9, 0.1e9, 4e12, 1.0, fine=True),
    Case("66 satellites, 6 stations, 15 h", False, 6, 15.0, 1e9, 0.1e9, 12.5e12, 1.0, fine=True),
    Case("1,584 satellites, 6 stations", True, 6, 1.0, 1e9, 0.3e9, 2.5e12, 2.0),
    Case("1,584, slow links: 2 s", True, 6, 1.0, 0.1e9, 1e9, 2.5e12, 2.0, aim_gap=0.008),
    Case("1,584, slow links: to the end", True, 6, 1.0, 0.1e9, 1e9, 2.5e12, 30.0),
)


def world_of(case: Case) -> orbit.Constellation:
    """The star has no links over the seam and none between planes above 70 degrees of latitude."""
    places = list(STATIONS.items())[: case.stations]
    if case.large:
        shell = orbit.walker(
            "delta", planes=72, satellites_per_plane=22, altitude_m=550e3, inclination_deg=53.0, phasing=39
        )
        between, elevation_deg = orbit.plus_grid(), 25.0
    else:
        shell = orbit.walker(
            "star",
            kind="star",
            planes=6,
            satellites_per_plane=11,
            altitude_m=780e3,
            inclination_deg=86.4,
            phasing=3,
        )
        between, elevation_deg = orbit.plus_grid(seam="open", max_latitude_deg=70.0), 10.0
    stations = [orbit.station(id, *place, min_elevation_deg=elevation_deg) for id, place in places]
    return orbit.Constellation(shell, stations=stations, links=[between, orbit.ground()])


def problem_of(case: Case) -> flow.Problem:
    """Every satellite has as much, for any station."""
    world = world_of(case)
    satellites = len(world.satellite_ids)
    plan = world.contacts(0.0, 3600.0 * case.hours)
    down = plan.from_ < satellites
    columns = {name: getattr(plan, name)[down] for name in ("from_", "to", "open_s", "close_s", "owlt_s")}
    rate_bps = np.where(plan.to[down] < satellites, case.between_bps, case.ground_bps)
    return flow.Problem(
        plan.replace(**columns, rate_bps=rate_bps),
        supply_bytes=dict.fromkeys(world.satellite_ids, case.data_bytes / satellites),
        sinks=list(STATIONS)[: case.stations],
        name="".join(c if c.isalnum() else "-" for c in case.name),
    )
