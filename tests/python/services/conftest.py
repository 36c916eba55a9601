"""The examples of the format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data" / "services"
NAMES = sorted(path.stem for path in DATA.glob("*.json") if not path.stem.endswith(".plan"))


def read(name: str) -> dict:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(params=NAMES)
def example(request):
    """A problem and its plan, as dictionaries."""
    return read(request.param), read(f"{request.param}.plan")


@pytest.fixture
def folder():
    """Of the examples."""
    return DATA
