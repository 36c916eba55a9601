"""The setting of microservices over a constellation, and plans that are proven in both of their terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...services import Plan, Problem, scenario, solve

REQUESTS_PER_S = 12.0
"""Of all tasks together."""
BOX = 1.0
"""How much each rate may rise, as a share of it."""


def drawn(seed: int, tasks: int, **more: Any) -> Problem:
    """`constellm.services.scenario` as this study has it."""
    return scenario(seed=seed, tasks=tasks, **{"requests_per_s": REQUESTS_PER_S, "deviation": BOX, **more})


def nominal(problem: Problem) -> Problem:
    """The problem without any rise of its rates."""
    return problem.replace(budget=0.0)


def proven(problem: Problem) -> Plan:
    """A plan whose two terms are proven, or the proof that there is none; without a time limit, so that every
    run finds the same."""
    plan = solve(problem)
    if plan.status != "infeasible" and not (plan.status == "optimal" and plan.second_optimal):
        raise AssertionError(f"{problem!r}: {plan!r}")
    return plan


def pairs(problem: Problem) -> dict[str, str]:
    """Of each task its kind and region: what is too heavy for one replica is several tasks of one pair."""
    named = ((task.name, task.name.partition("/")) for task in problem.tasks)
    return {name: f"{kind.partition('.')[0]}/{region}" for name, (kind, _, region) in named}


def memory_bytes(plan: Plan) -> float:
    """Of all replicas."""
    sizes = {service.name: service.memory_bytes for service in plan.problem.services}
    return float(sum(sizes[name] * len(nodes) for name, nodes in plan.replicas.items()))


def replicas(plan: Plan) -> int:
    """Of all services."""
    return sum(map(len, plan.replicas.values()))


def encoders(problem: Problem) -> Sequence[str]:
    """Names of the services that encode."""
    return [service.name for service in problem.services if service.name.endswith("encoder")]
