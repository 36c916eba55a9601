"""Displays of problems, plans and their terms: ``summary()`` as text, ``_repr_html_`` in a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .._core.split import Evaluation, Infeasibility, Plan, Problem, Stage
from ..codec.menu import menu_table
from ..core import display
from ..core.console import for_console
from ..core.display import Display
from ..core.quantity import counted, quantity, split_unit
from ..core.table import Table
from ..network.display import network_tables, shown_id
from .schedule import PHASES, schedule
from .solver import evaluate

NEAR = 6
"""Digits of a plan's objective and its bound, which are read against each other and other plans'."""


def attach() -> None:
    """Give problems, plans and their terms the displays."""
    display.attach(Problem, problem_display)
    display.attach(Plan, plan_display)
    display.attach(Evaluation, _evaluation)
    display.attach(Infeasibility, _infeasibility)
    Problem.__repr__ = _problem_repr  # type: ignore[method-assign]
    Plan.__repr__ = _plan_repr  # type: ignore[method-assign]


def problem_display(problem: Problem) -> Display:
    """Size and limits, then layers, nodes, links and codecs."""
    return Display(_problem_lines(problem), _problem_tables(problem))


def plan_display(plan: Plan) -> Display:
    """What was found and proven, the pipeline, stages and hops."""
    if not plan.path:
        return Display(_plan_lines(plan))

    def picture() -> str:
        from ..plot.svg import pipeline_svg

        return pipeline_svg(plan)

    nodes = {node.id: node.memory_bytes for node in plan.problem.nodes}
    return Display(_plan_lines(plan), _term_tables(evaluate(plan.problem, plan), nodes), picture)


def _problem_repr(self: Problem) -> str:
    objective = f"objective {self.objective}"
    return f"Problem({self.name!r}: {_sizes(self)}, {_micro_batches(self)}, {objective})"


def _plan_repr(self: Plan) -> str:
    parts = [self.status]
    if self.infeasibility is not None:
        parts[0] += f" ({self.infeasibility.reason})"
    if self.path:
        delay = quantity(self.delay_s, "s", digits=NEAR)
        parts += [f"delay {delay}", counted(len(self.stages), "stage"), quantity(self.bytes, "B")]
    if self.method != "optimal":
        parts.append(f"method {self.method}")
    return for_console(f"Plan({self.problem.name!r}: {', '.join(parts)})")


def _sizes(problem: Problem) -> str:
    return ", ".join(
        counted(len(getattr(problem, f"{one}s")), one) for one in ("layer", "node", "link", "codec")
    )


def _micro_batches(problem: Problem) -> str:
    return counted(problem.micro_batches, "micro-batch", "micro-batches")


def _evaluation(terms: Evaluation) -> Display:
    lines = [
        f"Evaluation: delay {quantity(terms.delay_s, 's', digits=NEAR)}, bottleneck "
        f"{quantity(terms.bottleneck_s, 's')}, {quantity(terms.bytes, 'B')} sent, error {terms.error:.3g}, "
        f"energy {quantity(terms.energy_j, 'J')}",
        *(f"breaks: {rule}" for rule in terms.broken_limits),
    ]
    return Display(lines, _term_tables(terms, {}))


def _infeasibility(found: Infeasibility) -> Display:
    rows = []
    for field in Infeasibility.fields:
        value = getattr(found, field.name)
        if isinstance(value, float):
            rows.append((split_unit(field.name)[0], f"{_enough(value)} {field.unit}".rstrip()))
    lines = [f"Infeasibility: {found.reason}"]
    if found.stopped is not None:
        lines.append(f"not all was worked out: {status_text(found.stopped)}")
    return Display(lines, [Table(("would do", "at least"), rows)] if rows else [])


def _problem_lines(problem: Problem) -> list[str]:
    layers = problem.layers
    limits = []
    if problem.max_error is not None:
        rule = "sum" if problem.error_rule == "sum" else "root of the sum of squares"
        limits.append(f"error at most {problem.max_error:.4g} ({rule})")
    if problem.max_energy_j is not None:
        limits.append(f"energy at most {quantity(problem.max_energy_j, 'J')}")
    return [
        f"{'Problem' if problem.name == 'problem' else f'Problem {problem.name}'}: {_sizes(problem)}",
        f"from {problem.source} to {problem.sink}, "
        f"{_micro_batches(problem)} of {quantity(problem.input_bytes, 'B')} input; "
        f"objective {problem.objective}",
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
    return [
        Table(("layers", "name", "work", "memory", "output", "error gain"), layers, "Layers"),
        *network_tables(problem.nodes, problem.links),
        menu_table(problem.codecs, "Codecs"),
    ]


def _plan_lines(plan: Plan) -> list[str]:
    """Head line, and what was found beside what was proven."""
    lines = [f"Plan of {plan.problem.name}: {status_text(plan.status)} (method {plan.method})"]
    if not plan.path:
        return [*lines, *why_none(plan)]
    objective = "delay" if plan.problem.objective == "delay" else "bottleneck"
    if math.isfinite(plan.lower_bound_s):
        bound = quantity(plan.lower_bound_s, "s", digits=NEAR)
        lines.append(f"proven: no {objective} below {bound}; gap {gap_text(plan.gap)}")
    else:
        lines.append("nothing proven about better plans")
    flow = schedule(plan, micro_batches=[0])
    busy_s = quantity(plan.bottleneck_s, "s", digits=3 if plan.problem.objective == "delay" else NEAR)
    lines.append(
        f"delay {quantity(plan.delay_s, 's', digits=NEAR)}, {quantity(plan.bytes, 'B')} sent, "
        f"bottleneck {busy_s} ({flow.servers[flow.bottleneck].name})"
    )
    error = f"error {plan.error:.3g}"
    if plan.problem.max_error is not None:
        error += f" of {plan.problem.max_error:.3g}"
    energy = f"energy {quantity(plan.energy_j, 'J')}"
    if plan.problem.max_energy_j is not None:
        energy += f" of {quantity(plan.problem.max_energy_j, 'J')}"
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


def _term_tables(terms: Evaluation, memory_bytes: Mapping[str, float]) -> list[Table]:
    """Stages and hops; of the nodes in `memory_bytes` with what they have."""
    stages = [
        (
            shown_id(stage.node),
            layers_text(stage.first_layer, stage.last_layer),
            *(quantity(getattr(stage, f"{part}_s"), "s") for part in (*PHASES[:-1], "time")),
            quantity(stage.memory_bytes, "B")
            + (f" of {quantity(memory_bytes[stage.node], 'B')}" if stage.node in memory_bytes else ""),
            stage.codec if stage.codec is not None else "–",
        )
        for stage in terms.stages
    ]
    hops = [
        (
            shown_id(hop.from_),
            shown_id(hop.to),
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
    """Who hosts which layers, and the codec of what is sent on; one that all hand-offs share stands last."""
    codecs = [stage.codec for stage in stages if stage.codec is not None]
    shared = len(codecs) > 1 and len(set(codecs)) == 1
    hosts = [
        f"{stage.node} {stage.first_layer}–{stage.last_layer}"
        + (f" [{stage.codec}]" if stage.codec is not None and not shared else "")
        for stage in stages
    ]
    return ", ".join(hosts) + (f" [all: {codecs[0]}]" if shared else "")


def status_text(status: str) -> str:
    """A status as words."""
    return status.replace("_", " ")


def gap_text(gap: float) -> str:
    """A gap as words."""
    # Plans within 1e-9 count as optimal; below that the gap is the solver's own rounding allowance.
    return "0" if gap <= 1e-9 else f"{100 * gap:.3g} %"


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
