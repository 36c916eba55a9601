"""Problems drawn at random on real constellations: who asks for what, and where from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.checks import count, instance, non_negative, positive, real, short
from ...network import DEVICES, Graph, Node, Nodes, device
from ...orbit import Constellation, plus_grid, preset
from ..problem import Problem
from ..tasks import Service, Task
from .component import Component
from .components import components as _components
from .quickest import Quickest
from .regions import Region, overhead
from .regions import regions as _regions
from .templates import TEMPLATES, Template, component_of

#: Jetson AGX Orin in its three published modes, at the share of its peak that `scenario` assumes.
_MODES = ("jetson-agx-orin-15w", "jetson-agx-orin-30w", "jetson-agx-orin-50w")
_PRECISION = "fp16-tensor"
_COST_UNIT_BYTES = 100e6


def scenario(
    constellation: Constellation | None = None,
    *,
    seed: int = 0,
    t: Any = 0.0,
    tasks: int = 10,
    regions: Sequence[Region] | None = None,
    templates: Sequence[str | Template] | None = None,
    components: Mapping[str, Component] | None = None,
    requests_per_s: float = 40.0,
    deviation: float = 0.3,
    most_share: float = 0.5,
    slack: tuple[float, float] | None = (1.5, 3.0),
    least_deadline_s: float = 0.2,
    devices: Sequence[str] = _MODES,
    utilisation: float = 0.3,
    memory_bytes: Sequence[float] = (1.5e9, 2e9, 3e9, 4e9),
    isl_bps: float = 0.5e9,
    cost_unit_bytes: float = _COST_UNIT_BYTES,
    min_elevation_deg: float = 5.0,
    **more: Any,
) -> Problem:
    """A problem on a real constellation: people of regions ask the satellite that stands highest over them.

    Each task is a kind of request from a region. Kinds come in turn, in an order drawn once; regions are
    drawn by their people, so that no pair comes twice. The rate of a task is its region's share of the people
    of all tasks. Source and sink are the satellite over the region. Every satellite that has no computer gets
    a device and memory at random.

    Parameters
    ----------
    constellation : orbit.Constellation, optional
        Default: Iridium NEXT, 66 satellites, with a +Grid open at the seam. Its stations neither relay nor
        compute here.
    seed : int
        >= 0: the same seed and arguments, the same problem.
    t : float, Epoch, str, datetime or numpy.datetime64
        The instant, as of `Constellation.seconds`.
    tasks : int
        How many, >= 1 and at most regions times kinds; a heavy one becomes several: see `most_share`.
    regions : sequence of Region, optional
        Default: `regions`.
    templates : sequence of str or Template, optional
        Kinds of tasks, by name of `TEMPLATES` or of your own; default: all of them.
    components : mapping of str to Component, optional
        Default: `components`, as it is without arguments.
    requests_per_s : float
        Of all tasks together, > 0. Assumed.
    deviation : float
        How much of its rate each task may rise by, >= 0. Assumed.
    most_share : float
        In (0, 1]: a task whose raised rate would keep the fastest satellite busier than that at one of its
        stages becomes as many tasks of equal rates as it takes, for one replica serves a stage of a task.
        Assumed.
    slack : (float, float), optional
        Deadlines are the delay of a request that is alone in the network, by the best nodes for it, times a
        number drawn between these two, >= 1. None: no deadlines. Assumed.
    least_deadline_s : float
        No deadline is shorter, >= 0 [s]: what takes microseconds need not be served at its source. Assumed.
    devices : sequence of str
        Names of `network.DEVICES`. Assumed: those that the literature puts on satellites.
    utilisation : float
        Share of the peak that models get, in (0, 1]. Assumed.
    memory_bytes : sequence of float
        For services on a satellite, one is drawn [B]. Assumed.
    isl_bps : float
        Rate of the links of the default constellation [bit/s]. Assumed.
    cost_unit_bytes : float
        A replica costs 1 for each started so many bytes of memory, a whole number. Assumed.
    min_elevation_deg : float
        As of `overhead`.
    **more
        Other parameters of `Problem`: ``objective``, ``budget``, ``max_cost``, ``max_utilisation``, which is
        0.9 here, ``name``. A constellation has room for all tasks, as a rule: ``"admitted"`` wants a
        ``max_cost`` below what all of them need.

    Returns
    -------
    Problem
        Its tasks are called ``kind/region``, and of several ``kind.2/region`` and so on. Data like any other:
        `save_problem` writes it.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter, the value and the range; and where no satellite stands over a region.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> [task.name for task in problem.tasks]
    ['detection/Los Angeles', 'answering/Paris', 'report/Shanghai', 'segmentation/Lagos']
    >>> round(sum(task.rate_per_s for task in problem.tasks), 9)
    5.0
    """
    draws = np.random.default_rng([count("seed", seed, least=0)])
    parts = _components() if components is None else components
    places = tuple(_regions() if regions is None else regions)
    drawn = _pairs(draws, _templates(templates), places, count("tasks", tasks))
    world = _default(isl_bps) if constellation is None else constellation
    heads = overhead(world, [place for _, place in drawn], t, min_elevation_deg=min_elevation_deg)
    graph = _equipped(draws, world.at(t, ends=()).graph, devices, utilisation, memory_bytes)
    offered = _offered(parts, drawn, positive("cost_unit_bytes", cost_unit_bytes))
    most = positive("most_share", most_share, most=1.0) * max(node.flop_per_s for node in graph.nodes)
    people = math.fsum(place.population for _, place in drawn)
    total, rise = positive("requests_per_s", requests_per_s), non_negative("deviation", deviation)
    made = []
    for (kind, place), head in zip(drawn, heads):
        rate = total * place.population / people
        groups = math.ceil((1.0 + rise) * rate * max(parts[name].flop for name in kind.components) / most)
        for i in range(groups):
            name = kind.name + (f".{i + 1}" if i else "") + f"/{place.name}"
            of = rate / groups
            made.append(
                kind.task(parts, name, source=head, sink=head, rate_per_s=of, deviation_per_s=rise * of)
            )
    if slack is not None:
        least_s = non_negative("least_deadline_s", least_deadline_s)
        made = _with_deadlines(draws, Quickest(graph, offered), made, slack, least_s)
    return Problem(
        network=graph,
        services=offered,
        tasks=made,
        **{"max_utilisation": 0.9, "name": f"scenario-{seed}", **more},
    )


def _offered(
    parts: Mapping[str, Component], pairs: Sequence[tuple[Template, Region]], unit_bytes: float
) -> list[Service]:
    """The components that the kinds need, in the order of their first use."""
    used = dict.fromkeys(name for kind, _ in pairs for name in kind.components)
    needed = [component_of(parts, name) for name in used]
    return [part.service(cost=math.ceil(part.memory_bytes / unit_bytes)) for part in needed]


def _default(isl_bps: float) -> Constellation:
    links = plus_grid(seam="open", rate_bps=positive("isl_bps", isl_bps))
    return Constellation(preset("iridium-next"), links=links)


def _templates(given: Sequence[str | Template] | None) -> list[Template]:
    kinds = []
    for i, of in enumerate(TEMPLATES if given is None else given):
        if isinstance(of, str):
            if of not in TEMPLATES:
                raise ValueError(f"templates[{i}]: {short(of)} is not one of {', '.join(TEMPLATES)}")
            of = TEMPLATES[of]
        kinds.append(instance(f"templates[{i}]", of, Template))
    if not kinds:
        raise ValueError("templates: must not be empty")
    return kinds


def _pairs(
    draws: np.random.Generator, kinds: list[Template], places: tuple[Region, ...], number: int
) -> list[tuple[Template, Region]]:
    """Kinds in turn, each with a region that it has not had, drawn by people."""
    if number > len(kinds) * len(places):
        raise ValueError(
            f"tasks: {number} is not in [1, {len(kinds) * len(places)}], the pairs of kinds and regions"
        )
    order = np.argsort(draws.random(len(kinds)), kind="stable")
    left = {k: list(range(len(places))) for k in range(len(kinds))}
    pairs = []
    for i in range(number):
        k = int(order[i % len(kinds)])
        people = np.cumsum([places[j].population for j in left[k]])
        at = int(np.searchsorted(people, draws.random() * people[-1], side="right"))
        pairs.append((kinds[k], places[left[k].pop(at)]))
    return pairs


def _equipped(
    draws: np.random.Generator,
    graph: Graph,
    devices: Sequence[str],
    utilisation: float,
    memory_bytes: Sequence[float],
) -> Graph:
    """The graph with a computer on every satellite that has none, and what a file of it keeps."""
    for i, name in enumerate(devices):
        if name not in DEVICES:
            raise ValueError(f"devices[{i}]: {short(name)} is not one of {', '.join(map(repr, DEVICES))}")
    speeds = [device(name, precision=_PRECISION, utilisation=utilisation).flop_per_s for name in devices]
    sizes = [positive(f"memory_bytes[{i}]", size) for i, size in enumerate(memory_bytes)]
    for name, values in (("devices", speeds), ("memory_bytes", sizes)):
        if not values:
            raise ValueError(f"{name}: must not be empty")
    nodes = []
    for node in graph.nodes:
        speed, size = (values[int(draws.random() * len(values))] for values in (speeds, sizes))
        bare = node.flop_per_s == 0.0 and node.group != "ground"
        figures = (speed, size) if bare else (node.flop_per_s, node.memory_bytes)
        nodes.append(Node(id=node.id, flop_per_s=figures[0], memory_bytes=figures[1]))
    return Graph(
        Nodes(nodes),
        from_=graph.from_,
        to=graph.to,
        rate_bps=graph.rate_bps,
        latency_s=graph.latency_s,
    )


def _with_deadlines(
    draws: np.random.Generator,
    quickest: Quickest,
    tasks: list[Task],
    slack: tuple[float, float],
    least_s: float,
) -> list[Task]:
    if len(slack) != 2:
        raise ValueError(f"slack: expected two numbers, got {short(slack)}")
    low = real("slack[0]", slack[0], least=1.0, most=1e6)
    high = real("slack[1]", slack[1], least=low, most=1e6)
    made = []
    for task in tasks:
        alone_s = quickest.delay_s(task)
        if alone_s == math.inf:
            raise ValueError(f"constellation: no way for {task.name!r} through the network")
        by = low + (high - low) * float(draws.random())
        made.append(replace(task, deadline_s=max(alone_s * by, least_s)))
    return made
