"""Displays of problems and plans: ``summary()`` as text, ``_repr_html_`` in a notebook.

`attach` gives the two methods to the compiled classes; `constellm.split` calls it once at import. Everything
that comes from a problem (names, ids) is escaped before it enters HTML.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from .._core.network import Node
from .._core.split import Infeasibility, Plan, Problem, Stage
from ..core.console import for_console
from ..core.quantity import printable, quantity
from ..core.table import Table
from .schedule import PHASES, schedule
from .solver import evaluate

_SHOWN_ROWS = 12  # of a long table: the first ones and the last one
_NODES_ONE_BY_ONE = 50  # above, a problem shows groups of them


def attach() -> None:
    """Give `Problem` and `Plan` their displays."""
    for shown, summary, html in (Problem, problem_summary, problem_html), (Plan, plan_summary, plan_html):
        for name, method in ("summary", summary), ("_repr_html_", html):
            setattr(shown, name, method)


def problem_summary(problem: Problem) -> str:
    """The problem as text: its size and limits, then layers, nodes, links and codecs as tables."""
    return _text(_problem_lines(problem), _problem_tables(problem))


def problem_html(problem: Problem) -> str:
    """The problem as HTML tables."""
    return _html(_problem_lines(problem), _problem_tables(problem))


def plan_summary(plan: Plan) -> str:
    """The plan as text: what was found and proven, then stages and hops as tables."""
    return _text(_plan_lines(plan), _plan_tables(plan))


def plan_html(plan: Plan) -> str:
    """The plan as HTML tables with a picture of its pipeline."""
    if not plan.path:
        return _html(_plan_lines(plan), [])
    from ..plot.svg import pipeline_svg

    return _html(_plan_lines(plan), _plan_tables(plan), pipeline_svg(plan))


def _problem_lines(problem: Problem) -> list[str]:
    layers = problem.layers
    limits = []
    if problem.max_error is not None:
        rule = "sum" if problem.error_rule == "sum" else "root of the sum of squares"
        limits.append(f"error at most {problem.max_error:.4g} ({rule})")
    if problem.max_energy_j is not None:
        limits.append(f"energy at most {quantity(problem.max_energy_j, 'J')}")
    return [
        f"Problem {problem.name}: {_count(len(layers), 'layer')}, {_count(len(problem.nodes), 'node')}, "
        f"{_count(len(problem.links), 'link')}, {_count(len(problem.codecs), 'codec')}",
        f"from {problem.source} to {problem.sink}, "
        f"{_count(problem.micro_batches, 'micro-batch', 'micro-batches')} "
        f"of {quantity(problem.input_bytes, 'B')} input; objective {problem.objective}",
        f"{quantity(math.fsum(layer.flop for layer in layers), 'FLOP')} per micro-batch, "
        f"{quantity(math.fsum(layer.memory_bytes for layer in layers), 'B')} of layers",
        "limits: " + ("; ".join(limits) or "memory only"),
    ]


def _problem_tables(problem: Problem) -> list[Table]:
    layers = [
        (
            layers_text(i, j),
            _named([problem.layers[k].name for k in range(i, j + 1)]),
            quantity(problem.layers[i].flop, "FLOP"),
            quantity(problem.layers[i].memory_bytes, "B"),
            quantity(problem.layers[i].output_bytes, "B"),
            f"{problem.layers[i].error_gain:.4g}",
        )
        for i, j in _equal_runs(problem)
    ]
    codecs = [
        (
            codec.name,
            "per layer" if codec.layer_ratio is not None else f"{codec.ratio:.4g}",
            "per layer" if codec.layer_error is not None else f"{codec.error:.4g}",
            quantity(codec.encode_s_per_byte, "s/B"),
            quantity(codec.decode_s_per_byte, "s/B"),
        )
        for codec in problem.codecs
    ]
    return [
        Table(("layers", "name", "work", "memory", "output", "error gain"), layers, "Layers"),
        *_network_tables(problem),
        Table(("codec", "ratio", "error", "encode", "decode"), codecs, "Codecs"),
    ]


def _network_tables(problem: Problem) -> list[Table]:
    """Nodes and links one by one; of a large network, group by group with the ranges of their figures."""
    node_figures = {
        "memory_bytes": ("memory", "B"),
        "power_w": ("power", "W"),
        "tx_power_w": ("sending", "W"),
        "overhead_s": ("overhead", "s"),
    }
    link_figures = {
        "rate_bps": ("rate", "bit/s"),
        "latency_s": ("latency", "s"),
        "overhead_s": ("overhead", "s"),
    }
    node_head = ("speed", *(name for name, _ in node_figures.values()))
    link_head = tuple(name for name, _ in link_figures.values())
    nodes, links = problem.nodes, problem.links
    if len(nodes) <= _NODES_ONE_BY_ONE:
        node_rows = [(node.id, _speed(node), *_figures([node], node_figures)) for node in nodes]
        link_rows = [(getattr(link, "from"), link.to, *_figures([link], link_figures)) for link in links]
        return [
            Table(("node", *node_head), node_rows, "Nodes"),
            Table(("from", "to", *link_head), link_rows, "Links"),
        ]
    node_rows = [
        (group, str(len(members)), _speeds(members), *_figures(members, node_figures))
        for group, members in _by_group(nodes).items()
    ]
    link_rows = [
        (group, str(len(members)), *_figures(members, link_figures))
        for group, members in _by_group(links).items()
    ]
    return [
        Table(("group", "nodes", *node_head), node_rows, "Nodes by group"),
        Table(("group", "links", *link_head), link_rows, "Links by group"),
    ]


def _by_group(items: Sequence[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for item in items:
        groups.setdefault("–" if item.group is None else item.group, []).append(item)
    return groups


def _figures(items: Sequence[Any], figures: dict[str, tuple[str, str]]) -> list[str]:
    """Each figure, or from the least to the largest of several items."""
    texts = []
    for field, (_, unit) in figures.items():
        values = [getattr(item, field) for item in items]
        ends = dict.fromkeys((quantity(min(values), unit), quantity(max(values), unit)))
        texts.append(" to ".join(ends))
    return texts


def _speeds(nodes: Sequence[Node]) -> str:
    slowest, fastest = (
        pick(nodes, key=lambda node: (node.layer_time_s is not None, node.flop_per_s)) for pick in (min, max)
    )
    return " to ".join(dict.fromkeys((_speed(slowest), _speed(fastest))))


def _plan_lines(plan: Plan) -> list[str]:
    """Head line, and what was found beside what was proven."""
    lines = [f"Plan of {plan.problem.name}: {status_text(plan.status)} (method {plan.method})"]
    if not plan.path:
        return [*lines, *why_none(plan)]
    objective = "delay" if plan.problem.objective == "delay" else "bottleneck"
    if math.isfinite(plan.lower_bound_s):
        bound = quantity(plan.lower_bound_s, "s", digits=6)
        lines.append(f"proven: no {objective} below {bound}; gap {_gap(plan.gap)}")
    else:
        lines.append("nothing proven about better plans")
    flow = schedule(plan, micro_batches=[0])
    lines.append(
        f"delay {quantity(plan.delay_s, 's', digits=6)}, {quantity(plan.bytes, 'B', digits=4)} sent, "
        f"bottleneck {quantity(plan.bottleneck_s, 's', digits=4)} ({flow.servers[flow.bottleneck].name})"
    )
    error = f"error {plan.error:.4g}"
    if plan.problem.max_error is not None:
        error += f" of {plan.problem.max_error:.4g}"
    energy = f"energy {quantity(plan.energy_j, 'J', digits=4)}"
    if plan.problem.max_energy_j is not None:
        energy += f" of {quantity(plan.problem.max_energy_j, 'J', digits=4)}"
    return [*lines, f"{error}, {energy}"]


def why_none(plan: Plan) -> list[str]:
    """Why there is no plan, and how much would do, as lines of text; none where nobody asked."""
    if plan.broken_limits:
        return ["the plan of this method breaks limits: " + "; ".join(plan.broken_limits)]
    found = plan.infeasibility
    if found is None:
        return []
    problem = plan.problem
    lines = [
        {
            "no_route": f"no links lead from {problem.source} to {problem.sink}",
            "no_host": f"no node on a route from {problem.source} to {problem.sink} computes",
            "memory": "memory: no division of the layers fits the nodes of a route",
            "error": f"error: every plan that fits the memory has more than {problem.max_error}",
            "energy": f"energy: every plan that fits the memory takes more than {problem.max_energy_j} J",
            "limits": "every limit can be kept, but not all at once",
            "unknown": "why was not worked out",
        }[found.reason]
    ]
    single = [
        f"{what} {_enough(least)}{unit}"
        for what, least, unit in (
            ("error", found.least_error, ""),
            ("energy", found.least_energy_j, " J"),
            ("memory of every node times", found.least_memory_factor, ""),
        )
        if least is not None
    ]
    if single:
        lines.append("would do, the other limits kept: " + ", or ".join(single))
    elif found.reason not in ("no_route", "no_host", "unknown") and found.stopped is None:
        lines.append("no change of a single limit would do" + _alone(found))
    if found.stopped is not None:
        lines.append(f"not all was worked out: {status_text(found.stopped)}")
    return lines


def _alone(found: Infeasibility) -> str:
    needed = []
    if found.least_error_alone is not None:
        needed.append(f"error at least {_enough(found.least_error_alone)}")
    if found.least_energy_alone_j is not None:
        needed.append(f"energy at least {_enough(found.least_energy_alone_j)} J")
    return "; needed in any case: " + ", ".join(needed) if needed else ""


def _enough(least: float) -> str:
    """`least` in four digits, rounded up: what is read does as a limit."""
    text = f"{least:.4g}"
    return text if float(text) >= least else f"{least * 1.0005:.4g}"


def _plan_tables(plan: Plan) -> list[Table]:
    if not plan.path:
        return []
    terms = evaluate(plan.problem, plan)
    nodes = {node.id: node for node in plan.problem.nodes}
    stages = [
        (
            stage.node,
            layers_text(stage.first_layer, stage.last_layer),
            *(quantity(getattr(stage, f"{part}_s"), "s") for part in (*PHASES[:-1], "time")),
            f"{quantity(stage.memory_bytes, 'B')} of {quantity(nodes[stage.node].memory_bytes, 'B')}",
            stage.codec if stage.codec is not None else "–",
        )
        for stage in terms.stages
    ]
    hops = [
        (
            hop.from_,
            hop.to,
            quantity(hop.bytes, "B"),
            quantity(hop.time_s, "s"),
            quantity(hop.latency_s, "s"),
        )
        for hop in terms.hops
    ]
    stage_head = ("node", "layers", "overhead", "decode", "compute", "encode", "total", "memory", "codec")
    tables = [Table(stage_head, stages, "Stages, per micro-batch")]
    if hops:
        tables.append(Table(("from", "to", "sent", "time", "latency"), hops, "Hops, per micro-batch"))
    return tables


def layers_text(first: int, last: int) -> str:
    """Layers `first` to `last`, both included, as ``'3–7'`` or ``'3'``."""
    return f"{first}" if first == last else f"{first}–{last}"


def layout_text(stages: Sequence[Stage]) -> str:
    """Who hosts which layers, and the codec of what is sent on."""
    return ", ".join(
        f"{stage.node} {stage.first_layer}–{stage.last_layer}"
        + (f" [{stage.codec}]" if stage.codec is not None else "")
        for stage in stages
    )


def status_text(status: str) -> str:
    """A status as words."""
    return status.replace("_", " ")


def _gap(gap: float) -> str:
    # Plans within 1e-9 count as optimal; below that the gap is the solver's own rounding allowance.
    return "0" if gap <= 1e-9 else f"{100 * gap:.3g} %"


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def _speed(node: Node) -> str:
    if node.layer_time_s is not None:
        return "measured"
    return quantity(node.flop_per_s, "FLOP/s") if node.flop_per_s > 0 else "relays only"


def _equal_runs(problem: Problem) -> list[tuple[int, int]]:
    """Runs of consecutive layers with equal figures, as (first, last)."""
    runs: list[tuple[int, int]] = []
    figures = [(x.flop, x.memory_bytes, x.output_bytes, x.error_gain) for x in problem.layers]
    for i, figure in enumerate(figures):
        if runs and figures[runs[-1][0]] == figure:
            runs[-1] = (runs[-1][0], i)
        else:
            runs.append((i, i))
    return runs


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"


def _text(lines: Sequence[str], tables: Sequence[Table]) -> str:
    blocks = ["\n".join(map(printable, lines)) + "\n"]
    blocks += [table.to_text(most=_SHOWN_ROWS, indent="  ") for table in tables]
    return for_console("\n".join(blocks))


def _html(lines: Sequence[str], tables: Sequence[Table], picture: str = "") -> str:
    head = "<br>".join([f"<b>{escape(lines[0])}</b>", *map(escape, lines[1:])])
    body = "\n".join(
        filter(None, [f"<p>{head}</p>", picture, *(table.to_html(most=_SHOWN_ROWS) for table in tables)])
    )
    return f'<div class="constellm" style="font-size: 90%">\n{body}\n</div>'
