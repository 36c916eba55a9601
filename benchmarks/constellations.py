"""Speed of orbits, links and routing: what run.py writes about constellations.

``python benchmarks/constellations.py [--quick]`` measures it alone and prints its tables.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import orbit_growth
import orbit_peers
import passes
import routing_peers
import tables
from scaling import save

from constellm import orbit
from constellm.core.table import Table

STATES_RATIO, STATES_PER_S = 5.0, 20e6
ROUTING_RATIO = 3.0
PASSES_S, PASSES_BYTES = 10.0, 1e9
ROUTING_PEERS = (routing_peers.SCIPY, routing_peers.IGRAPH, routing_peers.RUSTWORKX)


class Results(NamedTuple):
    """What a run measured; rows."""

    states: tables.Rows
    sight: tables.Rows
    routing: tables.Rows
    passes: tables.Rows
    growth: tables.Rows


SMALL = orbit.preset("iridium-next")
QUICK = {
    "states": {"shell": SMALL, "epochs": 50, "rounds": 2},
    "sight": {"shell": SMALL, "rounds": 2},
    "routing": {"shell": SMALL, "sources": 4, "snapshots": 3, "rounds": 1},
    "passes": {"thin": 300, "peers": {passes.SKYFIELD: 300, passes.SAMPLED: 300}},
    "growth": {"sizes": ((5, 10), (10, 20)), "least_s": 0.0},
}


def measure(quick: bool) -> Results:
    """All of it."""
    given = QUICK if quick else dict.fromkeys(QUICK, {})
    return Results(
        states=orbit_peers.states(**given["states"]),
        sight=orbit_peers.sight(**given["sight"]),
        routing=routing_peers.measure(**given["routing"]),
        passes=passes.measure(**given["passes"]),
        growth=orbit_growth.measure(**given["growth"]),
    )


def targets(results: Results) -> list[tuple[str, str, bool]]:
    """Each target, what was found, and whether that meets it."""
    own = results.states[0]
    per_s = own["states"] / own["median_s"]
    ratio = by_name(results.states)[orbit_peers.SGP4]["ratio"]
    tree = by_name(results.sight)[orbit_peers.TREE_ALONE]
    routed = [row for row in results.routing if row["solver"] in ROUTING_PEERS]
    peer = min(routed, key=lambda row: row["ratio"])
    run = results.passes[0]
    memory_bytes = max(row["memory_bytes"] for row in results.passes if row["memory_bytes"])
    return [
        (
            f"J2 states: at least {STATES_RATIO:g}× faster than {orbit_peers.SGP4} (aim)",
            tables.times(ratio),
            ratio >= STATES_RATIO,
        ),
        ("J2 states: 20 million a second on one core (aim)", millions(per_s), per_s >= STATES_PER_S),
        (
            "pairs in sight: no slower than scipy's tree, which leaves the line of sight out (aim)",
            f"{tables.times(tree['ratio'])} as fast",
            tree["ratio"] >= 1.0,
        ),
        (
            f"routing from {peer['sources']} sources in {peer['snapshots']} snapshots of "
            f"{peer['nodes']:,} satellites: at least {ROUTING_RATIO:g}× faster than the best peer on one "
            "core (aim)",
            f"{tables.times(peer['ratio'])}, {peer['solver']}",
            peer["ratio"] >= ROUTING_RATIO,
        ),
        (
            f"passes of {run['satellites']:,} satellites over {len(passes.PLACES)} stations in a day: "
            f"{PASSES_S:g} s on one core (aim)",
            tables.seconds(run["seconds"]),
            run["seconds"] < PASSES_S,
        ),
        ("the same: 1 GB of memory (aim)", megabytes(memory_bytes), memory_bytes < PASSES_BYTES),
    ]


def by_name(rows: tables.Rows) -> dict[str, dict]:
    return {row["solver"]: row for row in rows}


def millions(per_s: float) -> str:
    return f"{tables.digits(per_s / 1e6)} million/s"


def megabytes(bytes: float) -> str:
    return f"{tables.digits(bytes / 1e6)} MB"


def section(results: Results) -> str:
    """Of the page."""
    states, sight, routing = results.states[0], results.sight[0], results.routing[0]
    return f"""## Constellations

Processor's time of the calling thread, each contender in turn in every round; with more threads by the clock.
The ratio is a peer's fastest run over constellm's median on one thread.{absent(results)}

**States.** {states["states"]:,} states, positions and velocities, of `{states["shell"]}`. constellm's have
secular J2, SGP4's also drag and periodic terms: compared is what a planner gets from each. constellm makes
{millions(states["states"] / states["median_s"])} on one core.

{table(results.states)}
**Pairs in sight.** The {sight["pairs"]:,} pairs of `{sight["shell"]}` whose line of sight stays 80 km above
the ground at an epoch, each with its range, in rising order. The peers' pairs have no order; all find the
same ones.

{table(results.sight)}
**Routing.** Least latencies from {routing["sources"]} sources to all of {routing["nodes"]:,} satellites
(+Grid) in {routing["snapshots"]} snapshots; constellm's have the fewest hops of each path beside them. Making
the snapshots' graphs is apart, in the last column: constellm's starts from the elements, the peers' from
constellm's arrays. All find the same latencies, compared in every 40th.

{table(results.routing, build_s="making the graphs")}
**Passes.** {results.passes[0]["satellites"]:,} satellites of SGP4 over {len(passes.PLACES)} stations
(mask {passes.MASK_DEG:g}°) in a day, from the states to {results.passes[0]["passes"]:,} windows, whose ends
are found to a millisecond; constellm's runs are programs of their own, timed by the clock. The peers are
given a part of the satellites, whose making is not counted, and their processor time is scaled by the
number of them.

{passes_table(results.passes)}
**Growth.** One epoch of a constellation at 550 km (Walker delta, 53°) on one thread. Every satellite sees the
same share of the others, so that pairs in sight grow with the square.

![Seconds an epoch over the number of satellites](benchmarks/constellations.png)

{orbit_growth.table(results.growth)}"""


def absent(results: Results) -> str:
    """Which peers were not there."""
    there = {row["solver"] for row in (*results.routing, *results.passes)}
    names = [name for name in (*ROUTING_PEERS, *passes.PEERS) if name not in there]
    return f" Not installed, and so absent: {', '.join(names)}." if names else ""


def table(rows: tables.Rows, **more: str) -> str:
    """Contenders with their times; `more` are columns of seconds by their headings."""
    lines = [
        [
            bold(row["solver"]),
            tables.seconds(row["median_s"]),
            tables.seconds(row["least_s"]),
            str(row["runs"]),
            "1" if row["solver"] == orbit_peers.OWN else tables.times(row["ratio"]),
            *(tables.seconds(row[column]) for column in more),
        ]
        for row in rows
    ]
    return tables.markdown(["", "median", "fastest", "runs", "ratio", *more.values()], lines)


def passes_table(rows: tables.Rows) -> str:
    lines = [
        [
            bold(row["solver"]),
            f"{row['satellites']:,}",
            f"{row['passes']:,}",
            tables.seconds(row["seconds"]),
            tables.seconds(row["scaled_s"]),
            "1" if row["solver"] == orbit_peers.OWN else tables.times(row["ratio"]),
            megabytes(row["memory_bytes"]) if row["memory_bytes"] else "–",
        ]
        for row in rows
    ]
    header = ["", "satellites", "passes", "time", "scaled to all", "ratio", "largest memory"]
    return tables.markdown(header, lines)


def bold(solver: str) -> str:
    return f"**{solver}**" if solver.startswith(orbit_peers.OWN) else solver


def write(results: Results, folder: Path) -> None:
    """Rows as CSV, and the figure."""
    for name, rows in results._asdict().items():
        Table.of(rows).to_csv(folder / f"constellations-{name}.csv")
    save(orbit_growth.draw(results.growth), folder / "constellations.png")


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
