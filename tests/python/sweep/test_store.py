"""Stored rows: equal to the direct result, resumable, crash-safe."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from constellm.sweep import load_rows, run
from constellm.sweep.grid import make_grid
from constellm.sweep.result import GatheredRows
from constellm.sweep.rows import Rows
from constellm.sweep.store import RowStore
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

    module = importlib.import_module("constellm.sweep.running")
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
    direct = run(small(), AXES)
    stored = run(small(), AXES, store=tmp_path / "rows")
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
    first = run(small(), AXES, store=tmp_path)
    again = run(small(), AXES, store=tmp_path)
    assert solved == [12]
    assert_same(again, first)
    np.testing.assert_array_equal(again.seconds, first.seconds)


def test_only_what_is_missing_is_solved(tmp_path: Path, kind: str, solved: list[int]) -> None:
    direct = run(small(), AXES, store=tmp_path)
    split_rows(tmp_path, kind, keep=5)
    missing = load_rows(tmp_path).status.values == "interrupted"
    assert missing.sum() == 7
    assert np.isnan(load_rows(tmp_path).delay_s.values[missing]).all()
    resumed = run(small(), AXES, store=tmp_path)
    assert solved == [12, 7]
    assert_same(resumed, direct)
    assert_same(load_rows(tmp_path), direct)
    run(small(), AXES, store=tmp_path)
    assert solved == [12, 7]


def test_torn_files_are_left_out_and_made_up_for(
    tmp_path: Path, kind: str, solved: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    direct = run(small(), AXES, store=tmp_path)
    split_rows(tmp_path, kind, keep=4)
    torn = tmp_path / "rows" / f"00003.{kind}"
    torn.write_bytes(torn.read_bytes()[:-20])
    (tmp_path / "rows" / f"00004.{kind}.99.tmp").write_bytes(b"half a row")
    with caplog.at_level(logging.WARNING, "constellm.sweep"):
        assert_same(run(small(), AXES, store=tmp_path), direct)
    assert solved == [12, 9]
    assert f"00003.{kind} is damaged" in caplog.text
    assert [path.name for path in (tmp_path / "damaged").iterdir()] == [f"00003.{kind}.0"]
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_flipped_bit_anywhere_never_gives_another_number(
    tmp_path: Path, kind: str, solved: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    direct = run(small(), AXES, store=tmp_path)
    (path,) = (tmp_path / "rows").glob(f"*.{kind}")
    content = path.read_bytes()
    flips = np.random.default_rng(1).choice(len(content), 60, replace=False)
    for place in flips.tolist():
        damaged = bytearray(content)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        loaded = load_rows(tmp_path)
        kept = loaded.status.values != "interrupted"
        np.testing.assert_array_equal(loaded.delay_s.values[kept], direct.delay_s.values[kept])
        assert kept.all() or not kept.any()
    assert "is damaged" in caplog.text


@pytest.mark.parametrize("cut", ["zeros", "short", "empty"])
def test_a_torn_file_is_computed_again(tmp_path: Path, kind: str, cut: str, solved: list[int]) -> None:
    direct = run(small(), AXES, store=tmp_path)
    (path,) = (tmp_path / "rows").glob(f"*.{kind}")
    content = path.read_bytes()
    third = len(content) // 3
    torn = {
        "zeros": content[:third] + bytes(third) + content[2 * third :],
        "short": content[:-20],
        "empty": b"",
    }
    path.write_bytes(torn[cut])
    assert_same(run(small(), AXES, store=tmp_path), direct)
    assert_same(load_rows(tmp_path), direct)
    assert solved == [12, 12]


def test_foreign_files_are_named_and_set_aside(
    tmp_path: Path, kind: str, solved: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    direct = run(small(), AXES, store=tmp_path / "ours")
    others = {
        "columns": {"axes": {"rate_bps": AXES["rate_bps"]}},
        "method": {"method": "pipeedge", "axes": AXES},
        "values": {"axes": {**AXES, "rate_bps": AXES["rate_bps"] * 2}},
        "size": {"axes": {**AXES, "rate_bps": [*AXES["rate_bps"], 1e3, 1e2]}},
        "problem": {"axes": AXES, "problem": small(layers=2)},
    }
    for number, (name, keywords) in enumerate(others.items(), start=1):
        run(**{"problem": small(), **keywords}, store=tmp_path / name)
        (path,) = (tmp_path / name / "rows").glob(f"*.{kind}")
        path.rename(tmp_path / "ours" / "rows" / f"{number:05d}.{kind}")
    assert_same(load_rows(tmp_path / "ours"), direct)
    assert_same(run(small(), AXES, store=tmp_path / "ours"), direct)
    assert caplog.text.count("of this sweep") == 2 * len(others)
    assert sorted(path.name for path in (tmp_path / "ours" / "damaged").iterdir()) == [
        f"{number:05d}.{kind}.0" for number in range(1, 6)
    ]
    assert solved == [12, 4, 12, 12, 18, 12]  # none of ours was solved again


def test_rows_without_checksums_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    direct = run(small(), AXES, store=tmp_path)
    path = tmp_path / "rows" / "00000.jsonl"
    bare = [line.rpartition(', "crc32"')[0] + "}\n" for line in path.read_text().splitlines()]
    path.write_text("".join(bare))
    assert_same(load_rows(tmp_path), direct)


def test_one_sweep_at_a_time_writes(tmp_path: Path) -> None:
    axes = {"rate_bps": [1e5, 1e6]}

    def factory(name: str):
        with pytest.raises(RuntimeError, match="another sweep is writing to"):
            run(small(), axes, store=tmp_path)
        return small(name=name)

    grid = make_grid(small(), axes, "optimal", np.inf)
    store = RowStore(tmp_path, grid.system, grid.identity())
    run(factory, {"name": ["a"]})
    code = (
        "from constellm.sweep import run; from python.sweep.problems import small\n"
        f"try: run(small(), {axes!r}, store={str(tmp_path)!r})\n"
        "except RuntimeError as error: print(error)"
    )
    tests = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "another sweep is writing to" in other.stdout, other.stderr
    store.close()
    run(small(), axes, store=tmp_path)


def test_leftovers_of_a_kill_are_removed_and_nothing_else(tmp_path: Path, kind: str) -> None:
    (tmp_path / "manifest.json.77.tmp").write_text("half a manif")
    direct = run(small(), AXES, store=tmp_path)
    (tmp_path / f"00001.{kind}.77.tmp").write_text("half")
    (tmp_path / "rows" / f"00001.{kind}.77.tmp").write_text("half")  # where 0.1.0 left them
    (tmp_path / "notes.tmp").write_text("mine")
    assert_same(run(small(), AXES, store=tmp_path), direct)
    assert [path.name for path in tmp_path.rglob("*.tmp")] == ["notes.tmp"]


def test_manifests_that_say_nothing_are_refused_by_name(tmp_path: Path) -> None:
    run(small(), AXES, store=tmp_path)
    manifest = tmp_path / "manifest.json"
    whole = json.loads(manifest.read_text())
    for content in ["", "[]", "{", json.dumps({**whole, "sweep": {}}), json.dumps({**whole, "rows": "csv"})]:
        manifest.write_text(content)
        with pytest.raises(ValueError, match=r"manifest\.json'"):
            load_rows(tmp_path)
        with pytest.raises(ValueError, match=r"manifest\.json'"):
            run(small(), AXES, store=tmp_path)


def test_a_store_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    direct = run(small(), AXES, store="~/x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert_same(load_rows("~/x"), direct)


def test_rows_of_another_sweep_are_refused(tmp_path: Path) -> None:
    run(small(), AXES, store=tmp_path, time_limit_s=100.0)
    for difference, keywords in {
        "axes": {"problem": small(), "axes": {**AXES, "rate_bps": [1.0]}},
        "problems_sha256": {"problem": small().replace(micro_batches=5), "axes": AXES},
        "problem ": {"problem": small(name="other"), "axes": AXES},
        "method": {"problem": small(), "axes": AXES, "method": ["optimal"]},
        "time_limit_s 100.0 there, 5.0 here": {"problem": small(), "axes": AXES, "time_limit_s": 5.0},
    }.items():
        with pytest.raises(ValueError, match=f"another sweep: .*{difference}"):
            run(**{"time_limit_s": 100.0, **keywords}, store=tmp_path)
    assert set(load_rows(tmp_path).status.values.ravel()) == {"optimal", "infeasible", "invalid"}


def test_folders_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        run(small(), AXES, store=tmp_path)
    with pytest.raises(ValueError, match=r"no manifest\.json"):
        load_rows(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": "other"}')
    with pytest.raises(ValueError, match=r"not of format 'constellm\.sweep'"):
        load_rows(tmp_path)


def test_labels_infinities_and_methods_survive(tmp_path: Path, kind: str) -> None:
    def factory(name: str, layers: int):
        return small(layers=layers, name=name)

    axes = {"name": ["a", "inf"], "layers": [1, 2], "max_error": [np.inf]}
    direct = run(factory, axes, store=tmp_path, method=["optimal"])
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
    direct = run(small(), AXES, store=tmp_path)
    table = pandas.read_parquet(tmp_path / "rows").sort_values("cell")
    assert table["rate_bps"].tolist() == np.repeat(AXES["rate_bps"], 3).tolist()
    np.testing.assert_array_equal(table["delay_s"], direct.delay_s.values.ravel())


def test_rows_are_kept_when_a_sweep_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module = importlib.import_module("constellm.sweep.running")
    real = module.solve

    def failing(work, threads, accept):
        real(work, threads, accept)
        raise RuntimeError("power cut")

    monkeypatch.setattr(module, "solve", failing)
    with pytest.raises(RuntimeError, match="power cut"):
        run(small(), AXES, store=tmp_path)
    assert (load_rows(tmp_path).status.values != "interrupted").all()


def test_many_rows_make_several_files(tmp_path: Path, kind: str) -> None:
    axes = {"rate_bps": np.geomspace(1e5, 1e7, 100), "max_error": np.linspace(0, 1, 100)}
    direct = run(small(layers=1), axes, store=tmp_path)
    assert len(list((tmp_path / "rows").iterdir())) >= 3  # of 4,096 rows at most
    assert_same(load_rows(tmp_path), direct)


def test_an_interrupted_sweep_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accept = GatheredRows.accept

    def accept_and_press(self: GatheredRows, rows: Rows) -> None:
        accept(self, rows)
        raise KeyboardInterrupt

    axes = {"rate_bps": np.geomspace(1e5, 1e7, 60_000)}
    monkeypatch.setattr(GatheredRows, "accept", accept_and_press)
    first = run(small(), axes, store=tmp_path, threads=1)
    assert 0 < (first.status.values == "interrupted").sum() < 60_000
    monkeypatch.undo()
    direct = run(small(), axes)
    assert_same(run(small(), axes, store=tmp_path), direct)
    assert_same(load_rows(tmp_path), direct)


def test_parquet_rows_need_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    run(small(), AXES, store=tmp_path)
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"constellm\[sweep\]"):
        load_rows(tmp_path)


def test_axes_that_are_equal_are_the_same_sweep(tmp_path: Path, kind: str, solved: list[int]) -> None:
    for values in ([10**8, 10**9], [1e8, 1e9], np.array([1e8, 1e9]), [10**8, 1e9]):
        run(small(), rate_bps=values, store=tmp_path)
    assert solved == [2]
    assert not (tmp_path / "damaged").exists()


def test_values_that_are_no_numbers_are_kept_too(tmp_path: Path, kind: str, solved: list[int]) -> None:
    first = run(small(), rate_bps=[np.nan, 1e8], store=tmp_path)
    assert_same(run(small(), rate_bps=[np.nan, 1e8], store=tmp_path), first)
    assert_same(load_rows(tmp_path), first)
    assert solved == [2]
    assert not (tmp_path / "damaged").exists()


@pytest.mark.parametrize("home", ["constellm.spit.sweeping", "this", ["a"], None])
def test_a_store_never_has_a_module_imported(tmp_path: Path, home: object) -> None:
    run(small(), AXES, store=tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["sweep"]["system"] = home
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"holds rows of .*, which is not known here: import the module"):
        load_rows(tmp_path)
    assert "this" not in sys.modules
