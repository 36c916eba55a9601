"""A run that was killed goes on, and gives bit for bit what it would have given."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from constellm import tune
from python.tune.small import contact_timing, task

MODES = [
    tune.Synchronous(),
    tune.Synchronous(deadline_s=3000.0, late="keep"),
    tune.Buffered(size=4),
    tune.Asynchronous(),
]

KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
from constellm import tune
from python.tune.small import contact_timing, task

fit = tune.HeadTask.fit

def slow(self, satellite, parameters, config):
    time.sleep(0.02)
    return fit(self, satellite, parameters, config)

tune.HeadTask.fit = slow
print("begun", flush=True)
tune.federate(
    task(), contact_timing(), mode=tune.{mode!r}, rounds=1000, checkpoint={folder!r}
)
"""


def in_parts(folder: Path, mode: object, parts: list[int], **more: object) -> tune.FederatedRun:
    for rounds in parts:
        run = tune.federate(task(), contact_timing(), mode=mode, rounds=rounds, checkpoint=folder, **more)
    return run


@pytest.mark.parametrize("mode", MODES, ids=repr)
@pytest.mark.parametrize("every", [1, 3])
def test_a_run_in_parts_is_the_run_in_one(mode: object, every: int, tmp_path: Path) -> None:
    whole = tune.federate(task(), contact_timing(), mode=mode, rounds=12)
    assert in_parts(tmp_path, mode, [1, 2, 5, 5, 12, 12], checkpoint_every=every) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["federated.npz"]


@pytest.mark.parametrize("mode", [MODES[1], MODES[2]], ids=repr)
def test_killed_in_the_middle_it_goes_on_bit_for_bit(mode: object, tmp_path: Path) -> None:
    code = KILLED.format(tests=str(Path(__file__).parents[2]), mode=mode, folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        while not (tmp_path / "federated.npz").exists():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.3)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    with np.load(tmp_path / "federated.npz") as left:
        assert "state" in left
    at_least = tune.federate(
        task(), contact_timing(), mode=mode, rounds=1000, checkpoint=tmp_path, until_s=1e9
    )
    assert at_least == tune.federate(task(), contact_timing(), mode=mode, rounds=1000, until_s=1e9)


def test_a_time_limit_can_be_moved(tmp_path: Path) -> None:
    whole = tune.federate(task(), contact_timing(), rounds=6)
    middle = float(whole.column("time_s")[3])
    for mode in MODES:
        early = tune.federate(
            task(), contact_timing(), mode=mode, rounds=6, until_s=middle, checkpoint=tmp_path / repr(mode)
        )
        assert early.time_s <= middle
        late = tune.federate(task(), contact_timing(), mode=mode, rounds=6, checkpoint=tmp_path / repr(mode))
        assert late == tune.federate(task(), contact_timing(), mode=mode, rounds=6)


class Other(tune.HeadTask):
    """Of one's own, as it would train in another way."""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "of another run: seed was 0, is 1"),
        ({"mode": tune.Buffered(size=3)}, "of another run: mode was 'Synchronous', is 'Buffered'"),
        ({"epochs": 2}, r"of another run: epochs was \[1, 1\], is \[2, 2\]"),
        ({"task": replace(task(), learning_rate=0.2)}, "of another run: task was"),
        ({"task": Other(*task().__reduce__()[1])}, "of another run: task was 'HeadTask .*, is 'Other "),
        ({"timing": contact_timing(ground_s=1.0)}, "of another run: timing was"),
        ({"rounds": 2}, r"rounds: 2 is not in \[3, inf\), the checkpoint's"),
        ({"until_s": 1.0}, r"until_s: 1 is not in \[.*, inf\], the checkpoint's"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    asked = {"task": task(), "timing": contact_timing(), "rounds": 3, "checkpoint": tmp_path}
    tune.federate(asked.pop("task"), asked.pop("timing"), **asked)
    asked = {"task": task(), "timing": contact_timing(), **asked, **changes}
    with pytest.raises(ValueError, match=message):
        tune.federate(asked.pop("task"), asked.pop("timing"), **asked)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    in_parts(tmp_path, tune.Synchronous(), [2])
    path = tmp_path / "federated.npz"
    content = path.read_bytes()
    without = io.BytesIO()
    with np.load(path) as found:
        np.savez(without, **{name: found[name] for name in found.files if name != "array_0"})
    for damaged in (b"", b"no zip file", content[: len(content) // 2], without.getvalue()):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"checkpoint: .*federated\.npz is damaged"):
            in_parts(tmp_path, tune.Synchronous(), [3])
