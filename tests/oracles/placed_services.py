"""Problems of services for what learns to place them."""

from __future__ import annotations

import random

from constellm import network, services


def chain_problem(
    *, objective: str, deadline_s: float | None = None, rate_bps: float = 8e9
) -> services.Problem:
    """Two like tasks from the first to the last of three nodes, of which the middle one has no memory."""
    nodes = [network.Node(id=f"n{v}", flop_per_s=1e12, memory_bytes=0.0 if v == 1 else 2e9) for v in range(3)]
    graph = network.Graph(
        nodes, from_=[0, 1, 1, 2], to=[1, 0, 2, 1], rate_bps=[rate_bps] * 4, latency_s=[0.0] * 4
    )
    stage = services.Stage("encoder", [services.Input(-1, bytes=0.5e6)])
    tasks = [
        services.Task(
            name,
            rate_per_s=1.0,
            deviation_per_s=0.5,
            source="n0",
            sink="n2",
            stages=[stage],
            deadline_s=deadline_s,
        )
        for name in ("first", "second")
    ]
    encoder = services.Service("encoder", flop=1e11, memory_bytes=1e9, cost=2.0)
    return services.Problem(network=graph, services=[encoder], tasks=tasks, objective=objective)


def drawn(number: int) -> services.Problem:
    """Twelve nodes in a ring, eight services, five tasks; there may be no plan."""
    draw = random.Random(f"placed {number}")
    nodes = [
        network.Node(id=f"s{v}", flop_per_s=draw.uniform(1e12, 3e12), memory_bytes=draw.uniform(2e9, 4e9))
        for v in range(12)
    ]
    from_ = [v for v in range(12) for _ in range(2)]
    to = [(v + step) % 12 for v in range(12) for step in (1, -1)]
    graph = network.Graph(
        nodes,
        from_=from_,
        to=to,
        rate_bps=[draw.uniform(1e9, 1e10) for _ in to],
        latency_s=[draw.uniform(0.005, 0.015) for _ in to],
    )
    offered = [
        services.Service(
            f"m{s}",
            flop=draw.uniform(5e10, 5e11),
            memory_bytes=draw.uniform(0.4e9, 1.5e9),
            cost=float(draw.randint(1, 10)),
        )
        for s in range(8)
    ]
    return services.Problem(
        network=graph,
        services=offered,
        tasks=[_task(draw, t) for t in range(5)],
        max_utilisation=0.9,
        name=f"placed-{number}",
    )


def _task(draw: random.Random, number: int) -> services.Task:
    stages = [
        services.Stage(f"m{draw.randrange(8)}", [services.Input(k - 1, bytes=10.0 ** draw.uniform(4, 6.5))])
        for k in range(draw.randint(2, 4))
    ]
    rate = draw.uniform(0.3, 1.2)
    return services.Task(
        f"t{number}",
        rate_per_s=rate,
        deviation_per_s=draw.uniform(0.0, 0.6) * rate,
        source=f"s{draw.randrange(12)}",
        sink=f"s{draw.randrange(12)}",
        stages=stages,
        output_bytes=1e4,
        deadline_s=draw.uniform(0.8, 2.5),
    )


def three() -> list[services.Problem]:
    return [drawn(number) for number in (1, 2, 3)]
