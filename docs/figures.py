"""The pictures of the documentation: ``python docs/figures.py`` writes docs/img/*.png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot

import constellm
from constellm import paper, plot, split

FOLDER = Path(__file__).resolve().parent / "img"


def main() -> None:
    problem = paper.collaborative()
    plan = split.solve(problem)
    rates = np.geomspace(1e7, 1e10, 31)
    limits = np.linspace(0.02, 0.3, 15)
    sweep = constellm.sweep(problem, rate_bps=rates, max_error=limits)
    figures = {
        "plan": plot.plot_plan(plan),
        "gantt": plot.plot_gantt(plan),
        "network": plot.plot_network(plan),
        "pareto": plot.plot_pareto(split.pareto_front(problem, ("delay_s", "bytes"))),
        "heat-map": plot.plot_heat_map(sweep, x="rate_bps", y="max_error"),
        "curves": plot.plot_sweep_curves(sweep.isel(max_error=[0, 2, 14]), x="rate_bps", hue="max_error"),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, ax in figures.items():
        # No version in the file, so that it changes only with the picture.
        ax.figure.savefig(FOLDER / f"{name}.png", dpi=100, bbox_inches="tight", metadata={"Software": None})
    pyplot.close("all")


if __name__ == "__main__":
    main()
