# Generated from the compiled module by `make stubs`; do not edit.
"""
The compiled part of constellm, a submodule an area; private: use the package's own modules.
"""
from __future__ import annotations
import typing
from . import core
from . import model
from . import network
from . import orbit
from . import codec
from . import flow
from . import moe
from . import services
from . import split
from . import tune
__all__: list[str] = ['codec', 'core', 'flow', 'model', 'moe', 'network', 'orbit', 'services', 'split', 'tune']
def __getattr__(name: str) -> typing.Any:
    ...
