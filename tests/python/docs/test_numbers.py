"""Numbers that stand on several pages are those of the stored rows, on each of them."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from constellm import codec, images, model
from constellm.codec.measured_cuts import MeasuredCuts
from constellm.paper.collaborative.experiments.compression import PAPER_LADDER

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "docs" / "results"
REPORTED = re.compile(r"[Tt]he paper (?:reports|measured)(?:[^.]|\.\d)*\.(?: [^.]*quotes(?:[^.]|\.\d)*\.)?")


def text_of(page: str) -> str:
    """Its words with single spaces, without marks of emphasis."""
    return " ".join((ROOT / page).read_text(encoding="utf-8").replace("**", "").split())


def words_of(notebook: int) -> str:
    """The text cells of a notebook, as `text_of`."""
    (path,) = (ROOT / "notebooks").glob(f"{notebook:02}-*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return " ".join(text.replace("**", "").split())


def rows_of(name: str) -> list[dict[str, str]]:
    with open(RESULTS / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def measured(name: str, cuts: int | None = None) -> list[MeasuredCuts]:
    rows = codec.read_measured_cuts(RESULTS / name)
    return [row for row in rows if cuts is None or len(row.cuts) == cuts]


def mean_ratio(rows: list[dict[str, str]], step: str) -> float:
    return float(np.exp(np.mean([np.log(float(row[step])) for row in rows])))


@pytest.fixture(scope="module")
def mask_ladder() -> list[float]:
    rows = [row for row in rows_of("accuracy/ladder.csv") if row["codec"] == "mask-0.2"]
    return [mean_ratio(rows, step) for step in ("sparsify", "quantise", "entropy")]


def test_the_ladder(mask_ladder: list[float]) -> None:
    sparsify, quantise, entropy = mask_ladder
    told = f"{sparsify:.2f}× → {quantise:.2f}× → {entropy:.1f}×"
    paper = " → ".join(f"{step}×" for step in PAPER_LADDER[1:])
    assert f"{told} with a real coder, beside {paper}" in text_of("docs/accuracy.md")
    assert f"sends {entropy:.1f} times less than FP32 (the paper: {PAPER_LADDER[-1]})" in text_of("README.md")
    assert f"| {PAPER_LADDER[-1]}× | {entropy:.1f}×, measured on" in text_of("docs/reproduction.md")


def test_where_the_gain_of_the_coder_comes_from() -> None:
    rows = [row for row in rows_of("accuracy/ladder.csv") if row["codec"] == "mask-0.2"]
    packed, plain, sent = (mean_ratio(rows, step) for step in ("quantise", "zero_order", "entropy"))
    page = text_of("docs/accuracy.md")
    assert f"the entropy coder's gain, {sent / packed:.2f} here" in page
    tables, memory = f"{plain / packed:.2f}", f"{sent / plain:.2f}"
    assert f"It is {tables} by what every symbol costs on average, and {memory} by context" in page
    claims = text_of("docs/reproduction.md")
    assert f"{tables}× by what every symbol costs on average, {memory}× by its memory" in claims


def test_few_bits_against_masks() -> None:
    three = {row.codecs[0]: row for row in measured("accuracy/curves.csv", cuts=3)}
    two, some = three["quantise-2"], three["quantise-3"]
    page = text_of("docs/accuracy.md")
    ratio, kept = f"{two.total_ratio:.0f}×", f"{100 * (1 - two.agreement):.2f} %"
    assert f"two bits with a scale for each token give {ratio} and change {kept}" in page
    assert f"keeps {100 * two.agreement:.2f} % of the classes at {two.total_ratio:.1f}×" in page
    told = f"At like bytes, {some.total_ratio:.1f}×, `quantise-3` keeps {100 * some.agreement:.2f} %"
    assert told in page
    others = [three[name] for name in ("mask-0.2", "mask-shared-0.2", "top-k-0.2")]
    least, most = (f(100 * row.agreement for row in others) for f in (min, max))
    low, high = (f(row.total_ratio for row in others) for f in (min, max))
    assert f"`top-k-0.2` {least:.2f} to {most:.2f} % at {low:.1f}–{high:.1f}×" in page
    assert two.total_ratio > high and two.agreement > max(row.agreement for row in others)


def test_random_sets_within_a_point() -> None:
    rows = measured("accuracy/random.csv")
    within = f"{sum(row.loss <= 0.01 for row in rows)} of {len(rows)}"
    worst = 100 * max(row.loss for row in rows)
    assert f"{within} random sets of cuts lose at most a point, the worst {worst:.2f}" in text_of(
        "docs/accuracy.md"
    )
    assert f"{within} random configurations lose at most one point" in text_of("README.md")
    assert f"{within} within 1 point, measured on" in text_of("docs/reproduction.md")
    told = re.search(r"Here it is (\d+): .* lose more, up to ([\d.]+)\.", words_of(9))
    assert f"{told[1]} of {len(rows)}" == within and float(told[2]) == pytest.approx(worst, abs=0.051)


def test_promises_that_were_kept() -> None:
    told = []
    for folder in ("errors", "errors/turned"):
        rows = [row for row in rows_of(f"{folder}/promises.csv") if row["rule"] == "calibrated, loss"]
        losses = [(float(row["expected_loss"]), float(row["promise"])) for row in rows if not row["images"]]
        told.append((sum(loss <= promise for loss, promise in losses), len(losses)))
    (kept, plans), (turned_kept, turned_plans) = told
    page = text_of("docs/error-accumulation.md")
    assert f"{kept} of {plans} plans under a limit from losses kept their promise" in page
    assert turned_kept == turned_plans and f"All {turned_plans} kept it, by count too." in page
    changes = text_of("CHANGELOG.md")
    assert f"of {plans} new plans under the shipped promises of 0.5, 1 and 2 points, {kept} keep" in changes
    assert f"and {turned_kept} of {turned_plans} where these images calibrate and others judge" in changes


def test_accuracy_of_the_shipped_network() -> None:
    card = json.loads((ROOT / "docs" / "vit-eurosat" / "vit-eurosat.json").read_text(encoding="utf-8"))
    accuracy = card["accuracy_test"]
    assert f"{100 * accuracy:.1f} % of the test images right" in text_of("README.md")
    assert f"| {100 * accuracy:.2f}% (standard error" in text_of("docs/vit-eurosat/vit-eurosat.md")
    assert f"| {100 * accuracy:.2f} ± " in text_of("docs/accuracy.md")
    for name in ("curves", "random", "rivals"):
        stored = json.loads((RESULTS / "accuracy" / f"{name}.json").read_text(encoding="utf-8"))
        assert stored["accuracy"] == accuracy, name
        assert stored["images"] == card["images"]["test"]
    assert f"{card['images']['test']:,} test images" in text_of("docs/accuracy.md")
    parameters = f"{card['parameters'] / 1e6:.1f} M parameters"
    assert f"measured on the shipped vision transformer of {parameters}" in text_of("docs/reproduction.md")


def test_principal_components() -> None:
    row = next(row for row in measured("accuracy/curves.csv", cuts=3) if row.codecs[0] == "low-rank-16")
    ratio = len(row.ratio) / sum(1 / one for one in row.ratio)
    told = f"16 principal components at 8 bits give {ratio:.0f}× at three cuts and change "
    assert f"{told}{100 * (1 - row.agreement):.2f} % of the classes" in text_of("docs/accuracy.md")


def test_the_codec_and_its_peers() -> None:
    """The table of docs/codec.md is the file that notebook 08 reads."""
    page = (ROOT / "docs" / "codec.md").read_text(encoding="utf-8")
    table = re.search(r"^\| coder \| bytes \|.*\n\|[- :|]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
    told = [[cell.strip() for cell in row.strip("|").split("|")] for row in table[1].splitlines()]
    stored = [list(row.values()) for row in rows_of("codec/peers.csv")]
    assert [row[:2] for row in told] == [row[:2] for row in stored]
    for row, exact in zip(told, stored):
        assert [float(cell) for cell in row[2:]] == pytest.approx([float(v) for v in exact[2:]], abs=6e-3)


def test_figures_of_the_paper_are_one_constant() -> None:
    gain, weight = codec.LOSSLESS_GAIN, codec.MASK_WEIGHT
    assert gain == PAPER_LADDER[3] / PAPER_LADDER[2]
    page = text_of("docs/error-model.md")
    assert f"gains {PAPER_LADDER[3]} / {PAPER_LADDER[2]} = {gain:.2f} at every kept share" in page
    assert f"w = 0.70 / 1.13 = {weight:.2f}" in page
    assert f"| gain of the entropy coder | {gain:.3f} |" in text_of("docs/scenario.md")
    assert f"against {gain:.2f} in the reference" in text_of("docs/accuracy.md")


def test_what_readme_counts() -> None:
    pytest.importorskip("PIL")
    page = text_of("README.md")
    profile = model.vit("vit-gigantic/14", image_px=224, batch=8)
    parameters = sum(layer.parameters for layer in profile.detail)
    assert f"{parameters / 1e9:.2f} billion parameters, {len(profile)} blocks" in page
    sample = len(images.sample())
    assert f"{sample} test images" in page
    assert f"The package ships {sample} of them" in text_of("docs/images.md")
    assert f"of these {sample} images" in words_of(9)


@pytest.mark.parametrize("notebook", [2, 3, 4, 5, 9])
def test_notebooks_tell_the_papers_figures(notebook: int) -> None:
    """What they say that the paper reports is what the claims page judges."""
    claimed = " ".join(row["paper"] for row in rows_of("claims.csv")) + f" {codec.LOSSLESS_GAIN:.2f}×"
    reported = REPORTED.search(words_of(notebook))[0]
    figures = re.findall(r"\d[\d.]*(?: %|×)", reported)
    assert figures
    assert [figure for figure in figures if figure not in claimed] == []
