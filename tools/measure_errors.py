"""Measure how errors add up in the shipped model, calibrate the planner on it, and put that to the test.

    python tools/measure_errors.py --images eurosat_rgb.zip --out docs/results/errors

Images come from a folder or zip with ``train/`` and ``test/`` in it. Single cuts are measured on the 100
images a class that training kept back, the sets of cuts that a planner chooses by them on one half of the
test images, and the plans of the last check on the other half, which nothing was fitted to. Then the parts
change roles, and the images that were kept back judge: what one draw of images says by chance, another
need not. Steps whose tables are there already are not repeated; delete a table to have it made again.
``tools/error_docs.py`` puts the tables into the documentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from constellm import codec, codesign, images, infer, network, split
from constellm.codec import Calibration, MeasuredCuts
from constellm.codec.measured_cuts import measured_codec
from constellm.core.table import Table
from constellm.infer import measure, random_combinations

PROMISES = (0.005, 0.01, 0.02)
SEEN = 1000  # images that are to show a promise
FEW = 384  # images that are enough to tell the bytes of a plan
Row = dict[str, Any]
ByCuts = Mapping[tuple[tuple[int, str], ...], MeasuredCuts]


def main(command: Sequence[str] | None = None) -> None:
    """Measure, calibrate, plan, and measure the plans."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", required=True, help="folder or zip")
    parser.add_argument("--out", type=Path, default=Path("docs/results/errors"))
    parser.add_argument("--sets", type=int, default=60, help="random sets of cuts")
    parser.add_argument("--planned", type=int, default=100, help="sets that the planner chooses")
    parser.add_argument("--problems", type=int, default=70, help="of the last check, for each promise")
    parser.add_argument("--rivals", type=int, default=8, help="of the last check, for other limits")
    parser.add_argument("--threads", type=int, default=1, help="of ONNX Runtime")
    parser.add_argument("--limit", type=int, help="images of each part, for a trial run")
    options = parser.parse_args(command)
    net = infer.load(threads=options.threads)
    held_back, other, judging = parts(options.images, options.limit)
    study = Study(net, options.out)
    alone, planned = measured(study, held_back, other, options.planned)
    codec.write_measured_cuts(alone + planned, options.out / "calibration.csv")
    promises = promised(net, alone + planned, options.problems, options.rivals)
    sets = distinct(row["cuts"] for row in promises)
    found = by_cuts(study.cuts("test", judging, sets))
    few = by_cuts(study.cuts("few", other.take(slice(FEW)), sets))
    Table.of([checked(row, found, few) for row in promises]).to_csv(options.out / "promises.csv", digits=6)
    names = list(study.compressors)
    random = study.cuts("random", held_back, random_combinations(names, net.blocks, options.sets))
    Table.of(rules(alone, {"random": random, "planned": planned})).to_csv(options.out / "rules.csv", digits=6)
    Table.of(amplification(alone)).to_csv(options.out / "amplification.csv", digits=6)
    turned(Study(net, options.out / "turned"), other, judging, held_back, options)


def measured(
    study: Study, first: images.ImageSet, second: images.ImageSet, several: int
) -> tuple[list[MeasuredCuts], list[MeasuredCuts]]:
    """Single cuts on the first images, and on the second the sets that a planner chooses by them."""
    net = study.net
    alone = study.cuts("alone", first, [{k: n} for n in study.compressors for k in range(1, net.blocks)])
    sets = codesign.planned_sets(plans(net, alone, 100 * several), several)
    planned = study.cuts("planned", second, sets)
    print(codec.calibrate(alone + planned), flush=True)
    return alone, planned


def turned(
    study: Study, first: images.ImageSet, second: images.ImageSet, third: images.ImageSet, options: Any
) -> None:
    """Promises from the first and the second images, judged on the third."""
    alone, planned = measured(study, first, second, options.planned)
    promises = promised(study.net, alone + planned, options.problems, rivals=0)
    sets = distinct(row["cuts"] for row in promises)
    found = by_cuts(study.cuts("test", third, sets))
    Table.of([checked(row, found) for row in promises]).to_csv(study.folder / "promises.csv", digits=6)


def parts(path: str, limit: int | None) -> tuple[images.ImageSet, images.ImageSet, images.ImageSet]:
    """Images that training never saw: for single cuts, for sets of several, and to judge by."""
    held_back, _ = images.load(path, split="train").divided(100, seed=0)
    test = images.load(path, split="test")
    half = int(np.bincount(test.labels).min()) // 2
    divided = (held_back, *test.divided(half, seed=0))
    return tuple(some.take(slice(limit)) for some in divided)


class Study:
    """Measures sets of cuts once, and reads them from their table afterwards."""

    def __init__(self, net: Any, folder: Path) -> None:
        self.net, self.folder = net, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.compressors = infer.direct_compressors()

    def cuts(self, name: str, data: images.ImageSet, sets: list[dict[int, str]]) -> list[MeasuredCuts]:
        """Rows of these sets, from the table where it has them."""
        file = self.folder / f"{name}.csv"
        if not file.exists():
            found = measure(self.net, data, self.compressors, boundaries=(), combinations=sets)
            codec.write_measured_cuts(found.rows, file)
            print(f"{name}: {len(found.rows)} sets of cuts, {len(data)} images", flush=True)
        return codec.read_measured_cuts(file)


def problem(
    net: Any, menu: list[codec.Codec], max_error: float | None, seed: int, rule: str
) -> split.Problem:
    """A chain of three to five unequal nodes, none of which can hold the model, and slow links."""
    random = np.random.Generator(np.random.PCG64(seed))
    profile = net.profile(batch=64)
    nodes = int(random.integers(3, 6))
    memory = sum(layer.memory_bytes for layer in profile.layers)
    return split.Problem(
        name=f"chain-{seed}",
        model=profile,
        network=network.chain(
            nodes,
            flop_per_s=10.0 ** random.uniform(10.5, 12.0, nodes),
            memory_bytes=memory * random.uniform(1.1, 2.5) / nodes * np.ones(nodes),
            rate_bps=10.0 ** random.uniform(6.5, 8.5, nodes - 1),
            latency_s=0.01,
        ),
        codecs=[*codec.none(), *menu],
        micro_batches=int(random.integers(1, 17)),
        max_error=max_error,
        error_rule=rule,
    )


def plans(net: Any, alone: list[MeasuredCuts], problems: int) -> Iterator[split.Plan]:
    """Of random problems under limits of 0.07 to 3 points on the sum of the losses of single cuts.

    That is rough, but only says which plans to look at.
    """
    single = {(row.cuts[0], row.codecs[0]): row for row in alone}
    menu = []
    for name in dict.fromkeys(name for _, name in single):
        rows = {k: single[k, name] for k in range(1, net.blocks)}
        losses = {k: row.expected_loss + row.expected_loss_se for k, row in rows.items()}
        menu.append(measured_codec(name, rows, losses))
    random = np.random.Generator(np.random.PCG64(1))
    for seed in range(problems):
        limit = float(np.exp(random.uniform(np.log(0.0007), np.log(0.03))))
        yield split.solve(problem(net, menu, limit, 1000 + seed, "sum"))


def promised(net: Any, rows: list[MeasuredCuts], problems: int, rivals: int) -> list[Row]:
    """Plans for new problems under limits from several rules, and what each promises."""
    found: list[Row] = []
    single = {(row.cuts[0], row.codecs[0]): row for row in rows if len(row.cuts) == 1}

    def add(
        rule: str, promise: float, limit: float, made: Calibration, several: int, seen: int | None = None
    ) -> None:
        for seed in range(several):
            plan = split.solve(problem(net, made.menu(), limit, 5000 + seed, made.error_rule))
            cuts = split.codecs_at_cuts(plan)
            raw = [1.0 / single[pair].ratio[0] for pair in cuts.items()]
            row = {"rule": rule, "promise": promise, "images": seen or "", "problem": seed, "cuts": cuts}
            row |= {"expected": made.loss(plan.error), "delay_s": plan.delay_s}
            found.append({**row, "ratio_alone": len(cuts) / sum(raw) if cuts else 1.0})

    calibrations = {basis: codec.calibrate(rows, basis=basis) for basis in ("loss", "output_error")}
    for promise in PROMISES:
        for basis, made in calibrations.items():
            if promise >= made.least_promise():
                several = problems if basis == "loss" else rivals
                add(f"calibrated, {basis}", promise, made.max_error(promise), made, several)
        made = calibrations["loss"]
        if promise >= made.least_promise(images=SEEN):
            limit = made.max_error(promise, images=SEEN)
            add("calibrated, loss", promise, limit, made, rivals, SEEN)
    # Without a calibration: errors as they are, their sum limited. One point is then taken for an error of
    # 0.01, or for what four cuts at the ratio of arXiv 2604.04654 add up to.
    plain = codec.calibrate(rows, basis="error", exponent=1.0)
    from constellm.paper.collaborative import MAX_ERROR

    add("sum of errors <= 0.01", 0.01, 0.01, plain, rivals)
    add("sum of errors <= MAX_ERROR", 0.01, MAX_ERROR, plain, rivals)
    return found


def checked(row: Row, found: ByCuts, few: ByCuts | None = None) -> Row:
    """A promise beside what the judging images say; without a codec at any cut nothing is lost.

    Where the cuts were measured on a few other images as well, with the ratio that these foretell.
    """
    cuts: dict[int, str] = row["cuts"]
    text = ";".join(f"{k}:{name}" for k, name in cuts.items())
    key = tuple(cuts.items())
    lost = found[key] if cuts else None
    fields = ("loss", "loss_se", "expected_loss", "expected_loss_se", "agreement")
    foretold = {} if few is None else {"ratio_few": few[key].total_ratio if cuts else 1.0}
    return {
        **row,
        "cuts": text,
        **foretold,
        "ratio_sent": found[key].total_ratio if cuts else 1.0,
        **{f: getattr(lost, f) if lost else 0.0 for f in fields},
    }


def by_cuts(rows: list[MeasuredCuts]) -> ByCuts:
    """Rows by their cuts and codecs."""
    return {tuple(row.plan.items()): row for row in rows}


def rules(alone: list[MeasuredCuts], several: Mapping[str, list[MeasuredCuts]]) -> list[Row]:
    """Every rule on every kind of sets, with exponents 1, 2, and what fits the losses of the random ones."""
    weights = codec.cut_weights(alone, "loss")
    plain = [[weights[pair] for pair in row.plan.items()] for row in several["random"]]
    fitted = codec.fit_exponent(plain, [row.expected_loss for row in several["random"]])
    return [
        {"sets": kind, **asdict(score)}
        for kind, rows in several.items()
        for score in codec.score_rules(alone + rows, exponents=sorted({1.0, 2.0, fitted}))
    ]


def amplification(alone: list[MeasuredCuts]) -> list[Row]:
    """a_m of every block by family of codecs, and the gain of the cut behind it."""
    families = sorted({name.split("-")[0] for row in alone for name in row.codecs})
    of = {"all": codec.fit_amplification(alone)}
    for family in families:
        of[family] = codec.fit_amplification([row for row in alone if row.codecs[0].startswith(family)])
    gain = {family: codec.propagated_gain(a) for family, a in of.items()}
    return [
        {"block": m + 1, **{f: a[m] for f, a in of.items()}, **{f"gain {f}": g[m] for f, g in gain.items()}}
        for m in range(len(of["all"]))
    ]


def distinct(sets: Iterable[dict[int, str]]) -> list[dict[int, str]]:
    """Sets with a codec in them, each once."""
    return [dict(cuts) for cuts in dict.fromkeys(tuple(cuts.items()) for cuts in sets) if cuts]


if __name__ == "__main__":
    main()
