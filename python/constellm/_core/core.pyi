# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import typing
__all__: list[str] = ['Field', 'build', 'version']
class Field:
    """
    What is said of a field of a record; every record lists its `fields`.
    """
    @property
    def doc(self) -> str:
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
    def unit(self) -> str:
        """
        SI; empty for a pure number and for what is none
        """
build: dict
version: str = '0.2.0'
