"""Accuracy over simulated time on EuroSAT, for the schemes of docs/federated.md, as a table.

``python tools/federated_table.py eurosat_rgb_11k.zip`` from the root of the sources writes
docs/results/satellite-edge/training.csv anew, and what the page shows of it; it takes some minutes; with
``--page`` alone the page is written from the rows that are there. The zip file has ``train/<class>`` and
``test/<class>``; without one the 300 images of the package do.

Features are those of the shipped network, with what codecs at its first cut leave of them. Times, and
the size of a head, are those of SpectralGPT (`constellm.tune.spectral_gpt`), with the ratio that a codec has
on the shipped network. Bytes and joules are those of heads: what features take is in the schedules of rounds.
Assumed: through ground stations alone a satellite exchanges once a pass; who has a model trains until the
pass is over, and hands its update over in the next one.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from constellm import codec, images, infer, orbit, tune
from constellm.core.quantity import quantity
from constellm.core.table import Row, Table, distinct, where

DOCS = Path(__file__).parents[1] / "docs"
OUT = DOCS / "results" / "satellite-edge" / "training.csv"
PAGE = DOCS / "federated.md"
BLOCK = re.compile(r"(?<=<!-- training -->\n).*?(?=<!-- end of training -->)", re.DOTALL)
GOOD = 0.93
HOURS = 12.0
CONTACT_HOURS = 24.0  # that who waits at the end still has something to wait for
PASS_S = 600.0  # none is longer
CUT = 1
ALPHAS = (None, 1.0, 0.1)
POINTS = 40  # of a run in the table
STATIONS = (("Svalbard", 78.23, 15.39), ("Troll", -72.01, 2.53))
LEARNING_RATE = 0.05
CODECS = ("none", "quantise-3", "bottleneck-8")


def world(*, between: bool, outages: Sequence[orbit.Outage] = ()) -> orbit.Constellation:
    """66 satellites in a star at 780 km; with `between` links to four neighbours."""
    shell = orbit.walker(
        "s", planes=6, satellites_per_plane=11, altitude_m=780e3, inclination_deg=86.4, phasing=2, kind="star"
    )
    links = [orbit.ground(rate_bps=0.3e9)]
    if between:
        links.append(orbit.plus_grid(rate_bps=1e9, seam="open", max_latitude_deg=70.0))
    stations = [orbit.station(name, at, by, min_elevation_deg=10.0) for name, at, by in STATIONS]
    return orbit.Constellation(shell, stations=stations, links=links, outages=outages)


@dataclass(frozen=True)
class Learned:
    """Images as features."""

    train: np.ndarray
    test: np.ndarray
    ratio: float


def learned(train: images.ImageSet, test: images.ImageSet, name: str) -> Learned:
    """With a codec at the first cut."""
    cuts = {}
    if name.startswith("bottleneck"):
        cuts[CUT] = infer.learned_compressors()[name][CUT]
    elif name != "none":
        cuts[CUT] = infer.direct_compressors()[name]
    net = infer.load()
    found = [infer.features(net, part.pixels, cuts=cuts) for part in (train, test)]
    return Learned(found[0].values, found[1].values, found[0].cuts[CUT].ratio if cuts else 1.0)


@dataclass(frozen=True)
class Case:
    """A scheme on a constellation."""

    scheme: str
    codec: str = "none"
    decisions: tune.Scheme = tune.SCHEMES["on-board-cached"]
    between: bool = True
    mode: tune.Synchronous | tune.Buffered | tune.Asynchronous = tune.Synchronous()
    epochs: int | tuple[int, int] = 1
    proximal: float = 0.0
    rounds: int = 60
    fault: str = "none"
    outages: tuple[orbit.Outage, ...] = ()


ON_GROUND = {"between": False, "rounds": 4000, "epochs": 5}
SPLIT = tune.SCHEMES["network-flow"].replace(cut=CUT, cache=True)
ASYNCHRONOUS = {"mode": tune.Asynchronous(), "decisions": SPLIT, "rounds": 2000}
LOST = {
    "a satellite of each plane after 60 s": tuple(
        orbit.Outage(f"s/{plane}/{plane}", start=60.0) for plane in range(6)
    ),
    "Troll": (orbit.Outage("Troll"),),
    "links between two planes": tuple(
        orbit.Outage((f"s/2/{one}", f"s/3/{other}")) for one in range(11) for other in range(11)
    ),
}


def cases() -> list[Case]:
    """Schemes; then two of them where something is lost."""
    plain = [
        Case("all on board, features anew each round", decisions=tune.SCHEMES["on-board"]),
        Case("all on board, features cached"),
        Case("raw data to the ground", decisions=tune.SCHEMES["raw-to-ground"]),
        Case("FedAvg through ground stations", **ON_GROUND),
        Case("FedProx through ground stations", **{**ON_GROUND, "epochs": (1, 50)}, proximal=0.01),
        Case("FedBuff through ground stations", **ON_GROUND, mode=tune.Buffered(size=10)),
        Case("split as published", decisions=tune.SCHEMES["paper"]),
        Case("split, exact flows, cached", decisions=SPLIT),
        *(Case("asynchronous split", name, **ASYNCHRONOUS) for name in CODECS),
    ]
    hit = [case for case in plain if case.scheme.startswith("FedAvg") or case.codec == "quantise-3"]
    faults = [replace(case, fault=fault, outages=outages) for fault, outages in LOST.items() for case in hit]
    return plain + faults


def timing_of(case: Case, ratio: float, per_satellite: int) -> tuple[tune.Timing, float]:
    """When models and updates are where, and when features are there for the first time."""
    where = world(between=True, outages=case.outages)
    fleet = tune.fleet(
        where,
        0.0,
        3600.0 * CONTACT_HOURS,
        images=per_satellite,
        board_flop_per_s=1e12,
        server_flop_per_s=1e15,
        uplink_bps=0.1e9,
    )
    work = tune.spectral_gpt()
    decisions = case.decisions
    if case.codec != "none":
        decisions = decisions.replace(codec=codec.Codec(name=case.codec, ratio=ratio, error=0.0))
    if decisions.cut is None:
        features_s = per_satellite * work.server_flop(0) / fleet.board_flop_per_s
    else:
        phases = tune.schedule_round(work, fleet, decisions).phases
        features_s = max(phase.end_s for phase in phases if phase.name in ("down", "server", "back"))
    epoch_s = per_satellite * work.head_training_flop / fleet.board_flop_per_s
    when = {"ready_s": features_s} if decisions.cache or decisions.cut == 0 else {"before_s": features_s}
    if not case.between:
        when["before_s"] = PASS_S
    computing = tune.Computing(epoch_s=epoch_s, power_w=20.0, **when)
    if decisions.cut == 0:  # the server trains
        return tune.ConstantTiming(1, computing=replace(computing, power_w=0.0)), features_s
    contacts = where if case.between else world(between=False, outages=case.outages)
    return (
        tune.ContactTiming(
            contacts.contacts(0.0, 3600.0 * CONTACT_HOURS),
            where.satellite_ids,
            server=[name for name, *_ in STATIONS],
            message_bytes=work.head_bytes,
            transmit_w=20.0,
            computing=computing,
        ),
        features_s,
    )


def rows_of(
    case: Case, alpha: float | None, seen: Learned, train: images.ImageSet, test: images.ImageSet
) -> Iterator[dict[str, object]]:
    """Points of one run: the start, the end, and what lies between at equal steps of versions."""
    satellites = 66
    timing, features_s = timing_of(case, seen.ratio, -(-len(train) // satellites))
    alone = timing.satellites == 1
    spread = tune.partition(train.labels, timing.satellites, alpha=None if alone else alpha, seed=1)
    task = tune.HeadTask(
        seen.train,
        spread,
        test_features=seen.test,
        test_labels=test.labels,
        learning_rate=LEARNING_RATE,
        proximal=case.proximal,
    )
    run = tune.federate(
        task,
        timing,
        mode=case.mode,
        rounds=case.rounds,
        epochs=case.epochs,
        until_s=3600.0 * HOURS,
        seed=1,
    )
    history = list(run.history)
    kept = sorted({round(place) for place in np.geomspace(1, len(history), POINTS)})
    for place in kept:
        row = history[place - 1]
        yield {
            "scheme": case.scheme,
            "alpha": "iid" if alpha is None else alpha,
            "codec": case.codec,
            "ratio": seen.ratio,
            "lost": case.fault,
            "features_s": features_s,
            "status": run.status,
            **row,
        }


def good_s(run: Sequence[Row]) -> float:
    """When it was first good; inf where it never was."""
    return min((row["time_s"] for row in run if row["accuracy"] >= GOOD), default=math.inf)


def when(time_s: float) -> str:
    """For people."""
    return quantity(time_s, "s", digits=4) if math.isfinite(time_s) else "never"


def summary(rows: Sequence[Row]) -> str:
    """The table for the page: a line a case; figures of IID and Dirichlet(0.1) side by side."""
    names = ("scheme", "codec", "lost")
    lines = []
    for scheme, name, lost in distinct(
        [{"case": tuple(row[column] for column in names)} for row in rows], "case"
    ):
        runs = [where(rows, scheme=scheme, codec=name, lost=lost, alpha=alpha) for alpha in ("iid", 0.1)]
        last = [run[-1] if run else None for run in runs]
        good = [when(good_s(run)) for run in runs if run]
        end = [f"{row['accuracy']:.1%}" for row in last if row]
        one = next(row for row in last if row)
        lines.append(
            {
                "scheme": scheme,
                "codec": name if name == "none" else f"{name}, {one['ratio']:.1f}×",
                "lost": lost,
                "features after": quantity(one["features_s"], "s", digits=4),
                f"{GOOD:.0%} after": " / ".join(good),
                "at the end": " / ".join(end),
                "versions": f"{one['version']} in {when(one['time_s'])}",
                "heads sent": quantity(one["sent_bytes"], "B", digits=3),
            }
        )
    return Table.of(lines).to_markdown()


def write_page() -> None:
    """From the rows that are stored."""
    text = PAGE.read_text(encoding="utf-8")
    table = summary(list(Table.read_csv(OUT)))
    PAGE.write_text(BLOCK.sub(lambda _: table, text), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="?", help="EuroSAT, a folder or a zip file; default: the sample")
    parser.add_argument("--out", type=Path, default=OUT, help="CSV to write")
    parser.add_argument("--most", type=int, help="images of each class, of training and of test")
    parser.add_argument(
        "--page", action="store_true", help="write the page alone, from the rows that are there"
    )
    given = parser.parse_args(arguments)
    if given.page:
        return write_page()
    if given.images is None:
        test, train = images.sample().divided(10)
    else:
        train, test = (images.load(given.images, split=split) for split in ("train", "test"))
    if given.most is not None:
        train, test = train.per_class(given.most), test.per_class(given.most)
    seen = {name: learned(train, test, name) for name in CODECS}
    rows = [
        row
        for case in cases()
        for alpha in (ALPHAS if case.fault == "none" else (0.1,))
        for row in rows_of(case, alpha, seen[case.codec], train, test)
    ]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    Table.of(rows).to_csv(given.out, digits=6)
    if given.out == OUT:
        write_page()


if __name__ == "__main__":
    main()
