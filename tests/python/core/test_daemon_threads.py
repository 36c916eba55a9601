"""A process ends with status 0 whatever its daemon threads are in the middle of."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import threading, time
import numpy as np
import constellm as clm
from constellm import codec, paper, split

problem = paper.collaborative.problem()
plan = split.solve(problem)
x = np.random.default_rng(0).normal(size=(8, 197, 768)).astype("f4")
message = codec.encode(x, codec.Scheme(bits=8))
CALL = {{
    "solve": lambda: split.solve(problem),
    "benchmark": lambda: split.solve(problem, method="pipeedge"),
    "k_best": lambda: split.k_best(problem, 5),
    "compare": lambda: split.compare(problem),
    "pareto_front": lambda: split.pareto_front(problem),
    "evaluate": lambda: split.evaluate(problem, plan),
    "sweep": lambda: clm.sweep.run(problem, micro_batches=range(1, 9), threads=2),
    "encode": lambda: codec.encode(x, codec.Scheme(bits=8)),
    "decode": lambda: codec.decode(message),
}}["{call}"]
CALL()  # what is imported when first asked for is there: Python imports no more while it ends

def forever():
    while True:
        CALL()

for _ in range(3):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.3)
"""
CALLS = ("solve", "benchmark", "k_best", "compare", "pareto_front", "evaluate", "sweep", "encode", "decode")


@pytest.mark.parametrize("call", CALLS)
def test_daemon_threads_do_not_abort_the_exit(call):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(call=call)], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
