"""The pictures of the documentation: ``python docs/figures.py`` writes docs/img/*.png.

That of the globe is what Chromium shows; without it the old one stays.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from PIL import Image

import constellm
from constellm import codec, infer, orbit, paper, plot, split
from constellm.core.table import Table

FOLDER = Path(__file__).resolve().parent / "img"
TRANSFERS = Path(__file__).resolve().parent / "results" / "satellite-edge" / "transfer_map.csv"
ACCURACY = Path(__file__).resolve().parent / "results" / "accuracy" / "curves.csv"


def plot_accuracy() -> Axes:
    """Accuracy of the shipped model with three cuts, by family of codecs and ratio."""
    rows = [row for row in codec.read_measured_cuts(ACCURACY) if len(row.cuts) == 3]
    table = {
        "codec": [row.codecs[0].rpartition("-")[0] for row in rows],
        "ratio": [3 / sum(1 / ratio for ratio in row.ratio) for row in rows],
        "accuracy": [row.accuracy for row in rows],
    }
    ax = plot.plot_curves({name: np.array(column) for name, column in table.items()},
                          x="ratio", y="accuracy", hue="codec")  # fmt: skip
    ax.set_xlabel("raw float32 bytes over sent bytes, three cuts")
    ax.set_ylim(0.925, 0.965)
    without = json.loads(ACCURACY.with_suffix(".json").read_text(encoding="utf-8"))["accuracy"]
    ax.axhline(without, color="grey", linewidth=0.8)
    small = {"textcoords": "offset points", "ha": "right", "fontsize": 7, "color": "dimgrey"}
    ax.annotate("no compression", (1, without), (-2, 3), xycoords=("axes fraction", "data"), **small)
    below = [at for at in zip(*table.values()) if at[2] < 0.925]
    words = [f"↓ {name} at {ratio:.0f}: {100 * accuracy:.1f} %" for name, ratio, accuracy in below]
    ax.annotate("\n".join(words), (1, 0), (-2, 3), xycoords="axes fraction", **small)
    return ax


def plot_transfers() -> Axes:
    """The greedy over the quickest transfer by the rate of links between satellites, of the stored map."""
    rows = [row for row in Table.read_csv(TRANSFERS) if row["optimal_s"] >= 60 and row["links"] == "grid"]
    kinds = {
        f"{words}, {antennas} antenna{'s' * (antennas == 'many')}": (method, antennas)
        for antennas in ("many", "one")
        for method, words in (("intervals_s", "intervals"), ("slots_60_s", "slots of 60 s"))
    }
    table: dict[str, list[object]] = {"greedy": [], "ratio": [], "later": []}
    for name, (method, antennas) in kinds.items():
        for ratio in sorted({row["ratio"] for row in rows}):
            found = [
                row[method] / row["optimal_s"]
                for row in rows
                if (row["ratio"], row["antennas"]) == (ratio, antennas)
            ]
            for column, value in zip(table.values(), (name, ratio, float(np.median(found)))):
                column.append(value)
    ax = plot.plot_curves({name: np.array(column) for name, column in table.items()},
                          x="ratio", y="later", hue="greedy")  # fmt: skip
    ax.set_xlabel("rate of links between satellites ÷ rate to the ground")
    ax.set_ylabel("finishing time ÷ quickest, median")
    ax.set_xscale("log")
    return ax


def constellations() -> dict[str, Axes]:
    """A route on the map, passes, contacts; and the globe, which is written at once."""
    munich, dubai = orbit.station("Munich", 48.1, 11.6), orbit.station("Dubai", 25.2, 55.3)
    links = [orbit.plus_grid(rate_bps=2.5e9), orbit.ground(rate_bps=0.8e9)]
    world = orbit.Constellation(
        orbit.preset("starlink-550"), stations=[munich, dubai], links=links, epoch="2026-03-01T12:00:00Z"
    )
    route = world.routes("Munich", "Dubai", [60.0])
    save_globe(plot.plot_globe(world, 60.0, route=route), FOLDER / "globe.png")
    passing = ["starlink-550/46/5", "starlink-550/60/2"]
    return {
        "world-map": plot.plot_world_map(world, 60.0, route=route, tracks="starlink-550/47/7"),
        "sky": plot.plot_sky(world, "Munich", 0.0, 900.0, satellites=passing),
        "contacts": plot.plot_contacts(world.contacts(0.0, 1200.0), most=30),
    }


def save_globe(globe: object, path: Path) -> None:
    """A picture of a figure of plotly, taken by a browser without a window."""
    browser = shutil.which("chromium")
    if browser is None:
        print(f"no chromium: {path.name} stays as it is")
        return
    size = f"{globe.layout.width},{globe.layout.height}"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "globe.html"
        globe.write_html(page, config={"displayModeBar": False})
        options = ("--headless", "--no-sandbox", "--hide-scrollbars", "--use-angle=swiftshader",
                   "--enable-unsafe-swiftshader", "--virtual-time-budget=8000")  # fmt: skip
        command = [browser, *options, f"--window-size={size}", f"--screenshot={path}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    shrink(path)


def shrink(path: Path) -> None:
    """To as many colours as one byte tells apart, for pictures of thousands of lines."""
    Image.open(path).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def main() -> None:
    problem = paper.collaborative.problem()
    plan = split.solve(problem)
    rates = np.geomspace(1e7, 1e10, 31)
    limits = np.linspace(0.02, 0.3, 15)
    sweep = constellm.sweep.run(problem, rate_bps=rates, max_error=limits)
    figures = {
        "plan": plot.plot_plan(plan),
        "gantt": plot.plot_gantt(plan),
        "network": plot.plot_network(plan),
        "pareto": plot.plot_pareto(split.pareto_front(problem, ("delay_s", "bytes"))),
        "heat-map": plot.plot_heat_map(sweep, x="rate_bps", y="max_error"),
        "accuracy": plot_accuracy(),
        "calibration": plot.plot_calibration(
            infer.calibration(), infer.measured_cuts(), promises=(0.01, 0.02)
        ),
        **constellations(),
        "transfers": plot_transfers(),
        "curves": plot.plot_sweep_curves(sweep.isel(max_error=[0, 2, 14]), x="rate_bps", hue="max_error"),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, ax in figures.items():
        # No version in the file, so that it changes only with the picture.
        ax.figure.savefig(FOLDER / f"{name}.png", dpi=100, bbox_inches="tight", metadata={"Software": None})
    shrink(FOLDER / "world-map.png")
    pyplot.close("all")


if __name__ == "__main__":
    main()
