"""Settings every Python test shares."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A shell that runs in the background has its programs ignore Ctrl-C, and theirs; the tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples on every machine and in every run; no example is failed for being slow.
settings.register_profile("constellm", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("constellm")


@pytest.fixture(scope="session")
def random_problems() -> int:
    """How many random problems a randomised test tries: CONSTELLM_RANDOM_PROBLEMS, else few."""
    return int(os.environ.get("CONSTELLM_RANDOM_PROBLEMS", "300"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_figure_left() -> Iterator[None]:
    """Figures of one test are not there in the next: matplotlib warns of many."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what tries random problems, so that `-m randomised` selects it."""
    for item in items:
        if "random_problems" in getattr(item, "fixturenames", ()):
            item.add_marker("randomised")
