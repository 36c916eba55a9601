"""Speed and proofs of placing experts: what run.py writes about mixtures of experts over a constellation.

``python benchmarks/experts.py [--quick]`` measures it alone and prints its tables.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import balancer_peer
import expert_growth
import expert_peers
import expert_placements
import tables
from constellations import by_name, megabytes, table

from constellm.core.table import Table
from constellm.paper.space_xnet import Scenario

EXPERIMENT_RATIOS = {expert_peers.SCIPY: 5.0, expert_peers.NETWORKX: 100.0}
PROVEN_S = {(8, 33, 2): 5e-3, (16, 132, 2): 0.1}
"""Experts, satellites and experts a token → seconds of a proof."""
PROVEN_MORE_S = 2.0  # of 8 experts, more than two of them a token
NEAR, NEAR_S = 5e-4, 1.0
COMPETING, COMPETING_S = 0.03, 25.0
GATEWAY_PATHS_S, GATEWAYS_S = 2.0, 3.0
BALANCED_S = 1e-3


class Results(NamedTuple):
    """What a run measured; rows."""

    experiment: tables.Rows
    placements: tables.Rows
    competing: tables.Rows
    gateways: tables.Rows
    growth: tables.Rows
    balancer: tables.Rows


SMALL = Scenario(planes=12, satellites_per_plane=12, altitude_m=1200e3, layers=12, slots=10)
QUICK = {
    "experiment": {"scenario": SMALL, "few": 2, "rounds": 1},
    "placements": {
        "scenario": SMALL,
        "cases": [
            case._replace(parts=2, layers=1, limit_s=case.limit_s if case.experts == 8 else 0.1)
            for case in expert_placements.CASES
            if case.experts <= 16
        ],
    },
    "competing": {"scenario": SMALL, "limits_s": (8.0,)},
    "gateways": {"scenario": SMALL},
    "growth": {
        "sizes": [
            expert_growth.Size(12, 12, 12, 8, 2, "sorted"),
            expert_growth.Size(12, 12, 12, 8, 2, "exchange", competing=True),
        ]
    },
    "balancer": {"rounds": 3, "layers": 2},
}


def measure(quick: bool) -> Results:
    """All of it."""
    given = QUICK if quick else dict.fromkeys(QUICK, {})
    return Results(
        experiment=expert_peers.measure(**given["experiment"]),
        placements=expert_placements.measure(**given["placements"]),
        competing=expert_placements.competing(**given["competing"]),
        gateways=expert_placements.gateways(**given["gateways"]),
        growth=expert_growth.measure(**given["growth"]),
        balancer=balancer_peer.measure(**given["balancer"]),
    )


def targets(results: Results) -> list[tuple[str, str, bool]]:
    """Each target, what was found, and whether that meets it; of sizes that were measured."""
    experiment = by_name(results.experiment)
    gateways, last = results.gateways[0], results.competing[-1]
    balanced = by_name(results.balancer)[balancer_peer.OWN]
    return [
        *(
            (
                f"Space-XNet's experiment: at least {least:g}× faster than {solver} (aim)",
                tables.times(experiment[solver]["ratio"]),
                experiment[solver]["ratio"] >= least,
            )
            for solver, least in EXPERIMENT_RATIOS.items()
        ),
        *(target for row in results.placements if (target := placement_target(row)) is not None),
        (
            f"{last['layers']} layers of {last['experts']} experts competing for {last['satellites']:,} "
            f"satellites: within {100 * COMPETING:g} % in {COMPETING_S:g} s (aim)",
            f"{percent(last['gap'])} in {tables.seconds(last['seconds'])}",
            last["gap"] <= COMPETING and last["seconds"] <= COMPETING_S,
        ),
        (
            f"gateways: paths between {gateways['satellites']:,} satellites in {gateways['slots']} slots in "
            f"{GATEWAY_PATHS_S:g} s (aim)",
            tables.seconds(gateways["paths_s"]),
            gateways["paths_s"] <= GATEWAY_PATHS_S,
        ),
        (
            f"gateways: the rest in {GATEWAYS_S:g} s (aim)",
            tables.seconds(gateways["rest_s"]),
            gateways["rest_s"] <= GATEWAYS_S,
        ),
        (
            f"balancer: {balanced['experts']} experts and {balanced['replicas']} replicas on "
            f"{balanced['devices']} devices in {1e3 * BALANCED_S:g} ms (aim)",
            tables.seconds(balanced["median_s"]),
            balanced["median_s"] <= BALANCED_S,
        ),
    ]


def placement_target(row: dict) -> tuple[str, str, bool] | None:
    """That of one layer's experts, if there is one."""
    if row["experts"] == 64 and row["top_k"] == 2:
        return (
            f"{sizes(row)}, {row['model']}: within {100 * NEAR:g} % in {NEAR_S:g} s (aim)",
            f"{percent(row['gap'])} in {tables.seconds(row['slowest_s'])}",
            row["gap"] <= NEAR and row["slowest_s"] <= NEAR_S,
        )
    most_s = PROVEN_S.get((row["experts"], row["satellites"], row["top_k"]))
    if row["experts"] == 8 and row["top_k"] > 2:
        most_s = PROVEN_MORE_S
    if most_s is None:
        return None
    slowest = f"{tables.seconds(row['slowest_s'])}, the slowest of {row['layers']}"
    is_proven = row["proven"] == row["layers"]
    return (
        f"{sizes(row)}: proven in {most_s:g} s (aim)",
        slowest if is_proven else f"{row['proven']} of {row['layers']} proven",
        is_proven and row["slowest_s"] <= most_s,
    )


def sizes(row: dict) -> str:
    return f"{row['experts']} experts on {row['satellites']:,} satellites, K = {row['top_k']}"


def percent(share: float) -> str:
    return f"{tables.digits(100 * share)} %"


def section(results: Results) -> str:
    """Of the page."""
    experiment, placement = results.experiment[0], results.placements[0]
    few = by_name(results.experiment)[expert_peers.NETWORKX]["slots"]
    last, gateways = results.competing[-1], results.gateways[0]
    balanced = results.balancer[0]
    return f"""## Experts

Processor's time of the calling thread; time limits are by the clock. Latencies are those of the geometry
fitted to Space-XNet (`paper.space_xnet.Scenario`), experts are activated as measured
(`moe.sample_activations`); K is the number of experts a token.

**The whole experiment.** Space-XNet's, from the elements of {experiment["satellites"]:,} satellites over
{experiment["slots"]} slots to the latency of a token by each of {experiment["schemes"]} schemes. The peers
are the same written in numpy with whole arrays, all gateways of a slot routed in one call; networkx is given
{few} slots, and its time is scaled by the number of them. All find the same latencies.

{table(results.experiment)}
**One layer.** The best placement of a layer's experts over {placement["slots"]} slots, with its proof or a
bound. Satellites are those of the gateway's subnet, itself among them; of OLMoE's 64 experts 16 are its first
ones. Gap: how far the placement may be from the best. Sorted: how far the paper's placement, the heaviest
expert on the nearest satellite and so on, is above what was found. Both are the largest of the problems.

{placements_table(results.placements)}
**Competing layers.** {last["layers"]} layers of {last["experts"]} experts, K = {last["top_k"]}, each of which
may have any of {last["satellites"]:,} satellites that no other has, over {last["slots"]} slots
(`method="exchange"`); beside the sorted placement in subnets.

{competing_table(results.competing)}
**Gateways.** A gateway for each of {gateways["layers"]} layers and the experts between them, over
{gateways["slots"]} slots (`moe.best_gateways`), from the paths between all {gateways["satellites"]:,}
satellites. A token takes {tables.seconds(gateways["token_latency_s"])}, at most {percent(gateways["gap"])}
above the least; with central gateways {tables.seconds(gateways["central_s"])}. Two threads are timed by the
clock.

{gateways_table(results.gateways)}
**Growth.** Constellations of the same kind without failures, {results.growth[0]["slots"]} slots over an
orbit, log-normal weights (σ = {expert_growth.SIGMA:g}), since no measured model has as many experts. Each run
is a program of its own; the exchange is stopped after {results.growth[0]["limit_s"]:g} s by the clock. Layers
that compete for all satellites keep a table of satellites × satellites each.

{growth_table(results.growth)}
**Balancer.** {balanced["experts"]} experts and {balanced["replicas"]} replicas on {balanced["devices"]}
devices, log-normal weights (σ = {balancer_peer.SIGMA:g}), eight experts a token (`moe.balance`). The peer is
the published greedy of DeepSeek's balancer (EPLB) in plain Python; ours swaps after it, keeps copies of an
expert apart and proves a bound. Imbalance, the largest load over the mean, and gap are the largest of
{balanced["layers"]} layers.

{balancer_table(results.balancer)}"""


def placements_table(rows: tables.Rows) -> str:
    lines = [
        [
            sizes(row),
            row["model"],
            f"{row['proven']} of {row['layers']}",
            tables.seconds(row["median_s"]),
            tables.seconds(row["slowest_s"]),
            "0" if row["proven"] == row["layers"] else percent(row["gap"]),
            percent(row["sorted_above"]),
        ]
        for row in rows
    ]
    header = ["", "activations", "proven", "median", "slowest", "gap", "sorted"]
    return tables.markdown(header, lines)


def competing_table(rows: tables.Rows) -> str:
    lines = [
        [
            f"{row['limit_s']:g} s",
            tables.seconds(row["seconds"]),
            tables.seconds(row["clock_s"]),
            tables.seconds(row["token_latency_s"]),
            percent(row["gap"]),
            percent(row["below_subnets"]),
        ]
        for row in rows
    ]
    header = ["limit", "time", "by the clock", "token latency", "gap", "below subnets"]
    return tables.markdown(header, lines)


def gateways_table(rows: tables.Rows) -> str:
    lines = [
        [str(row["threads"]), *(tables.seconds(row[part]) for part in ("paths_s", "rest_s"))] for row in rows
    ]
    return tables.markdown(["threads", "paths", "the rest"], lines)


def growth_table(rows: tables.Rows) -> str:
    lines = [
        [
            f"{row['satellites']:,}",
            f"{row['layers']} × {row['experts']}",
            str(row["top_k"]),
            f"{row['method']}, {'all satellites' if row['competing'] else 'subnets'}",
            tables.seconds(row["paths_s"]),
            tables.seconds(row["seconds"]),
            "–" if row["gap"] is None else percent(row["gap"]),
            megabytes(row["memory_bytes"]),
        ]
        for row in rows
    ]
    header = ["satellites", "experts", "K", "placement", "paths", "placing", "gap", "largest memory"]
    return tables.markdown(header, lines)


def balancer_table(rows: tables.Rows) -> str:
    lines = [
        [
            row["solver"],
            tables.seconds(row["median_s"]),
            tables.seconds(row["least_s"]),
            tables.times(row["ratio"]),
            f"{row['imbalance']:.4f}",
            "–" if row["gap"] is None else percent(row["gap"]),
        ]
        for row in rows
    ]
    header = ["", "median", "fastest", "slower by", "imbalance", "gap"]
    return tables.markdown(header, lines)


def write(results: Results, folder: Path) -> None:
    """Rows as CSV."""
    for name, rows in results._asdict().items():
        Table.of(rows).to_csv(folder / f"experts-{name}.csv")


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
