"""The pipeline of a plan as a small SVG, for notebooks; no dependency."""

from __future__ import annotations

from html import escape

import numpy as np

from .._core.split import Plan
from ..core.quantity import cut_in_the_middle, quantity
from ..split.display import layers_text
from ..split.schedule import Server, first_and_last, folded, schedule
from . import palette

_NAME_PX = 130
_CHART_PX = 620
_ROW_PX = 14
_LEGEND_PX = 76
_FIRST_BATCHES, _LAST_BATCHES = 8, 4
_SHOWN_NAME = 20
_GAP_PX = 0.4  # between neighbours that are wide enough for it
_BOTTLENECK = f'fill="{palette.ALERT}" fill-opacity="0.3"'


def pipeline_svg(plan: Plan) -> str:
    """Stages and hops as rows, time to the right, one block a micro-batch; a red band marks the bottleneck.

    Under the pointer a row tells what it is and how long each part takes. Of more than 12 micro-batches the
    first 8 and the last 4 are drawn; a line says so, and a pale band stands for the time between. Texts have
    the page's colour, and the ground is the page's.
    """
    batches = plan.problem.micro_batches
    flow = schedule(plan, micro_batches=first_and_last(batches, _FIRST_BATCHES, _LAST_BATCHES))
    time = folded(flow)
    end_s = time.end_s
    px_per_s = _CHART_PX / end_s if end_s > 0 else 0.0
    height = _ROW_PX * (len(flow.servers) + 2)
    layers = {stage.node: layers_text(stage.first_layer, stage.last_layer) for stage in plan.stages}
    rows = []
    for i, server in enumerate(flow.servers):
        top = _ROW_PX * i
        slowest = i == flow.bottleneck
        tip = _tip(server, layers.get(server.name) if server.kind == "stage" else None, slowest)
        # The band, invisible but for the bottleneck's, answers to the pointer over the whole row.
        band = _BOTTLENECK if slowest else 'fill="none" pointer-events="all"'
        marks = [f'<path d="M0 {top}h{_NAME_PX + _CHART_PX}v{_ROW_PX}H0z" {band}/>']
        weight = ' font-weight="bold"' if slowest else ""
        name = cut_in_the_middle(server.name, _SHOWN_NAME)
        marks.append(_text(_NAME_PX - 6, top + 11, name, f'text-anchor="end"{weight}'))
        offset = 0.0
        for phase, seconds in server.phases:
            lefts = _NAME_PX + (time.start_s[i, ~np.isnan(time.start_s[i])] + offset) * px_per_s
            width = max(seconds * px_per_s, 0.3)
            width -= _GAP_PX if width > 4 * _GAP_PX else 0.0
            blocks = "".join(f"M{left:.1f} {top + 2}h{width:.2f}v10h-{width:.2f}z" for left in lefts)
            marks.append(f'<path d="{blocks}" fill="{palette.PHASES[phase]}"/>')
            offset += seconds
        rows.append(f"<g><title>{escape(tip)}</title>{''.join(marks)}</g>")
    used = [phase for phase in palette.PHASES if any(phase in dict(s.phases) for s in flow.servers)]
    looks = [(phase, f'fill="{palette.PHASES[phase]}"') for phase in used] + [("bottleneck", _BOTTLENECK)]
    legend = []
    for x, (word, look) in zip(range(_NAME_PX, _NAME_PX + _CHART_PX, _LEGEND_PX), looks):
        legend.append(f'<path d="M{x} {height - 10}h9v9h-9z" {look}/>')
        legend.append(_text(x + 13, height - 2, word))
    scale = quantity(flow.makespan_s, "s", digits=4)
    if flow.micro_batches.size < batches:
        scale = f"first {_FIRST_BATCHES} and last {_LAST_BATCHES} of {batches} micro-batches, {scale}"
    if time.cut_s > 0:
        left, width = _NAME_PX + time.fold_s * px_per_s, 0.02 * time.end_s * px_per_s
        fold = f"M{left:.1f} 0h{width:.1f}v{height - 2 * _ROW_PX}h-{width:.1f}z"
        legend.append(
            f'<path d="{fold}" fill="currentColor" fill-opacity="0.15"><title>time is cut here</title></path>'
        )
    legend.append(_text(_NAME_PX + _CHART_PX, height - _ROW_PX, scale, 'text-anchor="end"'))
    width_px = _NAME_PX + _CHART_PX + 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="pipeline of the plan" '
        f'width="{width_px}" height="{height}" viewBox="0 0 {width_px} {height}" '
        'style="max-width: 100%; min-width: 560px; height: auto" '
        'fill="currentColor" font-family="sans-serif" font-size="10">' + "".join([*rows, *legend]) + "</svg>"
    )


def _tip(server: Server, layers: str | None, slowest: bool) -> str:
    what = server.name if layers is None else f"{server.name}, layers {layers}"
    parts = [f"{phase} {quantity(seconds, 's')}" for phase, seconds in server.phases]
    lines = [f"{what}: {quantity(server.time_s, 's')} per micro-batch", *parts]
    if server.latency_s > 0:
        lines.append(f"latency {quantity(server.latency_s, 's')}")
    return "\n".join([*lines, *(["the bottleneck"] if slowest else [])])


def _text(x: float, y: float, words: str, attributes: str = "") -> str:
    return f'<text x="{x}" y="{y}" {attributes}>{escape(words)}</text>'
