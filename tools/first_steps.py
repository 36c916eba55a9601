"""What a new user does first, on what is installed with numpy alone: plans, encodes, sweeps, and counts."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

import constellm as clm


def main(command: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__).parse_args(command)
    assert "site-packages" in Path(clm.__file__).parts, f"{clm.__file__} is not installed"
    problem = clm.paper.collaborative.problem()
    plan = clm.split.solve(problem)
    assert plan.status == "optimal" and plan.lower_bound_s <= plan.delay_s <= plan.lower_bound_s * (1 + 1e-9)
    assert sum(stage.last_layer - stage.first_layer + 1 for stage in plan.stages) == len(problem.layers)
    assert clm.split.check(problem, plan) == []
    methods = ["uniform", "pipeedge", "optimal"]
    assert [row["method"] for row in clm.split.compare(problem, methods=methods)] == methods

    activation = np.random.default_rng(0).standard_normal((197, 192), dtype=np.float32)
    scheme = clm.codec.Scheme(sparsify="top-k", keep=0.2, bits=8, entropy="context")
    message = clm.codec.encode(activation, scheme)
    decoded = clm.codec.decode(message)
    assert decoded.shape == activation.shape and 10 * len(message) < activation.nbytes
    assert (np.count_nonzero(decoded, axis=1) == 39).all()  # a fifth of each token's 192, rounded up
    assert np.abs(decoded - activation)[decoded != 0].max() < np.abs(activation).max() / 100

    found = clm.sweep.run(problem, rate_bps=np.geomspace(1e8, 1e10, 20), max_error=np.linspace(0.3, 3, 10))
    assert found["delay_s"].shape == (20, 10) and (found["status"] == "optimal").all()

    told = subprocess.run([sys.executable, "-m", "constellm.cli", "info"], capture_output=True, text=True)
    assert told.returncode == 0 and f"version: {clm.__version__}" in told.stdout, told.stderr
    print(
        f"constellm {metadata.version('constellm')}, numpy {np.__version__}: a plan of {len(plan.stages)} "
        f"stages, {activation.nbytes} bytes encoded to {len(message)}, {found['delay_s'].size} plans swept"
    )


if __name__ == "__main__":
    main()
