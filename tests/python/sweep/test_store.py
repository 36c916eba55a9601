"""Stored rows: equal to the direct result, resumable, crash-safe."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from constellm.sweep import load_rows, sweep
from constellm.sweep.result import Table
from constellm.sweep.rows import Rows
from python.sweep.problems import assert_same, small

pytest.importorskip("xarray")

AXES = {"rate_bps": np.array([1e5, 1e6, -1.0, 1e7]), "nodes.memory_bytes": np.array([5.0, 50.0, 100.0])}


@pytest.fixture(params=["parquet", "jsonl"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    else:
        for name in ("pyarrow", "pyarrow.parquet"):
            monkeypatch.setitem(sys.modules, name, None)
    return request.param


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cells each call of `sweep` had to solve."""
    import importlib

    module = importlib.import_module("constellm.sweep.run")
    counts: list[int] = []
    real = module.solve

    def counting(work, threads, accept):
        counts.append(len(work.cells))
        real(work, threads, accept)

    monkeypatch.setattr(module, "solve", counting)
    return counts


def split_rows(folder: Path, kind: str, keep: int) -> None:
    """Cut the rows' only file into one row a file, and keep the first of them."""
    (path,) = (folder / "rows").glob(f"*.{kind}")
    if kind == "jsonl":
        lines = path.read_text().splitlines(keepends=True)
        for i, line in enumerate(lines[:keep]):
            (folder / "rows" / f"{i:05d}.jsonl").write_text(line)
    else:
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path)
        for i in range(keep):
            pyarrow.parquet.write_table(table.slice(i, 1), folder / "rows" / f"{i:05d}.parquet")


def test_stored_rows_equal_the_direct_result(tmp_path: Path, kind: str) -> None:
    direct = sweep(small(), AXES)
    stored = sweep(small(), AXES, store=tmp_path / "rows")
    loaded = load_rows(tmp_path / "rows")
    assert_same(stored, direct)
    assert_same(loaded, direct)
    assert loaded.attrs == direct.attrs
    assert {c: v.attrs for c, v in loaded.coords.items()} == {c: v.attrs for c, v in direct.coords.items()}
    for name in direct.coords:
        np.testing.assert_array_equal(loaded.coords[name].values, direct.coords[name].values)
    assert set(loaded.status.values.ravel()) == {"optimal", "infeasible", "invalid"}
    manifest = json.loads((tmp_path / "rows" / "manifest.json").read_text())
    assert manifest["rows"] == kind and manifest["format"] == "constellm.sweep"
    assert len(list((tmp_path / "rows" / "rows").glob(f"*.{kind}"))) == 1


def test_a_second_call_solves_nothing(tmp_path: Path, kind: str, solved: list[int]) -> None:
    first = sweep(small(), AXES, store=tmp_path)
    again = sweep(small(), AXES, store=tmp_path)
    assert solved == [12]
    assert_same(again, first)
    np.testing.assert_array_equal(again.seconds, first.seconds)


def test_only_what_is_missing_is_solved(tmp_path: Path, kind: str, solved: list[int]) -> None:
    direct = sweep(small(), AXES, store=tmp_path)
    split_rows(tmp_path, kind, keep=5)
    missing = load_rows(tmp_path).status.values == "interrupted"
    assert missing.sum() == 7
    assert np.isnan(load_rows(tmp_path).delay_s.values[missing]).all()
    resumed = sweep(small(), AXES, store=tmp_path)
    assert solved == [12, 7]
    assert_same(resumed, direct)
    assert_same(load_rows(tmp_path), direct)
    sweep(small(), AXES, store=tmp_path)
    assert solved == [12, 7]


def test_torn_files_are_left_out_and_made_up_for(
    tmp_path: Path, kind: str, solved: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    direct = sweep(small(), AXES, store=tmp_path)
    split_rows(tmp_path, kind, keep=4)
    torn = tmp_path / "rows" / f"00003.{kind}"
    torn.write_bytes(torn.read_bytes()[:-20])
    (tmp_path / "rows" / f"00004.{kind}.99.tmp").write_bytes(b"half a row")
    with caplog.at_level(logging.WARNING, "constellm.sweep"):
        assert_same(sweep(small(), AXES, store=tmp_path), direct)
    assert solved == [12, 9]
    assert "is torn" in caplog.text


def test_a_torn_last_line_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, solved: list[int]
) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    direct = sweep(small(), AXES, store=tmp_path)
    path = tmp_path / "rows" / "00000.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert_same(sweep(small(), AXES, store=tmp_path), direct)
    assert solved == [12, 1]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], "{no row\n", *lines[3:]]))
    with pytest.raises(ValueError, match="line 4 is no row"):
        load_rows(tmp_path)


def test_rows_of_another_sweep_are_refused(tmp_path: Path) -> None:
    sweep(small(), AXES, store=tmp_path, time_limit_s=100.0)
    for difference, keywords in {
        "axes": {"problem": small(), "axes": {**AXES, "rate_bps": [1.0]}},
        "problems_sha256": {"problem": small().replace(micro_batches=5), "axes": AXES},
        "problem ": {"problem": small(name="other"), "axes": AXES},
        "method": {"problem": small(), "axes": AXES, "method": ["optimal"]},
        "time_limit_s 100.0 there, 5.0 here": {"problem": small(), "axes": AXES, "time_limit_s": 5.0},
    }.items():
        with pytest.raises(ValueError, match=f"another sweep: .*{difference}"):
            sweep(**{"time_limit_s": 100.0, **keywords}, store=tmp_path)
    assert set(load_rows(tmp_path).status.values.ravel()) == {"optimal", "infeasible", "invalid"}


def test_folders_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        sweep(small(), AXES, store=tmp_path)
    with pytest.raises(ValueError, match=r"no manifest\.json"):
        load_rows(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": "other"}')
    with pytest.raises(ValueError, match=r"not of format 'constellm\.sweep'"):
        load_rows(tmp_path)


def test_labels_infinities_and_methods_survive(tmp_path: Path, kind: str) -> None:
    def factory(name: str, layers: int):
        return small(layers=layers, name=name)

    axes = {"name": ["a", "inf"], "layers": [1, 2], "max_error": [np.inf]}
    direct = sweep(factory, axes, store=tmp_path, method=["optimal"])
    loaded = load_rows(tmp_path)
    assert_same(loaded, direct)
    assert loaded.coords["name"].values.tolist() == ["a", "inf"]
    assert loaded.coords["layers"].values.tolist() == [1, 2]
    assert loaded.coords["layers"].dtype.kind == "i"
    assert loaded.coords["max_error"].values.tolist() == [np.inf]
    assert loaded.coords["method"].values.tolist() == ["optimal"]


def test_rows_can_be_read_with_other_tools(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    direct = sweep(small(), AXES, store=tmp_path)
    table = pandas.read_parquet(tmp_path / "rows").sort_values("cell")
    assert table["rate_bps"].tolist() == np.repeat(AXES["rate_bps"], 3).tolist()
    np.testing.assert_array_equal(table["delay_s"], direct.delay_s.values.ravel())


def test_rows_are_kept_when_a_sweep_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module = importlib.import_module("constellm.sweep.run")
    real = module.solve

    def failing(work, threads, accept):
        real(work, threads, accept)
        raise RuntimeError("power cut")

    monkeypatch.setattr(module, "solve", failing)
    with pytest.raises(RuntimeError, match="power cut"):
        sweep(small(), AXES, store=tmp_path)
    assert (load_rows(tmp_path).status.values != "interrupted").all()


def test_many_rows_make_several_files(tmp_path: Path, kind: str) -> None:
    axes = {"rate_bps": np.geomspace(1e5, 1e7, 100), "max_error": np.linspace(0, 1, 100)}
    direct = sweep(small(layers=1), axes, store=tmp_path)
    assert len(list((tmp_path / "rows").iterdir())) >= 3  # of 4,096 rows at most
    assert_same(load_rows(tmp_path), direct)


def test_an_interrupted_sweep_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accept = Table.accept

    def accept_and_press(self: Table, rows: Rows) -> None:
        accept(self, rows)
        raise KeyboardInterrupt

    axes = {"rate_bps": np.geomspace(1e5, 1e7, 60_000)}
    monkeypatch.setattr(Table, "accept", accept_and_press)
    first = sweep(small(), axes, store=tmp_path, threads=1)
    assert 0 < (first.status.values == "interrupted").sum() < 60_000
    monkeypatch.undo()
    direct = sweep(small(), axes)
    assert_same(sweep(small(), axes, store=tmp_path), direct)
    assert_same(load_rows(tmp_path), direct)


def test_parquet_rows_need_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    sweep(small(), AXES, store=tmp_path)
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"constellm\[sweep\]"):
        load_rows(tmp_path)
