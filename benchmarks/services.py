"""Speed and proofs of placements of services: the page services-speed.md, and rows beside it.

``python benchmarks/services.py [--quick] [--out docs]`` measures a quarter of an hour on one core.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import conditions
import service_cases
import service_peers
import tables
from service_cases import CROWDED, IRIDIUM, LARGER, LARGEST, TIGHT, Case

from constellm import services
from constellm.core.table import Table

ROOT = Path(__file__).resolve().parents[1]
PEER_RATIO = 3.0
SEEDS = tuple(range(1, 11))


class Aim(NamedTuple):
    """What is to be reached on how many of the seeds."""

    case: Case
    words: str
    gap: float
    """0: proven"""
    within_s: float
    seeds: tuple[int, ...]
    least: int
    """of the seeds"""


def shifted(case: Case, **changes: object) -> Case:
    return case._replace(**changes)


AIMS = (
    Aim(IRIDIUM, "cost", 0.0, 20.0, SEEDS, 10),
    Aim(shifted(IRIDIUM, budget=None), "cost, box of demands", 0.0, 20.0, SEEDS, 10),
    Aim(shifted(IRIDIUM, slack=TIGHT), "cost, tight deadlines", 0.0, 60.0, SEEDS[:1], 1),
    Aim(shifted(IRIDIUM, objective="delay"), "delay", 0.0, 35.0, SEEDS, 7),
    Aim(shifted(IRIDIUM, objective="delay"), "delay", 0.01, 60.0, SEEDS, 10),
    Aim(shifted(IRIDIUM, objective="delay", budget=2.0), "delay, budget of two", 0.0, 60.0, SEEDS[:1], 1),
    Aim(LARGER, "cost", 0.0, 20.0, SEEDS[:1], 1),
    Aim(shifted(LARGER, objective="delay"), "delay", 0.01, 60.0, SEEDS[:1], 1),
    Aim(shifted(LARGEST, objective="delay"), "delay", 0.05, 60.0, SEEDS[:1], 1),
    Aim(CROWDED, "cost", 0.1, 60.0, SEEDS[:1], 1),
    Aim(CROWDED, "cost, any plan", 1.0, 5.0, SEEDS[1:], 9),
    Aim(shifted(CROWDED, objective="delay"), "delay", 0.1, 60.0, SEEDS[:1], 1),
)


QUICK_CASE = Case("12 satellites, 6 services, 4 tasks", 3, 4, 6, 4)
QUICK_AIMS = (
    Aim(QUICK_CASE, "cost", 0.0, 20.0, SEEDS[:2], 2),
    Aim(shifted(QUICK_CASE, objective="delay"), "delay", 0.0, 20.0, SEEDS[:2], 2),
)
QUICK_PEERS = ((QUICK_CASE, 1),)


class Results(NamedTuple):
    """What a run measured; rows."""

    cases: tables.Rows
    peers: tables.Rows


def measure(quick: bool) -> Results:
    """All of it."""
    if quick:
        return Results(cases=solved(QUICK_AIMS), peers=service_peers.measure(QUICK_PEERS, 10.0))
    return Results(cases=solved(AIMS), peers=service_peers.measure())


def solved(aims: Sequence[Aim]) -> tables.Rows:
    """A row for each case and seed; aims of one case share a run, which the longest of their times ends.

    Raises
    ------
    AssertionError
        If a plan breaks a rule.
    """
    rows: dict[tuple[Case, int], dict] = {}
    for aim in aims:
        for seed in aim.seeds:
            if (aim.case, seed) not in rows:
                limit_s = max(other.within_s for other in aims if (other.case, other.words) == aim[:2])
                rows[aim.case, seed] = {"words": aim.words, **row_of(aim.case, seed, limit_s)}
    return list(rows.values())


def row_of(case: Case, seed: int, limit_s: float) -> dict:
    problem = service_cases.problem_of(case, seed)
    problem._routes  # noqa: B018  (made before the clocks start)
    start = time.process_time()
    begun = services.solve(problem, method="annealing")
    start_s = time.process_time() - start
    start = time.process_time()
    plan = service_peers.first_term(problem, limit_s)
    seconds = time.process_time() - start
    assert plan.placement is None or services.check(problem, plan) == []
    return {
        "case": case.name,
        "seed": seed,
        "status": plan.status,
        "cost": float("nan") if plan.placement is None else plan.cost,
        "delay_s": float("nan") if plan.placement is None else plan.delay_s,
        "lower_bound": plan.lower_bound,
        "gap": 0.0 if plan.status == "infeasible" else plan.gap,
        "seconds": seconds,
        "start_s": start_s,
        "start_gap": float("nan") if begun.placement is None else begun.objective / plan.objective - 1.0,
        **{name: plan.counters.get(name, 0) for name in ("programmes", "nodes", "branches", "columns")},
    }


def targets(results: Results) -> list[tuple[str, str, bool]]:
    """Each target, what was found, and whether that meets it."""
    found = []
    for aim in AIMS:
        rows = [row for row in results.cases if (row["case"], row["words"]) == (aim.case.name, aim.words)]
        if not rows:
            continue
        met = [
            row for row in rows if row["gap"] <= max(aim.gap, 1e-9) and row["seconds"] <= aim.within_s * 1.05
        ]
        within = (
            "proven" if not aim.gap else f"gap of at most {100 * aim.gap:g} %" if aim.gap < 1 else "a plan"
        )
        share = f"{min(aim.least, len(rows))} of {len(rows)}"
        found.append(
            (
                f"{aim.case.name}, {aim.words}: {within} in {aim.within_s:g} s on {share} (aim)",
                f"{len(met)} of {len(rows)}",
                len(met) >= min(aim.least, len(rows)),
            )
        )
    for row in results.peers:
        if row["solver"] != service_peers.OWN:
            target = (
                f"{row['case']}, {row['objective']}, seed {row['seed']}: "
                f"{PEER_RATIO:g}× faster than {row['solver']} (aim)"
            )
            found.append((target, tables.times(row["ratio"]), row["ratio"] >= PEER_RATIO))
    return found


def page(results: Results, told: str) -> str:
    """The content of services-speed.md."""
    found = [tables.verdict(*target) for target in targets(results)]
    return f"""# Speed and proofs of placements

Written by `benchmarks/services.py`; do not edit.

{told}
## Targets

{tables.markdown(["target", "found", "verdict"], found)}
## Proofs

The first term of placements of services, by the method `optimal` of `services.solve`; seconds of the
processor on one core, stopped by the clock after the time of its target; the start is that of annealing.
Medians and worst over the seeds.

{cases_table(results.cases)}
## Beside the plain formulation

By HiGHS and SCIP: a column for every pair of nodes of every transfer, no
preprocessing and no start; the same term in the same run, stopped after {service_peers.LIMIT_S:g} s by the
clock. `>`: stopped there.

{peers_table(results.peers)}"""


def cases_table(rows: tables.Rows) -> str:
    lines = []
    for name, words in dict.fromkeys((row["case"], row["words"]) for row in rows):
        these = [row for row in rows if (row["case"], row["words"]) == (name, words)]
        gaps = [row["gap"] if row["gap"] == row["gap"] else 1.0 for row in these]
        lines.append(
            [
                name,
                words,
                f"{sum(gap <= 1e-9 for gap in gaps)} of {len(these)}",
                percent(statistics.median(gaps)),
                percent(max(gaps)),
                tables.seconds(statistics.median(row["seconds"] for row in these)),
                tables.seconds(statistics.median(row["start_s"] for row in these)),
            ]
        )
    head = ["case", "least", "proven", "median gap", "worst gap", "median", "annealing alone"]
    return tables.markdown(head, lines)


def peers_table(rows: tables.Rows) -> str:
    lines = [
        [
            f"{row['case']}, {row['objective']}, seed {row['seed']}",
            row["solver"],
            tables.seconds(row["seconds"]),
            percent(row["gap"]),
            ("> " if row["stopped"] else "") + tables.times(row["ratio"]),
        ]
        for row in rows
    ]
    return tables.markdown(["case", "solver", "time", "gap", "against ours"], lines)


def percent(share: float) -> str:
    return "no plan" if share != share else f"{tables.digits(100 * share)} %" if share > 1e-9 else "proven"


def write(results: Results, told: str, out: Path) -> None:
    """The page, and rows as CSV."""
    folder = out / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in results._asdict().items():
        Table.of(rows).to_csv(folder / f"services-{name}.csv")
    (out / "services-speed.md").write_text(page(results, told), encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="seconds: small grids")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of the page (default docs)")
    arguments = parser.parse_args()
    begun, stamp = time.perf_counter(), conditions.stamp()
    results = measure(arguments.quick)
    quick = " --quick" if arguments.quick else ""
    told = f"""* {stamp["date"]}, commit {stamp["commit"]}, `benchmarks/services.py{quick}`, \
{(time.perf_counter() - begun) / 60:.1f} minutes
* {conditions.machine()}
* {conditions.software()}
"""
    write(results, told, arguments.out)
    print(page(results, told))


if __name__ == "__main__":
    main()
