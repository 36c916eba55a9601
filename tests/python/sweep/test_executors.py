"""Sweeps over the workers of an executor give what the threads of this process give."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from constellm.sweep import load_rows, run
from python.sweep.problems import assert_same, small

pytest.importorskip("xarray")

AXES = {
    "layers": [1, 3],
    "rate_bps": np.append(np.geomspace(1e4, 1e7, 149), -1.0),
    "max_error": np.array([0.0, 0.3]),
}


def test_a_thread_pool(tmp_path: Path) -> None:
    direct = run(small, AXES)
    with ThreadPoolExecutor(3) as pool:
        assert_same(run(small, AXES, executor=pool), direct)
        assert_same(run(small, AXES, executor=pool, store=tmp_path), direct)
    assert_same(load_rows(tmp_path), direct)


def test_a_process_pool() -> None:
    direct = run(small, AXES)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert_same(run(small, AXES, executor=pool), direct)
        found = run(small(), rate_bps=[1e5, 1e6], answers=True, executor=pool)
    expected = run(small(), rate_bps=[1e5, 1e6], answers=True)
    assert list(found["plan"].values) == list(expected["plan"].values)


# What Dask and its servers themselves warn of when a cluster comes and goes.
@pytest.mark.filterwarnings(
    "ignore:::distributed", "ignore:::tornado", "ignore:::dask", "ignore::ResourceWarning"
)
def test_a_dask_cluster(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    direct = run(small, AXES)
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=str(tmp_path),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert_same(run(small, AXES, executor=client.get_executor()), direct)
        where = client.run(lambda: __import__("os").getpid())
    assert len(set(where.values())) == 2


class Inline(Executor):
    """Runs what it is given at once; `fail` says what happens at the n-th."""

    def __init__(self, at: int = -1, failure: BaseException | None = None) -> None:
        self.submitted = 0
        self.at = at
        self.failure = failure

    def submit(self, call, /, *args, **keywords):
        future: Future = Future()
        if self.submitted == self.at:
            future.set_exception(self.failure)
        else:
            future.set_result(call(*args, **keywords))
        self.submitted += 1
        return future


def test_cells_are_cut_into_pieces() -> None:
    pool = Inline()
    run(small, AXES, executor=pool)
    assert pool.submitted == 150  # 600 cells, 4 a piece
    few = Inline()
    run(small(), rate_bps=[1e5, 1e6], executor=few)
    assert few.submitted == 2


def test_a_failing_worker_comes_out_and_the_rest_is_stored(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="worker lost"):
        run(small, AXES, executor=Inline(149, OSError("worker lost")), store=tmp_path)
    kept = (load_rows(tmp_path).status.values != "interrupted").sum()
    assert kept == 596


def test_ctrl_c_keeps_what_has_come_in() -> None:
    found = run(small, AXES, executor=Inline(100, KeyboardInterrupt()))
    assert (found.status.values == "interrupted").sum() == 4


def test_threads_belong_to_this_process() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(TypeError, match="threads"):
        run(small(), rate_bps=[1.0], executor=pool, threads=2)
