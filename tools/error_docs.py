"""Put the tables of `measure_errors.py` and `measure_adaptive.py` into the documentation.

python tools/error_docs.py docs/results/errors
"""

from __future__ import annotations

import argparse
import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean, median

import numpy as np

from constellm import codec
from constellm.core.files import read_text
from constellm.core.table import Table
from constellm.paper.report.marks import fill_page

PAGE = Path(__file__).parents[1] / "docs" / "error-accumulation.md"
RULES = {
    ("error", 1.0): "Σ ε",
    ("error", 2.0): "√Σ ε²",
    ("propagated", 1.0): "Σ g·ε, gains fitted",
    ("propagated", 2.0): "√Σ (g·ε)², gains fitted",
    ("propagated_each", 1.0): "Σ g·ε, gains fitted by codec",
    ("propagated_each", 2.0): "√Σ (g·ε)², gains fitted by codec",
    ("output_error", 1.0): "Σ of logit errors measured alone",
    ("output_error", 2.0): "√Σ of their squares",
    ("loss", 1.0): "Σ of losses measured alone",
    ("loss", 2.0): "√Σ of their squares",
}
SEEN = 1000  # images that are to show a promise, as in measure_errors.py
Row = dict[str, str]


def main(command: Sequence[str] | None = None) -> None:
    """Fill every table of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="the stored rows")
    folder = parser.parse_args(command).folder
    fill_page(PAGE, {name: make() for name, make in tables(folder).items()})


def tables(folder: Path) -> dict[str, Callable[[], str]]:
    """What makes every table of the page, from stored rows."""
    rows = {file.stem: read(file) for file in folder.glob("*.csv")}
    return {
        "amplification": lambda: amplification(rows["amplification"]),
        "rules": lambda: rules(rows["rules"]),
        "curve": lambda: curve(codec.read_measured_cuts(folder / "calibration.csv")),
        "promises": lambda: promises(rows["promises"]),
        "turned": lambda: by_judges(folder),
        "kept_by_cuts": lambda: by_cuts(rows["promises"]),
        "foretold": lambda: foretold(rows["promises"]),
        "estimates": lambda: estimates(folder),
        "adaptive": lambda: adaptive(rows["adaptive"]),
    }


def amplification(rows: list[Row]) -> str:
    """a_m and g of every block, by family."""
    families = [name for name in rows[0] if name != "block" and not name.startswith("gain ")]
    head = ["block m", *(f"a, {family}" for family in families), "gain of a cut after it"]
    return table(
        head,
        [
            [row["block"], *(f"{float(row[f]):.3f}" for f in families), f"{float(row['gain all']):.3f}"]
            for row in rows
        ],
    )


def rules(rows: list[Row]) -> str:
    """Scores, for the error of the logits and then for the loss."""
    body = []
    for target, words in (("output_error", "logit error"), ("loss", "loss")):
        for row in rows:
            p = float(row["exponent"])
            # A loss says nothing of the size of errors; and the fitted exponent was fitted to losses.
            if row["target"] != target or (row["basis"] == "loss") > (target == "loss"):
                continue
            if row["basis"] != "loss" and p not in (1.0, 2.0):
                continue
            rule = RULES.get((row["basis"], p)) or f"(Σ w^p)^(1/p) of losses, p = {p:.2f} fitted"
            body.append([words, row["sets"], rule, *(number(row[c]) for c in SCORES)])
    return table(["predicted", "sets", "rule", *SCORES.values()], body)


SCORES = {
    "median_ratio": "bias",
    "within": "nine of ten within ×",
    "scatter": "scatter ×",
    "rank_correlation": "rank correlation",
}


def curve(rows: list[codec.MeasuredCuts]) -> str:
    """What promises need, by basis."""
    body = []
    for basis in codec.BASES:
        made = codec.calibrate(rows, basis=basis)
        for promise in (0.005, 0.01, 0.02):
            least, seen = made.least_promise(), made.least_promise(images=SEEN)
            limit = made.max_error(promise) if promise >= least else None
            shown = made.max_error(promise, images=SEEN) if promise >= seen else None
            body.append(
                [
                    basis,
                    f"{made.exponent:.2f}",
                    points(least),
                    points(promise),
                    "–" if limit is None else f"{limit:.3g}",
                    "–" if limit is None else points(made.loss(limit)),
                    "–" if shown is None else points(made.loss(shown)),
                ]
            )
    head = [
        "basis",
        "p",
        "least promise",
        "promise",
        "error limit",
        "expected loss there",
        f"the same, if {SEEN:,} images are to show it",
    ]
    return table(head, body)


def promises(rows: list[Row]) -> str:
    """Promises beside what the judging images say."""
    best = {
        (r["promise"], r["problem"]): float(r["delay_s"])
        for r in rows
        if r["rule"] == "calibrated, loss" and not r["images"]
    }
    groups = dict.fromkeys((r["rule"], r["promise"], r["images"]) for r in rows)
    body = []
    for rule, promise, images in groups:
        some = [r for r in rows if (r["rule"], r["promise"], r["images"]) == (rule, promise, images)]
        limit = float(promise)
        losses = [float(r["loss"]) for r in some]
        expected = [float(r["expected_loss"]) for r in some]
        beyond = [float(r["loss"]) - 1.645 * float(r["loss_se"]) > limit for r in some]
        slower = [
            float(r["delay_s"]) / best[promise, r["problem"]] for r in some if (promise, r["problem"]) in best
        ]
        body.append(
            [
                rule + (f", on {int(images):,} images" if images else ""),
                points(limit),
                share(e <= limit for e in expected),
                share(loss <= limit for loss in losses),
                str(sum(beyond)),
                points(fmean(float(r["expected"]) for r in some)),
                points(fmean(expected)),
                points(max(expected)),
                points(fmean(losses)),
                f"{median(slower):.2f}" if slower else "–",
            ]
        )
    head = [
        "limit from",
        "promise",
        "kept, expected loss",
        "kept, counted loss",
        "surely broken",
        "loss foretold",
        "expected loss",
        "largest expected",
        "counted loss",
        "delay ÷ calibrated",
    ]
    return table(head, body)


def by_judges(folder: Path) -> str:
    """Plans under limits from losses, whichever part of the images judges."""
    body = []
    for words, place in JUDGES.items():
        rows = [
            row
            for row in read(folder / place / "promises.csv")
            if row["rule"] == "calibrated, loss" and not row["images"]
        ]
        for promise in dict.fromkeys(row["promise"] for row in rows):
            some = [row for row in rows if row["promise"] == promise]
            limit = float(promise)
            expected = [float(row["expected_loss"]) for row in some]
            sure = sum(float(row["loss"]) - 1.645 * float(row["loss_se"]) > limit for row in some)
            cells = [
                share(loss <= limit for loss in expected),
                share(float(r["loss"]) <= limit for r in some),
            ]
            ends = [points(fmean(float(row["expected"]) for row in some)), points(fmean(expected))]
            body.append([words, points(limit), *cells, str(sure), *ends, points(max(expected))])
    head = ["judged on", "promise", "kept, expected loss", "kept, counted loss", "surely broken"]
    return table([*head, "loss foretold", "expected loss", "largest expected"], body)


# The part of the images that judges, and the folder that the calibration by the other two is in.
JUDGES = {"judging images": "", "images kept back": "turned"}


def by_cuts(rows: list[Row]) -> str:
    """Plans under calibrated limits by promise and number of cuts."""
    some = [r for r in rows if r["rule"] == "calibrated, loss" and not r["images"]]
    body = []
    for promise in dict.fromkeys(r["promise"] for r in some):
        cells = []
        for cuts in (0, 1, 2, 3, 4):
            kept = [
                float(r["expected_loss"]) <= float(promise)
                for r in some
                if r["promise"] == promise and len(r["cuts"].split(";")) * bool(r["cuts"]) == cuts
            ]
            cells.append(share(kept) if kept else "–")
        body.append([points(float(promise)), *cells])
    return table(["promise", "no codec", *(f"{n} cut{'s' * (n > 1)}" for n in (1, 2, 3, 4))], body)


def foretold(rows: list[Row]) -> str:
    """Bytes that plans foretell against bytes that are sent."""
    some = {r["cuts"]: r for r in rows if r["cuts"]}
    body = []
    for column, words in (("ratio_alone", "codecs alone"), ("ratio_few", "the plan's cuts, few images")):
        for cuts in (1, 2, 3, 4):
            sent = [
                float(r[column]) / float(r["ratio_sent"])
                for text, r in some.items()
                if len(text.split(";")) == cuts
            ]
            if sent:
                within = share(abs(value - 1.0) <= 0.03 for value in sent)
                ends = (f"{value:.3f}" for value in (min(sent), median(sent), max(sent)))
                body.append([words, str(cuts), *ends, within])
    return table(
        ["ratios measured of", "cuts", "sent ÷ foretold, least", "median", "most", "within 3 %"], body
    )


def estimates(folder: Path) -> str:
    """Counted beside expected loss."""
    body = []
    for name in ("alone", "random", "planned", "test"):
        rows = codec.read_measured_cuts(folder / f"{name}.csv")
        body.append(
            [
                name,
                str(len(rows)),
                f"{rows[0].images:,}",
                points(fmean(row.loss for row in rows)),
                points(fmean(row.expected_loss for row in rows)),
                points(fmean(row.loss_se for row in rows)),
                points(fmean(row.expected_loss_se for row in rows)),
            ]
        )
    head = [
        "sets",
        "how many",
        "images",
        "counted loss, mean",
        "expected loss, mean",
        "standard error of one",
        "of the other",
    ]
    return table(head, body)


def adaptive(rows: list[Row]) -> str:
    """Policies by cut and budget, each beside the same for all images at the bytes that it took."""
    body = []
    for row in sorted(rows, key=lambda r: (int(r["cut"]), r["budget"], r["policy"] != "fixed")):
        fixed = [r for r in rows if r["cut"] == row["cut"] and r["policy"] == "fixed"]
        other = row["policy"] != "fixed"
        body.append(
            [
                row["cut"],
                row["budget"],
                row["policy"],
                f"{float(row['bytes_per_image']):.0f}",
                f"{float(row['ratio']):.1f}×",
                points(turned(row)),
                points(at_bytes(fixed, row, turned)) if other else "",
                f"{points(expected(row))} ± {points(float(row['expected_loss_se']))}",
                points(at_bytes(fixed, row, expected)) if other else "",
                f"{points(float(row['loss']))} ± {points(float(row['loss_se']))}",
            ]
        )
    head = ["cut", "budget", "policy", "B an image", "ratio"]
    head += ["other class", "fixed at these B", "expected loss", "fixed at these B", "counted loss"]
    return table(head, body)


def turned(row: Row) -> float:
    """Share of images whose class changes."""
    return 1.0 - float(row["agreement"])


def expected(row: Row) -> float:
    """Expected loss."""
    return float(row["expected_loss"])


def at_bytes(fixed: list[Row], row: Row, value: Callable[[Row], float]) -> float:
    """What one rung for all would give at the bytes of `row`: a line between rungs, on log scales.

    Of values where one is 0 or less the logarithm is of the bytes alone.
    """
    logs = all(value(r) > 0.0 for r in fixed)
    known = sorted(
        (math.log(float(r["bytes_per_image"])), math.log(value(r)) if logs else value(r)) for r in fixed
    )
    found = float(np.interp(math.log(float(row["bytes_per_image"])), *zip(*known)))
    return math.exp(found) if logs else found


def table(head: list[str], body: Iterable[list[str]]) -> str:
    """Rows as Markdown."""
    return Table(tuple(head), tuple(map(tuple, body))).to_markdown().rstrip()


def points(loss: float) -> str:
    """Points of accuracy."""
    return f"{100.0 * loss:.2f}"


def number(text: str) -> str:
    """Two decimals; nothing where there is no number."""
    return "" if text == "nan" else f"{float(text):.2f}"


def share(values: Iterable[bool]) -> str:
    """How many of how many."""
    listed = list(values)
    return f"{sum(listed)} of {len(listed)}"


def read(file: Path) -> list[Row]:
    """Rows as text."""
    return list(csv.DictReader(io.StringIO(read_text(file))))


if __name__ == "__main__":
    main()
