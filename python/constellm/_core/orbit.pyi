# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Elements', 'Shell', 'eccentric_anomaly_rad', 'ecef_to_geodetic', 'elements', 'elements_of_state', 'geodetic_to_ecef', 'gmst_rad', 'line_of_sight', 'look_angles', 'position_in', 'propagate', 'sun_teme_m', 'sunlit_share', 'velocity_in']
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
def line_of_sight(from_m: numpy.typing.ArrayLike, to_m: numpy.typing.ArrayLike, from_m_per_s: numpy.typing.ArrayLike | None, to_m_per_s: numpy.typing.ArrayLike | None) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64] | None, numpy.typing.NDArray[numpy.float64] | None]:
    """
    Range, grazing altitude, range rate, angular rate, of arrays of one shape.
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
