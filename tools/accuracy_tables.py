"""Measure what compression at the cuts costs in accuracy: learned masks and their rivals on the test images.

    python tools/accuracy_tables.py rivals curves random ladder --images eurosat_rgb.zip
    python tools/accuracy_tables.py page

The first writes rows (CSV) to docs/results/accuracy, the second puts tables of them into docs/accuracy.md.
Low rank is fitted to training images; everything else ships with the project or needs no fit. The test
images are used for nothing but these figures.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from constellm import codec, images, infer
from constellm.codec import Direct, LowRank, MeasuredCuts, Scheme, read_measured_cuts, write_measured_cuts
from constellm.core.files import read_text
from constellm.core.table import Table
from constellm.paper.report.marks import fill_page

DOCS = Path(__file__).parents[1] / "docs"
RESULTS = DOCS / "results" / "accuracy"
CLAIMED = DOCS.parent / "python" / "constellm" / "paper" / "collaborative" / "data" / "measured.csv"
KEEP = (0.05, 0.1, 0.2, 0.4)
RANKS = (8, 16, 32, 64)
PLACES = {1: (6,), 2: (4, 8), 3: (3, 6, 9), 4: (2, 5, 7, 10)}
RIVALS = (
    "quantise-8",
    "quantise-4",
    "top-k-0.2",
    "slicer-0.2",
    "mask-0.2",
    "mask-shared-0.2",
    "low-rank-32",
    "bottleneck-32",
)
FIT_IMAGES = 500
CONFIGURATIONS = 200

Compressors = dict[str, Any]


def compressors(training: np.ndarray) -> Compressors:
    """By name; learned ones by boundary too."""
    net = infer.load()
    clean = net.activations(training[:FIT_IMAGES])
    made: Compressors = {}
    for bits in (2, 3, 4, 6):
        # Few bits want a clipping point (arXiv 2211.04515) and a scale for every token.
        made[f"quantise-{bits}"] = Direct(Scheme(bits=bits, scale="token", clip="laplace"))
    made["quantise-8"] = Direct(Scheme(bits=8))
    for keep in KEEP:
        made[f"top-k-{keep:g}"] = Direct(Scheme(sparsify="top-k", keep=keep))
        made[f"slicer-{keep:g}"] = Direct(Scheme(sparsify="slicer", keep=keep))
    for rank in RANKS:
        made[f"low-rank-{rank}"] = {k: LowRank.fit(x, rank) for k, x in clean.items()}
    made.update(infer.learned_compressors())
    return made


def rivals(made: Compressors, test: images.ImageSet) -> None:
    """All at one to four cuts, and who is right where another is wrong."""
    sets = [dict.fromkeys(places, name) for name in RIVALS for places in PLACES.values()]
    chosen = {name: made[name] for name in RIVALS}
    found = _measure("rivals", test, chosen, sets)
    right = found.predicted == found.labels
    clean = found.logits.argmax(axis=1) == found.labels
    rows = []
    for cuts, places in PLACES.items():
        at = {row.codecs[0]: i for i, row in enumerate(found.rows) if row.cuts == places}
        several = {name: right[i] for name, i in at.items()}
        several["none"] = clean
        for a, b in (("none", "mask-0.2"), ("none", "top-k-0.2"), ("mask-0.2", "top-k-0.2"),
                     ("mask-0.2", "mask-shared-0.2"), ("mask-0.2", "slicer-0.2")):  # fmt: skip
            first, second = several[a], several[b]
            rows.append([cuts, a, b, int(np.sum(first & ~second)), int(np.sum(~first & second)), len(first)])
    _write("paired", ["cuts", "first", "second", "first_only", "second_only", "images"], rows)


def curves(made: Compressors, test: images.ImageSet) -> None:
    """Rate and accuracy, one cut in the middle and three."""
    sets = [dict.fromkeys(PLACES[cuts], name) for name in made for cuts in (1, 3)]
    _measure("curves", test, made, sets)


def random(made: Compressors, test: images.ImageSet) -> None:
    """Random places of one to four cuts, all with the mask."""
    name = "mask-0.2"
    sets = infer.random_combinations([name], infer.load().blocks, CONFIGURATIONS, cuts=(1, 2, 3, 4), seed=0)
    _measure("random", test, {name: made[name]}, sets)


def ladder(made: Compressors, test: images.ImageSet) -> None:
    """Ratio of a boundary's activation after each step: sparsify, quantise, entropy-code."""
    rows = []
    clean = infer.load().activations(test.pixels)
    for k, x in clean.items():
        network = made["mask-0.2"][k].network
        mask = network.mask(x)
        for name, what, given in (
            ("mask-0.2", x - network.centre, {"sparsify": "mask"}),
            ("top-k-0.2", x, {"sparsify": "top-k", "keep": 0.2}),
        ):
            steps = codec.coding_steps(what, Scheme(bits=8, **given), mask=mask if what is not x else None)
            share = float(mask.mean()) if what is not x else 26 / 128
            rows.append([k, name, f"{share:.4f}", *(f"{value:.3f}" for value in steps.values())])
    _write("ladder", ["boundary", "codec", "share_kept", *steps], rows)


def _measure(
    part: str, test: images.ImageSet, made: Mapping[str, Any], sets: Iterable[Mapping[int, str]]
) -> infer.Measurement:
    start = time.process_time()
    found = infer.measure(infer.load(), test, made, boundaries=(), combinations=list(sets))
    write_measured_cuts(found.rows, RESULTS / f"{part}.csv")
    about = {
        "images": len(test),
        "accuracy": float(np.mean(found.logits.argmax(axis=1) == found.labels)),
        "processor_s": round(time.process_time() - start),
        "machine": platform.machine(),
        "numpy": np.__version__,
    }
    (RESULTS / f"{part}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return found


def _write(part: str, names: list[str], rows: Iterable[Iterable[Any]]) -> None:
    Table(tuple(names), tuple(tuple(row) for row in rows)).to_csv(RESULTS / f"{part}.csv")


def _read(part: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(read_text(RESULTS / f"{part}.csv"))))


def table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows as Markdown."""
    return Table(tuple(head), tuple(tuple(row) for row in rows)).to_markdown().rstrip()


def points(share: float, error: float | None = None) -> str:
    """A share of one as percentage points, with its standard error."""
    return f"{100 * share:.2f}" + ("" if error is None else f" ± {100 * error:.2f}")


def accuracy_table() -> str:
    """Accuracy without, with mask, with Top-k, beside the reference's."""
    about = json.loads((RESULTS / "rivals.json").read_text(encoding="utf-8"))
    clean, n = about["accuracy"], about["images"]
    own = (clean * (1 - clean) / n) ** 0.5
    lines = [
        ["ViT-L, EuroSAT, arXiv 2604.04654", "98.36", "98.31", "98.30", "0.05", "0.06"],
        ["ViT-L, RESISC45, arXiv 2604.04654", "96.67", "95.97", "95.54", "0.70", "1.13"],
    ]
    rows = read_measured_cuts(RESULTS / "rivals.csv")
    for cuts, places in PLACES.items():
        mask, top_k = (
            next(row for row in rows if row.cuts == places and row.codecs[0] == name)
            for name in ("mask-0.2", "top-k-0.2")
        )
        lines.append(
            [
                f"this network, EuroSAT, {cuts} cut{'s' * (cuts > 1)} ({', '.join(map(str, places))})",
                points(clean, own) if cuts == 1 else points(clean),
                points(mask.accuracy),
                points(top_k.accuracy),
                points(mask.loss, mask.loss_se),
                points(top_k.loss, top_k.loss_se),
            ]
        )
    head = ["", "without [%]", "mask [%]", "Top-k [%]", "mask's loss [points]", "Top-k's loss [points]"]
    return table(head, lines)


def paired_table() -> str:
    """Images that one of two gets right and the other wrong."""
    lines = []
    for row in _read("paired"):
        first, second = int(row["first_only"]), int(row["second_only"])
        score = (first - second) / max(first + second, 1) ** 0.5
        lines.append([row["cuts"], row["first"], row["second"], str(first), str(second), f"{score:+.1f}"])
    head = ["cuts", "first", "second", "only the first right", "only the second right", "difference in σ"]
    return table(head, lines)


def rivals_table() -> str:
    """All at one to four cuts."""
    lines = []
    for row in sorted(read_measured_cuts(RESULTS / "rivals.csv"), key=lambda row: len(row.cuts)):
        encode, decode = (np.mean(times) * 1e9 for times in (row.encode_s_per_byte, row.decode_s_per_byte))
        lines.append(
            [
                str(len(row.cuts)),
                row.codecs[0],
                f"{row.total_ratio:.1f}",
                points(row.accuracy),
                points(row.loss, row.loss_se),
                points(row.agreement),
                f"{encode:.2g}",
                f"{decode:.2g}",
            ]
        )
    head = ["cuts", "codec", "ratio", "accuracy [%]", "loss [points]", "agreement [%]", "encode [s/GB]",
            "decode [s/GB]"]  # fmt: skip
    return table(head, lines)


def curves_table() -> str:
    """Rate and accuracy."""
    rows = read_measured_cuts(RESULTS / "curves.csv")
    lines = []
    for family in ("quantise", "top-k", "slicer", "mask", "mask-shared", "low-rank", "bottleneck"):
        by_name: dict[str, dict[int, MeasuredCuts]] = {}
        for row in rows:
            if row.codecs[0].rpartition("-")[0] == family:
                by_name.setdefault(row.codecs[0], {})[len(row.cuts)] = row
        for name, found in sorted(by_name.items(), key=lambda item: item[1][1].total_ratio):
            one, three = found[1], found[3]
            line = [name]
            for row in (one, three):
                line += [f"{row.total_ratio:.1f}", points(row.loss, row.loss_se), points(row.agreement)]
            lines.append(line)
    head = ["codec"]
    for cuts in ("one cut", "three cuts"):
        head += [f"ratio, {cuts}", "loss [points]", "agreement [%]"]
    return table(head, lines)


def ladder_table() -> str:
    """Steps of the ladder, geometric mean over the boundaries."""
    lines = [["ViT-G, arXiv 2604.04654", "≈ 0.221", "3.96", "11.56", "", "25.82"]]
    rows = _read("ladder")
    for name in ("mask-0.2", "top-k-0.2"):
        for boundaries in (range(1, 12), (1,), (6,), (11,)):
            some = [row for row in rows if row["codec"] == name and int(row["boundary"]) in boundaries]
            where = "all boundaries" if len(some) > 1 else f"boundary {boundaries[0]}"
            share = np.mean([float(row["share_kept"]) for row in some])
            steps = ("sparsify", "quantise", "zero_order", "entropy")
            mean = [np.exp(np.mean([np.log(float(row[step])) for row in some])) for step in steps]
            lines.append([f"{name}, {where}", f"{share:.3f}", *(f"{value:.2f}" for value in mean)])
    head = ["", "share kept", "bitmap + FP32", "bitmap + 8 bit", "zero-order coder", "coder with context"]
    return table(head, lines)


def random_table() -> str:
    """How many of the random configurations lose less than a point."""
    rows = read_measured_cuts(RESULTS / "random.csv")
    lines = [["arXiv 2604.04654", "200", "194 (97.0 %)", "", "", "1.5"]]
    for cuts in (0, 1, 2, 3, 4):
        some = [row for row in rows if cuts in (0, len(row.cuts))]
        loss = np.array([row.loss for row in some])
        within = int(np.sum(loss <= 0.01))
        name = "here, all" if cuts == 0 else f"here, {cuts} cut{'s' * (cuts > 1)}"
        lines.append(
            [
                name,
                str(len(some)),
                f"{within} ({100 * within / len(some):.1f} %)",
                points(float(np.median(loss))),
                points(float(np.quantile(loss, 0.95))),
                points(float(loss.max())),
            ]
        )
    head = ["", "configurations", "within 1 point", "median loss", "95 % quantile", "largest loss [points]"]
    return table(head, lines)


def page() -> None:
    """Put the tables into the documentation."""
    fill_page(
        DOCS / "accuracy.md",
        {
            "accuracy": accuracy_table(),
            "paired": paired_table(),
            "rivals": rivals_table(),
            "curves": curves_table(),
            "ladder": ladder_table(),
            "random": random_table(),
        },
    )
    claimed().to_csv(CLAIMED)


def claimed() -> Table:
    """What the study of the paper says of compression and accuracy: ratios by cut, losses by set of cuts."""
    steps = {"quantise": "ratio-packed", "zero_order": "ratio-zero-order", "entropy": "ratio"}
    ratios = [
        (figure, row["boundary"], float(row[step]))
        for step, figure in steps.items()
        for row in _read("ladder")
        if row["codec"] == "mask-0.2"
    ]
    losses = [
        ("loss", ";".join(map(str, row.cuts)), row.loss) for row in read_measured_cuts(RESULTS / "random.csv")
    ]
    return Table(("figure", "cuts", "value"), (*ratios, *losses))


def main(command: Sequence[str] | None = None) -> None:
    """Measure the parts that are named, or write the page."""
    parts = {"rivals": rivals, "curves": curves, "random": random, "ladder": ladder}
    parser = argparse.ArgumentParser(description="Accuracy with compression at the cuts")
    parser.add_argument("parts", nargs="+", choices=[*parts, "page"])
    parser.add_argument("--images", type=Path, help="folder or zip with train/ and test/")
    parser.add_argument("--per-class", type=int, help="test images of a class; default: all")
    arguments = parser.parse_args(command)
    wanted = [part for part in parts if part in arguments.parts]
    if wanted:
        if arguments.images is None:
            parser.error("--images is needed to measure")
        RESULTS.mkdir(parents=True, exist_ok=True)
        training = images.load(arguments.images, split="train").divided(100, seed=0)[1]
        test = images.load(arguments.images, split="test").shuffled(0)
        if arguments.per_class is not None:
            test = test.per_class(arguments.per_class)
        made = compressors(training.pixels)
        for part in wanted:
            parts[part](made, test)
    if "page" in arguments.parts:
        page()


if __name__ == "__main__":
    main()
