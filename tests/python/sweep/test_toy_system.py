"""The engine knows no system: a record and a solver of another one sweep as problems and plans do."""

from __future__ import annotations

import ast
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import constellm
from constellm.sweep import load_rows, run
from constellm.sweep.system import system_at
from python.sweep.toy import SWEEP, Cart


def test_fields_of_another_record_and_columns_of_another_result(tmp_path):
    found = run(Cart("red"), radius_m=[0.5, -1.0, 2.0], turns=[1, 10], method="forwards", store=tmp_path)
    assert set(found.data_vars) == {"way_m", "status", "message"}
    assert np.array_equal(found["way_m"], [[0.5, 5.0], [np.nan, np.nan], [2.0, 20.0]], equal_nan=True)
    assert found["status"].values[1].tolist() == ["invalid", "invalid"]
    assert found["message"].values[1, 0] == "radius_m: -1 is not in (0, inf)"
    assert found["way_m"].attrs == {"long_name": "how far it comes", "units": "m"}
    assert found.attrs["problem"] == "red"
    stored = load_rows(tmp_path)
    assert stored.identical(found)


def test_factories_executors_and_answers_of_another_system():
    def cart(size):
        return Cart(f"of size {size}", radius_m=size)

    found = run(cart, size=[1.0, 3.0], turns=[2], method="forwards", answers=True)
    assert found["way"].values.tolist() == [[2.0], [6.0]]
    with ThreadPoolExecutor(2) as pool:
        assert run(cart, size=[1.0, 3.0], turns=[2], method="forwards", executor=pool)["way_m"].sum() == 8.0
    assert pickle.loads(pickle.dumps(SWEEP)) is SWEEP is system_at(SWEEP.home)


def test_what_another_system_refuses():
    with pytest.raises(ValueError, match="'speed': there are radius_m, turns"):
        run(Cart("red"), speed=[1.0], method="forwards")
    with pytest.raises(ValueError, match="'optimal' is not 'forwards'"):
        run(Cart("red"), turns=[1])
    with pytest.raises(ValueError, match="axis 'way_m': the rows have a column of this name"):
        run(Cart("red"), way_m=[1], method="forwards")
    with pytest.raises(TypeError, match="problem: expected a Problem or a Cart"):
        run("red", turns=[1])

    def mixed(kind):
        return Cart("red") if kind == "cart" else constellm.paper.collaborative.problem()

    with pytest.raises(TypeError, match="records of several systems"):
        run(mixed, kind=["cart", "problem"], method="forwards")


def test_the_engine_imports_no_system():
    for path in Path(constellm.sweep.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert "split" not in (node.module or ""), path.name
