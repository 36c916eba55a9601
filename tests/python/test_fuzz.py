"""The fuzzers of ``tests/fuzz`` on their first cases; `make verify` gives each of them minutes."""

from __future__ import annotations

import logging

import pytest

from fuzz.campaign import campaign
from fuzz.targets import TARGETS

CASES = {
    "messages": 1500,
    "problems": 60,
    "plans": 60,
    "experts": 100,
    "transfers": 100,
    "services": 100,
    "tables": 40,
    "constellations": 60,
    "contacts": 60,
    "configurations": 60,
    "elements": 300,
    "activations": 300,
    "stores": 6,
    "kills": 1,
}
MOVES_ELEMENTS = ("constellations", "elements")


@pytest.mark.parametrize("target", TARGETS)
def test_hostile_cases_are_read_or_refused(target: str) -> None:
    if target in MOVES_ELEMENTS:
        pytest.importorskip("sgp4")
    logging.disable()  # of files that are set aside
    try:
        found = campaign(target, cases=CASES[target])
    finally:
        logging.disable(logging.NOTSET)
    assert found.findings == {} and sum(found.outcomes.values()) == CASES[target]
    assert found.outcomes["read"] > 0 and (found.outcomes["refused"] > 0 or target == "kills")
