"""A round phase by phase, and what each decision buys over ten of them."""

from __future__ import annotations

from ....core.quantity import quantity
from ....core.table import Row, Rows, Tables, distinct, only, where
from ....plot import palette, style
from ....tune import PHASES, Rounds, Scheme, schedule_rounds, spectral_gpt
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..scenario import SHELLS, Scenario, contenders, embedding_codec, settings

CHUNKS = 8
"""In so many parts are images embedded, sent and encoded where phases overlap."""

_COLOURS = dict(
    zip(PHASES, (palette.CYCLE[4], *palette.CYCLE[1::-1], *palette.CYCLE[2:4], *palette.CYCLE[5:]))
)


def steps() -> dict[str, Scheme]:
    """From the paper's scheme to the fastest, one decision after the other; and what it has to beat."""
    schemes = contenders()
    codec = Scheme(codec=embedding_codec(), cache=True)
    return {
        "as published": schemes["float32, all-gather"],
        "no all-gather": schemes["float32"],
        "features cached": schemes["float32"].replace(cache=True),
        "codec at the cut": codec,
        "phases overlap": codec.replace(chunks=CHUNKS),
        "raw images, cached": schemes["raw images"].replace(cache=True),
        "on board, cached": schemes["all on board"].replace(cache=True),
        "on board": schemes["all on board"],
    }


def _compute(quick: bool) -> Tables:
    tables: Tables = {"phases": [], "ladder": [], "totals": []}
    for shell, setting, scenario in settings()[:2] if quick else settings():
        at: Row = {"shell": shell, "setting": setting}
        for name, rows in _setting(scenario.replace(rounds=3) if quick else scenario).items():
            tables[name] += [{**at, **row} for row in rows]
    return tables


def _setting(scenario: Scenario) -> Tables:
    workload, fleet, found = spectral_gpt(), scenario.fleet(), dict[str, Rounds]()

    def done(scheme: Scheme) -> Rounds:
        key = scheme.describe()
        if key not in found:
            found[key] = schedule_rounds(workload, fleet, scheme, rounds=scenario.rounds)
        return found[key]

    phases: Rows = []
    totals: Rows = []
    for name, scheme in contenders().items():
        one = done(scheme).rounds[0]
        for phase in one.phases:
            row: Row = {"scheme": name, "phase": phase.name, "adds_s": phase.adds_s}
            phases.append({**row, "share": phase.adds_s / one.delay_s, "sent_bytes": phase.sent_bytes})
        for cached in (False, True):
            totals.append({"scheme": name, "cached": cached, **_total(done(scheme.replace(cache=cached)))})
    ladder = [
        {"step": step, "scheme": scheme.describe(), **_total(done(scheme))}
        for step, scheme in steps().items()
    ]
    return {"phases": phases, "ladder": ladder, "totals": totals}


def _total(done: Rounds) -> Row:
    return {
        "rounds": done.wanted,
        "delay_s": done.delay_s,
        "first_s": done.rounds[0].delay_s,
        "sent_bytes": done.sent_bytes,
        "energy_j": done.energy_j,
        "status": done.status,
    }


def _draw(tables: Tables) -> list[Picture]:
    return [_phases(tables["phases"]), _ladder(tables["ladder"])]


def _phases(rows: Rows) -> Picture:
    shell = next(iter(SHELLS))
    names = distinct(where(rows, shell=shell), "setting")
    with panels(1, len(names), (2.7 * len(names) + 0.8, 3.2)) as (figure, axes):
        for ax, setting in zip(axes[0], names):
            own = where(rows, shell=shell, setting=setting)
            schemes = distinct(own, "scheme")
            for i, scheme in enumerate(schemes):
                left = 0.0
                for row in where(own, scheme=scheme):
                    ax.barh(i, row["adds_s"], left=left, height=0.65, color=_COLOURS[row["phase"]])
                    left += row["adds_s"]
                ax.text(left, i, f" {quantity(left, 's')}", va="center", fontsize=7)
            longest = max(sum(r["adds_s"] for r in where(own, scheme=name)) for name in schemes)
            ax.set_xlim(0, 1.3 * longest)
            ax.set_yticks(range(len(schemes)), schemes if ax is axes[0, 0] else [""] * len(schemes))
            ax.invert_yaxis()
            ax.tick_params(axis="y", length=0)
            ax.set_xlabel("a round (s)")
            ax.set_title(setting)
            style.grid(ax, "x")
        from matplotlib.patches import Patch

        shown = [name for name in PHASES if any(row["phase"] == name for row in rows)]
        figure.legend(
            handles=[Patch(color=_COLOURS[name], label=name) for name in shown],
            loc="outside lower center",
            ncols=len(shown),
        )
    return Picture(
        "phases",
        figure,
        f"What each phase adds to the first round, {shell} satellites, 500 images each, features not cached.",
    )


def _ladder(rows: Rows) -> Picture:
    shell = next(iter(SHELLS))
    names = distinct(where(rows, shell=shell), "setting")
    with panels(1, len(names), (2.6 * len(names) + 1.2, 3.0)) as (figure, axes):
        for ax, setting in zip(axes[0], names):
            own = where(rows, shell=shell, setting=setting)
            found = distinct(own, "step")
            delays = [only(own, step=step)["delay_s"] for step in found]
            beside = [step in _BESIDE for step in found]
            colours = [palette.MUTED if other else palette.CYCLE[0] for other in beside]
            low, high = 0.5 * min(delays), 8 * max(delays)
            ax.hlines(range(len(found)), low, delays, color=palette.PALE, linewidth=5)
            ax.scatter(delays, range(len(found)), color=colours, s=26, zorder=3)
            for i, delay in enumerate(delays):
                ax.text(1.25 * delay, i, quantity(delay, "s"), va="center", fontsize=7.5)
            ax.set_xscale("log")
            ax.set_xlim(low, high)
            ax.set_yticks(range(len(found)), found if ax is axes[0, 0] else [""] * len(found))
            ax.invert_yaxis()
            ax.tick_params(axis="y", length=0)
            ax.set_xlabel(f"{own[0]['rounds']} rounds (s)")
            ax.set_title(setting)
            style.grid(ax, "x")
    return Picture(
        "ladder",
        figure,
        f"What each decision buys after those above it, over {rows[0]['rounds']} rounds, {shell} satellites; "
        "grey: what does without embeddings. On logarithmic axes.",
    )


_BESIDE = ("raw images, cached", "on board, cached", "on board")

ROUNDS = Experiment(
    "A round, phase by phase, and what each decision buys",
    "SpectralGPT with 500 images on each satellite, an effective TFLOP/s there and a PFLOP/s on the ground. "
    "Transfers are quickest ones, with proof; the first scheme is the published one, float32 embeddings "
    "exchanged within each plane in every round, and it too gets the quickest transfers. Features never "
    "change, for embedding and encoder are frozen: cached, they come down once. "
    f"Where phases overlap, images go in {CHUNKS} parts. On board, not cached, each round computes all "
    "features anew, one pass.",
    _compute,
    _draw,
)
