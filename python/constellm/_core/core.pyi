# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import typing
__all__: list[str] = ['Field', 'build', 'constants', 'hint_for', 'implausible', 'version']
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
def hint_for(word: typing.Any, names: collections.abc.Sequence[str]) -> str:
    """
    What goes behind an unknown name: the one that was meant, or all of them where none is like it.
    """
def implausible(field: str, values: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]) -> float | None:
    """
    See `constellm.core.plausible.warn_implausible`.
    """
build: dict
constants: tuple = (('EARTH_RADIUS_M', 6378137.0, 'm', 'equatorial radius, WGS 84 (NGA.STND.0036, 2014)'), ('LIGHT_M_PER_S', 299792458.0, 'm/s', 'in vacuum, exact by the definition of the metre (SI brochure, 2019)'))
version: str = '0.2.0'
