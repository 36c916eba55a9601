# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import constellm._core.core
import numpy
import numpy.typing
import typing
__all__: list[str] = ['AnalyticMotion', 'Elements', 'KaBandBudget', 'LinkRule', 'Links', 'Motion', 'OpticalBudget', 'RATE_BPS', 'SampledMotion', 'Shell', 'Station', 'Windows', 'eccentric_anomaly_rad', 'ecef_to_geodetic', 'elements', 'elements_of_state', 'geodetic_to_ecef', 'gmst_rad', 'in_sight', 'latencies_at', 'latencies_between_at', 'line_of_sight', 'links_at', 'look_angles', 'position_in', 'propagate', 'routes_at', 'sun_teme_m', 'sunlit_share', 'velocity_in', 'windows']
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
class OpticalBudget:
    """
    Rate of a laser link between telescopes by its range R.
    
    The received power is that of Liang, Chaudhry, Erdogan and Yanikomeroglu, *Link budget analysis
    for free-space optical satellite networks* (WoWMoM 2022, arXiv 2204.13177):
    P = `tx_power_w` · `tx_efficiency` · Gt · Lt · (λ / 4πR)² · Gr · Lr · `rx_efficiency`, with the
    gains Gt = 16 / (`divergence_rad`)² and Gr = (π `rx_diameter_m` / λ)² and the pointing losses
    Lt = exp(-Gt (`tx_pointing_rad`)²) and Lr = exp(-Gr (`rx_pointing_rad`)²); `margin_db` is taken off.
    A bit needs `photons_per_bit` photons of h c / λ joules, so the rate is P divided by their energy,
    but at most `max_rate_bps`. Where it is below `min_rate_bps` there is no link; with both alike
    the modem has one rate, and a link exists where the budget closes. It holds in vacuum and in the
    far field, beyond some (`rx_diameter_m`)² / λ (4 km with the defaults); where it would have a telescope
    take in more than the whole beam, the whole beam arrives (`near_field_db` of the terms).
    
    Defaults are parameters of that paper: receiver sensitivity -35.5 dBm at 10 Gbit/s with on-off
    keying is 220 photons a bit. The transmitted power is an assumption: the paper derives it.
    
    Parameters
    ----------
    name : str, default 'optical'
        'optical', as files call it
    tx_power_w : float, default 1.0
        transmitted optical power [W], in (0, inf)
    wavelength_m : float, default 1.55e-06
        of the laser, λ [m], in (0, inf)
    divergence_rad : float, default 1.5e-05
        full angle of the transmitted beam, taken as a cone [rad], in (0, 3]
    rx_diameter_m : float, default 0.08
        of the receiving telescope [m], in (0, inf)
    tx_efficiency : float, default 0.8
        share of the power that passes the transmitting optics, in (0, 1]
    rx_efficiency : float, default 0.8
        share of the power that passes the receiving optics, in (0, 1]
    tx_pointing_rad : float, default 1e-06
        pointing error of the transmitter [rad], in [0, 3]
    rx_pointing_rad : float, default 1e-06
        pointing error of the receiver [rad], in [0, 3]
    photons_per_bit : float, default 220.0
        sensitivity of the receiver, in (0, inf)
    margin_db : float, default 3.0
        power kept in hand [dB], in [0, 300]
    max_rate_bps : float, default 10000000000.0
        greatest rate of the modem [bit/s], in (0, inf)
    min_rate_bps : float, default 1000000.0
        least rate of the modem, at most the greatest; with less there is no link [bit/s], in (0, inf)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.orbit.OpticalBudget(tx_power_w=0.5, max_rate_bps=2.5e9)
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
    def __init__(self, *, name: str = ..., tx_power_w: float = ..., wavelength_m: float = ..., divergence_rad: float = ..., rx_diameter_m: float = ..., tx_efficiency: float = ..., rx_efficiency: float = ..., tx_pointing_rad: float = ..., rx_pointing_rad: float = ..., photons_per_bit: float = ..., margin_db: float = ..., max_rate_bps: float = ..., min_rate_bps: float = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def rate_bps(self, range_m: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
        """
        Of links of these ranges, of their shape; 0 where there is none [bit/s].
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def terms(self, range_m: numpy.typing.ArrayLike) -> dict[str, numpy.typing.NDArray[numpy.float64]]:
        """
        The budget in the order of the signal: gains and losses [dB], below them what they add up to and the
        rate that it carries, before the modem's limits; each of the shape of the ranges.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def divergence_rad(self) -> float:
        """
        full angle of the transmitted beam, taken as a cone [rad]
        """
    @property
    def margin_db(self) -> float:
        """
        power kept in hand [dB]
        """
    @property
    def max_range_m(self) -> float:
        """
        the greatest range at which there is a link [m]
        """
    @property
    def max_rate_bps(self) -> float:
        """
        greatest rate of the modem [bit/s]
        """
    @property
    def min_rate_bps(self) -> float:
        """
        least rate of the modem, at most the greatest; with less there is no link [bit/s]
        """
    @property
    def name(self) -> str:
        """
        'optical', as files call it
        """
    @property
    def photons_per_bit(self) -> float:
        """
        sensitivity of the receiver
        """
    @property
    def rx_diameter_m(self) -> float:
        """
        of the receiving telescope [m]
        """
    @property
    def rx_efficiency(self) -> float:
        """
        share of the power that passes the receiving optics
        """
    @property
    def rx_pointing_rad(self) -> float:
        """
        pointing error of the receiver [rad]
        """
    @property
    def tx_efficiency(self) -> float:
        """
        share of the power that passes the transmitting optics
        """
    @property
    def tx_pointing_rad(self) -> float:
        """
        pointing error of the transmitter [rad]
        """
    @property
    def tx_power_w(self) -> float:
        """
        transmitted optical power [W]
        """
    @property
    def wavelength_m(self) -> float:
        """
        of the laser, λ [m]
        """
class KaBandBudget:
    """
    Rate of a microwave link by its range R.
    
    The ratio of signal to noise in dB is, as in 3GPP TR 38.821 (V16.2.0), section 6.1.3,
    `eirp_dbw` + `g_over_t_db_per_k` - 20 lg(4πR f / c) - `atmospheric_loss_db` - `rain_loss_db`
    - 10 lg k - 10 lg `bandwidth_hz`, k Boltzmann's constant. The rate is Shannon's for
    `implementation_loss_db` less: `bandwidth_hz` · lb(1 + SNR), at most `max_bps_per_hz` ·
    `bandwidth_hz`. Where it is below `min_rate_bps` there is no link. The losses in the air do not
    follow the elevation; of a wet climate, give the rain that a share of time exceeds (ITU-R P.618).
    
    Defaults are the down link to a terminal of 60 cm from 600 km in that report (set 1, clear sky:
    EIRP 4 dBW/MHz, gases 0.5 dB, scintillation 0.3 dB), and the greatest efficiency of DVB-S2X
    (ETSI EN 302 307-2, 256APSK 3/4), whose best modes stay within 2 dB of Shannon's limit.
    
    Parameters
    ----------
    name : str, default 'ka-band'
        'ka-band', as files call it
    frequency_hz : float, default 20000000000.0
        of the carrier, f [Hz], in (0, inf)
    bandwidth_hz : float, default 400000000.0
        of the noise, which is the rate of symbols [Hz], in (0, inf)
    eirp_dbw : float, default 30.0
        equivalent isotropically radiated power of the transmitter [dBW], in [-300, 300]
    g_over_t_db_per_k : float, default 15.9
        gain of the receiving antenna over its noise temperature [dB/K], in [-300, 300]
    atmospheric_loss_db : float, default 0.8
        gases and scintillation [dB], in [0, 300]
    rain_loss_db : float, default 0.0
        rain and clouds [dB], in [0, 300]
    implementation_loss_db : float, default 2.0
        of the modem and its code against Shannon's limit [dB], in [0, 300]
    max_bps_per_hz : float, default 5.900855
        greatest efficiency of the modem [bit/s/Hz], in (0, 100]
    min_rate_bps : float, default 1000000.0
        least rate of the modem, at most its greatest; with less there is no link [bit/s], in (0, inf)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.orbit.KaBandBudget(rain_loss_db=6.0)
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
    def __init__(self, *, name: str = ..., frequency_hz: float = ..., bandwidth_hz: float = ..., eirp_dbw: float = ..., g_over_t_db_per_k: float = ..., atmospheric_loss_db: float = ..., rain_loss_db: float = ..., implementation_loss_db: float = ..., max_bps_per_hz: float = ..., min_rate_bps: float = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def rate_bps(self, range_m: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
        """
        Of links of these ranges, of their shape; 0 where there is none [bit/s].
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def terms(self, range_m: numpy.typing.ArrayLike) -> dict[str, numpy.typing.NDArray[numpy.float64]]:
        """
        The budget in the order of the signal: gains and losses [dB], below them what they add up to and the
        rate that it carries, before the modem's limits; each of the shape of the ranges.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def atmospheric_loss_db(self) -> float:
        """
        gases and scintillation [dB]
        """
    @property
    def bandwidth_hz(self) -> float:
        """
        of the noise, which is the rate of symbols [Hz]
        """
    @property
    def eirp_dbw(self) -> float:
        """
        equivalent isotropically radiated power of the transmitter [dBW]
        """
    @property
    def frequency_hz(self) -> float:
        """
        of the carrier, f [Hz]
        """
    @property
    def g_over_t_db_per_k(self) -> float:
        """
        gain of the receiving antenna over its noise temperature [dB/K]
        """
    @property
    def implementation_loss_db(self) -> float:
        """
        of the modem and its code against Shannon's limit [dB]
        """
    @property
    def max_bps_per_hz(self) -> float:
        """
        greatest efficiency of the modem [bit/s/Hz]
        """
    @property
    def max_range_m(self) -> float:
        """
        the greatest range at which there is a link [m]
        """
    @property
    def min_rate_bps(self) -> float:
        """
        least rate of the modem, at most its greatest; with less there is no link [bit/s]
        """
    @property
    def name(self) -> str:
        """
        'ka-band', as files call it
        """
    @property
    def rain_loss_db(self) -> float:
        """
        rain and clouds [dB]
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
    max_links : int | None, default None
        at most so many links of this rule a satellite; there are as many as can be, short ones taken first; None: no limit, in [1, 100000]
    max_range_m : float | None, default None
        longest link [m], in (0, inf)
    grazing_altitude_m : float | None, default None
        least height of the line between satellites above the equatorial radius; None: 80 km [m], in [-6378137, inf)
    max_latitude_deg : float | None, default None
        no links between planes where an end is farther from the equator, seen from the Earth's centre [deg], in [0, 90]
    max_angular_rate_rad_per_s : float | None, default None
        fastest turn of the line of sight in the inertial frame [rad/s], in (0, 1e6]
    max_range_rate_m_per_s : float | None, default None
        fastest change of the range, nearer or farther: c times the shift of a carrier in parts of its frequency [m/s], in (0, inf)
    acquisition_s : float | None, default None
        how long all of that must have held before a link carries anything; None: 0 [s], in [0, inf)
    rate_bps : float | None, default None
        bits that a link carries in a second; None: what the budget gives, without one 1e9 [bit/s], in (0, inf)
    budget : OpticalBudget | KaBandBudget | None, default None
        what gives the rate by the range, in place of `rate_bps`
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
    def __init__(self, *, pattern: str, shell: str | None = ..., seam: str | None = ..., shift: int | None = ..., count: int | None = ..., max_links: int | None = ..., max_range_m: float | None = ..., grazing_altitude_m: float | None = ..., max_latitude_deg: float | None = ..., max_angular_rate_rad_per_s: float | None = ..., max_range_rate_m_per_s: float | None = ..., acquisition_s: float | None = ..., rate_bps: float | None = ..., budget: OpticalBudget | KaBandBudget | None = ..., overhead_s: float = ..., survival: float = ..., seed: int = ...) -> None:
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
    def acquisition_s(self) -> float | None:
        """
        how long all of that must have held before a link carries anything; None: 0 [s]
        """
    @property
    def budget(self) -> OpticalBudget | KaBandBudget | None:
        """
        what gives the rate by the range, in place of `rate_bps`
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
    def max_links(self) -> int | None:
        """
        at most so many links of this rule a satellite; there are as many as can be, short ones taken first; None: no limit
        """
    @property
    def max_range_m(self) -> float | None:
        """
        longest link [m]
        """
    @property
    def max_range_rate_m_per_s(self) -> float | None:
        """
        fastest change of the range, nearer or farther: c times the shift of a carrier in parts of its frequency [m/s]
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
    def rate_bps(self) -> float | None:
        """
        bits that a link carries in a second; None: what the budget gives, without one 1e9 [bit/s]
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
        satellites without a link, near enough but too low [stations]
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
        satellites without a link, high enough but too far [stations]
        """
    @property
    def range_m(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        [m]
        """
    @property
    def rate_bps(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        of the rule, or of its budget at the range [bit/s]
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
        of the rule, or of its budget at the range [bit/s]
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
def latencies_at(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, gmst_rad: numpy.typing.ArrayLike, slot: int, outages: collections.abc.Sequence[tuple[int, int, float, float]], time_s: numpy.typing.ArrayLike, motions: collections.abc.Sequence[Motion] | None, epoch: constellm._core.core.Epoch, sources: numpy.typing.ArrayLike, targets: numpy.typing.ArrayLike, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]:
    """
    Of states (satellites, times, 3): least latencies, and hops of their paths (times, sources, targets). Slots count from `slot`.
    """
def latencies_between_at(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, gmst_rad: numpy.typing.ArrayLike, slot: int, outages: collections.abc.Sequence[tuple[int, int, float, float]], time_s: numpy.typing.ArrayLike, motions: collections.abc.Sequence[Motion] | None, epoch: constellm._core.core.Epoch, blocks: collections.abc.Sequence[tuple[numpy.typing.ArrayLike, numpy.typing.ArrayLike, numpy.typing.NDArray[numpy.float64]]], threads: int) -> None:
    """
    Of states (satellites, times, 3): fills the third of each block, (times, sources, targets), with the least latencies from the first to the second.
    """
def line_of_sight(from_m: numpy.typing.ArrayLike, to_m: numpy.typing.ArrayLike, from_m_per_s: numpy.typing.ArrayLike | None, to_m_per_s: numpy.typing.ArrayLike | None) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64] | None, numpy.typing.NDArray[numpy.float64] | None]:
    """
    Range, grazing altitude, range rate, angular rate, of arrays of one shape.
    """
def links_at(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, gmst_rad: float, slot: int, outages: collections.abc.Iterable[tuple[int, int, float, float]] = ..., time_s: float = ..., motions: collections.abc.Sequence[Motion] | None = ..., epoch: typing.Any = ...) -> Links:
    """
    At one instant, of states (satellites, 3); who has a NaN has no links. Outages: sender, receiver, or one node twice, start and stop. The motions before the instant have to be told where links take time to acquire.
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
def routes_at(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], position_teme_m: numpy.typing.ArrayLike, velocity_teme_m_per_s: numpy.typing.ArrayLike, gmst_rad: numpy.typing.ArrayLike, slot: int, outages: collections.abc.Sequence[tuple[int, int, float, float]], time_s: numpy.typing.ArrayLike, motions: collections.abc.Sequence[Motion] | None, epoch: constellm._core.core.Epoch, source: int, target: int, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32]]:
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
def windows(rules: collections.abc.Sequence[LinkRule], shells: collections.abc.Sequence[Shell], stations: collections.abc.Sequence[Station], motions: collections.abc.Sequence[Motion], epoch: typing.Any, start_s: float, stop_s: float, threads: int, outages: collections.abc.Iterable[tuple[int, int, float, float]] = ..., slot_s: float | None = ...) -> Windows:
    """
    When the links exist, clipped to the span.
    """
RATE_BPS: float = 1000000000.0
