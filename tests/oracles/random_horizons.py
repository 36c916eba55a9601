"""Random small horizons, as slots of dictionaries of `constellm.services-problem` and what ties them."""

from __future__ import annotations

import copy
import itertools
import random
from fractions import Fraction
from typing import Any

from constellm import services

from .horizons import Rules, Slot
from .random_services import problem_of, random_extended, random_problem
from .services import Oracle

MOST_STATES = 64


def random_horizon(seed: int) -> dict[str, Any]:
    """Slots, durations and ties; every other one with what no file of a problem has."""
    draw = random.Random(f"horizon {seed}")
    while True:
        kind = random_extended if seed % 2 else random_problem
        data = kind(draw, nodes=4, services=3, tasks=2, most=81)
        oracle = Oracle(data)
        places = sum(len(oracle.hosts(service["name"])) for service in data["services"])
        if places <= 6 and all(oracle.choices(task) for task in data["tasks"]):
            break
    slots = [data, *(_changed(data, draw) for _ in range(draw.choice([0, 1, 1, 2])))]
    names = [service["name"] for service in data["services"]]
    ids = [node["id"] for node in data["nodes"]]
    ties: dict[str, Any] = {}
    if draw.random() < 0.4:
        ties["core"] = sorted(draw.sample(names, draw.randint(1, len(names))))
    if draw.random() < 0.5:
        ties["start_cost"] = draw.choice([1.0, 0.3, {draw.choice(names): draw.uniform(0.1, 3.0)}])
    if draw.random() < 0.3:
        ties["start_cost_per_byte"] = draw.choice([1e-9, 2.5e-10])
    if draw.random() < 0.3:
        ties["max_starts"] = draw.randint(0, 3)
    if draw.random() < 0.3:
        ties["max_moved_bytes"] = draw.choice([0.0, 5e8, draw.uniform(2e8, 3e9)])
    if draw.random() < 0.5:
        ties["initial"] = {
            name: sorted(draw.sample(ids, draw.randint(0, 2))) for name in names if draw.random() < 0.8
        }
    durations_s = draw.choice([60.0, [draw.choice([30.0, 60.0, 90.0, 77.7]) for _ in slots]])
    return {"slots": slots, "durations_s": durations_s, "ties": ties}


def _changed(data: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The same nodes, services and limits with other links, rates and ends."""
    slot = copy.deepcopy(data)
    ids = [node["id"] for node in data["nodes"]]
    kept = [a for a in range(len(data["links"])) if draw.random() < 0.85]
    slot["links"] = [slot["links"][a] for a in kept]
    if slot.get("life_s") is not None:
        slot["life_s"] = [slot["life_s"][a] for a in kept]
    for link in slot["links"]:
        if draw.random() < 0.3:
            link["latency_s"] *= draw.uniform(0.5, 2.0)
    for task in slot["tasks"]:
        factor = draw.choice([1.0, draw.uniform(0.4, 1.6)])
        task["rate_per_s"] *= factor
        if draw.random() < 0.6:
            task["source"] = draw.choice(ids)
            task["sink"] = draw.choice(ids)
    return slot


def horizon_of(data: dict[str, Any]) -> services.Horizon:
    return services.Horizon([problem_of(slot) for slot in data["slots"]], data["durations_s"], **data["ties"])


def rules_of(data: dict[str, Any]) -> tuple[Rules, list[Slot]]:
    """As the oracle of horizons has it, from the dictionaries alone."""
    slots, ties = data["slots"], data["ties"]
    first = Oracle(slots[0])
    names = [service["name"] for service in slots[0]["services"]]
    costs = ties.get("start_cost", 0.0)
    memory = [Fraction(service["memory_bytes"]) for service in slots[0]["services"]]
    per_byte = Fraction(ties.get("start_cost_per_byte", 0.0))
    initial = None
    if "initial" in ties:
        initial = frozenset(
            (names.index(name), first.place[id]) for name, nodes in ties["initial"].items() for id in nodes
        )
    most = ties.get("max_moved_bytes")
    rules = Rules(
        hosts=[first.hosts(name) for name in names],
        memory_bytes=memory,
        node_memory_bytes=[Fraction(node["memory_bytes"]) for node in slots[0]["nodes"]],
        cost=[Fraction(service["cost"]) for service in slots[0]["services"]],
        max_cost=None if first.max_cost is None else Fraction(first.max_cost),
        objective=first.objective,
        core=[names.index(name) for name in ties.get("core", [])],
        start_cost=[
            Fraction(costs.get(name, 0.0) if isinstance(costs, dict) else costs) + per_byte * of
            for name, of in zip(names, memory)
        ],
        max_starts=ties.get("max_starts"),
        max_moved_bytes=None if most is None else Fraction(most),
        initial=initial,
    )
    durations = data["durations_s"]
    listed = durations if isinstance(durations, list) else [durations] * len(slots)
    whole = sum(map(Fraction, listed))
    return rules, [_slot(slot, Fraction(one) / whole, names) for slot, one in zip(slots, listed)]


def _slot(data: dict[str, Any], share: Fraction, names: list[str]) -> Slot:
    roomy = copy.deepcopy(data)  # memory and cost are the horizon's to look at, as replicas may wait
    for node in roomy["nodes"]:
        node["memory_bytes"] = 1e300
    roomy.get("limits", {}).pop("max_cost", None)
    oracle = Oracle(roomy)
    ways = []
    for chosen in itertools.product(*(oracle.choices(task) for task in roomy["tasks"])):
        assignment = list(chosen)
        terms = oracle.terms(assignment, oracle.serving(assignment))
        if oracle.allowed(terms):
            assert terms is not None
            serving = frozenset(
                (names.index(name), v) for name, nodes in oracle.serving(assignment).items() for v in nodes
            )
            ways.append((serving, Fraction(terms["delay_s"]), Fraction(terms["rejected_weight"])))
    return Slot(share, ways)
