"""Where training takes a third less than on board, or a third of it: both readings of the claim."""

from __future__ import annotations

import numpy as np

from ....core.table import Row, Rows, Tables, distinct, only, where
from ....plot import palette, plot_contest, style
from ....tune import SCHEMES, Contest, Fleet, Scheme, schedule_rounds, spectral_gpt
from ...report.draw import log_ticks, panels
from ...report.study import Experiment, Picture
from ..scenario import HORIZON_S, SHELLS, contenders, settings

SPEEDS_FLOP_PER_S = (0.5e12, 1e12, 2e12, 4e12, 8e12)
PASSES = tuple(range(1, 11))
"""Over the images in a round, each of which computes features anew on board."""
ROUNDS = 3
"""Of which a scheme's time is the mean: passes of satellites differ; on board one round is like the other."""
BY, TO = 2 / 3, 1 / 3
"""Of the time on board: less by a third, and down to a third."""


def _compute(quick: bool) -> Tables:
    tables: Tables = {"thirds": [], "thirds-cells": [], "fair": []}
    for i, (shell, setting, scenario) in enumerate(settings()[:1] if quick else settings()):
        whole = scenario.fleet(lasts_s=HORIZON_S / 3)
        fleets = [whole.replace(board_flop_per_s=speed) for speed in SPEEDS_FLOP_PER_S]
        board_s = np.array(
            [[_mean_s(own, SCHEMES["on-board"], 1, passes) for passes in PASSES] for own in fleets]
        )
        for name, scheme in contenders().items():
            at: Row = {"shell": shell, "setting": setting, "scheme": name}
            if scheme.cut is None:
                continue
            own_s = np.array([_mean_s(own, scheme, 1 if quick else ROUNDS) for own in fleets])
            found = Contest(np.array(SPEEDS_FLOP_PER_S), np.array(PASSES), own_s[:, None] / board_s)
            tables["thirds"].append({**at, **_shares(found)})
            if i == 0:
                tables["thirds-cells"] += [{**at, **row} for row in _cells(found)]
        if shell == next(iter(SHELLS)):
            rounds = 3 if quick else scenario.rounds
            at = {"shell": shell, "setting": setting, "rounds": rounds}
            tables["fair"] += [{**at, **row} for own in fleets for row in _fair(own, rounds)]
    return tables


def _mean_s(own: Fleet, scheme: Scheme, rounds: int, passes: int = 1) -> float:
    """Of a round, with so many passes over the images; the head's take a satellite microseconds."""
    scheme = scheme.replace(local_epochs=passes)
    return schedule_rounds(spectral_gpt(), own, scheme, rounds=rounds).delay_s / rounds


def _shares(found: Contest) -> Row:
    """Cells that hold, and how many passes on board at 1 TFLOP/s each reading stands for."""
    one = found.ratio[int(np.argmin(np.abs(found.board_flop_per_s - 1e12)))]
    a_pass = float(np.median(one * found.passes))  # the ratio falls as the passes grow
    return {
        "cells": found.ratio.size,
        "faster": int((found.ratio < 1.0).sum()),
        "by_33": int((found.ratio <= BY).sum()),
        "to_33": int((found.ratio <= TO).sum()),
        "ratio_of_a_pass": a_pass,
        "passes_for_by_33": a_pass / BY,
        "passes_for_to_33": a_pass / TO,
    }


def _cells(found: Contest) -> Rows:
    return [
        {"board_flop_per_s": speed, "passes": passes, "ratio": ratio}
        for speed, row in zip(found.board_flop_per_s.tolist(), found.ratio.tolist())
        for passes, ratio in zip(found.passes.tolist(), row)
    ]


def _fair(own: Fleet, rounds: int) -> Rows:
    """Both sides keep features: a scheme's time by that of computing each once on board."""
    delays = {
        name: rounds * _mean_s(own, one.replace(cache=True), rounds) for name, one in contenders().items()
    }
    board_s = delays.pop("all on board")
    return [
        {
            "scheme": name,
            "board_flop_per_s": own.board_flop_per_s,
            "delay_s": delay_s,
            "board_s": board_s,
            "ratio": delay_s / board_s,
        }
        for name, delay_s in delays.items()
    ]


def _draw(tables: Tables) -> list[Picture]:
    return [_maps(tables["thirds-cells"]), _fair_lines(tables["fair"])]


def _maps(rows: Rows) -> Picture:
    names = [name for name in _SHOWN if where(rows, scheme=name)]
    with panels(1, len(names), (4.4 * len(names), 3.8)) as (figure, axes):
        for ax, name in zip(axes[0], names):
            own = where(rows, scheme=name)
            speeds, passes = distinct(own, "board_flop_per_s"), distinct(own, "passes")
            ratio = [[only(own, board_flop_per_s=f, passes=n)["ratio"] for n in passes] for f in speeds]
            plot_contest(Contest(np.array(speeds), np.array(passes), np.array(ratio)), ax=ax)
            log_ticks(ax, "x", speeds, "board_flop_per_s")
            ax.set_xlabel("speed on board (TFLOP/s)")
            ax.set_title(name, pad=24)
    return Picture(
        "thirds",
        figure,
        "Time of a scheme by that of all on board, features of which are computed anew in every pass, over "
        "the effective speed on board and passes a round; four polar stations, 6 × 11 satellites. Lines: as "
        "fast, a third less, a third of it.",
    )


_SHOWN = ("float32, all-gather", "float32", "codec")


def _fair_lines(rows: Rows) -> Picture:
    shell = rows[0]["shell"]
    names = distinct(where(rows, shell=shell), "setting")
    with panels(1, len(names), (2.7 * len(names) + 1.5, 3.2)) as (figure, axes):
        for ax, setting in zip(axes[0], names):
            own = where(rows, shell=shell, setting=setting)
            schemes = distinct(own, "scheme")
            for scheme, look in zip(schemes, palette.series(schemes)):
                found = where(own, scheme=scheme)
                ax.plot(
                    [row["board_flop_per_s"] for row in found],
                    [row["ratio"] for row in found],
                    color=look.colour,
                    marker=look.marker,
                    markersize=4,
                    label=scheme,
                )
            ax.axhline(1.0, color=palette.INK, linewidth=0.8)
            for level, dashes in ((BY, "--"), (TO, ":")):
                ax.axhline(level, color=palette.INK, linewidth=0.8, linestyle=dashes)
            ax.set_yscale("log")
            log_ticks(ax, "x", distinct(own, "board_flop_per_s"), "board_flop_per_s")
            ax.set_xlabel("speed on board (TFLOP/s)")
            ax.set_ylabel("time / on board, both cached" if ax is axes[0, 0] else "")
            ax.set_title(setting)
            style.grid(ax)
        axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return Picture(
        "fair",
        figure,
        f"The fair rival: it too computes each feature once and keeps it. {rows[0]['rounds']} rounds, "
        f"{shell} satellites; dashed a third less, dotted a third of it.",
    )


THIRDS = Experiment(
    "A third less, or a third of it",
    "The versions of the paper differ: training takes about 33 % less than on board, or falls to 33 % of "
    "it. Neither says how fast satellites compute, nor how many passes over its images one makes in a "
    "round. Here both move: speeds from 0.5 to 8 effective TFLOP/s, one to ten passes, features of none "
    "cached, a scheme's time the mean of three rounds. Then the rival that the comparison lacks: features "
    "on board computed once and kept, as the scheme's own may be.",
    _compute,
    _draw,
)
