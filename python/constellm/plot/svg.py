"""The pipeline of a plan as a small SVG, for notebooks; no dependency."""

from __future__ import annotations

from html import escape

from ..core.quantity import quantity
from ..split.schedule import Schedule
from . import palette

_NAME_PX = 130
_CHART_PX = 620
_ROW_PX = 14
_SHOWN_BATCHES = 12
_SHOWN_NAME = 20


def pipeline_svg(flow: Schedule) -> str:
    """Stages and hops as rows, time to the right, one block a micro-batch; the bottleneck's name is red.

    At most the first 12 micro-batches are drawn, and a line says so.
    """
    batches = flow.start_s.shape[1]
    shown = min(batches, _SHOWN_BATCHES)
    end_s = flow.makespan_s if shown == batches else float(flow.finish_s[-1, shown - 1])
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
            lefts = _NAME_PX + (flow.start_s[i, :shown] + offset) * px_per_s
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
    scale = quantity(end_s, "s", digits=4)
    if shown < batches:
        scale = f"first {shown} of {batches} micro-batches, {scale}"
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
