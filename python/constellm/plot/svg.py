"""The pipeline of a plan as a small SVG, for notebooks; no dependency."""

from __future__ import annotations

from html import escape

import numpy as np

from .._core.split import Plan
from ..core.quantity import quantity
from ..split.schedule import first_and_last, folded, schedule
from . import palette

_NAME_PX = 130
_CHART_PX = 620
_ROW_PX = 14
_FIRST_BATCHES, _LAST_BATCHES = 8, 4
_SHOWN_NAME = 20


def pipeline_svg(plan: Plan) -> str:
    """Stages and hops as rows, time to the right, one block a micro-batch; the bottleneck's name is red.

    Of more than 12 micro-batches the first 8 and the last 4 are drawn; a line says so, and a pale band stands
    for the time between.
    """
    batches = plan.problem.micro_batches
    flow = schedule(plan, micro_batches=first_and_last(batches, _FIRST_BATCHES, _LAST_BATCHES))
    time = folded(flow)
    end_s = time.end_s
    px_per_s = _CHART_PX / end_s if end_s > 0 else 0.0
    height = _ROW_PX * (len(flow.servers) + 2)
    ink = f'fill="{palette.INK}"'
    names = []
    blocks: dict[str, list[str]] = {phase: [] for phase in palette.PHASES}
    for i, server in enumerate(flow.servers):
        top = _ROW_PX * i
        text = server.name if len(server.name) <= _SHOWN_NAME else server.name[: _SHOWN_NAME - 1] + "…"
        look = f'fill="{palette.ALERT}" font-weight="bold"' if i == flow.bottleneck else ink
        names.append(_text(_NAME_PX - 6, top + 11, text, f'text-anchor="end" {look}'))
        offset = 0.0
        for phase, seconds in server.phases:
            lefts = _NAME_PX + (time.start_s[i, ~np.isnan(time.start_s[i])] + offset) * px_per_s
            width = max(seconds * px_per_s, 0.3)
            blocks[phase] += [f"M{left:.1f} {top + 2}h{width:.2f}v10h-{width:.2f}z" for left in lefts]
            offset += seconds
    paths = [
        f'<path d="{"".join(d)}" fill="{palette.PHASES[phase]}" stroke="white" stroke-width="0.3"/>'
        for phase, d in blocks.items()
        if d
    ]
    legend, x = [], _NAME_PX
    for phase in (phase for phase, d in blocks.items() if d):
        legend.append(f'<path d="M{x} {height - 10}h9v9h-9z" fill="{palette.PHASES[phase]}"/>')
        legend.append(_text(x + 13, height - 2, phase, ink))
        x += 76
    scale = quantity(flow.makespan_s, "s", digits=4)
    if flow.micro_batches.size < batches:
        scale = f"first {_FIRST_BATCHES} and last {_LAST_BATCHES} of {batches} micro-batches, {scale}"
    if time.cut_s > 0:
        left, width = _NAME_PX + time.fold_s * px_per_s, 0.02 * time.end_s * px_per_s
        band = f"M{left:.1f} 0h{width:.1f}v{height - 2 * _ROW_PX}h-{width:.1f}z"
        legend.append(f'<path d="{band}" fill="{palette.PALE}"/>')
    legend.append(_text(_NAME_PX + _CHART_PX, height - 2, scale, f'text-anchor="end" {ink}'))
    width_px = _NAME_PX + _CHART_PX + 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="pipeline of the plan" '
        f'width="{width_px}" height="{height}" viewBox="0 0 {width_px} {height}" '
        f'style="background: white; max-width: 100%" font-family="sans-serif" font-size="10">'
        + "".join([*names, *paths, *legend])
        + "</svg>"
    )


def _text(x: float, y: float, words: str, attributes: str) -> str:
    return f'<text x="{x}" y="{y}" {attributes}>{escape(words)}</text>'
