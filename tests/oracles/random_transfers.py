"""Seeded random transfer problems, as dictionaries of the file format, small enough for linear programmes.

Every oddity of the format is in some: tied times, overlapping contacts of one pair, relays without storage,
storage that is just the supply, no supply, sinks with supply, tiny supplies beside huge ones, nodes that have
and want, contacts out of sinks, and what cannot be done at all.
"""

from __future__ import annotations

import random
from typing import Any

HORIZON_S = 400.0


def random_transfer(seed: int) -> dict[str, Any]:
    """The same seed gives the same problem on every machine."""
    rng = random.Random(f"transfer {seed}")
    count = rng.randint(2, 6)
    back = rng.random() < 0.35
    tied, dense = rng.random() < 0.3, rng.random() < 0.4
    nodes: list[dict[str, Any]] = [{"id": f"n{v}"} for v in range(count)]
    sinks = rng.sample(range(count), 1 if count < 4 else rng.choice([1, 1, 2]))
    spread = rng.choice(["even", "even", "ties", "magnitudes"])
    for v, node in enumerate(nodes):
        if rng.random() < (0.15 if v in sinks and not back else 0.75):
            node["supply_bytes"] = _bytes(rng, spread)
    if not any("supply_bytes" in node for v, node in enumerate(nodes) if v not in sinks):
        nodes[(sinks[0] + 1) % count]["supply_bytes"] = _bytes(rng, spread)
    supply = [node.get("supply_bytes", 0) for node in nodes]
    data: dict[str, Any] = {
        "format": "constellm.transfer-problem",
        "version": 1,
        "name": f"random-{seed}",
        "nodes": nodes,
        "contacts": _contacts(rng, count, sum(supply), tied=tied, most=30 if dense else 16),
    }
    if back:
        _spread_demands(rng, nodes, sum(supply))
    else:
        data["sinks"] = [nodes[v]["id"] for v in sinks]
    if rng.random() < 0.6:
        _limit_storage(rng, nodes, supply, tight=rng.random() < 0.5)
    return data


def _bytes(rng: random.Random, spread: str) -> int | float:
    if spread == "ties":
        return rng.choice([0, 1_000_000, 1_000_000, 2_000_000])
    if spread == "magnitudes":
        return 10.0 ** rng.uniform(0.0, 12.0)
    return rng.randint(100_000_000, 3_000_000_000)


def _contacts(rng: random.Random, nodes: int, total: float, *, tied: bool, most: int) -> list[dict[str, Any]]:
    """Each carries about what one node has, in 5 to 200 seconds."""
    pairs = [(a, b) for a in range(nodes) for b in range(nodes) if a != b]
    if len(pairs) > 4 and rng.random() < 0.5:
        pairs = rng.sample(pairs, rng.randint(4, len(pairs)))  # so that more of one pair overlap
    usual = 8 * max(total, 1.0) / nodes / 25.0
    found = []
    for _ in range(rng.randint(max(1, most // 2), most)):
        a, b = rng.choice(pairs)
        if tied:
            open_s = float(rng.randrange(0, 400, 40))
            close_s = open_s + float(rng.choice([20, 40, 40, 80, 200]))
            rate_bps = usual * rng.choice([0.25, 0.5, 1.0, 1.0])
        else:
            open_s = max(0.0, rng.uniform(-0.3, 1.0) * HORIZON_S)
            close_s = open_s + rng.uniform(5.0, 200.0)
            rate_bps = usual * 10.0 ** rng.uniform(-1.5, 1.0)
        found.append(
            {"from": f"n{a}", "to": f"n{b}", "open_s": open_s, "close_s": close_s, "rate_bps": rate_bps}
        )
    return found


def _spread_demands(rng: random.Random, nodes: list[dict[str, Any]], total: float) -> None:
    """Of what there is, all or a part; some nodes want what they have, or have and want more."""
    wanted = total * rng.choice([0.3, 0.7, 0.999])
    shares = [rng.random() if rng.random() < 0.6 else 0.0 for _ in nodes]
    shares[rng.randrange(len(nodes))] = 0.5
    whole = sum(shares)
    for node, share in zip(nodes, shares):
        if share:
            node["demand_bytes"] = int(wanted * share / whole)


def _limit_storage(
    rng: random.Random, nodes: list[dict[str, Any]], supply: list[float], *, tight: bool
) -> None:
    """At least what a node has and wants, but for one in twenty; a relay may have none."""
    mean = sum(supply) / len(supply)
    for node, has in zip(nodes, supply):
        if rng.random() < 0.3:
            node["storage_bytes"] = None
            continue
        least = has if rng.random() < 0.05 else max(has, node.get("demand_bytes", 0))
        room = mean * rng.choice([0.01, 0.1, 0.5, 1.0]) * rng.random()
        node["storage_bytes"] = least if tight and rng.random() < 0.6 else least + room
