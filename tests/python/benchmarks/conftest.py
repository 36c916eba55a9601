"""What the tests of benchmarks share."""

from __future__ import annotations

import importlib

import pytest


@pytest.fixture
def load(repository, monkeypatch):
    """Imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks" / "peers"))
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module
