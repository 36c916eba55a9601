"""Routes over networks too large for looking at every path: grids, whose equal ways are many."""

from __future__ import annotations

import random

import pytest

from constellm import network, services


def grid_problem(draw, rows, columns, latencies):
    """A grid that closes on itself; all nodes may host."""
    ends = []
    for r in range(rows):
        for c in range(columns):
            for a, b in (((r + 1) % rows, c), (r, (c + 1) % columns)):
                ends += [(r * columns + c, a * columns + b), (a * columns + b, r * columns + c)]
    draw.shuffle(ends)
    ids = [f"n{v}" for v in range(rows * columns)]
    graph = network.Graph(
        [network.Node(id=id, flop_per_s=1e12, memory_bytes=1e9) for id in ids],
        from_=[a for a, _ in ends],
        to=[b for _, b in ends],
        rate_bps=1e9,
        latency_s=[draw.choice(latencies) for _ in ends],
    )
    stage = services.Stage("m", [services.Input(bytes=draw.choice([0.0, 1e5, 123456.7]))])
    task = services.Task(
        "t", rate_per_s=1, source=ids[0], sink=ids[0], stages=[stage], output_bytes=stage.inputs[0].bytes
    )
    service = services.Service("m", flop=0, memory_bytes=0, cost=0)
    return services.Problem(network=graph, services=[service], tasks=[task])


def route(problem, origin, target):
    """By all sums that ways of so many links have at each node, from the least number of links on."""
    graph = problem.network
    size = problem.tasks[0].output_bytes
    out = {v: [] for v in range(len(graph.nodes))}
    for a, b, rate, latency in zip(graph.from_, graph.to, graph.rate_bps, graph.latency_s):
        out[int(a)].append((int(b), float(latency) + 8.0 * size / float(rate)))
    least = problem._routes.seconds(1, origin)[target]
    sums = [{(origin, 0.0)}]
    while (target, least) not in sums[-1]:
        sums.append({(b, s + w) for v, s in sums[-1] for b, w in out[v] if s + w <= least})
    alive = [{(target, least)}]
    for before in reversed(sums[:-1]):
        alive.append({(v, s) for v, s in before if any((b, s + w) in alive[-1] for b, w in out[v])})
    alive.reverse()
    path, ways = [origin], {(origin, 0.0)}
    for there in alive[1:]:
        nexts = {(b, s + w) for v, s in ways for b, w in out[v] if (b, s + w) in there}
        first = min(b for b, _ in nexts)
        path.append(first)
        ways = {(b, s) for b, s in nexts if b == first}
    return path


@pytest.mark.parametrize(
    "latencies", [[0.01], [0.1, 0.2, 0.3], [0.0, 0.01], [1.0, 1e-16, 0.0], [0.1, 0.7, 1e-17]]
)
def test_grids(random_problems, latencies):
    for seed in range(max(random_problems // 30, 1)):
        draw = random.Random(f"grid {seed}")
        rows, columns = draw.choice([(3, 4), (4, 5), (6, 8), (9, 10)])
        problem = grid_problem(draw, rows, columns, latencies)
        for _ in range(6):
            origin, target = draw.sample(range(rows * columns), 2)
            links = problem._routes.links(1, origin, target)
            found = [origin, *problem.network.to[links].tolist()]
            assert found == route(problem, origin, target), (seed, origin, target)
