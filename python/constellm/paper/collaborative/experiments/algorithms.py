"""Splitting algorithms side by side: in the paper's scenario, and on measured layer times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ....codec import menu, quantise
from ....core.quantity import quantity
from ....core.table import Row, Rows, Tables, where
from ....plot import palette
from ....split import Problem, compare, solve
from ...report.draw import curves, log_ticks, panels
from ...report.study import Experiment, Picture
from ..contenders import ANYWHERE, CHAIN, GROUND_ONLY, QUANTISE, TOP_K, problem_of
from ..scenario import edge_boards

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAPER_CODEC = "fixed:gumbel-mask-0.221-b8"
_PLANNERS = ("pipeedge", "quantpipe", "edgeshard-latency", "edgeshard-throughput", "jalad")
_RULES = ("uniform", "compute-proportional")
_ABLATIONS = (_PAPER_CODEC, "no-compression", "no-pipeline", "scalar-a-star", "galaxy")
_CHAIN_METHODS = ("optimal", *_RULES, "single-satellite", *_PLANNERS, *_ABLATIONS)
_GROUND_METHODS = ("optimal", "ground-only", *_RULES, "neurosurgeon", *_PLANNERS, *_ABLATIONS)
_BOARD_METHODS = ("optimal", "single-best", *_RULES, *_PLANNERS)
_KEPT = (
    "method",
    "status",
    "delay_s",
    "speed_up",
    "bottleneck_s",
    "bytes",
    "error",
    "delay_model",
    "breaks",
    "note",
    "layers",
)

_BOARDS = {"google/vit-base-patch16-224": "ViT-B", "google/vit-large-patch16-224": "ViT-L"}


def _table(setting: str, problem: Problem, methods: tuple[str, ...]) -> Rows:
    return [
        {"setting": setting, **{name: row[name] for name in _KEPT}}
        for row in compare(problem, methods, reference="optimal")
    ]


def _named(rows: Rows, method: str, label: str, optimum_s: float) -> Row:
    """The row of a method in another contender's problem, against the optimum of this one."""
    row = dict(where(rows, method=method)[0])
    row.update(method=label, speed_up=optimum_s / row["delay_s"])
    return row


def _compute(quick: bool) -> Tables:
    image = "1080p"
    chain = _table("chain", problem_of(CHAIN, image=image), _CHAIN_METHODS)
    ground = _table("ground may compute", problem_of(ANYWHERE, image=image), _GROUND_METHODS)
    optimum_s = chain[0]["delay_s"]
    chain += [
        _named(_table("chain", problem_of(contender, image=image), ("optimal",)), "optimal", label, optimum_s)
        for contender, label in ((TOP_K, "top-k-only"), (QUANTISE, "quantise-only"))
    ]
    below = _table("chain", problem_of(GROUND_ONLY, image=image), ("optimal", "ground-only"))
    chain.append(_named(below, "ground-only", "ground-only (no chain)", optimum_s))
    return {"methods": chain + ground}


def _factor(value: float) -> str:
    return f"{value:.0f}×" if value >= 100 else f"{value:.2f}×"


def _bars(rows: Rows, title: str) -> Figure:
    rows = sorted(rows, key=lambda row: (math.isnan(row["delay_s"]), row["delay_s"]))
    delays = [row["delay_s"] for row in rows if not math.isnan(row["delay_s"])]
    log = delays[-1] > 20 * delays[0]
    with panels(1, 1, (7.6, 0.9 + 0.27 * len(rows))) as (figure, axes):
        ax = axes[0, 0]
        if log:
            log_ticks(ax, "x", [1, 2, 5, 10, 20, 50, 100, 1000], "delay_s")
        ax.set_xlim(0.7 * delays[0] if log else 0, delays[-1] * (20 if log else 1.35))
        for i, row in enumerate(rows):
            if math.isnan(row["delay_s"]):
                ax.text(
                    0.72 * delays[0],
                    i,
                    row["status"].replace("_", " "),
                    va="center",
                    fontsize=8,
                    color=palette.MUTED,
                )
                continue
            look = palette.method(row["method"])
            if log:  # without a zero, bars would begin anywhere
                ax.hlines(i, 0.7 * delays[0], row["delay_s"], color=palette.PALE, linewidth=1.0)
                ax.plot(row["delay_s"], i, look.marker, color=look.colour, markersize=6)
            else:
                ax.barh(i, row["delay_s"], height=0.66, color=look.colour)
            words = f"{quantity(row['delay_s'], 's')}  ({_factor(row['delay_s'] / delays[0])})"
            if row["delay_model"] != "pipeline":
                words += f", {row['delay_model']}"
            if row["breaks"]:
                words += ", breaks a limit"
            ax.annotate(
                words, (row["delay_s"], i), (7, 0), textcoords="offset points", va="center", fontsize=8
            )
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_yticks(range(len(rows)), [row["method"] for row in rows])
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(f"delay (s), × relative to {rows[0]['method']}")
        ax.set_title(title)
    return figure


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["methods"]
    return [
        Picture(
            "methods-chain",
            _bars(where(rows, setting="chain"), "ViT-G over five satellites, 1080p, S2G 0.8 Gbit/s"),
            "Methods in the paper's setting. Published planners know no such codecs: PipeEdge and "
            "EdgeShard send activations as they are, QuantPipe and JALAD quantise.",
        ),
        Picture(
            "methods-ground",
            _bars(where(rows, setting="ground may compute"), "The same, and the ground may compute"),
            "With the ground as a host most layers move there: the chain is then not the best plan.",
        ),
    ]


ALGORITHMS = Experiment(
    "Splitting algorithms",
    "ViT-G, 1080p, S2G 0.8 Gbit/s. Every plan is evaluated by the same pipeline formula, but for rows "
    "that name another delay model. Top-k-only and quantise-only have menus of their own; the "
    "ground-only row is a plan outside the chain, where the ground hosts everything.",
    _compute,
    _draw,
)


def _compute_boards(quick: bool) -> Tables:
    tables: Rows = []
    curves_: Rows = []
    for model, short in _BOARDS.items():
        tables += _table(short, edge_boards(model), _BOARD_METHODS)
        for rate in (1e8, 1e9) if quick else (5e6, 1e7, 2e7, 5e7, 1e8, 2e8, 5e8, 1e9):
            problem = edge_boards(model, rate_bps=rate)
            delays = {
                name: solve(problem, method=name, on_interrupt="raise").delay_s
                for name in ("uniform", "pipeedge", "quantpipe", "edgeshard-latency")
            }
            delays["optimal, uncompressed"] = solve(problem, on_interrupt="raise").delay_s
            eight = problem.replace(codecs=[*menu("none"), *quantise(bits=[8])])
            delays["optimal, 8 bits allowed"] = solve(eight, on_interrupt="raise").delay_s
            curves_ += [
                {"model": short, "rate_bps": rate, "planner": name, "delay_s": delay_s}
                for name, delay_s in delays.items()
            ]
    return {"boards": tables, "boards-by-rate": curves_}


def _draw_boards(tables: Tables) -> list[Picture]:
    pictures = []
    for short in _BOARDS.values():
        rows = where(tables["boards"], setting=short)
        pictures.append(
            Picture(
                f"boards-{short.lower()}",
                _bars(rows, f"{short}, measured layer times, 8 boards, 1 Gbit/s"),
                f"{short} on four Minnowboard E3845 and four RCC-VE C2000 with PipeEdge's measured times; "
                "batch 8, "
                "FP32, 8 micro-batches (an assumption), no error limit.",
            )
        )
    by_rate = curves(
        where(tables["boards-by-rate"], model="ViT-L"),
        x="rate_bps",
        hue="planner",
        log_x=True,
        title="ViT-L on the boards by link rate",
    )
    pictures.append(
        Picture(
            "boards-by-rate",
            by_rate.figure,
            "Measured ViT-L by link rate. QuantPipe goes down to 2 bits without an error limit, so it "
            "is not on a par with 8 bits; PipeEdge's optimum of the bottleneck is not always that of "
            "the delay.",
        )
    )
    return pictures


BOARDS = Experiment(
    "Measured inputs: PipeEdge's boards",
    "Layer times of ViT-Base and ViT-Large on two kinds of edge boards (Hu et al., DSD 2022, arXiv "
    "2110.14895; data under BSD-3-Clause): no clock, no utilisation, no formula of FLOP enters here.",
    _compute_boards,
    _draw_boards,
)
