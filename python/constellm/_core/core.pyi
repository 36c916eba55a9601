# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import datetime
import numpy
import typing
__all__: list[str] = ['Epoch', 'Field', 'build', 'constants', 'hint_for', 'implausible', 'version']
class Field:
    """
    What is said of a field of a record; every record lists its `fields`.
    """
    @property
    def always_written(self) -> bool:
        """
        false: left out of a file where there is none
        """
    @property
    def doc(self) -> str:
        ...
    @property
    def in_files(self) -> bool:
        ...
    @property
    def initial(self) -> typing.Any:
        """
        where an optional field is not given
        """
    @property
    def name(self) -> str:
        ...
    @property
    def range(self) -> str:
        """
        of a number; empty for what is none
        """
    @property
    def required(self) -> bool:
        ...
    @property
    def required_in_files(self) -> bool:
        ...
    @property
    def section(self) -> str:
        """
        the object in a file that holds it; empty: the record itself
        """
    @property
    def type(self) -> str:
        """
        as an annotation of what it takes
        """
    @property
    def unit(self) -> str:
        """
        SI; empty for a pure number and for what is none
        """
class Epoch:
    """
    An instant of UTC, to the microsecond, from year 1 to 9999.
    
    Days have 86,400 s: a leap second (``23:59:60``) has no instant of its own and is refused, and differences
    of epochs do not count leap seconds. Adding seconds gives an epoch, subtracting an epoch gives seconds;
    epochs have an order and can be keys.
    
    Parameters
    ----------
    value : str, datetime, numpy.datetime64 or Epoch
        Text is ISO 8601: a date (``2026-03-01``, or by the day of the year ``2026-060``), or a date and a
        time of day, with ``Z``, an offset such as ``-05:00``, or neither, which means UTC, as a datetime
        without a zone does. What is finer than a microsecond is rounded to the nearest one.
    
    Raises
    ------
    ValueError, TypeError
        Names the value and what is wrong with it.
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.orbit.Epoch("2026-03-01T07:00:00-05:00")
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    @staticmethod
    def from_microseconds(microseconds: int) -> Epoch:
        """
        From the microseconds since 1970-01-01T00:00:00Z.
        """
    def __add__(self, seconds: float) -> Epoch:
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __ge__(self, other: typing.Any) -> bool:
        ...
    def __gt__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __init__(self, value: typing.Any) -> None:
        ...
    def __le__(self, other: typing.Any) -> bool:
        ...
    def __lt__(self, other: typing.Any) -> bool:
        ...
    def __radd__(self, seconds: float) -> Epoch:
        ...
    def __repr__(self) -> str:
        ...
    def __str__(self) -> str:
        ...
    def __sub__(self, other: typing.Any) -> typing.Any:
        ...
    def to_datetime(self) -> datetime.datetime:
        """
        With the zone UTC.
        """
    def to_datetime64(self) -> numpy.datetime64:
        """
        In microseconds.
        """
    @property
    def julian_date(self) -> tuple[float, float]:
        """
        that of the day's start (it ends in .5), and the fraction of the day in [0, 1)
        """
    @property
    def microseconds(self) -> int:
        """
        since 1970-01-01T00:00:00Z
        """
def hint_for(word: typing.Any, names: collections.abc.Sequence[str]) -> str:
    """
    What goes behind an unknown name: the one that was meant, or all of them where none is like it.
    """
def implausible(field: str, values: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]) -> float | None:
    """
    See `constellm.core.plausible.warn_implausible`.
    """
build: dict
constants: tuple = (('EARTH_RADIUS_M', 6378137.0, 'm', 'equatorial radius, WGS 84 (NGA.STND.0036, 2014)'), ('LIGHT_M_PER_S', 299792458.0, 'm/s', 'in vacuum, exact by the definition of the metre (SI brochure, 2019)'), ('EARTH_FLATTENING', 0.0033528106647474805, '', 'of the ellipsoid, WGS 84 (NGA.STND.0036, 2014)'), ('EARTH_MU_M3_PER_S2', 398600441800000.0, 'm^3/s^2', 'gravitational constant times mass, WGS 84 (NGA.STND.0036, 2014)'), ('EARTH_J2', 0.001082626683, '', 'second zonal harmonic, EGM96 (Lemoine et al., NASA/TP-1998-206861)'), ('EARTH_ROTATION_RAD_PER_S', 7.292115855306587e-05, 'rad/s', 'rate of Greenwich mean sidereal time, IAU 1982 (Aoki et al., Astron. Astrophys. 105, 359)'), ('PLANCK_J_S', 6.62607015e-34, 'J s', 'exact by the definition of the kilogram (SI brochure, 2019)'), ('BOLTZMANN_J_PER_K', 1.380649e-23, 'J/K', 'exact by the definition of the kelvin (SI brochure, 2019)'), ('SUN_RADIUS_M', 695700000.0, 'm', 'nominal, IAU 2015 resolution B3'), ('ASTRONOMICAL_UNIT_M', 149597870700.0, 'm', 'exact, IAU 2012 resolution B2'))
version: str = '0.2.0'
