"""Speed and proofs of quickest transfers: what run.py writes about them.

``python benchmarks/transfers.py [--quick]`` measures it alone and prints its tables.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import tables
import transfer_peers
from constellations import bold
from transfer_cases import CASES, Case, problem_of

from constellm import cli, flow
from constellm.core.table import Table

PEER_RATIO = 1.0  # a peer is no faster on the same network
METHODS = ("intervals", "slots:60", "direct")


class Results(NamedTuple):
    """What a run measured; rows."""

    cases: tables.Rows
    peers: tables.Rows


QUICK_CASES = (
    Case("66 satellites, 1 station, 1 h", False, 1, 1.0, 1e9, 0.1e9, 0.2e12, 1.0, fine=True),
    Case("66 satellites, 6 stations, 1 h", False, 6, 1.0, 0.1e9, 0.1e9, 0.4e12, 1.0),
)


def measure(quick: bool) -> Results:
    """All of it."""
    cases = QUICK_CASES if quick else CASES
    return Results(cases=solved(cases), peers=transfer_peers.measure(cases))


def solved(cases: Iterable[Case]) -> tables.Rows:
    """A row for each case: the solver alone, the whole command, and what other methods leave.

    Raises
    ------
    AssertionError
        If a plan breaks a rule.
    """
    rows = []
    for case in cases:
        problem = problem_of(case)
        limit_s = case.aim_s if case.aim_gap else float("inf")
        start = time.thread_time()
        plan = flow.solve(problem, time_limit_s=limit_s)
        seconds = time.thread_time() - start
        assert flow.check(problem, plan) == ()
        others = {method: flow.solve(problem, method=method).finish_s for method in METHODS}
        rows.append(
            {
                "case": case.name,
                "contacts": len(problem.contacts),
                "status": plan.status,
                "finish_s": plan.finish_s,
                "gap": plan.gap,
                "seconds": seconds,
                "command_s": command_s(problem, limit_s),
                "maximum_flows": plan.maximum_flows,
                "arcs": plan.network_arcs,
                **{method: finish_s / plan.finish_s for method, finish_s in others.items()},
                "aim_s": case.aim_s,
                "aim_gap": case.aim_gap,
            }
        )
    return rows


def command_s(problem: flow.Problem, limit_s: float) -> float:
    """From the file of the problem to that of the plan, without the interpreter's start."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "problem.json"
        flow.save_problem(problem, file)
        start = time.thread_time()
        with contextlib.redirect_stdout(io.StringIO()):
            status = cli.main(["tune", "transfer", str(file), "--out", name, "--time-limit", str(limit_s)])
        assert status == 0
        return time.thread_time() - start


def targets(results: Results) -> list[tuple[str, str, bool]]:
    """Each target, what was found, and whether that meets it."""
    found = []
    for row in results.cases:
        gap, least = row["gap"], row["aim_gap"]
        proven = f"within {100 * least:g} %" if least else "proven"
        is_near = gap <= max(least, 1e-9)
        part, words = ("seconds", "") if least else ("command_s", ", file to file")
        found.append(
            (
                f"quickest transfer, {row['case']}: {proven} in {row['aim_s']:g} s{words} (aim)",
                f"{percent(gap)} in {tables.seconds(row[part])}",
                is_near and row[part] <= row["aim_s"] * (1.1 if least else 1.0),
            )
        )
    for row in results.peers:
        if row["ratio"] != 1.0:
            target = f"maximum flow, {row['case']}: no slower than {row['solver']} (aim)"
            found.append((target, tables.times(row["ratio"]), row["ratio"] >= PEER_RATIO))
    return found


def percent(share: float) -> str:
    return "no plan" if share != share else f"{tables.digits(100 * share)} %" if share > 1e-9 else "proven"


def section(results: Results) -> str:
    """Of the page."""
    return f"""## Transfers

Data of all satellites that is wanted at stations, over hours of contacts (`flow.solve`); the processor's time
of the calling thread, of the solver alone and of the whole command, from one file to the other. A gap is that
after a limit by the clock. The last columns are the finishing times of [other methods](transfers.md) over it.

{cases_table(results.cases)}
**One maximum flow**, on the finest network up to the least finishing time, where the proof of ours takes a
few on far smaller ones. Each makes its own graph of the same arrays. The ratio is the fastest run over our
median.

{peers_table(results.peers)}"""


def cases_table(rows: tables.Rows) -> str:
    lines = [
        [
            row["case"],
            f"{row['contacts']:,}",
            tables.seconds(row["finish_s"]),
            percent(row["gap"]),
            tables.seconds(row["seconds"]),
            tables.seconds(row["command_s"]),
            str(row["maximum_flows"]),
            f"{row['arcs']:,}",
            *("–" if row[method] != row[method] else f"{row[method]:.2f}" for method in METHODS),
        ]
        for row in rows
    ]
    header = ["", "contacts", "finish", "gap", "solver", "command", "flows", "arcs", *METHODS]
    return tables.markdown(header, lines)


def peers_table(rows: tables.Rows) -> str:
    lines = [
        [
            row["case"],
            f"{row['nodes']:,}",
            f"{row['arcs']:,}",
            bold(row["solver"]),
            tables.seconds(row["median_s"]),
            "1" if row["solver"] == transfer_peers.OWN else tables.times(row["ratio"]),
        ]
        for row in rows
    ]
    return tables.markdown(["", "nodes", "arcs", "", "time", "ratio"], lines)


def write(results: Results, folder: Path) -> None:
    """Rows as CSV."""
    for name, rows in results._asdict().items():
        Table.of(rows).to_csv(folder / f"transfers-{name}.csv")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="seconds: small constellations")
    results = measure(parser.parse_args().quick)
    print(section(results))
    for target, found, met in targets(results):
        print(f"{target}: {found}, {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
