"""Two directions of the review: what to send for a task, and layers that spike."""

from __future__ import annotations

from dataclasses import replace

from ....core.table import Rows, Tables, distinct, where
from ....infer import measured_cuts
from ....model import vit
from ....plot import palette, style
from ....services import Problem, RateAccuracy, break_even, components, energy, solve
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn

SPLITS = (1, 3, 6, 9)
LOSSES = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
ISL_BPS = 20e6
"""Slow, so that what is sent shows in the delay."""
FRONT, BACK = "landuse-front", "landuse-back"
STEPS = (1, 2, 4, 8, 16)
SPIKE_RATES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
SPIKING = "vit-base/16"
_KILOBYTES = (0.2, 0.5, 1.0, 2.0, 5.0)


def _compute(quick: bool) -> Tables:
    return {"rate-accuracy": _rates(quick), "spiking": _spikes(quick)}


def _rates(quick: bool) -> Rows:
    rows: Rows = []
    measured = measured_cuts()
    cuts = sorted({row.cuts[0] for row in measured if len(row.cuts) == 1} & set(SPLITS))
    for cut in cuts[:1] if quick else cuts:
        table = RateAccuracy.of_measured(measured, {(FRONT, BACK): cut})
        problem = split_at(cut)
        for loss in LOSSES[::3] if quick else LOSSES:
            smaller, choices = table.compressed(problem, loss)
            plan = solve(smaller)
            choice = choices[problem.tasks[0].name]
            (sent,) = smaller.tasks[0].stages[1].inputs
            (raw,) = problem.tasks[0].stages[1].inputs
            rows.append(
                {
                    "cut": cut,
                    "max_loss": loss,
                    "codec": choice.options[1].codec,
                    "loss": choice.loss,
                    "sent_bytes": sent.bytes,
                    "ratio": raw.bytes / sent.bytes,
                    "delay_s": plan.delay_s,
                    "status": plan.status,
                }
            )
    return rows


def split_at(cut: int) -> Problem:
    """The shipped network in two: its front where the image is taken, its back on one other satellite."""
    problem = drawn(
        0,
        3,
        templates=["landuse"],
        components=components(landuse_cut=cut),
        isl_bps=ISL_BPS,
        slack=None,
        objective="delay",
    )
    sources = [task.source for task in problem.tasks]
    graph = problem.network
    far = next(node.id for node in graph.nodes if node.flop_per_s > 0 and node.id not in sources)
    hosts = {FRONT: tuple(sorted(set(sources))), BACK: (far,)}
    return problem.replace(
        services=[replace(of, nodes=hosts[of.name]) for of in problem.services], budget=0.0
    )


def _spikes(quick: bool) -> Rows:
    profile = vit(SPIKING)
    return [
        {
            "model": SPIKING,
            "steps": steps,
            "spike_rate": rate,
            "conventional_j": float(found.conventional_j.sum()),
            "spiking_j": float(found.spiking_j.sum()),
            "neuromorphic_j": float(found.neuromorphic_j.sum()),
            "ratio": found.ratio,
        }
        for steps in (STEPS[1:3] if quick else STEPS)
        for rate in SPIKE_RATES
        for found in [energy(profile, spike_rate=rate, steps=steps)]
    ]


def _draw(tables: Tables) -> list[Picture]:
    return [_draw_rates(tables["rate-accuracy"]), _draw_spikes(tables["spiking"])]


def _draw_rates(rows: Rows) -> Picture:
    cuts = distinct(rows, "cut")
    with panels(1, 2, (8.0, 3.4)) as (figure, axes):
        for cut, look in zip(cuts, palette.lines(list(map(str, cuts)))):
            own = where(rows, cut=cut)
            at = [100 * row["max_loss"] for row in own]
            axes[0, 0].plot(at, [row["sent_bytes"] / 1e3 for row in own], label=f"after block {cut}", **look)
            axes[0, 1].plot(at, [1e3 * row["delay_s"] for row in own], label=f"after block {cut}", **look)
        axes[0, 0].set_yscale("log")
        axes[0, 0].set_yticks(_KILOBYTES, [f"{size:g}" for size in _KILOBYTES])
        axes[0, 0].set_yticks([], minor=True)
        for ax, words in zip(axes[0], ("sent at the split (kB)", "mean delay (ms)")):
            ax.set_xlabel("accuracy that may be lost (points)")
            ax.set_ylabel(words)
            style.grid(ax)
        axes[0, 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return Picture(
        "rate-accuracy",
        figure,
        "The shipped network split between the satellite over the user and another, over links of 20 "
        "Mbit/s: least bytes within a loss of accuracy, by codecs as measured at that split, and the delay "
        "then. Coding takes no time here, and losses are those on EuroSAT.",
    )


def _draw_spikes(rows: Rows) -> Picture:
    steps = distinct(rows, "steps")
    with panels(1, 1, (5.8, 3.4)) as (figure, axes):
        ax = axes[0, 0]
        for number, look in zip(steps, palette.lines(list(map(str, steps)))):
            own = where(rows, steps=number)
            ax.plot(
                [row["spike_rate"] for row in own],
                [row["ratio"] for row in own],
                label=_even(number),
                **look,
            )
        ax.axhline(1.0, color=palette.INK, linewidth=0.8)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("spikes of a neuron in a step")
        ax.set_ylabel("conventional ÷ spiking energy")
        style.grid(ax)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return Picture(
        "spiking",
        figure,
        f"Arithmetic of {SPIKING} with its first layer conventional: 4.6 pJ a multiply-add against 0.9 pJ "
        f"a sum. "
        "Memory and movement of data are left out, rates of spikes are assumed, and accuracy is not the "
        "same.",
    )


def _even(steps: int) -> str:
    at = break_even() / steps
    return f"{steps} step{'s' * (steps > 1)}: " + (f"even at {at:.2f}" if at <= 1.0 else "always less")


DIRECTIONS = Experiment(
    "What to send for a task, and layers that spike",
    "Rates and accuracies at each split are those of the codec's measurements on the shipped network. "
    "Energies are of arithmetic alone, by published constants: 4.6 pJ a multiply-add, 0.9 pJ a sum, 77 fJ "
    "a synaptic operation.",
    _compute,
    _draw,
)
