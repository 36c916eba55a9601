"""The pipeline of a plan as a small SVG, for notebooks; no dependency."""

from __future__ import annotations

from html import escape

import numpy as np

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
    names, blocks = [], {phase: [] for phase in palette.PHASES}  # type: tuple[list[str], dict[str, list[str]]]
    for i, server in enumerate(flow.servers):
        top = _ROW_PX * i
        bottleneck = i == flow.bottleneck
        style = f'fill="{palette.ALERT}" font-weight="bold"' if bottleneck else f'fill="{palette.INK}"'
        text = server.name if len(server.name) <= _SHOWN_NAME else server.name[: _SHOWN_NAME - 1] + "…"
        names.append(f'<text x="{_NAME_PX - 6}" y="{top + 11}" text-anchor="end" {style}>{escape(text)}</text>')
        offset = 0.0
        for phase, seconds in server.phases:
            lefts = _NAME_PX + (flow.start_s[i, :shown] + offset) * px_per_s
            width = max(seconds * px_per_s, 0.3)
            blocks[phase] += [f"M{left:.1f} {top + 2}h{width:.2f}v10h-{width:.2f}z" for left in np.asarray(lefts)]
            offset += seconds
    paths = [
        f'<path d="{"".join(d)}" fill="{palette.PHASES[phase]}" stroke="white" stroke-width="0.3"/>'
        for phase, d in blocks.items()
        if d
    ]
    legend, x = [], _NAME_PX
    for phase in (phase for phase, d in blocks.items() if d):
        legend.append(f'<rect x="{x}" y="{height - 10}" width="9" height="9" fill="{palette.PHASES[phase]}"/>')
        legend.append(f'<text x="{x + 13}" y="{height - 2}" fill="{palette.INK}">{phase}</text>')
        x += 76
    scale = f"{quantity(end_s, 's', digits=4)}"
    if shown < batches:
        scale = f"first {shown} of {batches} micro-batches, {scale}"
    legend.append(
        f'<text x="{_NAME_PX + _CHART_PX}" y="{height - 2}" text-anchor="end" fill="{palette.INK}">{scale}</text>'
    )
    width_px = _NAME_PX + _CHART_PX + 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="pipeline of the plan" '
        f'width="{width_px}" height="{height}" viewBox="0 0 {width_px} {height}" '
        f'style="background: white; max-width: 100%" font-family="sans-serif" font-size="10">'
        + "".join([*names, *paths, *legend])
        + "</svg>"
    )
