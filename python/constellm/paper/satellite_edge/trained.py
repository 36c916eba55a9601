"""The head of the shipped network, really trained, over the time that a scheme takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.table import Rows
from ...images import ImageSet, sample
from ...infer import direct_compressors, features, load
from ...tune import (
    SCHEMES,
    Asynchronous,
    Buffered,
    Computing,
    ConstantTiming,
    ContactTiming,
    FederatedRun,
    Fleet,
    HeadTask,
    Phase,
    Scheme,
    Synchronous,
    federate,
    partition,
    schedule_round,
    schedule_rounds,
    spectral_gpt,
)
from .scenario import CUT_CODEC, DAY_S, HORIZON_S, POWERS, Scenario, embedding_codec

LEARNING_RATE = 0.02
"""Of steps of one image each."""
TEST_A_CLASS = 10
SEED = 1
NOTHING = "nothing"
LOST = ("a satellite of each plane", "two of four stations", "links of two planes")
"""From the start and for good."""

_FEATURES = ("embed", "down", "server", "back")
"""Phases until features are there."""


@dataclass(frozen=True)
class Case:
    """What a scheme is trained on.

    `alpha` is that of the Dirichlet distribution by which classes are spread, inf where images are dealt out
    like cards; `lost` is nothing or one of `LOST`; `quick` trains a few rounds.
    """

    scenario: Scenario
    alpha: float
    lost: str = NOTHING
    quick: bool = False

    @property
    def satellites(self) -> tuple[str, ...]:
        """Ids of all, whether lost or not."""
        return tuple(self.scenario.shell.ids)

    def fleet(self, links: str = "all") -> Fleet:
        """What is left, with its contacts of a quarter of a day; of a whole one where it waits for passes."""
        lasts_s = HORIZON_S if links == "all" else DAY_S
        whole = self.scenario.replace(links=links).fleet(lasts_s=lasts_s)
        if self.lost == LOST[0]:
            return whole.without([ring[plane] for plane, ring in enumerate(whole.rings)])
        if self.lost == LOST[1]:
            return whole.without(whole.stations[:2])
        if self.lost == LOST[2]:
            third, fourth = whole.rings[2:4]
            return whole.without(links=[(one, other) for one in third for other in fourth])
        return whole

    def task(self, codec: str = "none", *, satellites: int | None = None, proximal: float = 0.0) -> HeadTask:
        """The head over features of the sample, spread over the satellites."""
        train, test = _seen(codec)
        many = len(self.satellites) if satellites is None else satellites
        alpha = None if math.isinf(self.alpha) or many == 1 else self.alpha
        return HeadTask(
            train.features,
            partition(train.labels, many, alpha=alpha, seed=SEED),
            test_features=test.features,
            test_labels=test.labels,
            learning_rate=LEARNING_RATE,
            batch=1,
            proximal=proximal,
        )


class _Seen(NamedTuple):
    """Images as the classifier gets them."""

    features: NDArray[np.float64]
    labels: NDArray[np.int32]


@lru_cache(maxsize=2)
def _seen(codec: str) -> tuple[_Seen, _Seen]:
    """The sample for training and for test, with a codec at the shipped network's first cut."""
    cuts = {} if codec == "none" else {1: direct_compressors()[codec]}
    net = load()

    def seen(part: ImageSet) -> _Seen:
        values = features(net, part.pixels, cuts=cuts).values
        return _Seen(values.astype(np.float64), part.labels.astype(np.int32))

    test, train = sample().divided(TEST_A_CLASS)
    return seen(train), seen(test)


def scheduled(scheme: Scheme, codec: str = "none") -> Callable[[Case], Rows]:
    """Rounds one after the other in which all take part, so that schemes differ by their time alone."""

    def run(case: Case) -> Rows:
        rounds, fleet = 3 if case.quick else 30, case.fleet()
        done = schedule_rounds(spectral_gpt(), fleet, scheme, rounds=rounds).rounds
        timing = ConstantTiming(len(case.satellites), down_s=_never(case, fleet))
        trained = federate(case.task(codec), timing, rounds=rounds, seed=SEED, progress=False)
        sent, energy = ([0.0, *np.cumsum([getattr(one, of) for one in done])] for of in _COSTS)
        return _rows(trained, [0.0, *(one.finish_s for one in done)], sent, energy)

    return run


def raw_to_ground(case: Case) -> Rows:
    """Raw images go down once, and all training is there."""
    phases = schedule_round(spectral_gpt(), case.fleet(), SCHEMES["raw-to-ground"]).phases[:2]
    trained = federate(case.task(satellites=1), ConstantTiming(1), rounds=10, seed=SEED, progress=False)
    work = case.scenario.images * len(case.satellites) * spectral_gpt().head_training_flop
    epochs_s = work / case.scenario.server_flop_per_s * np.arange(1, len(trained.history))
    ends = [0.0, *(phases[-1].end_s + epochs_s).tolist()]
    return _rows(trained, ends, *([0.0, *[cost] * len(epochs_s)] for cost in _costs(phases)))


def over_stations(
    mode: Synchronous | Buffered, *, epochs: int | tuple[int, int] = 1, proximal: float = 0.0
) -> Callable[[Case], Rows]:
    """Through ground stations, without links between satellites; features anew in each local training."""

    def run(case: Case) -> Rows:
        work, scenario, fleet = spectral_gpt(), case.scenario, case.fleet("none")
        before_s = scenario.images * work.board_flop(work.layers) / scenario.board_flop_per_s
        rounds = (3 if case.quick else 30) * (6 if isinstance(mode, Buffered) else 1)
        trained = federate(
            case.task(proximal=proximal),
            _timing(case, fleet, 0.0, before_s),
            mode=mode,
            rounds=rounds,
            epochs=epochs,
            until_s=0.9 * DAY_S,  # later updates would have no contact left
            seed=SEED,
            progress=False,
        )
        return _rows(trained, *(trained.column(name).tolist() for name in ("time_s", *_COSTS)))

    return run


def asynchronous(codec: str) -> Callable[[Case], Rows]:
    """Features come down and back once; then every update by itself, over whatever contacts there are."""

    def run(case: Case) -> Rows:
        scheme, fleet = Scheme(codec=None if codec == "none" else embedding_codec()), case.fleet()
        done = schedule_round(spectral_gpt(), fleet, scheme)
        phases = [phase for phase in done.phases if phase.name in _FEATURES]
        trained = federate(
            case.task(codec),
            _timing(case, fleet, phases[-1].end_s, 0.0),
            mode=Asynchronous(),
            rounds=100 if case.quick else 2000,
            seed=SEED,
            progress=False,
        )
        before = _costs(phases)
        sent, energy = ([0.0, *(trained.column(of)[1:] + cost).tolist()] for of, cost in zip(_COSTS, before))
        return _rows(trained, trained.column("time_s").tolist(), sent, energy)

    return run


_COSTS = ("sent_bytes", "energy_j")


def _costs(phases: Sequence[Phase]) -> list[float]:
    return [float(sum(getattr(phase, of) for phase in phases)) for of in _COSTS]


def _never(case: Case, fleet: Fleet) -> list[float]:
    """Inf for each satellite that is lost, 0 for the others."""
    return [0.0 if id in fleet.satellites else math.inf for id in case.satellites]


def _timing(case: Case, fleet: Fleet, ready_s: float, before_s: float) -> ContactTiming:
    work, scenario = spectral_gpt(), case.scenario
    assert POWERS.board_w is not None and POWERS.down_w is not None
    return ContactTiming(
        fleet.contacts,
        case.satellites,
        server=fleet.stations,
        message_bytes=work.head_bytes,
        transmit_w=POWERS.down_w,
        computing=Computing(
            epoch_s=scenario.images * work.head_training_flop / scenario.board_flop_per_s,
            before_s=before_s,
            ready_s=[ready_s + never_s for never_s in _never(case, fleet)],
            power_w=POWERS.board_w,
        ),
    )


def _rows(
    trained: FederatedRun, ends_s: Sequence[float], sent_bytes: Sequence[float], energy_j: Sequence[float]
) -> Rows:
    names = ("accuracy", "cross_entropy", "updates", "dropped")
    columns = [trained.column(name).tolist() for name in names]
    keys = ("time_s", *names, *_COSTS)
    return [
        dict(zip(keys, row)) for row in zip(ends_s, *columns, map(float, sent_bytes), map(float, energy_j))
    ]


TRAINED: dict[str, Callable[[Case], Rows]] = {
    "all on board": scheduled(SCHEMES["on-board"]),
    "all on board, cached": scheduled(SCHEMES["on-board-cached"]),
    "raw images to the ground": raw_to_ground,
    "FedAvg": over_stations(Synchronous()),
    "FedProx": over_stations(Synchronous(), epochs=(1, 20), proximal=0.01),
    "FedBuff": over_stations(Buffered(size=10)),
    "network-flow aggregation": scheduled(SCHEMES["fedavg-ground"]),
    "split, as published": scheduled(SCHEMES["paper"]),
    "split, cached": scheduled(Scheme(cache=True)),
    "split, cached, codec": scheduled(Scheme(cache=True, codec=embedding_codec()), CUT_CODEC),
    "asynchronous split": asynchronous("none"),
    "asynchronous split, codec": asynchronous(CUT_CODEC),
}
"""Schemes by name: each gives a row for every version of the global head."""
