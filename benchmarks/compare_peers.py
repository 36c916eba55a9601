"""The exact planner and its peers on the same problem files, in one run.

``python benchmarks/compare_peers.py [--quick | --to-the-end] [--csv FILE]`` solves the paper's instance at
several error limits: constellm many times, each peer of `benchmarks/peers` a few times, in turn, so that
whatever else the machine does touches all alike. All must find the same optimum.

A busy machine is held against none of them. constellm's seconds are the processor's for the whole call
``split.solve(problem)``; a peer's are those of its search alone by the clock, without reading the file and
writing down its programme or graph, or the processor's for the whole program where they are less.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import conditions
import tables
import timing

from constellm import paper, split
from constellm.core.table import Table

PEERS = Path(__file__).resolve().parent / "peers"
START_UP_S = 5  # processor time that a peer may take to start, to read and to build before its cap begins
SOLVES_A_ROUND = 200


@dataclass(frozen=True)
class Peer:
    """A program of `benchmarks/peers`, and how near to the optimum its answer must be."""

    name: str
    script: str
    tolerance: float
    told_optimum: bool = False


CONTENDERS = (
    Peer("HiGHS, mixed-integer programme", "highs_milp.py", 1e-6),
    Peer("Boost `r_c_shortest_paths`", "boost_labels.py", 1e-9),
    Peer("Boost, told the optimum as a bound", "boost_labels.py", 1e-9, told_optimum=True),
    Peer("networkx, label setting in Python", "networkx_labels.py", 1e-9),
)


def instances(limits: Sequence[float | None]) -> list[split.Problem]:
    """The paper's instance: 48 layers, ring of 12 and ground, 10 codecs, 8 micro-batches; None: its limit."""
    return [
        paper.collaborative.problem(
            max_error=paper.collaborative.MAX_ERROR if limit is None else limit, name="paper"
        )
        for limit in limits
    ]


def run_peer(peer: Peer, file: Path, cap_s: int, optimum_s: float) -> dict | None:
    """What a peer prints, or None if it was stopped after `cap_s` seconds of the processor's time."""
    command = [sys.executable, str(PEERS / peer.script), str(file)]
    if peer.told_optimum:
        command.append(repr(optimum_s * (1 + 1e-9)))  # its sums are taken in another order
    most = cap_s + START_UP_S
    before = processor_s()
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (most, most)),
    )
    used = processor_s() - before
    if run.returncode and used > most - 1:
        return None
    if run.returncode:
        raise RuntimeError(f"{peer.script}: ended with {run.returncode} on {file.name}: {run.stderr[-500:]}")
    answer = json.loads(run.stdout)
    return {**answer, "seconds": min(answer["seconds"], used)}


def processor_s() -> float:
    """Processor time of all programs that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(
    problem: split.Problem,
    *,
    peers: Sequence[Peer] = CONTENDERS,
    rounds: int = 3,
    cap_s: int = 20,
    solves: int = SOLVES_A_ROUND,
) -> tables.Rows:
    """One row for each solver.

    Parameters
    ----------
    problem
        What all of them solve, from the same file.
    rounds
        How often each takes its turn; one whose first search takes a third of `cap_s` has only that.
    cap_s
        Seconds of the processor after which a peer is stopped; its row has the cap for its time and
        ``capped`` true.
    solves
        Runs of constellm in each round.

    Raises
    ------
    AssertionError
        If a solver finds another optimum.
    """
    best = split.solve(problem)
    assert best.status == "optimal", best.status
    own: list[float] = []
    read: list[float] = []
    found: dict[Peer, list[float]] = {peer: [] for peer in peers}
    capped: set[Peer] = set()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{problem.name}.json"
        split.save_problem(problem, file)
        assert split.load_problem(file) == problem
        for _ in range(rounds):
            own += timing.repeat(lambda: split.solve(problem), least_s=math.inf, most=solves)
            read += timing.repeat(lambda: split.load_problem(file), least_s=math.inf, most=20)
            for peer in peers:
                if peer in capped or max(found[peer], default=0.0) > cap_s / 3:
                    continue
                answer = run_peer(peer, file, cap_s, best.delay_s)
                if answer is None:
                    capped.add(peer)
                    found[peer] = [cap_s]
                    continue
                same = math.isclose(answer["objective"], best.delay_s, rel_tol=peer.tolerance)
                assert same, f"{peer.name}: {answer['objective']!r} s, constellm: {best.delay_s!r} s"
                found[peer].append(answer["seconds"])
    reading = timing.summary(read)
    rows = [row(problem, "constellm", timing.summary(own), timing.summary(own), False)]
    rows[0]["read_file_s"] = reading.median_s
    for peer in peers:
        rows.append(row(problem, peer.name, timing.summary(found[peer]), timing.summary(own), peer in capped))
    return rows


def row(problem: split.Problem, solver: str, its: timing.Times, own: timing.Times, capped: bool) -> dict:
    # The peer's fastest run against constellm's median: noise can only make the ratio smaller.
    return {
        "max_error": problem.max_error,
        "solver": solver,
        "median_s": its.median_s,
        "least_s": its.least_s,
        "runs": its.runs,
        "capped": capped,
        "ratio": its.least_s / own.median_s,
        "read_file_s": math.nan,
    }


def measure(limits: Sequence[float | None], **settings: float) -> tables.Rows:
    """`compare` on the paper's instance at every error limit."""
    rows: tables.Rows = []
    for problem in instances(limits):
        rows += compare(problem, **settings)
        print(table([r for r in rows if r["max_error"] == problem.max_error]), flush=True)
    return rows


SETTINGS = {
    "quick": {"limits": (None, 0.05), "rounds": 1, "cap_s": 5},
    "usual": {"limits": (None, 0.05, 0.1, 0.2, 0.4), "rounds": 2, "cap_s": 20},
    "to-the-end": {"limits": (None,), "rounds": 1, "cap_s": 3600},
}


def table(rows: tables.Rows) -> str:
    """The rows as Markdown."""
    lines = []
    for r in rows:
        more = "> " if r["capped"] else ""
        own = r["solver"] == "constellm"
        lines.append(
            [
                f"{r['max_error']:.3g}",
                f"**{r['solver']}**" if own else r["solver"],
                more + tables.seconds(r["median_s"]),
                more + tables.seconds(r["least_s"]),
                str(r["runs"]),
                "1" if own else more + tables.times(r["ratio"]),
            ]
        )
    return tables.markdown(["error limit", "solver", "median", "fastest", "runs", "ratio"], lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    extent = parser.add_mutually_exclusive_group()
    for name, words in (
        ("quick", "one round, caps of 5 s"),
        ("to-the-end", "the paper's limit, caps of 1 h"),
    ):
        extent.add_argument(f"--{name}", action="store_const", const=name, dest="extent", help=words)
    parser.add_argument("--csv", type=Path, help="write the rows to this file")
    parser.set_defaults(extent="usual")
    arguments = parser.parse_args()
    rows = measure(**SETTINGS[arguments.extent])
    if arguments.csv:
        stamp = conditions.stamp()
        Table.of([{**stamp, **r} for r in rows]).to_csv(arguments.csv)


if __name__ == "__main__":
    main()
