"""How a constellation shows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.orbit import RATE_BPS, LinkRule, Shell
from ..core.constants import EARTH_RADIUS_M
from ..core.display import Display
from ..core.quantity import quantity
from ..core.table import Table

if TYPE_CHECKING:
    from .constellation import Constellation


def display_of(world: Constellation) -> Display:
    """Its parts, stations and rules as tables."""
    satellites = [
        (
            *(part.name, str(part.planes), str(part.satellites_per_plane)),
            *(quantity(part.semi_major_axis_m - EARTH_RADIUS_M, "m"), f"{part.inclination_deg:g} °"),
            part.propagator,
        )
        if isinstance(part, Shell)
        else ("element sets", "–", str(len(part)), "–", "–", "sgp4")
        for part in world.satellites
    ]
    tables = [Table(("shell", "planes", "of each", "altitude", "inclination", "propagator"), satellites)]
    if world.stations:
        places = [
            (one.id, f"{one.latitude_deg:g} °", f"{one.longitude_deg:g} °", f"{one.min_elevation_deg:g} °")
            for one in world.stations
        ]
        tables.append(Table(("station", "latitude", "longitude", "elevation from"), places))
    if world.links:
        rules = [
            (rule.pattern, "all" if rule.shell is None else rule.shell, _rate(rule)) for rule in world.links
        ]
        tables.append(Table(("links", "shell", "rate"), rules))
    if world.outages:
        lost = [(" – ".join(outage.ids), str(outage.start), str(outage.stop)) for outage in world.outages]
        tables.append(Table(("outage", "from", "to"), lost))
    return Display([f"Constellation {world.name}: {world._size()}", f"time 0 is {world.epoch}"], tables)


def _rate(rule: LinkRule) -> str:
    if rule.budget is not None:
        return f"{rule.budget.name} budget"
    return quantity(RATE_BPS if rule.rate_bps is None else rule.rate_bps, "bit/s")
