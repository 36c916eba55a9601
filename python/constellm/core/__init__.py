"""Common ground of all areas: the version and the build of the compiled part."""

from __future__ import annotations

from .. import _core

__all__ = ["__version__", "build_info"]

__version__: str = _core.core.version
"""Of the package, by semantic versioning."""


def build_info() -> dict[str, str | int | bool]:
    """Tell how the compiled part was built, for bug reports and benchmark tables.

    Returns
    -------
    dict
        ``version`` of constellm; ``compiler`` with its version; ``cxx_standard`` (the value of
        ``__cplusplus``); ``build_type`` of CMake; ``assertions`` (whether C++ ``assert`` is compiled in);
        ``eigen`` and ``pybind11`` versions; ``simd_baseline`` (the instruction set that every
        machine must have) and ``simd_in_use`` (what functions compiled for more than one set use here).

    Examples
    --------
    >>> import constellm
    >>> constellm.build_info()["cxx_standard"] >= 202002
    True
    """
    return dict(_core.core.build)
