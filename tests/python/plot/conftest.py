"""Plans to draw, and figures that are closed after each test."""

from __future__ import annotations

import pytest

from constellm import split


@pytest.fixture(autouse=True)
def close_figures():
    """No figure of one test is seen by another; global settings are as before."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = dict(pyplot.rcParams)
    yield
    pyplot.close("all")
    assert dict(pyplot.rcParams) == before


@pytest.fixture
def plan_of(repository):
    """The best plan of an example by name, of the problem with some fields changed."""

    def solved(name, **changes):
        problem = split.load_problem(repository / f"tests/data/split/{name}.json")
        return split.solve(problem.replace(**changes))

    return solved
