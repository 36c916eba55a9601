"""Worth of each part of the exact search, and loss of a scalar A*.

``python benchmarks/ablations.py [--quick]``: counts of labels with one part left out at a time, on the
paper's instance at two error limits and on a seeded chain; and on seeded random chains the delay of a scalar
A*, which keeps one label a state, above the optimum.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from pathlib import Path

import tables
import timing

from constellm import paper, split

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from oracles.random_problems import random_chain  # noqa: E402

# Heuristic, dominance and resource bound are parts of label setting, which the intervals leave little to do.
PARTS: dict[str, dict[str, bool]] = {
    "all parts": {},
    "no dominance": {"dominance": False},
    "no resource bound": {"resource_bound": False},
    "no intervals": {"intervals": False},
    "no intervals, no heuristic": {"intervals": False, "heuristic": False},
    "no intervals, no dominance": {"intervals": False, "dominance": False},
    "no intervals, no resource bound": {"intervals": False, "resource_bound": False},
}
COUNTERS = ("labels", "dominated", "expanded", "passes", "intervals")


def instances() -> dict[str, split.Problem]:
    """Problems by the name that the table gives them."""
    chain = random_chain(1, layers=24, nodes=8, codecs=10, micro_batches=8, max_error=0.2)
    return {
        f"paper's, error limit {paper.collaborative.MAX_ERROR:.3g}": paper.collaborative.problem(),
        "paper's, error limit 0.1": paper.collaborative.problem(max_error=0.1),
        "chain 24 × 8 × 10, M = 8, error limit 0.2": split.problem_from_dict(chain),
    }


def measure(cap_s: float = 10.0) -> tables.Rows:
    """One row for each instance and set of parts; a search that the cap stops has status ``time_limit``."""
    rows: tables.Rows = []
    for name, problem in instances().items():
        for part, options in PARTS.items():
            plan, took = timing.solve(problem, **options, time_limit_s=cap_s)
            assert plan.status in ("optimal", "time_limit"), plan.status
            rows.append(
                {
                    "instance": name,
                    "search": part,
                    **{counter: plan.counters[counter] for counter in COUNTERS},
                    "median_s": took.median_s,
                    "status": plan.status,
                    "delay_s": plan.delay_s,
                }
            )
    return rows


def measure_scalar(problems: int = 300) -> tables.Rows:
    """One row for each seeded chain (6 to 24 layers, 3 to 8 nodes, 3 to 10 codecs) that has a plan."""
    rows: tables.Rows = []
    for seed in range(problems):
        rng = random.Random(f"scalar-{seed}")
        sizes = {
            "layers": rng.randint(6, 24),
            "nodes": rng.randint(3, 8),
            "codecs": rng.randint(3, 10),
            "micro_batches": rng.choice((1, 4, 8, 32)),
            "max_error": rng.choice((0.02, 0.05, 0.1, 0.2)),
        }
        problem = split.problem_from_dict(random_chain(seed, **sizes))
        best, scalar = split.solve(problem), split.solve(problem, method="scalar-a-star")
        if best.status != "optimal":
            continue
        found = scalar.status == "feasible" or scalar.status == "optimal"
        assert not found or scalar.delay_s >= best.delay_s * (1 - 1e-9), f"{problem.name}: below the optimum"
        loss = scalar.delay_s / best.delay_s - 1 if found else None
        rows.append({"seed": seed, **sizes, "optimum_s": best.delay_s, "status": scalar.status, "loss": loss})
    return rows


def table(rows: tables.Rows) -> str:
    """The searches as Markdown."""
    lines = [
        [
            r["instance"],
            r["search"],
            *(f"{r[counter]:,}" for counter in COUNTERS),
            ("> " if r["status"] == "time_limit" else "") + tables.seconds(r["median_s"]),
        ]
        for r in rows
    ]
    return tables.markdown(["instance", "search", *COUNTERS, "median"], lines)


def scalar_table(rows: tables.Rows) -> str:
    """What the scalar A* loses, by number of micro-batches."""
    lines = []
    for micro_batches in sorted({r["micro_batches"] for r in rows}):
        some = [r for r in rows if r["micro_batches"] == micro_batches]
        losses = [r["loss"] for r in some if r["loss"] is not None]
        lines.append(
            [
                str(micro_batches),
                str(len(some)),
                str(sum(loss <= 1e-9 for loss in losses)),
                str(len(some) - len(losses)),
                f"{100 * statistics.median(losses):.2f} %" if losses else "–",
                f"{100 * max(losses):.1f} %" if losses else "–",
            ]
        )
    header = ["micro-batches", "problems", "optimum found", "no plan found", "median loss", "greatest loss"]
    return tables.markdown(header, lines)


QUICK = {"cap_s": 0.5}
QUICK_SCALAR = {"problems": 40}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short caps, fewer random chains")
    arguments = parser.parse_args()
    print(table(measure(**QUICK if arguments.quick else {})))
    print(scalar_table(measure_scalar(**QUICK_SCALAR if arguments.quick else {})))


if __name__ == "__main__":
    main()
