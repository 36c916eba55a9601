"""The one way in which an optional dependency is imported."""

from __future__ import annotations

import importlib
from types import ModuleType


def optional_import(name: str, *, extra: str, purpose: str) -> ModuleType:
    """The module `name`, or an ImportError that says what to install.

    Parameters
    ----------
    name
        As in ``import name``; of a dotted name the last module is returned, as by `importlib`.
    extra
        The extra of constellm that brings it.
    purpose
        What needs it, the start of the message: ``"figures need matplotlib"``.

    Raises
    ------
    ImportError
        With the command that installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{purpose}: pip install 'constellm[{extra}]'", name=name) from error
