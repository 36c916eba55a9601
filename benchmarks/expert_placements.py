"""How soon placements of experts are found and proven, or how near to the best they are known to be.

Latencies are those of the geometry fitted to Space-XNet, activations the measured ones that the package
brings. Seconds are the processor's; time limits are by the clock.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import tables

from constellm import moe, orbit
from constellm.paper.space_xnet import Scenario
from constellm.paper.space_xnet.scenario import CUT_OFF_S

MIXTRAL, OLMOE, DEEPSEEK = "mixtral-8x7b", "olmoe-1b-7b", "deepseek-v2-lite"


class Case(NamedTuple):
    """A layer's experts on the satellites of its subnet, and how long the search may take."""

    experts: int
    parts: int
    """Subnets that the shell is cut into; what one has is open to the layer."""
    top_k: int
    model: str
    """Whose activations; of its experts the first ones."""
    limit_s: float
    layers: int
    """Problems that are solved: so many layers of the ring."""


CASES = (
    Case(8, 32, 2, MIXTRAL, 1.0, 32),
    Case(8, 8, 2, MIXTRAL, 1.0, 8),
    Case(16, 8, 2, OLMOE, 1.0, 8),
    Case(64, 1, 2, OLMOE, 0.9, 1),
    Case(64, 1, 2, DEEPSEEK, 0.9, 1),
    Case(8, 32, 3, MIXTRAL, 4.0, 8),
    Case(8, 32, 6, MIXTRAL, 4.0, 8),
    Case(8, 8, 3, MIXTRAL, 4.0, 8),
    Case(8, 8, 6, MIXTRAL, 4.0, 8),
    Case(16, 8, 3, OLMOE, 20.0, 2),
    Case(16, 8, 6, OLMOE, 20.0, 2),
    Case(64, 8, 8, OLMOE, 3.0, 1),
)


def measure(scenario: Scenario | None = None, cases: Sequence[Case] = CASES) -> tables.Rows:
    """A row for each case, over its layers.

    Raises
    ------
    AssertionError
        If a proven optimum is above the sorted placement, or another bound above the placement.
    """
    scenario = Scenario() if scenario is None else scenario
    rows = []
    for case in cases:
        seconds, gaps, above, proven = [], [], [], 0
        for problem in problems(scenario, case):
            begun = time.thread_time()
            plan = moe.solve(problem, time_limit_s=case.limit_s)
            seconds.append(time.thread_time() - begun)
            proven += plan.status == "optimal"
            gaps.append(plan.gap)
            rough = moe.solve(problem, method="sorted").token_latency_s
            assert plan.lower_bound_s <= plan.token_latency_s <= rough * (1.0 + 1e-12), case
            above.append(rough / plan.token_latency_s - 1.0)
        rows.append(
            {
                **case._asdict(),
                "satellites": len(problem.satellites),
                "slots": problem.slots,
                "proven": proven,
                "median_s": statistics.median(seconds),
                "slowest_s": max(seconds),
                "gap": max(gaps),
                "sorted_above": max(above),
            }
        )
    return rows


def problems(scenario: Scenario, case: Case) -> Iterable[moe.Problem]:
    """One for each layer; its gateway may host experts, so that the sizes are those that are told."""
    world, ring = scenario.world(), moe.ring(scenario.shell, case.parts)
    place = {id: i for i, id in enumerate(world.satellite_ids)}
    paths_s = moe.path_latencies(world, ring.gateways, scenario.times())
    weights = weights_of(case.model, case.layers, case.top_k, case.experts)
    for path_s, subnet, weight in zip(paths_s, ring.subnets, weights):
        latency_s = path_s[:, [place[id] for id in subnet]]
        yield moe.Problem([moe.Layer(weight, latency_s)], case.top_k, subnet, unreachable_s=CUT_OFF_S)


def weights_of(model: str, layers: int, top_k: int, experts: int | None = None) -> list[np.ndarray]:
    """Sampling weights of so many layers: the model's own, again and again; of its experts the first ones."""
    shares = moe.sample_activations(model).with_prior(1.0).shares
    return [moe.sampling_weights(shares[i % len(shares)], top_k)[:experts] for i in range(layers)]


def competing(scenario: Scenario | None = None, limits_s: Iterable[float] = (25.0,)) -> tables.Rows:
    """All layers over all satellites: a row for each time limit, beside the subnets' sorted placement."""
    scenario = Scenario() if scenario is None else scenario
    world, ring = scenario.world(), moe.ring(scenario.shell, scenario.layers)
    weights = weights_of(MIXTRAL, scenario.layers, scenario.top_k)
    given: Any = {"weights": weights, "top_k": scenario.top_k, "unreachable_s": CUT_OFF_S}
    within = moe.ring_problem(world, ring, scenario.times(), **given)
    everywhere = moe.Ring([world.satellite_ids] * scenario.layers, ring.gateways)
    problem = moe.ring_problem(world, everywhere, scenario.times(), **given)
    subnets_s = moe.solve(within, method="sorted").token_latency_s
    rows = []
    for limit_s in limits_s:
        begun = time.thread_time()
        plan = moe.solve(problem, method="exchange", time_limit_s=limit_s)
        rows.append(
            {
                "layers": len(problem.layers),
                "experts": problem.experts[0],
                "top_k": problem.top_k,
                "satellites": len(problem.satellites),
                "slots": problem.slots,
                "limit_s": limit_s,
                "seconds": time.thread_time() - begun,
                "clock_s": plan.seconds,
                "token_latency_s": plan.token_latency_s,
                "gap": plan.gap,
                "below_subnets": 1.0 - plan.token_latency_s / subnets_s,
            }
        )
    return rows


def gateways(scenario: Scenario | None = None, threads: Iterable[int] = (1, 2)) -> tables.Rows:
    """A row for each number of threads: seconds of the paths between all satellites, and of everything else.

    Paths are told apart within the one call: they are the `Constellation.latencies_between` that it asks for.
    More threads than one are timed by the clock.
    """
    scenario = Scenario() if scenario is None else scenario
    weights = weights_of(MIXTRAL, scenario.layers, scenario.top_k)
    rows = []
    for count in threads:
        world, ring = scenario.world(), moe.ring(scenario.shell, scenario.layers)
        clock = Clock(time.thread_time if count == 1 else time.perf_counter)
        routed = clock.times(orbit.Constellation.latencies_between)
        begun = clock.now()
        with mock.patch.object(orbit.Constellation, "latencies_between", routed):
            found = moe.best_gateways(
                world,
                ring,
                scenario.times(),
                weights=weights,
                top_k=scenario.top_k,
                unreachable_s=CUT_OFF_S,
                threads=count,
            )
        whole_s = clock.now() - begun
        rows.append(
            {
                "layers": scenario.layers,
                "satellites": len(world.satellite_ids),
                "slots": scenario.slots,
                "threads": count,
                "paths_s": clock.seconds,
                "rest_s": whole_s - clock.seconds,
                "token_latency_s": found.token_latency_s,
                "central_s": found.fixed_s,
                "gap": found.gap,
            }
        )
    return rows


class Clock:
    """Adds up the seconds of the calls of a function."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now, self.seconds = now, 0.0

    def times(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def timed(*args: Any, **options: Any) -> Any:
            begun = self.now()
            found = function(*args, **options)
            self.seconds += self.now() - begun
            return found

        return timed
