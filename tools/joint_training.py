"""Train codecs for the plans of the shipped model, plan again, and document what comes of it.

    python tools/joint_training.py run --images eurosat_rgb.zip
    python tools/joint_training.py docs

`run` writes CSV files into docs/results/joint, `docs` fills docs/joint-training.md from them. Images come
from a folder or zip with ``train/`` and ``test/`` in it: codecs are trained on images that the network was
trained on, measured alone on the 100 a class that it never saw, in sets on one half of the test images, and
the plans are tried on the other half. On one core it takes about half an hour.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from constellm import codec, codesign, images, infer, network, split
from constellm.core.files import read_text
from constellm.core.quantity import quantity
from constellm.core.table import Table
from constellm.paper.report.marks import fill_page

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results" / "joint"
PAGE = ROOT / "docs" / "joint-training.md"

SATELLITES = 4
FLOP_PER_S = 50e9  # about what one core computes that the codecs' times were measured on
LATENCY_S = 0.01
MICRO_BATCHES = 8
BATCH = 64  # images in a micro-batch
LOSS = 0.01  # promised: at most one point
TOLERANCE = 0.02
SLOW_BPS, FAST_BPS = 2e6, 2e9
LOW_RANKS = ((16, 4), (24, 4))  # numbers a token, bits
FIT_IMAGES = 400
RATES_BPS = np.geomspace(0.5e6, 2.048e9, 13)


def problem_of(net: Any, rate_bps: float) -> Callable[[list[codec.Codec], float], split.Problem]:
    """Satellites in a row with links of one rate; the last one wants the labels."""
    profile = net.profile(BATCH)
    chain = network.chain(
        SATELLITES, flop_per_s=FLOP_PER_S, memory_bytes=1e9, rate_bps=rate_bps, latency_s=LATENCY_S
    )

    def made(menu: list[codec.Codec], max_error: float) -> split.Problem:
        return split.Problem(
            name=f"isl-{rate_bps / 1e6:.4g}-mbps",
            model=profile,
            network=chain,
            codecs=menu,
            micro_batches=MICRO_BATCHES,
            max_error=max_error,
        )

    return made


def fitted_compressors(net: Any, training: images.ImageSet) -> dict[str, Any]:
    """Codecs without training, and principal components of every cut, which take no training either."""
    activations = net.activations(training.pixels[:FIT_IMAGES])
    fitted = {
        f"low-rank-{rank}-b{bits}": {
            k: codec.LowRank.fit(x, rank, bits=bits, name=f"low-rank-{rank}-b{bits}")
            for k, x in activations.items()
        }
        for rank, bits in LOW_RANKS
    }
    return {**infer.direct_compressors(), **fitted}


CASES = {
    "slow links": (SLOW_BPS, lambda net, training: infer.direct_compressors()),
    "slow links, principal components": (SLOW_BPS, fitted_compressors),
    "fast links": (FAST_BPS, lambda net, training: infer.direct_compressors()),
}


def measure_all(options: argparse.Namespace) -> None:
    """Run every case and write the tables."""
    import torch

    from constellm.train import CutTrainer, load

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    net = infer.load()
    calibration, training = images.load(options.images, split="train").divided(100, seed=0)
    test = images.load(options.images, split="test")
    sets, test = test.divided(int(np.bincount(test.labels).min()) // 2, seed=0)
    training = training.take(slice(options.training))
    if options.limit:
        calibration, sets, test = (some.take(slice(options.limit)) for some in (calibration, sets, test))
    at_hand = codec.read_measured_cuts(options.measured) if options.measured else infer.measured_cuts()
    known = [row for row in at_hand if row.images == len(calibration if len(row.cuts) == 1 else sets)]
    weights = Path(infer.__file__).parent / "data" / f"{net.name}.safetensors"
    trainer = CutTrainer(load(weights))
    file = options.out / "rounds.csv"
    rounds: list[dict[str, Any]] = list(read(file)) if file.exists() else []
    for case in options.cases:
        rate_bps, compressors = CASES[case]
        start = time.perf_counter()
        found = codesign.alternate(
            problem_of(net, rate_bps),
            net,
            codesign.Images(training, calibration, test, sets),
            compressors=compressors(net, training),
            trainer=trainer,
            campaign=codesign.Campaign(
                loss=LOSS, tolerance=TOLERANCE, rounds=options.rounds, sets=options.sets
            ),
            measuring=codesign.Measuring(known=known),
            report=lambda done: print(done.row(), flush=True),
        )
        print(case, found, f"{time.perf_counter() - start:.0f} s", flush=True)
        print(found.summary(), flush=True)
        about = {"case": case, "rate_bps": rate_bps, "stopped_because": found.stopped_because}
        rounds = [row for row in rounds if row["case"] != case] + [{**about, **row} for row in found.rows()]
        Table.of(rounds).to_csv(file, digits=6)
        new = [row for row in found.measured if row not in known]
        codec.write_measured_cuts(new, options.out / f"{case.replace(', ', '-').replace(' ', '-')}.csv")
        if case == "slow links":
            Table.of(by_rate(net, found)).to_csv(options.out / "rates.csv", digits=6)


def by_rate(net: Any, found: Any) -> list[dict[str, Any]]:
    """What the codecs of one case are worth at other rates, all under its last calibration."""
    menu = found.plan.problem.codecs
    free = [option for option in menu if option.name in {"none", *infer.direct_compressors()}]
    ideal = [codec.Codec(name="ideal", ratio=1e12, error=0.0)]
    limit = found.rounds[-1].max_error
    trained = {name for done in found.rounds for name in done.trained}
    rows = []
    for rate_bps in RATES_BPS:
        problem = problem_of(net, float(rate_bps))
        plans = {
            name: split.solve(problem(some, limit))
            for name, some in (("free", free), ("trained", menu), ("ideal", ideal))
        }
        row = {"rate_bps": float(rate_bps), **{f"{name}_s": plan.delay_s for name, plan in plans.items()}}
        uses = sum(name in trained for name in split.codecs_at_cuts(plans["trained"]).values())
        rows.append({**row, "stages": len(plans["trained"].stages), "trained_cuts": uses})
    return rows


def document(options: argparse.Namespace) -> None:
    """Put the tables into the page."""
    rounds, rates = (read(options.out / f"{name}.csv") for name in ("rounds", "rates"))
    cases = dict.fromkeys(row["case"] for row in rounds)
    parts = {case: rounds_table([row for row in rounds if row["case"] == case]) for case in cases}
    fill_page(PAGE, {**parts, "rates": rates_table(rates)})


def rounds_table(rows: list[dict[str, str]]) -> str:
    """A case, a round a line."""
    head = ["round", "plan", "delay", "proven bound", "ideal codec", "gain of the round", "of the possible"]
    head += ["sent", "promised loss", "loss on test images", "by the network's probabilities", "training"]
    body = []
    for row in rows:
        first = row["round"] == "0"
        start, value, ideal = float(rows[0]["objective_s"]), float(row["objective_s"]), float(row["ideal_s"])
        body.append(
            [
                row["round"],
                row["plan"],
                *(
                    quantity(float(row[key]), "s", digits=4)
                    for key in ("objective_s", "lower_bound_s", "ideal_s")
                ),
                "–" if first else percent(row["gain"]),
                percent((start - value) / (start - ideal)),
                quantity(float(row["bytes"]), "B"),
                percent(row["promised_loss"], 2),
                f"{percent(row['test_loss'], 2)} ± {percent(row['test_loss_se'], 2)}",
                f"{percent(row['test_expected_loss'], 2)} ± {percent(row['test_expected_loss_se'], 2)}",
                "–" if first else quantity(float(row["train_s"]), "s"),
            ]
        )
    return markdown(head, body)


def rates_table(rows: list[dict[str, str]]) -> str:
    """A rate a line."""
    head = [
        "link rate",
        "without training",
        "with the trained codecs",
        "saved",
        "ideal codec",
        "of the possible",
    ]
    body = []
    for row in rows:
        free, trained, ideal = (float(row[f"{name}_s"]) for name in ("free", "trained", "ideal"))
        share = (free - trained) / (free - ideal) if free > ideal else 1.0
        body.append(
            [
                quantity(float(row["rate_bps"]), "bit/s"),
                *(quantity(value, "s", digits=4) for value in (free, trained)),
                percent(1.0 - trained / free),
                quantity(ideal, "s", digits=4),
                percent(share, 0),
            ]
        )
    return markdown(head, body)


def percent(value: float | str, digits: int = 1) -> str:
    """A share as percent, without a minus before nothing."""
    text = f"{100 * float(value):.{digits}f}"
    return "–" if text == "nan" else ("0" if float(text) == 0 else text) + " %"


def markdown(head: list[str], body: list[list[str]]) -> str:
    """A table in Markdown."""
    return Table(tuple(head), tuple(map(tuple, body))).to_markdown()


def read(file: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(read_text(file))))


def main(command: Sequence[str] | None = None) -> None:
    """Measure, or document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    steps: Mapping[str, Callable[[argparse.Namespace], None]] = {"run": measure_all, "docs": document}
    parser.add_argument("step", choices=steps)
    parser.add_argument("--images", help="folder or zip, for run")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--measured", type=Path, help="rows at hand; default: those that ship")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--training", type=int, default=2000, help="images to train codecs on")
    parser.add_argument("--sets", type=int, default=20, help="sets of cuts to calibrate on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, help="images of calibration and test, for a trial")
    options = parser.parse_args(command)
    if options.step == "run" and not options.images:
        parser.error("run needs --images")
    steps[options.step](options)


if __name__ == "__main__":
    main()
