"""All benchmarks but the codecs' in one run, written down as docs/benchmarks.md.

``python benchmarks/run.py [--quick] [--out docs]`` writes OUT/benchmarks.md, and beside it in OUT/benchmarks/
the rows of its tables as CSV and the figures. The last rows of ``compare_peers.py --to-the-end --csv
OUT/benchmarks/peers-to-the-end.csv`` go into the page too. Needs the built Boost peer (benchmarks/peers).
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path
from typing import NamedTuple

import ablations
import compare_peers
import conditions
import constellations
import experts
import scaling
import sweep_speed
import tables
import transfers

from constellm.core.table import Table
from constellm.paper.collaborative import MAX_ERROR

ROOT = Path(__file__).resolve().parents[1]
LEAST_RATIO = {"HiGHS": 10_000, "Boost": 5, "networkx": 100}
LARGE_AIM_S = 0.010
PAPER_AIM_S = 0.05e-3
SWEEP_AIM = 30_000
THREADS_AIM = 1.8


class Results(NamedTuple):
    """What a run measured."""

    peers: tables.Rows
    scaling: tables.Rows
    sweep: dict
    ablations: tables.Rows
    scalar: tables.Rows
    constellations: constellations.Results
    experts: experts.Results
    transfers: transfers.Results


def measure(quick: bool) -> Results:
    """Run everything."""
    sizes = {"rates": 20, "limits": 10, "rounds": 2} if quick else {"rates": 100, "limits": 50, "rounds": 7}
    return Results(
        peers=compare_peers.measure(**compare_peers.SETTINGS["quick" if quick else "usual"]),
        sweep=sweep_speed.measure(**sizes, threads=[1, 2]),
        scaling=scaling.measure(**scaling.QUICK if quick else {}),
        ablations=ablations.measure(**ablations.QUICK if quick else {}),
        scalar=ablations.measure_scalar(**ablations.QUICK_SCALAR if quick else {}),
        constellations=constellations.measure(quick),
        experts=experts.measure(quick),
        transfers=transfers.measure(quick),
    )


def verdicts(results: Results) -> str:
    """Every target beside what came out; the verdict follows from the figures."""
    at_default = [r for r in results.peers if r["max_error"] == MAX_ERROR]
    (own,) = [r for r in at_default if r["solver"] == "constellm"]
    lines = []
    for name, least in LEAST_RATIO.items():
        for r in at_default:
            if r["solver"].startswith(name):
                more = "> " if r["capped"] else ""
                target = f"paper's instance: at least {least:,}× faster than {r['solver']}"
                lines.append(tables.verdict(target, more + tables.times(r["ratio"]), r["ratio"] >= least))
    found = f"median {tables.seconds(own['median_s'])}, fastest {tables.seconds(own['least_s'])}"
    lines.append(
        tables.verdict(
            "paper's instance: 0.05 ms a solve on one core (aim)", found, own["median_s"] <= PAPER_AIM_S
        )
    )
    for micro_batches in scaling.LARGE_MICRO_BATCHES:
        large = [
            r
            for r in results.scaling
            if r["axis"] == "large" and r["micro_batches"] == micro_batches and r["method"] == "intervals"
        ]
        slowest = max(large, key=lambda r: r["median_s"])
        target = f"{scaling.LARGE_NAME}, M = {micro_batches}: 10 ms at every error limit (aim)"
        found = f"at most {tables.seconds(slowest['median_s'])} (limit {slowest['max_error']:g})"
        lines.append(tables.verdict(target, found, slowest["median_s"] <= LARGE_AIM_S))
    rate, speedup = results.sweep["plans_per_s"]["2"], results.sweep["speedup"]["2"]
    lines.append(
        tables.verdict(
            "sweep: 30,000 paper-size plans/s on two cores (aim)", f"{rate:,.0f} plans/s", rate >= SWEEP_AIM
        )
    )
    lines.append(
        tables.verdict("sweep: two threads at least 1.8× one", tables.times(speedup), speedup >= THREADS_AIM)
    )
    lines += [tables.verdict(*target) for target in constellations.targets(results.constellations)]
    lines += [tables.verdict(*target) for target in experts.targets(results.experts)]
    lines += [tables.verdict(*target) for target in transfers.targets(results.transfers)]
    return tables.markdown(["target", "found", "verdict"], lines)


def sweep_table(sweep: dict) -> str:
    lines = [
        [
            n,
            f"{rate:,.0f}",
            tables.times(sweep["speedup"][n]),
            tables.seconds(sweep["processor_ms_a_plan"][n] / 1e3),
        ]
        for n, rate in sweep["plans_per_s"].items()
    ]
    return tables.markdown(["threads", "plans/s", "against one", "processor time a plan"], lines)


def page(results: Results, told: str, to_the_end: str) -> str:
    """The content of benchmarks.md."""
    base = scaling.BASE
    reading = [r["read_file_s"] for r in results.peers if r["solver"] == "constellm"]
    return f"""# Speed

Written by `benchmarks/run.py`; do not edit. Every number is of one run, but where another is named:

{told}
## Targets

{verdicts(results)}
## Beside other solvers

The paper's instance (`constellm.paper.collaborative.problem()`: 48 layers, ring of 12 satellites and ground,
10 codecs, 8 micro-batches) at its error limit of {MAX_ERROR:.3g} and at tighter ones. All solve the same
problem file, in turn, and find the same optimum (within 1e-6 for HiGHS, 1e-9 for the others; the run fails
otherwise). constellm's time is the processor's for the whole call `split.solve(problem)` from Python, on one
thread; a peer's is that of its search alone by the clock, without reading the file and writing down its
programme or graph, or the processor's where that is less: a busy machine is held against none of them.
Reading the file takes constellm {tables.seconds(min(reading))} to {tables.seconds(max(reading))} more.
The ratio is the peer's fastest run over constellm's median. `>`: stopped after that much of the processor's
time, so that the ratio is a lower bound. `benchmarks/peers` says what each peer does; Boost told the optimum
prunes as well as such bounds allow, which nobody could have it do who does not know the optimum.

{compare_peers.table(results.peers)}{to_the_end}
## Growth

Seeded chains of {base["layers"]} layers, {base["nodes"]} nodes and {base["codecs"]} codecs, \
{base["micro_batches"]} micro-batches, error limit {base["max_error"]:g}, one size varied at a time; then the
error limit of the large chain of `benchmarks/data`. Medians over the seeds of the median of each chain's
runs, and the slowest chain's median. Label setting alone (`intervals=False`) is stopped at a cap by the
clock; `>` where that stopped more than half of the chains. Seconds are the processor's.

![Seconds a solve over each size](benchmarks/scaling.png)

{scaling.table(results.scaling)}
## Sweeps

{results.sweep["plans"]:,} plans of the paper's scenario over rates of the ground link and error limits
(`benchmarks/sweep_speed.py`), on {results.sweep["cores"]} cores; best round of each.

{sweep_table(results.sweep)}
## Parts of the search

What is left out at a time. Heuristic, dominance and resource bound are parts of label setting; without the
heuristic there are no intervals. `>`: stopped at that time.

{ablations.table(results.ablations)}
## A scalar A*

It keeps one label a state (method `scalar-a-star`), although neither (M - 1) · bottleneck nor the shared
error budget is additive. Delay above the optimum on seeded random chains of 6 to 24 layers, 3 to 8 nodes and
3 to 10 codecs at error limits from 0.02 to 0.2; those without any plan are left out.

{ablations.scalar_table(results.scalar)}
{constellations.section(results.constellations)}
{experts.section(results.experts)}
{transfers.section(results.transfers)}"""


def to_the_end(file: Path) -> str:
    """The stored run of the peers without caps, if there is one."""
    if not file.exists():
        return ""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [
            {k: float(v) if k in ("max_error", "median_s", "least_s", "ratio") else v for k, v in r.items()}
            for r in csv.DictReader(lines)
        ]
    for r in rows:
        r["capped"] = r["capped"] == "True"
    return f"""
The same at the paper's limit with every peer run to its end (another run: {rows[0]["date"]}, commit \
{rows[0]["commit"]}):

{compare_peers.table(rows)}"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a minute: fewer sizes, short caps")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of the page (default docs)")
    arguments = parser.parse_args()
    begun, stamp, load = time.perf_counter(), conditions.stamp(), os.getloadavg()[0]
    results = measure(arguments.quick)
    quick = " --quick" if arguments.quick else ""
    told = f"""* {stamp["date"]}, commit {stamp["commit"]}, `benchmarks/run.py{quick}`
* {conditions.machine()}
* {conditions.software()}
* {(time.perf_counter() - begun) / 60:.1f} minutes; load average of the machine {load:.1f} before, \
{os.getloadavg()[0]:.1f} after; sweeps suffer from what else runs
"""
    write(results, told, arguments.out)
    print(verdicts(results))


def write(results: Results, told: str, out: Path) -> None:
    """The page, its CSV files and its figure."""
    folder = out / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("peers", "scaling", "ablations", "scalar"):
        Table.of(getattr(results, name)).to_csv(folder / f"{name}.csv")
    scaling.save(scaling.draw(results.scaling), folder / "scaling.png")
    constellations.write(results.constellations, folder)
    experts.write(results.experts, folder)
    transfers.write(results.transfers, folder)
    text = page(results, told, to_the_end(folder / "peers-to-the-end.csv"))
    (out / "benchmarks.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
