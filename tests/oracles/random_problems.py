"""Seeded random problems, as dictionaries of the file format.

`random_problem` is small enough to enumerate and has every oddity of the format in it; `random_chain` is
larger and tame. The same arguments give the same problem on every machine.
"""

from __future__ import annotations

import itertools
import random

from .enumerate import enumerate_plans

MAX_PLANS = 60_000  # of a random problem; enumeration then takes milliseconds

SHAPES = {
    "dense": 6, "dag": 4, "ring": 4, "chain": 3, "two_way_chain": 3, "sparse": 2, "star": 2, "single": 1,
    "cut_off": 1
}  # fmt: skip


def _links(rng: random.Random, shape: str, ids: list[str]) -> list[tuple[str, str]]:
    """Ordered pairs of a shape whose ends are the first and the last id."""
    pairs = list(itertools.permutations(ids, 2))
    steps = list(zip(ids, ids[1:]))
    if shape in ("dense", "sparse"):
        share = 0.8 if shape == "dense" else 0.35
        return [pair for pair in pairs if rng.random() < share]
    if shape == "dag":
        return [pair for pair in itertools.combinations(ids, 2) if rng.random() < 0.7]
    if shape == "chain":
        return steps
    if shape == "two_way_chain":
        return steps + [(b, a) for a, b in steps]
    if shape == "ring":
        # Ends meet anywhere, so that both ways round lead to the sink.
        turned = ids[:-1]
        rng.shuffle(turned)
        around = list(zip([*turned, ids[-1]], [*turned[1:], ids[-1], turned[0]]))
        return sorted({pair for a, b in around if a != b for pair in ((a, b), (b, a))})
    if shape == "star":
        hub = rng.choice(ids)
        return [pair for pair in pairs if hub in pair]
    if shape == "cut_off":
        return [(a, b) for a, b in pairs if b != ids[-1] and rng.random() < 0.7]
    return [pair for pair in pairs if rng.random() < 0.5]  # single: source and sink are one


def _layers(rng: random.Random, count: int) -> list[dict]:
    no_flop, no_output, no_gain = rng.random() < 0.1, rng.random() < 0.1, rng.random() < 0.1
    layers = []
    for i in range(count):
        layer = {
            "name": f"l{i}",
            "flop": rng.uniform(1e11, 2e12),
            "memory_bytes": rng.randrange(10**8, 10**9),
            "output_bytes": int(10 ** rng.uniform(5, 8.3)),
        }
        if no_flop and rng.random() < 0.5:
            layer["flop"] = 0.0
        if no_output and rng.random() < 0.5:
            layer["output_bytes"] = 0
        if rng.random() < 0.02:
            layer["memory_bytes"] = 0
        if rng.random() < 0.7:
            layer["error_gain"] = 0.0 if no_gain and rng.random() < 0.5 else rng.uniform(0.3, 2)
        layers.append(layer)
    return layers


def _nodes(rng: random.Random, ids: list[str], layers: list[dict]) -> list[dict]:
    relays, measured = rng.choice([0.0, 0.0, 0.15, 0.4]), rng.choice([0.0, 0.3])
    overheads, scales = rng.random() < 0.4, rng.random() < 0.4
    need = sum(layer["memory_bytes"] for layer in layers)
    room = rng.choice([(0.3, 0.9), (0.5, 1.2), (1, 2)])
    nodes = []
    for node_id in ids:
        node = {
            "id": node_id,
            "flop_per_s": 10 ** rng.uniform(11.7, 12.7),
            "memory_bytes": int(need * rng.uniform(*room)),
        }
        if rng.random() < 0.8:
            node["power_w"], node["tx_power_w"] = rng.uniform(5, 60), rng.uniform(0, 10)
        if rng.random() < relays:
            node["flop_per_s"] = 0.0
        if rng.random() < measured:  # also on a node without flop_per_s: the times take its place
            node["layer_time_s"] = [rng.choice([0.0, rng.uniform(0.05, 3)]) for _ in layers]
        if rng.random() < 0.05:
            node["memory_bytes"] = rng.choice([0, layers[0]["memory_bytes"]])
        if overheads and rng.random() < 0.6:
            node["overhead_s"] = rng.uniform(0, 0.4)
        if scales and rng.random() < 0.6:
            node["codec_time_scale"] = rng.choice([0.0, rng.uniform(0.3, 3)])
        nodes.append(node)
    return nodes


def _codecs(rng: random.Random, count: int, layers: int) -> list[dict]:
    codecs = [{"name": "c0", "ratio": 1.0, "error": 0.0}]
    while len(codecs) < count:
        name = f"c{len(codecs)}"
        if rng.random() < 0.1:  # one that ties with another in everything
            codecs.append({**rng.choice(codecs), "name": name})
            continue
        codec = {"name": name, "ratio": rng.uniform(1, 8), "error": rng.uniform(0, 0.03)}
        if rng.random() < 0.1:
            codec["ratio"] = rng.uniform(0.5, 1)
        if rng.random() < 0.6:
            codec["encode_s_per_byte"] = rng.uniform(0, 3e-9)
            codec["decode_s_per_byte"] = rng.uniform(0, 3e-9)
        if rng.random() < 0.15:
            codec["layer_ratio"] = [rng.uniform(0.8, 8) for _ in range(layers)]
        if rng.random() < 0.15:
            codec["layer_error"] = [rng.choice([0.0, rng.uniform(0, 0.05)]) for _ in range(layers)]
        codecs.append(codec)
    if count > 1 and rng.random() < 0.3:  # sending plain is then not possible
        codecs[0].update(ratio=rng.uniform(1, 4), error=rng.uniform(0, 0.02))
    rng.shuffle(codecs)
    return codecs


def _tie(rng: random.Random, problem: dict) -> None:
    """Make nodes, layers and links alike, so that many plans are worth the same."""
    for key in ("nodes", "layers", "links"):
        same = problem[key]
        for item in same[1:]:
            item.update(
                {name: value for name, value in same[0].items() if name not in ("name", "id", "from", "to")}
            )
    if rng.random() < 0.5:
        problem["input_bytes"] = problem["layers"][0]["output_bytes"]


def _limits(rng: random.Random, problem: dict) -> dict:
    """Limits on error and energy: absent, null, zero, hopeless, loose, at a plan's value or a hair below."""
    limits: dict = {}
    if rng.random() < 0.4:
        limits["error_rule"] = rng.choice(["sum", "root_sum_square", "root_sum_square"])
    kinds = ["absent"] * 4 + ["null", "loose", "exact", "exact", "exact", "below", "zero", "hopeless"]
    everything = enumerate_plans({**problem, "limits": limits})
    for key, criterion in (("max_error", "error"), ("max_energy_j", "energy_j")):
        values = everything.values[:, ("delay_s", "bottleneck_s", "error", "energy_j").index(criterion)]
        kind = rng.choice(kinds)
        some = float(rng.choice(sorted(set(values.tolist())))) if len(values) else 1.0
        if kind == "null":
            limits[key] = None
        elif kind == "zero":
            limits[key] = 0.0
        elif kind == "hopeless":
            limits[key] = float(values.min()) * 0.999 if len(values) else 1.0
        elif kind == "loose":
            limits[key] = some * 1.5 + 1e-6
        elif kind == "exact":
            limits[key] = some
        elif kind == "below":
            limits[key] = some * (1 - 1e-9)
    return limits


def random_problem(seed: int) -> dict:
    """A small problem of 1 to 6 layers and nodes and 1 to 3 codecs, feasible or not."""
    rng = random.Random(f"split-{seed}")
    while True:
        shape = rng.choices(list(SHAPES), list(SHAPES.values()))[0]
        layer_count, codec_count = rng.choice([1, 2, 3, 4, 5, 5, 6, 6]), rng.randint(1, 3)
        ids = [
            f"n{i}"
            for i in range(
                1 if shape == "single" and rng.random() < 0.3 else rng.choice([2, 3, 4, 5, 5, 6, 6])
            )
        ]
        rng.shuffle(ids)
        layers = _layers(rng, layer_count)
        rate = rng.choice([8.0, 8.7, 9.5])
        problem = {
            "format": "constellm.split-problem",
            "version": 1,
            "name": f"random-{seed}",
            "layers": layers,
            "input_bytes": 0 if rng.random() < 0.05 else int(10 ** rng.uniform(5, 8)),
            "nodes": _nodes(rng, ids, layers),
            "links": [
                {"from": a, "to": b, "rate_bps": 10 ** rng.uniform(rate - 0.5, rate + 0.5),
                 "latency_s": rng.choice([0.0, rng.uniform(0, 0.02)])}
                for a, b in _links(rng, shape, ids)
            ],
            "source": ids[0],
            "sink": ids[0] if shape == "single" else ids[-1],
            "micro_batches": rng.choice([1, 1, 2, 3, 8, rng.randint(1, 50)]),
            "codecs": _codecs(rng, codec_count, layer_count),
        }  # fmt: skip
        for link in problem["links"]:
            if rng.random() < 0.2:
                link["overhead_s"] = rng.uniform(0, 0.05)
        if problem["links"] and rng.random() < 0.08:
            _tie(rng, problem)
        if rng.random() < 0.3:
            problem["objective"] = rng.choice(["delay", "throughput", "throughput"])
        if enumerate_plans(problem).considered > MAX_PLANS:
            continue
        problem["limits"] = _limits(rng, problem)
        rng.shuffle(problem["nodes"])
        rng.shuffle(problem["links"])
        return problem


def random_chain(
    seed: int, *, layers: int, nodes: int, codecs: int, micro_batches: int, max_error: float | None = None
) -> dict:
    """A one-way chain with a ladder of codecs from none to 32-fold, after the bench chains of the format.

    Memory holds about three times a fair share of the layers; error gains grow towards the first layers.
    """
    rng = random.Random(f"chain-{seed}")
    model = [
        {
            "name": f"l{i}",
            "flop": rng.uniform(0.5e12, 2e12),
            "memory_bytes": rng.randrange(5 * 10**7, 2 * 10**8),
            "output_bytes": rng.randrange(2 * 10**7, 10**8),
            "error_gain": rng.uniform(0.5, 1) * (1 + (layers - i) / 24),
        }
        for i in range(layers)
    ]
    share = sum(layer["memory_bytes"] for layer in model) / nodes
    steps = [i / max(codecs - 1, 1) for i in range(codecs)]
    return {
        "format": "constellm.split-problem",
        "version": 1,
        "name": f"random-chain-{seed}",
        "layers": model,
        "input_bytes": 10**6,
        "nodes": [
            {
                "id": f"s{i}",
                "flop_per_s": rng.uniform(2e13, 2e14),
                "memory_bytes": int(share * rng.uniform(1.5, 4)),
            }
            for i in range(nodes)
        ],
        "links": [
            {"from": f"s{i}", "to": f"s{i + 1}", "rate_bps": rng.uniform(1e9, 8e9), "latency_s": 0.002}
            for i in range(nodes - 1)
        ],
        "source": "s0",
        "sink": f"s{nodes - 1}",
        "micro_batches": micro_batches,
        "codecs": [{"name": f"q{i}", "ratio": 32.0**t, "error": 0.06 * t**1.5} for i, t in enumerate(steps)],
        "limits": {"max_error": max_error},
    }


def random_graph(
    seed: int, *, layers: int, nodes: int, codecs: int, micro_batches: int, max_error: float | None = None
) -> dict:
    """As `random_chain`, on a two-way ring with chords, with relays, codec times, powers, an energy limit."""
    rng = random.Random(f"graph-{seed}")
    problem = random_chain(
        seed, layers=layers, nodes=nodes, codecs=codecs, micro_batches=micro_batches, max_error=max_error
    )
    ids = [node["id"] for node in problem["nodes"]]
    ring = [(a, ids[(i + 1) % nodes]) for i, a in enumerate(ids)]
    chords = [(a, b) for a, b in itertools.combinations(ids, 2) if rng.random() < 1.5 / nodes]
    problem["links"] = [
        {
            "from": a,
            "to": b,
            "rate_bps": rng.uniform(1e9, 8e9),
            "latency_s": rng.uniform(0.001, 0.01),
            "overhead_s": rng.choice([0.0, 0.001]),
        }
        for a, b in sorted({(a, b) for pair in ring + chords for a, b in (pair, pair[::-1]) if a != b})
    ]
    problem["name"] = f"random-graph-{seed}"
    problem["sink"] = ids[nodes // 2]
    for node in problem["nodes"]:
        node.update(
            power_w=rng.uniform(15, 50), tx_power_w=rng.uniform(1, 10), overhead_s=rng.uniform(0, 0.003)
        )
        if node["id"] != "s0" and rng.random() < 0.3:
            node["flop_per_s"] = 0.0
    for codec in problem["codecs"][1:]:
        codec.update(encode_s_per_byte=rng.uniform(0, 1e-10), decode_s_per_byte=rng.uniform(0, 1e-10))
    work = sum(layer["flop"] for layer in problem["layers"])
    typical_j = work / 1e14 * 32 * micro_batches
    problem["limits"]["max_energy_j"] = rng.choice([None, typical_j * rng.uniform(0.8, 3)])
    problem["limits"]["error_rule"] = rng.choice(["sum", "root_sum_square"])
    return problem
