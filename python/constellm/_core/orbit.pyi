# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['AnalyticMotion', 'Elements', 'LinkRule', 'Links', 'Motion', 'SampledMotion', 'Shell', 'Station', 'Windows', 'eccentric_anomaly_rad', 'ecef_to_geodetic', 'elements', 'elements_of_state', 'geodetic_to_ecef', 'gmst_rad', 'in_sight', 'latencies_at', 'line_of_sight', 'links_at', 'look_angles', 'position_in', 'propagate', 'routes_at', 'sun_teme_m', 'sunlit_share', 'velocity_in', 'windows']
class Shell:
    """
    Satellites evenly spaced on planes of one shape. It has an altitude or a mean motion, which tell each
    other; both are taken where they agree to 1e-9. At most 100,000 satellites.
    
    Parameters
    ----------
    name : str
        begins the ids of its satellites, <name>/<plane>/<index>
    planes : int
        number of orbital planes, in [1, 100000]
    satellites_per_plane : int
        number of each plane, in [1, 100000]
    altitude_m : float | None, default None
        of the semi-major axis above the equatorial radius, 6,378,137 m [m], in [0, inf)
    mean_motion_rev_per_day : float | None, default None
        revolutions in 86,400 s of the orbit about a point mass [rev/day], in (0, inf)
    inclination_deg : float
        to the equator [deg], in [0, 180]
    raan_spread_deg : float, default 360.0
        plane p ascends at raan0_deg + p · spread / planes; 180 for a star [deg], in [0, 360]
    raan0_deg : float, default 0.0
        right ascension of plane 0's ascending node [deg], in [-360, 360]
    phasing : float, default 0.0
        Walker's F: plane p is p · F · 360 / (planes · satellites_per_plane) degrees ahead, in (-inf, inf)
    plane_phase_deg : Sequence[float] | None, default None
        how far each plane is ahead, in place of what F says [planes] [deg], in [-360, 360]
    eccentricity : float, default 0.0
        of the ellipse, in [0, 1)
    argument_of_perigee_deg : float, default 0.0
        from the ascending node, along the motion [deg], in [-360, 360]
    propagator : str, default 'j2'
        'j2', 'two-body' or 'sgp4'
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.orbit.Shell(name='s', planes=6, satellites_per_plane=11, altitude_m=780e3, inclination_deg=86.4)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, name: str, planes: int, satellites_per_plane: int, inclination_deg: float, altitude_m: float | None = ..., mean_motion_rev_per_day: float | None = ..., raan_spread_deg: float = ..., raan0_deg: float = ..., phasing: float = ..., plane_phase_deg: collections.abc.Sequence[float] | None = ..., eccentricity: float = ..., argument_of_perigee_deg: float = ..., propagator: str = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def altitude_m(self) -> float | None:
        """
        of the semi-major axis above the equatorial radius, 6,378,137 m [m]
        """
    @property
    def argument_of_perigee_deg(self) -> float:
        """
        from the ascending node, along the motion [deg]
        """
    @property
    def eccentricity(self) -> float:
        """
        of the ellipse
        """
    @property
    def ids(self) -> tuple[str, ...]:
        """
        <name>/<plane>/<index>, plane by plane [satellites]
        """
    @property
    def inclination_deg(self) -> float:
        """
        to the equator [deg]
        """
    @property
    def mean_motion_rev_per_day(self) -> float | None:
        """
        revolutions in 86,400 s of the orbit about a point mass [rev/day]
        """
    @property
    def name(self) -> str:
        """
        begins the ids of its satellites, <name>/<plane>/<index>
        """
    @property
    def period_s(self) -> float:
        """
        of a revolution about a point mass [s]
        """
    @property
    def phasing(self) -> float:
        """
        Walker's F: plane p is p · F · 360 / (planes · satellites_per_plane) degrees ahead
        """
    @property
    def plane_phase_deg(self) -> list[float] | None:
        """
        how far each plane is ahead, in place of what F says [planes] [deg]
        """
    @property
    def planes(self) -> int:
        """
        number of orbital planes
        """
    @property
    def propagator(self) -> str:
        """
        'j2', 'two-body' or 'sgp4'
        """
    @property
    def raan0_deg(self) -> float:
        """
        right ascension of plane 0's ascending node [deg]
        """
    @property
    def raan_spread_deg(self) -> float:
        """
        plane p ascends at raan0_deg + p · spread / planes; 180 for a star [deg]
        """
    @property
    def satellites(self) -> int:
        """
        planes · satellites_per_plane
        """
    @property
    def satellites_per_plane(self) -> int:
        """
        number of each plane
        """
    @property
    def semi_major_axis_m(self) -> float:
        """
        from the altitude or from the mean motion [m]
        """
class Elements:
    """
    Mean Keplerian elements of satellites at their common epoch, in the frame TEME, as columns.
    
    Parameters
    ----------
    semi_major_axis_m : ArrayLike
        half of the ellipse's length [satellites] [m], in (0, inf)
    eccentricity : ArrayLike, default 0.0
        of the ellipse; one for all, or [satellites], in [0, 1)
    inclination_rad : ArrayLike, default 0.0
        to the equator; one for all, or [satellites] [rad], in [0, pi]
    raan_rad : ArrayLike, default 0.0
        right ascension of the ascending node; one for all, or [satellites] [rad], in (-inf, inf)
    argument_of_perigee_rad : ArrayLike, default 0.0
        from the node, along the motion; one for all, or [satellites] [rad], in (-inf, inf)
    mean_anomaly_rad : ArrayLike, default 0.0
        from the perigee, at the epoch; one for all, or [satellites] [rad], in (-inf, inf)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.orbit.Elements(semi_major_axis_m=[6928137.0, 6928137.0], mean_anomaly_rad=[0.0, 3.14])
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, semi_major_axis_m: numpy.typing.ArrayLike, eccentricity: numpy.typing.ArrayLike = ..., inclination_rad: numpy.typing.ArrayLike = ..., raan_rad: numpy.typing.ArrayLike = ..., argument_of_perigee_rad: numpy.typing.ArrayLike = ..., mean_anomaly_rad: numpy.typing.ArrayLike = ...) -> None:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> Elements:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The fields as plain Python values.
        """
    @property
    def argument_of_perigee_rad(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        from the node, along the motion [satellites] [rad]
        """
    @property
    def eccentricity(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        of the ellipse [satellites]
        """
    @property
    def inclination_rad(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        to the equator [satellites] [rad]
        """
    @property
    def mean_anomaly_rad(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        from the perigee, at the epoch [satellites] [rad]
        """
    @property
    def raan_rad(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        right ascension of the ascending node [satellites] [rad]
        """
    @property
    def semi_major_axis_m(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        half of the ellipse's length [satellites] [m]
        """
class LinkRule:
    """
    Which links there are. 'plus-grid': of each satellite of a shell with the next one of its plane and one of
    the next plane; 'ring': with the next one of its plane; 'nearest': of two that are among the `count`
    nearest of each other; 'all': of all that see each other; 'ground': of a station with what it sees. Links
    go both ways. A key that means nothing for the pattern is refused.
    
    Parameters
    ----------
    pattern : str
        'plus-grid', 'ring', 'nearest', 'all' or 'ground'
    shell : str | None, default None
        whose satellites; 'plus-grid' and 'ring' need one, else None means every satellite
    seam : str | None, default None
        'closed' (None): the last plane has links with the first; 'open': it has none
    shift : int | None, default None
        satellite k has a link with k + shift of the next plane; None: 0, in [-100000, 100000]
    count : int | None, default None
        how many nearest satellites each one asks for; both have to ask, in [1, 100000]
    max_range_m : float | None, default None
        longest link [m], in (0, inf)
    grazing_altitude_m : float | None, default None
        least height of the line between satellites above the equatorial radius; None: 80 km [m], in [-6378137, inf)
    max_latitude_deg : float | None, default None
        no links between planes where an end is farther from the equator, seen from the Earth's centre [deg], in [0, 90]
    max_angular_rate_rad_per_s : float | None, default None
        fastest turn of the line of sight in the inertial frame [rad/s], in (0, inf)
    rate_bps : float, default 1000000000.0
        bits that a link carries in a second [bit/s], in (0, inf)
    overhead_s : float, default 0.0
        added to the light's time [s], in [0, inf)
    survival : float, default 1.0
        probability that a link works in a slot, both ways or neither, in [0, 1]
    seed : int, default 0
        of those draws, in [0, 2^63)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.orbit.LinkRule(pattern='plus-grid', shell='starlink-550', max_range_m=5e6)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, pattern: str, shell: str | None = ..., seam: str | None = ..., shift: int | None = ..., count: int | None = ..., max_range_m: float | None = ..., grazing_altitude_m: float | None = ..., max_latitude_deg: float | None = ..., max_angular_rate_rad_per_s: float | None = ..., rate_bps: float = ..., overhead_s: float = ..., survival: float = ..., seed: int = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def count(self) -> int | None:
        """
        how many nearest satellites each one asks for; both have to ask
        """
    @property
    def grazing_altitude_m(self) -> float | None:
        """
        least height of the line between satellites above the equatorial radius; None: 80 km [m]
        """
    @property
    def max_angular_rate_rad_per_s(self) -> float | None:
        """
        fastest turn of the line of sight in the inertial frame [rad/s]
        """
    @property
    def max_latitude_deg(self) -> float | None:
        """
        no links between planes where an end is farther from the equator, seen from the Earth's centre [deg]
        """
    @property
    def max_range_m(self) -> float | None:
        """
        longest link [m]
        """
    @property
    def overhead_s(self) -> float:
        """
        added to the light's time [s]
        """
    @property
    def pattern(self) -> str:
        """
        'plus-grid', 'ring', 'nearest', 'all' or 'ground'
        """
    @property
    def rate_bps(self) -> float:
        """
        bits that a link carries in a second [bit/s]
        """
    @property
    def seam(self) -> str | None:
        """
        'closed' (None): the last plane has links with the first; 'open': it has none
        """
    @property
    def seed(self) -> int:
        """
        of those draws
        """
    @property
    def shell(self) -> str | None:
        """
        whose satellites; 'plus-grid' and 'ring' need one, else None means every satellite
        """
    @property
    def shift(self) -> int | None:
        """
        satellite k has a link with k + shift of the next plane; None: 0
        """
    @property
    def survival(self) -> float:
        """
        probability that a link works in a slot, both ways or neither
        """
class Station:
    """
    A place on the Earth. It sees a satellite that stands high enough and is near enough.
    
    Parameters
    ----------
    id : str
        unique in its constellation
    latitude_deg : float
        geodetic, WGS 84 [deg], in [-90, 90]
    longitude_deg : float
        to the east [deg], in [-360, 360]
    altitude_m : float, default 0.0
        above the ellipsoid [m], in [-1e5, 1e5]
    min_elevation_deg : float, default 25.0
        least angle of a satellite above the plane that the ellipsoid's normal stands on [deg], in [-90, 90]
    max_range_m : float | None, default None
        farthest satellite; None: any [m], in (0, inf)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.orbit.Station(id='Svalbard', latitude_deg=78.2, longitude_deg=15.4)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, id: str, latitude_deg: float, longitude_deg: float, altitude_m: float = ..., min_elevation_deg: float = ..., max_range_m: float | None = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def altitude_m(self) -> float:
        """
        above the ellipsoid [m]
        """
    @property
    def id(self) -> str:
        """
        unique in its constellation
        """
    @property
    def latitude_deg(self) -> float:
        """
        geodetic, WGS 84 [deg]
        """
    @property
    def longitude_deg(self) -> float:
        """
        to the east [deg]
        """
    @property
    def max_range_m(self) -> float | None:
        """
        farthest satellite; None: any [m]
        """
    @property
    def min_elevation_deg(self) -> float:
        """
        least angle of a satellite above the plane that the ellipsoid's normal stands on [deg]
        """
class Links:
    """
    Links at one instant, both ways, in the order of sender, then of receiver; columns [links].
    """
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def below_mask(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        satellites near enough, but too low [stations]
        """
    @property
    def from_(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the sender
        """
    @property
    def latency_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        of light over the range, and the rule's overhead [s]
        """
    @property
    def out_of_range(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        satellites high enough, but too far [stations]
        """
    @property
    def range_m(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        [m]
        """
    @property
    def rate_bps(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        of the rule [bit/s]
        """
    @property
    def rule(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the rule that made it
        """
    @property
    def to(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the receiver
        """
class Windows:
    """
    When links exist, both ways, in the order of opening, then of sender and receiver; columns [windows].
    """
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def close_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        [s]
        """
    @property
    def from_(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the sender
        """
    @property
    def open_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        [s]
        """
    @property
    def overhead_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        of the rule [s]
        """
    @property
    def range_m(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        at the middle [m]
        """
    @property
    def rate_bps(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        of the rule [bit/s]
        """
    @property
    def rule(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the rule that made it
        """
    @property
    def to(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the receiver
        """
class Motion:
    """
    Satellites that can be asked for their states.
    """
    @property
    def from_s(self) -> float:
        """
        the first moment that it knows [s]
        """
    @property
    def satellites(self) -> int:
        """
        how many there are
        """
    @property
    def to_s(self) -> float:
        """
        the last moment that it knows [s]
        """
class AnalyticMotion(Motion):
    """
    On drifting elements, as `propagate` has them; times count from their epoch.
    """
    def __init__(self, elements: Elements, propagator: str) -> None:
        ...
    @property
    def from_s(self) -> float:
        """
        the first moment that it knows [s]
        """
    @property
    def satellites(self) -> int:
        """
        how many there are
        """
    @property
    def to_s(self) -> float:
        """
        the last moment that it knows [s]
        """
class SampledMotion(Motion):
    """
    Between samples (satellites, times, 3), eight times or more; a satellite with a NaN is not there.
    """
    def __init__(self, position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, start_s: float, step_s: float) -> None:
        ...
    @property
    def from_s(self) -> float:
        """
        the first moment that it knows [s]
        """
    @property
    def satellites(self) -> int:
        """
        how many there are
        """
    @property
    def to_s(self) -> float:
        """
        the last moment that it knows [s]
        """
def eccentric_anomaly_rad(mean_anomaly_rad: numpy.typing.ArrayLike, eccentricity: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Of arrays of one shape.
    """
def ecef_to_geodetic(position_ecef_m: numpy.typing.ArrayLike) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Latitudes, longitudes [deg], altitudes [m].
    """
def elements(shell: Shell) -> Elements:
    """
    Those of its satellites, plane by plane.
    """
def elements_of_state(position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike) -> Elements:
    """
    The ellipses through states (satellites, 3).
    """
def geodetic_to_ecef(latitude_deg: numpy.typing.ArrayLike, longitude_deg: numpy.typing.ArrayLike, altitude_m: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Of arrays of one shape (..., 3).
    """
def gmst_rad(epoch: typing.Any, time_s: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Greenwich mean sidereal time, of the shape of the times.
    """
def in_sight(position_m: numpy.typing.ArrayLike, max_range_m: float | None, grazing_altitude_m: float) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]:
    """
    Pairs of satellites that see each other, and their range; in rising order.
    """
def latencies_at(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, gmst_rad: numpy.typing.ArrayLike, slot: int, sources: numpy.typing.ArrayLike, targets: numpy.typing.ArrayLike, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]:
    """
    Of states (satellites, times, 3): least latencies, and hops of their paths (times, sources, targets). Slots count from `slot`.
    """
def line_of_sight(from_m: numpy.typing.ArrayLike, to_m: numpy.typing.ArrayLike, from_m_per_s: numpy.typing.ArrayLike | None, to_m_per_s: numpy.typing.ArrayLike | None) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64] | None, numpy.typing.NDArray[numpy.float64] | None]:
    """
    Range, grazing altitude, range rate, angular rate, of arrays of one shape.
    """
def links_at(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, gmst_rad: float, slot: int) -> Links:
    """
    At one instant, of states (satellites, 3); who has a NaN has no links.
    """
def look_angles(latitude_deg: numpy.typing.ArrayLike, longitude_deg: numpy.typing.ArrayLike, altitude_m: numpy.typing.ArrayLike, position_ecef_m: numpy.typing.ArrayLike, velocity_ecef_m_per_s: numpy.typing.ArrayLike | None) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64] | None]:
    """
    Elevation, azimuth [deg], range, its rate (*places, *satellites).
    """
def position_in(ecef: bool, position_m: numpy.typing.ArrayLike, epoch: typing.Any, time_s: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Between TEME and ECEF (..., times, 3).
    """
def propagate(elements: Elements, time_s: numpy.typing.ArrayLike, propagator: str, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Positions and velocities (satellites, *times, 3), in TEME.
    """
def routes_at(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, gmst_rad: numpy.typing.ArrayLike, slot: int, source: int, target: int, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32]]:
    """
    Least latencies (times,); where each route begins in the nodes, and where the last ends (times + 1,); nodes.
    """
def sun_teme_m(epoch: typing.Any, time_s: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    The Sun's places (*times, 3).
    """
def sunlit_share(position_m: numpy.typing.ArrayLike, sun_m: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Of arrays of one shape.
    """
def velocity_in(ecef: bool, position_m: numpy.typing.ArrayLike, velocity_m_per_s: numpy.typing.ArrayLike, epoch: typing.Any, time_s: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Between TEME and ECEF (..., times, 3).
    """
def windows(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], motions: collections.abc.Sequence[Motion], epoch: typing.Any, start_s: float, stop_s: float, threads: int) -> Windows:
    """
    When the links exist, clipped to the span.
    """
