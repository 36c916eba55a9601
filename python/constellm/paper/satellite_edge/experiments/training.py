"""A head that is really trained, over the time that each scheme takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.table import Row, Rows, Tables, distinct, only, where
from ....images import sample
from ....infer import direct_compressors, features, load
from ....plot import palette, style
from ....tune import (
    SCHEMES,
    Asynchronous,
    Buffered,
    Computing,
    ConstantTiming,
    ContactTiming,
    FederatedRun,
    Fleet,
    HeadTask,
    Scheme,
    Synchronous,
    federate,
    partition,
    schedule_round,
    schedule_rounds,
    spectral_gpt,
)
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..scenario import CUT_CODEC, DAY_S, POWERS, Scenario, embedding_codec

ALPHAS = (math.inf, 0.1)
"""Of the Dirichlet distribution by which classes are spread; inf: dealt out like cards."""
LEARNING_RATE = 0.02
"""Of steps of one image each."""
TARGET = 0.3
"""Cross entropy on test images that counts as trained [nat]; without any training it is 2.30."""
TEST_A_CLASS = 10
SEED = 1
_POINTS = 40
_ALONE = ("FedAvg", "FedProx", "FedBuff")


@dataclass(frozen=True)
class _World:
    """What a run goes on."""

    scenario: Scenario
    alpha: float
    quick: bool
    lost: str = "nothing"

    def fleet(self, **changes: Any) -> Fleet:
        scenario = self.scenario.replace(**changes)
        fleet = scenario.fleet(lasts_s=_LASTS_S if changes else _LASTS_S / 4)
        if self.lost == "a satellite of each plane":
            return fleet.without(_lost_satellites(scenario))
        if self.lost == "two of four stations":
            return fleet.without(fleet.stations[:2])
        if self.lost == "links of two planes":
            a, b = fleet.rings[2:4]
            return fleet.without(links=[(one, other) for one in a for other in b])
        return fleet

    def task(self, codec: str = "none", **more: Any) -> HeadTask:
        seen = _seen(codec)
        satellites = more.pop("satellites", self.scenario.planes * self.scenario.satellites_per_plane)
        alpha = None if math.isinf(self.alpha) or satellites == 1 else self.alpha
        spread = partition(seen.train_labels, satellites, alpha=alpha, seed=SEED)
        return HeadTask(
            seen.train,
            spread,
            test_features=seen.test,
            test_labels=seen.test_labels,
            learning_rate=LEARNING_RATE,
            batch=1,
            **more,
        )

    @property
    def gone(self) -> NDArray[np.bool_]:
        """Which satellites never train."""
        ids = self.scenario.shell.ids
        lost = _lost_satellites(self.scenario) if self.lost == "a satellite of each plane" else []
        return np.isin(ids, lost)


_LASTS_S = DAY_S


def _lost_satellites(scenario: Scenario) -> list[str]:
    each = scenario.satellites_per_plane
    return [scenario.shell.ids[plane * each + plane] for plane in range(scenario.planes)]


@dataclass(frozen=True)
class _Seen:
    """The shipped sample as the classifier gets it."""

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test: NDArray[np.float32]
    test_labels: NDArray[np.int64]


@lru_cache(maxsize=4)
def _seen(codec: str) -> _Seen:
    test, train = sample().divided(TEST_A_CLASS)
    cuts = {} if codec == "none" else {1: direct_compressors()[codec]}
    net = load()
    found = [features(net, part.pixels, cuts=cuts).values for part in (train, test)]
    return _Seen(found[0], train.labels, found[1], test.labels)


# --- schemes -----------------------------------------------------------------------------------------


def _scheduled(world: _World, scheme: Scheme, rounds: int, codec: str = "none") -> Rows:
    """Rounds one after the other: all satellites train in each, so only their time is another."""
    done = schedule_rounds(spectral_gpt(), world.fleet(), scheme, rounds=rounds)
    never = np.where(world.gone, np.inf, 0.0)
    run = federate(
        world.task(codec), ConstantTiming(len(never), down_s=never), rounds=rounds, seed=SEED, progress=False
    )
    ends = [0.0, *(one.finish_s for one in done.rounds)]
    sent = np.cumsum([0.0, *(one.sent_bytes for one in done.rounds)]).tolist()
    energy = np.cumsum([0.0, *(one.energy_j for one in done.rounds)]).tolist()
    return _points(run, ends, sent, energy)


def _raw(world: _World) -> Rows:
    """Raw images to the ground, and all training there."""
    one = schedule_round(spectral_gpt(), world.fleet(), SCHEMES["raw-to-ground"])
    phases = [phase for phase in one.phases if phase.name in ("down", "server")]
    there_s = max(phase.end_s for phase in phases)
    run = federate(world.task(satellites=1), ConstantTiming(1), rounds=10, seed=SEED, progress=False)
    work = world.scenario.images * len(world.gone) * spectral_gpt().head_training_flop
    epoch_s = work / world.scenario.server_flop_per_s
    ends = [0.0, *(there_s + epoch_s * np.arange(1, len(run.history))).tolist()]
    sent, energy = (sum(getattr(phase, key) for phase in phases) for key in ("sent_bytes", "energy_j"))
    return _points(run, ends, [0.0, *[sent] * len(ends)], [0.0, *[energy] * len(ends)])


def _alone(world: _World, mode: Synchronous | Buffered, epochs: int | tuple[int, int], proximal: float) -> Rows:
    """Through ground stations, without links between satellites; features anew in each local training."""
    rounds = (3 if world.quick else 30) * (6 if isinstance(mode, Buffered) else 1)
    fleet = world.fleet(links="none")
    timing = _timing(fleet, world.scenario, {"before_s": _board_s(world.scenario)})
    return _run(world, timing, world.task(proximal=proximal), mode, rounds, epochs)


def _asynchronous(world: _World, codec: str) -> Rows:
    """Split, with features that came down and back once; each update by itself over whatever contacts."""
    scheme = Scheme(cache=True, codec=None if codec == "none" else embedding_codec())
    fleet = world.fleet()
    phases = schedule_round(spectral_gpt(), fleet, scheme).phases
    ready_s = max(phase.end_s for phase in phases if phase.name in ("down", "server", "back"))
    timing = _timing(fleet, world.scenario, {"ready_s": ready_s})
    sent, energy = (
        sum(getattr(phase, key) for phase in phases if phase.name in ("embed", "down", "server", "back"))
        for key in ("sent_bytes", "energy_j")
    )
    rows = _run(world, timing, world.task(codec), Asynchronous(), 100 if world.quick else 2000, 1)
    for row in rows[1:]:
        row["sent_bytes"] += sent
        row["energy_j"] += energy
    return rows


def _run(
    world: _World,
    timing: ContactTiming,
    task: HeadTask,
    mode: Synchronous | Buffered | Asynchronous,
    rounds: int,
    epochs: int | tuple[int, int],
) -> Rows:
    run = federate(
        task,
        timing,
        mode=mode,
        rounds=rounds,
        epochs=epochs,
        until_s=0.9 * _LASTS_S,
        seed=SEED,
        progress=False,
    )
    return _points(run, *(run.column(name).tolist() for name in ("time_s", "sent_bytes", "energy_j")))


def _timing(fleet: Fleet, scenario: Scenario, when: dict[str, float]) -> ContactTiming:
    work = spectral_gpt()
    never = {id: math.inf for id in scenario.shell.ids if id not in fleet.satellites}
    ready_s = when.pop("ready_s", 0.0)
    computing = Computing(
        epoch_s=scenario.images * work.head_training_flop / scenario.board_flop_per_s,
        ready_s=[never.get(id, ready_s) for id in scenario.shell.ids],
        power_w=_known(POWERS.board_w),
        **when,
    )
    return ContactTiming(
        fleet.contacts,
        scenario.shell.ids,
        server=fleet.stations,
        message_bytes=work.head_bytes,
        transmit_w=_known(POWERS.down_w),
        computing=computing,
    )


def _known(power_w: float | None) -> float:
    assert power_w is not None
    return power_w


def _board_s(scenario: Scenario) -> float:
    """To compute the features of all images on board [s]."""
    work = spectral_gpt()
    return scenario.images * work.board_flop(work.layers) / scenario.board_flop_per_s


def _points(
    run: FederatedRun, ends_s: Sequence[float], sent_bytes: Sequence[float], energy_j: Sequence[float]
) -> Rows:
    columns = [run.column(name).tolist() for name in ("accuracy", "cross_entropy", "updates", "dropped")]
    names = ("time_s", "accuracy", "cross_entropy", "updates", "dropped", "sent_bytes", "energy_j")
    return [dict(zip(names, row)) for row in zip(ends_s, *columns, sent_bytes, energy_j)]


def _compute(quick: bool) -> Tables:
    tables: Tables = {"training": [], "training-curves": []}
    scenario = Scenario()
    for alpha in ALPHAS[1:] if quick else ALPHAS:
        for name in SCHEMES_TRAINED:
            _add(tables, name, _World(scenario, alpha, quick))
    for lost in LOST[:1] if quick else LOST:
        for name in ("FedAvg", "split, cached, codec", "asynchronous split, codec"):
            _add(tables, name, _World(scenario, ALPHAS[1], quick, lost))
    return tables


def _add(tables: Tables, name: str, world: _World) -> None:
    found = SCHEMES_TRAINED[name](world)
    at: Row = {"scheme": name, "alpha": world.alpha, "lost": world.lost}
    there = next((row for row in found if row["cross_entropy"] <= TARGET), None)
    last = found[-1]
    row: Row = {"target_s": math.inf if there is None else there["time_s"]}
    for key in ("accuracy", "sent_bytes", "energy_j", "updates"):
        row[key] = math.nan if there is None else there[key]
    row.update(end_s=last["time_s"], end_accuracy=last["accuracy"], end_cross_entropy=last["cross_entropy"])
    tables["training"].append({**at, **row, "dropped": last["dropped"]})
    if world.lost == "nothing":
        kept = sorted({round(place) for place in np.geomspace(1, len(found), _POINTS)})
        tables["training-curves"] += [{**at, **found[place - 1]} for place in kept]


LOST = ("a satellite of each plane", "two of four stations", "links of two planes")


def _rounds(world: _World) -> int:
    return 3 if world.quick else 30


SCHEMES_TRAINED = {
    "all on board": lambda world: _scheduled(world, SCHEMES["on-board"], _rounds(world)),
    "all on board, cached": lambda world: _scheduled(world, SCHEMES["on-board-cached"], _rounds(world)),
    "raw images to the ground": _raw,
    "FedAvg": lambda world: _alone(world, Synchronous(), 1, 0.0),
    "FedProx": lambda world: _alone(world, Synchronous(), (1, 20), 0.01),
    "FedBuff": lambda world: _alone(world, Buffered(size=10), 1, 0.0),
    "network-flow aggregation": lambda world: _scheduled(world, SCHEMES["fedavg-ground"], _rounds(world)),
    "split, as published": lambda world: _scheduled(world, SCHEMES["paper"], _rounds(world)),
    "split, cached": lambda world: _scheduled(world, Scheme(cache=True), _rounds(world)),
    "split, cached, codec": lambda world: _scheduled(
        world, Scheme(cache=True, codec=embedding_codec()), _rounds(world), CUT_CODEC
    ),
    "asynchronous split": lambda world: _asynchronous(world, "none"),
    "asynchronous split, codec": lambda world: _asynchronous(world, CUT_CODEC),
}
"""By name: rows of a history each."""


def _draw(tables: Tables) -> list[Picture]:
    rows = where(tables["training-curves"], alpha=ALPHAS[1])
    names = distinct(rows, "scheme")
    with panels(1, 2, (10.6, 4.0)) as (figure, axes):
        for ax, field, words in zip(axes[0], ("accuracy", "cross_entropy"), ("accuracy", "cross entropy (nat)")):
            for name, look in zip(names, palette.lines(names)):
                own = [row for row in where(rows, scheme=name) if row["time_s"] > 0.0]
                ax.plot(
                    [row["time_s"] for row in own],
                    [row[field] for row in own],
                    label=name,
                    markersize=3.5,
                    markevery=0.15,
                    **look,
                )
            ax.set_xscale("log")
            style.label_axis(ax.xaxis, "time_s", [row["time_s"] for row in rows], log=True)
            ax.set_xlabel("simulated time (s)")
            style.label_axis(ax.yaxis, field, [row[field] for row in rows])
            ax.set_ylabel(words if field != "accuracy" else "accuracy (%)")
            style.grid(ax)
        axes[0, 1].axhline(TARGET, color=palette.INK, linewidth=0.8, linestyle="--")
        axes[0, 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return [
        Picture(
            "training",
            figure,
            "Accuracy and cross entropy of the global head on 100 test images over simulated time, classes spread by "
            f"Dirichlet({ALPHAS[1]:g}); dashed, {TARGET:g} nat, what counts as trained.",
        ),
        _time(tables["training"]),
    ]


def _time(rows: Rows) -> Picture:
    plain = where(rows, alpha=ALPHAS[1], lost="nothing")
    names = distinct(plain, "scheme")
    with panels(1, 1, (7.6, 4.0)) as (figure, axes):
        ax = axes[0, 0]
        there = [only(plain, scheme=name)["target_s"] for name in names]
        ax.plot(there, range(len(names)), "o", color=palette.CYCLE[0], label="nothing lost")
        for lost, colour, marker in zip(LOST, palette.CYCLE[1:], "s^v"):
            own = where(rows, lost=lost)
            at = [(row["target_s"], names.index(row["scheme"])) for row in own]
            if at:
                ax.plot(*zip(*at), marker, color=colour, markerfacecolor="none", label=f"lost: {lost}")
        ax.set_xscale("log")
        style.label_axis(ax.xaxis, "time_s", there, log=True)
        ax.set_xlabel("until trained (s)")
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        style.grid(ax)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return Picture(
        "time-to-target",
        figure,
        f"When the global head is at {TARGET:g} nat on test images, with everything there, and where something is "
        "lost from the start. Where it never is within the rounds there is no point.",
    )


TRAINING = Experiment(
    "A head really trained, over the time of each scheme",
    "The head of the shipped network over EuroSAT's shipped sample: 200 images for training, 100 for test, features "
    "by the shipped network, with the codec at its first cut in the loop where the scheme has one. Training is "
    "real; time is simulated, that of SpectralGPT with 500 images on each satellite, of which the three that "
    "each has here on the average stand for. FedAvg, FedProx and FedBuff go through the four ground stations without any link "
    "between satellites, and like all that is on board and not cached compute features anew for each local "
    "training, one pass; messages wait for contacts by their earliest arrival. Network-flow aggregation brings updates down and sums back as quickest "
    "transfers over all links. Raw images on the ground are trained on there. In what is split, or summed between "
    "orbits, all satellites take part in each round, so only the time differs. A second part takes something away "
    "for good: a satellite of each plane, two of four stations, or all links between the third and the fourth plane.",
    _compute,
    _draw,
)
