"""Figures of placed services."""

from __future__ import annotations

import math
import warnings

import pytest

from constellm import network, orbit, plot, services

matplotlib = pytest.importorskip("matplotlib")


def world():
    return orbit.Constellation(
        orbit.preset("iridium-next"), links=orbit.plus_grid(rate_bps=0.5e9, seam="open")
    )


@pytest.fixture(scope="module")
def plan():
    problem = services.scenario(world(), seed=1, tasks=6, requests_per_s=12.0, budget=0.0)
    return services.solve(problem, method="annealing")


def test_a_chart_has_a_row_a_service_and_a_line_an_input(plan):
    ax = plot.plot_placement(plan)
    used = [name for name, nodes in plan.replicas.items() if nodes]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["requests from", *used]
    (squares,) = ax.collections
    assert len(squares.get_offsets()) == sum(map(len, plan.replicas.values()))
    inputs = sum(len(stage.inputs) for task in plan.problem.tasks for stage in task.stages)
    assert len(ax.lines) == inputs + 2 * len(plan.problem.tasks)
    assert ax.get_title(loc="left").startswith(f"{len(squares.get_offsets())} replicas, cost {plan.cost:g}")


def test_a_map_has_a_square_a_node_with_replicas(plan):
    ax = plot.plot_placement(plan, world())
    hosts = {node for nodes in plan.replicas.values() for node in nodes}
    squares = [one for one in ax.collections if one.get_zorder() == 6]
    assert len(squares) == 1 and len(squares[0].get_offsets()) == len(hosts)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [*(task.name for task in plan.problem.tasks), "replicas"]


def test_a_plan_that_turns_all_away_has_an_empty_chart():
    away = {task.name: [] for task in uncertain().tasks}
    none = services.Plan(
        uncertain(objective="admitted"), "feasible", services.Placement({"encoder": []}, away), 0.0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plot.plot_placement(none)
    assert not ax.lines and ax.get_legend() is None
    assert ax.get_title(loc="left").startswith("0 replicas, cost 0,")


def test_one_replica_is_one():
    plan = services.solve(uncertain(), method="search")
    assert plot.plot_placement(plan).get_title(loc="left").startswith("1 replica, cost 1,")


def test_what_cannot_be_drawn_is_refused(plan):
    with pytest.raises(TypeError, match="plan: expected a Plan"):
        plot.plot_placement(plan.placement)
    none = services.Plan(plan.problem, "infeasible", None, math.inf)
    with pytest.raises(ValueError, match="plan: has no placement, its status is 'infeasible'"):
        plot.plot_placement(none)
    other = orbit.Constellation(orbit.walker("star", planes=2, satellites_per_plane=3, altitude_m=780e3,
                                             inclination_deg=86.4, kind="star"))  # fmt: skip
    with pytest.raises(ValueError, match="world: its nodes are not those of the plan's problem"):
        plot.plot_placement(plan, other)
    with pytest.raises(TypeError, match="found: expected a PriceOfRobustness"):
        plot.plot_price_of_robustness(plan)


def uncertain(**more):
    node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    stage = services.Stage("encoder", (services.Input(-1, 1e6),))
    tasks = [
        services.Task(name, rate_per_s=20.0, deviation_per_s=10.0, source="a", sink="a", stages=(stage,))
        for name in ("ships", "fires")
    ]
    return services.Problem(network=graph, services=(encoder,), tasks=tasks, **more)


def test_prices_stand_over_budgets():
    problem = uncertain()
    found = services.price_of_robustness(problem, (0, 1, None), method="search")
    ax = plot.plot_price_of_robustness(found)
    assert ax.lines[0].get_xdata().tolist() == [0.0, 1.0, 2.0]
    assert ax.lines[0].get_ydata().tolist() == [1.0, 1.0, 1.0]
    assert len(ax.figure.axes) == 1 and ax.get_ylabel() == "cost"
    tried = services.price_of_robustness(
        uncertain(objective="delay"), (0,), method="search", samples=services.sample_demand(problem, 10)
    )
    ax = plot.plot_price_of_robustness(tried)
    assert ax.get_ylabel() == "mean delay (ms)" and len(ax.figure.axes) == 2
    assert ax.lines[0].get_ydata().tolist() == [pytest.approx(10.0)]


@pytest.mark.parametrize("heights", [[3.0, 8.0], [0.0, 0.0], [math.nan, math.nan], [1e-9]])
def test_heights_from_zero_leave_room_for_the_highest(heights):
    from matplotlib import pyplot

    from constellm.plot import style

    ax = pyplot.figure().subplots()
    ax.plot(heights, "o")
    style.from_zero(ax)
    low, high = ax.get_ylim()
    assert low == 0.0 and high > 0.0 and not any(height > 0.95 * high for height in heights)
