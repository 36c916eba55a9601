"""Plans a second of a sweep on one thread and on more, in one run.

``python benchmarks/sweep_speed.py [--json FILE]`` solves the paper's scenario (48 layers, 13 nodes, 10
codecs, 8 micro-batches) over rates of the ground link and error limits, and holds the figures of the thread
counts against each other. Rounds alternate between them, so that whatever else the machine does touches all
alike; the best round of each counts. The processor's time for a plan tells what an idle machine would do.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np

from constellm import build_info, paper
from constellm.sweep import run


def measure(rates: int, limits: int, rounds: int, threads: list[int]) -> dict:
    """Plans a second by number of threads."""
    problem = paper.collaborative.problem()
    axes = {
        "links[s2g].rate_bps": np.geomspace(0.2e9, 6e9, rates),
        "max_error": np.linspace(0.0, 2 * paper.collaborative.MAX_ERROR, limits),
    }
    best = dict.fromkeys(threads, np.inf)
    processor = dict.fromkeys(threads, np.inf)
    reference = run(problem, axes, threads=threads[0])
    for _ in range(rounds):
        for n in threads:
            start, processor_start = time.perf_counter(), time.process_time()
            found = run(problem, axes, threads=n)
            best[n] = min(best[n], time.perf_counter() - start)
            processor[n] = min(processor[n], time.process_time() - processor_start)
            for name in ("delay_s", "error", "bytes", "labels", "status"):
                np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(reference[name]))
    cells = rates * limits
    return {
        "problem": problem.name,
        "plans": cells,
        "statuses": {str(s): int(n) for s, n in zip(*np.unique(reference["status"], return_counts=True))},
        "plans_per_s": {str(n): cells / seconds for n, seconds in best.items()},
        "processor_ms_a_plan": {str(n): 1e3 * seconds / cells for n, seconds in processor.items()},
        "speedup": {str(n): best[threads[0]] / seconds for n, seconds in best.items()},
        "cores": len(os.sched_getaffinity(0)),
        "build": build_info(),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rates", type=int, default=100, help="rates of the ground link (default 100)")
    parser.add_argument("--limits", type=int, default=50, help="values of the error limit (default 50)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed (default 5)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default 1 2")
    parser.add_argument("--json", help="write the figures to this file")
    arguments = parser.parse_args()
    figures = measure(arguments.rates, arguments.limits, arguments.rounds, arguments.threads)
    print(f"{figures['plans']} plans of {figures['problem']} on {figures['cores']} cores")
    for n, rate in figures["plans_per_s"].items():
        ratio, processor_ms = figures["speedup"][n], figures["processor_ms_a_plan"][n]
        print(f"  {n} threads: {rate:.0f} plans/s, {ratio:.2f}x, {processor_ms:.3f} ms of processor a plan")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
