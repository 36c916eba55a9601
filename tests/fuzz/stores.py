"""Stores that were damaged, and sweeps that were killed: the rows are those of an undisturbed sweep."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import constellm
from constellm import sweep
from constellm.codec import Codec
from constellm.model import Layer
from constellm.network import chain, with_ground
from constellm.split import Problem

from .mutate import mutated_bytes

_FIGURES = ("delay_s", "bottleneck_s", "lower_bound_s", "error", "bytes", "stages", "status", "message")
_KINDS = ["jsonl", *(["parquet"] if importlib.util.find_spec("pyarrow") else [])]
_ROWS_OF_A_FILE = 40


def _problem() -> Problem:
    relays = chain(3, flop_per_s=[1e9, 2e9, 1e9], memory_bytes=100.0, rate_bps=1e6)
    return Problem(
        layers=[Layer(name=f"l{i}", flop=1e9, memory_bytes=30.0, output_bytes=1e5) for i in range(4)],
        input_bytes=1e5,
        network=with_ground(relays, at="s2", rate_bps=2e6),
        codecs=[Codec(name="none", ratio=1.0, error=0.0), Codec(name="half", ratio=2.0, error=0.1)],
        micro_batches=4,
        max_error=0.15,
    )


def _swept(kind: str, cells: int, factor: float = 1.0, **options: Any) -> Any:
    """A sweep of 3 x `cells` cells whose store writes many small files of that kind."""
    axes = {"nodes.memory_bytes": [5.0, 50.0, 100.0], "rate_bps": factor * np.geomspace(1e5, 1e7, cells)}
    settings = {"_MOST_ROWS": _ROWS_OF_A_FILE, "_has_pyarrow": lambda: kind == "parquet"}
    with mock.patch.multiple("constellm.sweep.store", **settings):
        return sweep.run(_problem(), axes, threads=1, **options)


def _differ(found: Any, expected: Any) -> list[str]:
    return [name for name in _FIGURES if not _equal(np.asarray(found[name]), np.asarray(expected[name]))]


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def damaged(scratch: Path) -> Any:
    """A store with some of its files flipped, cut, emptied, removed, exchanged or foreign is resumed."""
    expected = {kind: _swept(kind, 50) for kind in _KINDS}
    for kind in _KINDS:
        _swept(kind, 50, store=scratch / kind)
        _swept(kind, 50, 1.5, store=scratch / f"{kind}-of-another")

    def read(rng: random.Random) -> None:
        kind = rng.choice(_KINDS)
        store, another = scratch / "store", scratch / f"{kind}-of-another"
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(scratch / kind, store)
        files = sorted(path for path in store.rglob("*") if path.is_file())
        for path in rng.sample(files, rng.randint(1, 3)):
            _damage(rng, path, another / path.relative_to(store))
        if rng.random() < 0.5:
            loaded = sweep.load_rows(store)
            known = np.asarray(loaded["status"]) != "interrupted"
            delays, right = np.asarray(loaded["delay_s"]), np.asarray(expected[kind]["delay_s"])
            same_shape = delays.shape == right.shape  # else the manifest is of another sweep, without rows
            assert _equal(delays[known], right[known]) if same_shape else not known.any()
        assert _differ(_swept(kind, 50, store=store), expected[kind]) == []
        assert _differ(sweep.load_rows(store), expected[kind]) == []

    return read


def _damage(rng: random.Random, path: Path, another: Path) -> None:
    how = rng.randrange(6)
    content = path.read_bytes()
    if how == 0:
        path.unlink()
    elif how == 1:
        path.write_bytes(content[: rng.randrange(len(content))])
    elif how == 2 and another.exists() and path.name != "manifest.json":  # else they are another's
        path.write_bytes(another.read_bytes())
    elif how == 3:
        path.with_name(f"{rng.randrange(99):05d}{path.suffix}").write_bytes(content)
    else:
        path.write_bytes(mutated_bytes(rng, content))


_CHILD = "import fuzz.stores; fuzz.stores.sweep_alone()"


def sweep_alone() -> None:
    """In a process of its own: tells that it begins, and sweeps."""
    kind, store = sys.argv[1:]
    print("begins", flush=True)
    _swept(kind, 300, store=store)


def killed(scratch: Path) -> Any:
    """A sweep into a store is killed up to three times at any moment: nothing is lost or left over."""
    expected = {kind: _swept(kind, 300) for kind in _KINDS}
    # What is imported here is imported there.
    paths = [str(Path(__file__).resolve().parents[1]), str(Path(constellm.__file__).resolve().parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    before = time.monotonic()
    _swept(_KINDS[-1], 300, store=scratch / "timed")
    whole_s = time.monotonic() - before

    def read(rng: random.Random) -> None:
        kind = rng.choice(_KINDS)
        store = scratch / "store"
        shutil.rmtree(store, ignore_errors=True)
        rows = 0
        for _ in range(rng.randint(1, 3)):
            command = [sys.executable, "-c", _CHILD, kind, str(store)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
                assert child.stdout is not None and child.stdout.readline()
                time.sleep(rng.uniform(0, whole_s))
                child.kill()
            if (store / "manifest.json").exists():
                known = int((np.asarray(sweep.load_rows(store)["status"]) != "interrupted").sum())
                assert known >= rows, f"{rows} rows were there before, {known} after the next kill"
                rows = known
        assert _differ(_swept(kind, 300, store=store), expected[kind]) == []
        assert _differ(sweep.load_rows(store), expected[kind]) == []
        left = [path for path in store.rglob("*") if path.suffix == ".tmp" or path.parent.name == "damaged"]
        assert left == [], left

    return read
