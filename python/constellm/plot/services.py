"""Figures of placed services: where they run and what that serves, and what safety costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.checks import instance
from ..core.quantity import counted
from ..orbit import Constellation, ecef_to_geodetic
from ..services import Plan, PriceOfRobustness
from ..services.travel import links_of, trips
from . import palette, style
from .earth import arcs, on_map
from .scene import scene
from .world_map import plot_world_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_placement(
    plan: Plan, world: Constellation | None = None, t: Any = 0.0, *, ax: Axes | None = None
) -> Axes:
    """Where replicas run, and the way of each task over them.

    Without a constellation a row for each service and a column for each node: a square is a replica, a line
    goes through the stages of a task from one service to the next, from a triangle at the node where its
    requests come from. On the map of a constellation lines are the links that tasks' data goes over, and
    squares the nodes with replicas, the larger the more there are.

    Parameters
    ----------
    plan : services.Plan
        With a placement.
    world : orbit.Constellation, optional
        With the same nodes: draws on the map.
    t : float, Epoch, str, datetime or numpy.datetime64
        The instant of the map, as of `Constellation.seconds`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    TypeError, ValueError
        For what is no plan, a plan without a placement, and a constellation with other nodes.

    Examples
    --------
    >>> from constellm import plot, services
    >>> plan = services.solve(services.scenario(seed=1, tasks=4), method="annealing")
    >>> ax = plot.plot_placement(plan)
    >>> len(ax.get_yticklabels()) == sum(map(bool, plan.replicas.values())) + 1
    True
    """
    instance("plan", plan, Plan)
    if plan.placement is None:
        raise ValueError(f"plan: has no placement, its status is {plan.status!r}")
    if world is None:
        return _plot_chart(plan, ax)
    instance("world", world, Constellation)
    if list(world.ids) != plan.problem.network.nodes.ids():
        raise ValueError("world: its nodes are not those of the plan's problem")
    return _plot_map(plan, world, t, ax)


def _plot_chart(plan: Plan, ax: Axes | None) -> Axes:
    problem = plan.problem
    rows = [name for name, nodes in plan.replicas.items() if nodes]
    tasks = [task for task in problem.tasks if plan.assignment[task.name]]
    used = {node for nodes in plan.replicas.values() for node in nodes} | {task.source for task in tasks}
    columns = [node.id for node in problem.network.nodes if node.id in used]
    x = {node: i for i, node in enumerate(columns)}
    y = {name: i + 1 for i, name in enumerate(rows)}
    size = (max(5.0, 2.2 + 0.55 * len(columns)), max(2.6, 1.4 + 0.34 * len(rows)))
    with style.drawing(ax, size) as ax:
        at = [(x[node], y[name]) for name in rows for node in plan.replicas[name]]
        across, down = zip(*at) if at else ((), ())
        ax.scatter(across, down, marker="s", s=130, color=palette.PALE, edgecolors=palette.MUTED, zorder=2)
        for i, task in enumerate(tasks):
            aside = 0.28 * ((i + 0.5) / len(tasks) - 0.5) * 2.0
            nodes = plan.assignment[task.name]
            places = [(x[task.source] + aside, 0.0)]
            places += [(x[node] + aside, y[stage.service]) for stage, node in zip(task.stages, nodes)]
            colour = palette.CYCLE[i % len(palette.CYCLE)]
            line = "-" if i < len(palette.CYCLE) else "--"
            for k, stage in enumerate(task.stages):
                for of in stage.inputs:
                    start, end = places[of.from_ + 1], places[k + 1]
                    ax.plot(*zip(start, end), line, color=colour, linewidth=1.2, zorder=3)
            ax.plot(*zip(*places[1:]), "o", color=colour, markersize=3.5, zorder=4)
            ax.plot(*places[0], "v", color=colour, markersize=6, zorder=4, label=style.name(task.name))
        ax.set_xticks(range(len(columns)), [style.name(node) for node in columns], rotation=60, ha="right",
                      rotation_mode="anchor", fontsize=8)  # fmt: skip
        ax.set_yticks(range(len(rows) + 1), ["requests from", *map(style.name, rows)], fontsize=8)
        ax.set_xlim(-0.6, len(columns) - 0.4)
        ax.set_ylim(len(rows) + 0.6, -0.6)
        style.grid(ax)
        ax.set_title(_words(plan), fontsize=9, fontweight="normal", loc="left")
        if tasks:
            ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    return ax


def _words(plan: Plan) -> str:
    count = sum(map(len, plan.replicas.values()))
    cost, delay_ms = f"{plan.cost:.4g}", f"{1e3 * plan.delay_s:.4g}"
    return f"{counted(count, 'replica')}, cost {cost}, mean delay {delay_ms} ms: {plan.status}"


def _plot_map(plan: Plan, world: Constellation, t: Any, ax: Axes | None) -> Axes:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    problem = plan.problem
    ax = plot_world_map(world, t, links=False, ax=ax)
    shown = scene(world, t, route=None, links=False)
    latitude, longitude, _ = ecef_to_geodetic(shown.place_m)
    ids = list(world.ids)
    graph = problem.network
    handles = []
    with style.in_force():
        served = [(i, task) for i, task in enumerate(problem.tasks) if plan.assignment[task.name]]
        for number, (i, task) in enumerate(served):
            nodes = [ids.index(node) for node in plan.assignment[task.name]]
            links = sorted({a for trip in trips(problem, i, nodes) for a in links_of(problem, trip)})
            colour = palette.CYCLE[number % len(palette.CYCLE)]
            if links:
                ends = [shown.place_m[np.asarray(side)[links]] for side in (graph.from_, graph.to)]
                lines = LineCollection(
                    on_map(*arcs(*ends)), colors=colour, linewidths=1.6, alpha=0.8, zorder=5
                )
                ax.add_collection(lines, autolim=False)
            source = ids.index(task.source)
            ax.plot(longitude[source], latitude[source], "v", color=colour, markersize=7, zorder=7)
            handles.append(Line2D([], [], color=colour, marker="v", label=style.name(task.name)))
        counts: dict[int, int] = {}
        for replicas in plan.replicas.values():
            for at in map(ids.index, replicas):
                counts[at] = counts.get(at, 0) + 1
        hosts = sorted(counts)
        ax.scatter(longitude[hosts], latitude[hosts], s=[30 + 22 * counts[v] for v in hosts], marker="s",
                   facecolors="none", edgecolors=palette.INK, linewidths=1.3, zorder=6)  # fmt: skip
        for v in hosts:
            ax.annotate(str(counts[v]), (longitude[v], latitude[v]), (6, 4), textcoords="offset points",
                        fontsize=8, zorder=8)  # fmt: skip
        handles.append(Line2D([], [], color=palette.INK, marker="s", linestyle="", markerfacecolor="none",
                              label="replicas"))  # fmt: skip
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1), fontsize=8)
        ax.set_title(_words(plan), fontsize=9, fontweight="normal")
    return ax


def plot_price_of_robustness(found: PriceOfRobustness, *, ax: Axes | None = None) -> Axes:
    """What each budget of raised demand costs, and how many demands still break the placement.

    Parameters
    ----------
    found : services.PriceOfRobustness
        Rows without a plan have no point; an infinite budget stands at the number of tasks that may rise.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        With the objective; shares of demands, where they were tried, have the axis on the right.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> from constellm import network, plot, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("ships", rate_per_s=40.0, deviation_per_s=20.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> problem = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> ax = plot.plot_price_of_robustness(services.price_of_robustness(problem, method="search"))
    >>> ax.get_ylabel()
    'cost'
    """
    instance("found", found, PriceOfRobustness)
    objective = found.problem.objective
    field, scale, words = {
        "cost": ("cost", 1.0, "cost"),
        "delay": ("delay_s", 1e3, "mean delay (ms)"),
        "admitted": ("objective", 1.0, "weight that is not admitted"),
    }[objective]
    most = sum(task.deviation_per_s > 0 for task in found.problem.tasks)
    at = [float(most) if math.isinf(row["budget"]) else row["budget"] for row in found.rows]
    if field == "objective":
        values = [plan.objective for plan in found.plans]
    else:
        values = [scale * row[field] for row in found.rows]
    broken = [100.0 * row["violated"] for row in found.rows]
    with style.drawing(ax, (5.4, 3.4)) as ax:
        ax.plot(at, values, "o-", color=palette.CYCLE[0], markersize=5)
        ax.set_xlabel("tasks with raised demand at once")
        ax.set_ylabel(words)
        style.from_zero(ax)
        style.grid(ax)
        if not all(map(math.isnan, broken)):
            other = ax.twinx()
            other.plot(at, broken, "s--", color=palette.CYCLE[1], markersize=4, markerfacecolor="none")
            other.set_ylabel("demands that break it (%)", color=palette.CYCLE[1])
            other.set_ylim(0, max(5.0, 1.08 * np.nanmax(broken)))
            other.spines["right"].set_visible(True)
    return ax
