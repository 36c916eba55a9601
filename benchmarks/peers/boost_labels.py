"""Boost Graph's `r_c_shortest_paths` on the layered graph; see boost/labels.cpp.

It keeps every nondominated label. Told an upper bound on the delay, it drops the labels whose least sum,
bottleneck and error to the end, each by itself, exceed the bound or the error limit; told the optimum, that
is the most such pruning can do for it.

cmake -S benchmarks/peers/boost -B build/peers && cmake --build build/peers
python benchmarks/peers/boost_labels.py PROBLEM.json [UPPER_BOUND_S]
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import layered_graph

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "peers" / "boost_labels"


def write(graph: layered_graph.LayeredGraph, upper_bound_s: float, path: Path) -> None:
    """Write the graph as the text that the program reads."""
    to_go = layered_graph.bounds(graph)
    with path.open("w", encoding="ascii") as out:
        print(len(graph.vertices), graph.source, graph.end, graph.source_node, file=out, end=" ")
        print(graph.micro_batches, repr(graph.budget), repr(upper_bound_s), len(graph.arcs), file=out)
        for least in zip(to_go.sum_s, to_go.bottleneck_s, to_go.error):
            print(*(repr(value) for value in least), file=out)
        for arc in graph.arcs:
            print(arc.tail, arc.head, repr(arc.stage_s), int(arc.ends_stage), file=out, end=" ")
            print(repr(arc.hop_s), repr(arc.latency_s), repr(arc.error), arc.node, file=out)


def solve(
    problem: dict,
    upper_bound_s: float = math.inf,
    program: str | Path = PROGRAM,
    timeout_s: float | None = None,
) -> dict:
    """Least delay of a problem, seconds to build Boost's graph and to search it, and the plan.

    Raises
    ------
    FileNotFoundError
        If the program has not been built.
    subprocess.TimeoutExpired
        If it takes longer than `timeout_s`.
    """
    graph = layered_graph.build(problem)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.txt"
        write(graph, upper_bound_s, file)
        run = subprocess.run(
            [str(program), str(file)], check=True, capture_output=True, text=True, timeout=timeout_s
        )
    delay, build, search, labels, *route = run.stdout.split()
    path, stages = layered_graph.stages(problem, graph, [int(v) for v in route])
    return {
        "peer": "Boost r_c_shortest_paths",
        "objective": float(delay) if route else None,
        "seconds": float(search),
        "build_seconds": float(build),
        "vertices": len(graph.vertices),
        "arcs": len(graph.arcs),
        "labels_at_end": int(labels),
        "plan": {"path": path, "stages": stages} if route else None,
    }


if __name__ == "__main__":
    print(json.dumps(solve(layered_graph.load(sys.argv[1]), *map(float, sys.argv[2:3])), indent=1))
