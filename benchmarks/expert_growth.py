"""Placements as constellations and models grow, each in a process of its own, with its largest memory.

``python benchmarks/expert_growth.py SIZE`` is one run, SIZE a `Size` as JSON; `measure` starts it. Weights
are made up, for no measured model has as many experts; no link fails.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import tables
from passes import largest_memory_bytes

from constellm import moe
from constellm.paper.space_xnet import Scenario

SIGMA = 0.6  # of ln weight: as on text of one domain


class Size(NamedTuple):
    """A shell, a model on it, and how it is placed."""

    planes: int
    satellites_per_plane: int
    layers: int
    experts: int
    top_k: int
    method: str
    competing: bool = False
    """Whether layers may have any satellite; else each has its subnet."""
    slots: int = 10
    limit_s: float = 8.0


SIZES = (
    Size(33, 32, 32, 8, 2, "sorted"),
    Size(33, 32, 32, 8, 2, "exchange"),
    Size(66, 32, 32, 8, 2, "exchange", competing=True),
    Size(96, 32, 32, 64, 8, "sorted"),
    Size(96, 32, 32, 64, 2, "exchange"),
    Size(96, 32, 32, 64, 8, "exchange"),
    Size(100, 100, 32, 256, 8, "sorted"),
    Size(100, 100, 32, 256, 2, "exchange"),
    Size(132, 122, 61, 256, 8, "sorted"),
    Size(132, 122, 61, 256, 2, "exchange"),
)


def measure(sizes: Sequence[Size] = SIZES) -> tables.Rows:
    """A row for each size."""
    return [{**size._asdict(), **run(size)} for size in sizes]


def run(size: Size) -> dict[str, Any]:
    """In a process of its own."""
    command = [sys.executable, __file__, json.dumps(size)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def placed(size: Size) -> dict[str, Any]:
    """From elements to a placement; processor's seconds."""
    scenario = Scenario(
        planes=size.planes,
        satellites_per_plane=size.satellites_per_plane,
        slots=size.slots,
        survival=1.0,
    )
    world, ring = scenario.world(), moe.ring(scenario.shell, size.layers)
    if size.competing:
        ring = moe.Ring([world.satellite_ids] * size.layers, ring.gateways)
    weights = moe.lognormal_weights(size.experts, SIGMA, layers=size.layers)
    begun = time.thread_time()
    problem = moe.ring_problem(world, ring, scenario.times(), weights=weights, top_k=size.top_k)
    paths_s = time.thread_time() - begun
    begun = time.thread_time()
    plan = moe.solve(problem, method=size.method, time_limit_s=size.limit_s)
    return {
        "satellites": len(world.satellite_ids),
        "paths_s": paths_s,
        "seconds": time.thread_time() - begun,
        "token_latency_s": plan.token_latency_s,
        # Sorting bounds nothing.
        "gap": None if size.method == "sorted" or math.isnan(plan.gap) else plan.gap,
        "memory_bytes": largest_memory_bytes(),
    }


if __name__ == "__main__":
    print(json.dumps(placed(Size(*json.loads(sys.argv[1])))))
