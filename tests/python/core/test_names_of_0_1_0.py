"""Every module of 0.1.0 and every name in it: still there, or found with a warning, or listed as removed."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import constellm
from constellm import _moved, split
from constellm.model import Layer

NAMES = json.loads((Path(__file__).parents[2] / "data" / "names-0.1.0.json").read_text(encoding="utf-8"))
GONE = object()


@pytest.fixture(scope="module")
def removed(repository: Path) -> set[str]:
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    listed = changelog.partition("### Removed")[2].partition("## 0.1.0")[0]
    return set(re.findall(r"`(constellm\.[\w.]+)`", listed))


@pytest.mark.parametrize("home", NAMES)
def test_what_0_1_0_had_is_found_or_listed_as_removed(home: str, removed: set[str]) -> None:
    if f"{home}.".startswith("constellm.train.") and importlib.util.find_spec("torch") is None:
        pytest.skip("needs torch")
    module = importlib.import_module(home)
    moved = home.removeprefix("constellm.") in _moved.MODULES
    for name in NAMES[home]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = getattr(module, name, GONE)
        assert (found is GONE) == (f"{home}.{name}" in removed), f"{home}.{name}"
        for warning in caught:
            assert issubclass(warning.category, DeprecationWarning) and warning.filename == __file__
            assert re.fullmatch(
                rf"{home}\.{name} is deprecated .* it is constellm\.\S+ now", str(warning.message)
            )
        assert len(caught) == 1 or found is GONE or not moved


def test_moved_modules_are_imported_first_of_all() -> None:
    code = """
from constellm.paper.experiments.draw import curves
from constellm.run.onnx_model import load
import constellm.paper.claims
assert constellm.paper.claims.verdict is constellm.paper.report.claims.verdict
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_new_name_is_the_one_that_an_area_lists() -> None:
    old = importlib.import_module("constellm.plot.measured")
    with pytest.warns(DeprecationWarning, match=r"it is constellm\.plot\.plot_curves now"):
        assert old.plot_curves is constellm.plot.plot_curves
    for name in ("nothing", "_private", "__file__"):
        with pytest.raises(AttributeError, match=rf"'constellm.plot.measured' has no attribute '{name}'"):
            getattr(old, name)


def test_lists_of_keys_are_fields_now() -> None:
    with pytest.warns(DeprecationWarning, match=r"Layer\.required_keys is .* it is Layer\.fields now"):
        assert Layer.required_keys == ("name", "flop", "memory_bytes", "output_bytes")
    with pytest.warns(DeprecationWarning, match=r"Layer\.optional_keys"):
        assert Layer.optional_keys == ("error_gain", "group")


def test_counters_answer_to_their_old_name(repository: Path) -> None:
    problem = split.load_problem(repository / "tests" / "data" / "split" / "three-stages-lossy.json")
    counters = split.solve(problem).counters
    with pytest.warns(DeprecationWarning, match=r"counters\['peak_open'\] is .* counters\['most_open'\] now"):
        assert counters["peak_open"] == counters["most_open"]
    with pytest.warns(DeprecationWarning, match=r"counters\['peak_open'\]"):
        assert counters.get("peak_open") == counters["most_open"]
    assert "peak_open" in counters and list(counters) == list(dict(counters)) and "labours" not in counters
    assert counters.get("labours") is None and counters.get("labours", 3) == 3
    with pytest.raises(KeyError, match="labours"):
        counters["labours"]
