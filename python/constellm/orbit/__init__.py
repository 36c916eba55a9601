"""Satellites that move: shells and element sets, where they are, what they see, how they are joined.

A `Shell` has satellites evenly spaced on planes; `walker` and `preset` make one, `elements` has its
satellites as columns. `read_elements` reads those of real satellites as `ElementSets`. `propagate` moves all
of them: states are arrays (satellites, times, 3) in the frame TEME. `teme_to_ecef` lets the Earth turn below
them, `look_angles` is what stations see of them, `line_of_sight` what they see of each other, `sunlit_share`
of the Sun. Times are seconds from an `Epoch`, an instant of UTC; UT1 = UTC.

A `Constellation` puts satellites, stations and rules of links (`plus_grid`, `nearest`, `ground`) together:
the network at an instant, over time, its contacts and its routes, but for what an `Outage` takes away. An
`OpticalBudget` or a `KaBandBudget` gives the rate of a link by its range; a `LinkTrace` is one that was
recorded.

Lengths are in metres. Angles of orbits are in radians, those of places on the Earth, of what is seen from
there, of shells and of element sets in degrees; the names say so, and they say the frame.
"""

from .._core.orbit import Elements, KaBandBudget, LinkRule, OpticalBudget, Shell, Station
from ..core.constants import EARTH_MU_M3_PER_S2
from ..core.epoch import Epoch
from ..core.keywords import tell_of_slips as _tell_of_slips
from .constellation import Constellation
from .constellation_files import load_constellation, save_constellation
from .element_files import format_elements, parse_elements, read_elements, sample_elements, write_elements
from .element_sets import ElementSets
from .frames import (
    ecef_to_geodetic,
    ecef_to_teme,
    geodetic_to_ecef,
    gmst_rad,
    teme_to_ecef,
    velocity_ecef_to_teme,
    velocity_teme_to_ecef,
)
from .link_rules import ground, nearest, plus_grid
from .link_trace import LinkTrace, read_link_trace, sample_link_trace
from .masks import Masks
from .motion import eccentric_anomaly_rad, elements, elements_of_state, propagate
from .outages import Outage
from .routes import Routes
from .sgp4_states import SGP4_ERRORS, Sgp4
from .shells import PRESETS, Preset, preset, walker
from .sight import LineOfSight, LookAngles, doppler_hz, line_of_sight, look_angles
from .states import States
from .stations import STATION_LISTS, read_stations, sample_stations, station
from .sun import sun_teme_m, sunlit_share

__all__ = [
    "EARTH_MU_M3_PER_S2",
    "PRESETS",
    "SGP4_ERRORS",
    "STATION_LISTS",
    "Constellation",
    "ElementSets",
    "Elements",
    "Epoch",
    "KaBandBudget",
    "LineOfSight",
    "LinkRule",
    "LinkTrace",
    "LookAngles",
    "Masks",
    "OpticalBudget",
    "Outage",
    "Preset",
    "Routes",
    "Sgp4",
    "Shell",
    "States",
    "Station",
    "doppler_hz",
    "eccentric_anomaly_rad",
    "ecef_to_geodetic",
    "ecef_to_teme",
    "elements",
    "elements_of_state",
    "format_elements",
    "geodetic_to_ecef",
    "gmst_rad",
    "ground",
    "line_of_sight",
    "load_constellation",
    "look_angles",
    "nearest",
    "parse_elements",
    "plus_grid",
    "preset",
    "propagate",
    "read_elements",
    "read_link_trace",
    "read_stations",
    "sample_elements",
    "sample_link_trace",
    "sample_stations",
    "save_constellation",
    "station",
    "sun_teme_m",
    "sunlit_share",
    "teme_to_ecef",
    "velocity_ecef_to_teme",
    "velocity_teme_to_ecef",
    "walker",
    "write_elements",
]

_tell_of_slips(__name__)
