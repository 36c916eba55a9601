"""The reproduction: rows, verdicts, figures and page of a quick run."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from constellm import paper
from constellm.core.table import Table, distinct, only, where
from constellm.paper.collaborative import STUDY
from constellm.paper.collaborative.claims import claims
from constellm.paper.collaborative.experiments import EXPERIMENTS
from constellm.paper.collaborative.experiments.communication import accountings
from constellm.paper.collaborative.experiments.compression import (
    COMPRESSION,
    PAPER_LADDER,
    ladder,
    laplace_bits,
)
from constellm.paper.collaborative.experiments.delay import BY_MODEL
from constellm.paper.report.claims import verdict
from constellm.paper.report.marks import fill_page

pytest.importorskip("matplotlib")

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduction")
    page = paper.reproduce(folder, quick=True)
    assert page == folder / "index.html"
    return folder


def stored(out, name):
    return list(Table.read_csv(out / "rows" / f"{name}.csv"))


@pytest.mark.parametrize(
    ("holds", "text"),
    [([True, True], "holds"), ([True, False], "holds in a region"), ([False], "does not hold")],
)
def test_verdict(holds, text):
    assert verdict(holds) == (text, sum(holds), len(holds))


def test_no_verdict_without_settings():
    with pytest.raises(ValueError, match="no setting"):
        verdict([])


def test_a_method_looks_the_same_in_both_panels(out):
    (picture,) = BY_MODEL.draw({name: stored(out, name) for name in ("delay-by-model", "gain-by-model")})
    left, right = (
        {
            line.get_label(): (line.get_color(), line.get_marker())
            for line in ax.lines
            if line.get_label()[0] != "_"
        }
        for ax in picture.figure.axes
    )
    assert set(left) - set(right) == {"optimal chain"} and right.items() <= left.items()
    said = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert said[-1] == "no plan", "the crosses"


def test_the_legend_names_the_dotted_line(out):
    pictures = COMPRESSION.draw({name: stored(out, name) for name in ("ladder", "ladder-delay", "menu")})
    delay = next(picture for picture in pictures if picture.name == "ladder-delay").figure.axes[0]
    (dotted,) = (line for line in delay.lines if line.get_linestyle() == ":")
    said = [text.get_text() for text in delay.get_legend().get_texts()]
    assert dotted.get_label() == said[-1] == "the paper's rate"


def test_every_figure_table_and_link_is_there(out):
    figures = {file.name for file in (out / "figures").iterdir()}
    page, text = (out / "index.html").read_text(), (out / "index.md").read_text()
    stems = {name.rsplit(".", 1)[0] for name in figures}
    assert len(stems) >= 17
    assert figures == {f"{stem}.{ending}" for stem in stems for ending in ("png", "pdf")}
    for stem in stems:
        assert f'src="figures/{stem}.png"' in page and f"(figures/{stem}.png)" in text
    for file in (out / "rows").iterdir():
        assert file.name == "claims.csv" or f"rows/{file.name}" in page
        assert (out / "tables" / file.name).read_bytes() == file.read_bytes()
        assert (out / "tables" / f"{file.stem}.md").exists()
        assert (out / "tables" / f"{file.stem}.tex").read_text().startswith(r"\begin{tabular}")
    anchors = set(re.findall(r'<h2 id="([^"]+)">', page))
    assert set(re.findall(r'<a href="#([^"]+)">', page)) == anchors and len(anchors) > len(EXPERIMENTS)
    assert "prefers-color-scheme: dark" in page
    for parameter in STUDY.parameters:
        assert parameter.source in text, "every assumption is on the page"
    for experiment in EXPERIMENTS:
        assert experiment.title in text


def test_second_run_writes_the_same_bytes(out, tmp_path):
    paper.reproduce(tmp_path, quick=True)
    files = sorted(file.relative_to(out) for file in out.rglob("*") if file.is_file())
    assert files == sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file())
    for file in files:
        assert (out / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_verdicts_follow_from_the_rows(out):
    judged = {row["claim"]: row for row in stored(out, "claims")}
    assert len(judged) == 17
    for row in judged.values():
        expected = verdict([True] * row["holding"] + [False] * (row["examined"] - row["holding"]))[0]
        assert row["verdict"] == expected
    verdicts = {claim: row["verdict"] for claim, row in judged.items()}
    assert verdicts["lowest delay at every image size and S2G rate"] == "holds in a region"
    assert verdicts["speed-up over the heuristic split"] == "does not hold"
    assert verdicts["no layer on the ground is the best plan (implied)"] == "does not hold"
    assert verdicts["loss of accuracy below 1 point"] == "holds in a region"
    assert verdicts["mask, 8 bits and entropy coder"] == "does not hold"


def test_saving_against_ground_only(out):
    rows = stored(out, "delay-against-ground")
    for row in rows:
        assert row["reduction"] == pytest.approx(1 - row["chain_delay_s"] / row["ground_delay_s"], rel=1e-12)
    large = only(rows, image="1080p", s2g_rate_bps=0.8e9)
    # Ground-only: four hops and the ground link of raw micro-batches, and the ground's compute.
    raw = 8 * 8 * 1920 * 1080 * 3
    compute = sum(layer.flop for layer in paper.collaborative.problem().layers) / (0.2 * 160.3584e12)
    hops = 4 * (raw / 0.5e9 + 11.9e-3) + raw / 0.8e9 + 1.7e-3
    assert large["ground_delay_s"] == pytest.approx(hops + compute + 7 * raw / 0.5e9, rel=1e-9)
    assert large["reduction"] == pytest.approx(0.39, abs=0.005)
    assert only(rows, image="480p", s2g_rate_bps=0.8e9)["reduction"] < -1


def test_nothing_beats_the_optimum_of_its_own_problem(out):
    for setting in ("chain", "ground may compute"):
        rows = where(stored(out, "methods"), setting=setting)
        best = only(rows, method="optimal")
        assert best["status"] == "optimal"
        own = [row for row in rows if row["status"] == "feasible" and row["note"] == ""]
        assert len(own) >= 6
        assert all(row["delay_s"] >= best["delay_s"] * (1 - 1e-9) for row in own)
    boards = stored(out, "boards")
    assert distinct(boards, "setting") == ["ViT-B", "ViT-L"]


def test_ablations_agree(out):
    rows = stored(out, "ablations")
    for model in distinct(rows, "model"):
        runs = where(rows, model=model)
        assert {row["status"] for row in runs} == {"optimal"} and {row["broken_rules"] for row in runs} == {0}
        assert [row["delay_s"] for row in runs] == pytest.approx([runs[0]["delay_s"]] * len(runs), rel=1e-9)
    assert all(row["excess"] >= -1e-9 for row in stored(out, "scalar-a-star"))


def test_documented_claims_are_those_of_a_full_run():
    """The documentation is filled by `tools/reproduction_docs.py` from the results of `make reproduce`."""
    tables = {}
    for experiment in EXPERIMENTS:
        if experiment.title != "Optimality and speed of the search":
            tables.update(experiment.compute(False))
    rows = claims(tables)
    assert list(Table.read_csv(DOCS / "results" / "claims.csv")) == rows
    assert Table.of(rows).to_markdown().strip() in (DOCS / "reproduction.md").read_text(encoding="utf-8")


def test_pages_say_the_same_of_what_was_measured():
    """README, the accuracy page and the claims page, each from its own rows."""
    judged = {row["claim"]: row for row in Table.read_csv(DOCS / "results" / "claims.csv")}
    coder, loss = judged["mask, 8 bits and entropy coder"], judged["loss of accuracy below 1 point"]
    ratio = re.match(r"([\d.]+)×, measured on", coder["here"])[1]
    within = re.match(r"(\d+ of \d+) within 1 point, measured on", loss["here"])[1]
    assert within == f"{loss['holding']} of {loss['examined']}"
    for page in (DOCS / "accuracy.md", DOCS.parent / "README.md"):
        text = " ".join(page.read_text(encoding="utf-8").split())
        assert re.search(rf"\b{re.escape(ratio)}(×| times)", text), page
        assert within in text, page


def test_ladder_is_the_papers():
    assert [codec.ratio for codec in ladder()] == pytest.approx(PAPER_LADDER, rel=2e-3)
    errors = [codec.error for codec in ladder()]
    assert errors == sorted(errors)


def test_ideal_coder_against_a_simulated_source():
    """Entropies of the closed form and of a million drawn Laplace values, masked and quantised alike."""
    import numpy as np

    keep = 0.221
    bitmap, value = laplace_bits(keep)
    assert bitmap == pytest.approx(-keep * math.log2(keep) - (1 - keep) * math.log2(1 - keep))
    excess = np.random.default_rng(5).exponential(size=1_000_000)
    log = math.log(3 * 4.0**8)
    cells = np.floor(excess / (2 * (log - math.log(log)) / 256)).astype(int)
    shares = np.bincount(cells) / len(cells)
    shares = shares[shares > 0]
    assert value == pytest.approx(1 - (shares * np.log2(shares)).sum(), abs=2e-3)


def test_accountings_by_hand():
    ways = accountings(raw_bytes=100.0, activation_bytes=50.0, ratio=10.0)
    assert ways["four cuts, against five raw legs"] == (20.0, 500.0)
    assert ways["one raw leg and three cuts, against four raw legs"] == (115.0, 400.0)
    assert ways["any cut, against the same uncompressed"] == (5.0, 50.0)


def test_notebooks_are_asked_for_by_folder(tmp_path):
    pytest.importorskip("nbconvert")
    from constellm.paper.report.notebooks import render_notebooks

    with pytest.raises(FileNotFoundError, match="no \\*.ipynb"):
        render_notebooks(tmp_path, tmp_path / "out")


def test_parts_of_a_page_are_filled_or_nothing_is(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- a -->\nold\n<!-- end of a -->\nkept\n")
    fill_page(page, {"a": "new\n"})
    assert page.read_text() == "<!-- a -->\nnew\n<!-- end of a -->\nkept\n"
    with pytest.raises(ValueError, match="marks of 'b' stand there 0 times"):
        fill_page(page, {"a": "newer", "b": "x"})
    assert "newer" not in page.read_text()


def test_a_study_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(ValueError, match="study: 'other' is not one of 'collaborative'"):
        paper.reproduce(tmp_path, "other")


def test_names_that_moved_are_found_with_a_warning():
    with pytest.warns(DeprecationWarning, match=r"constellm\.paper\.collaborative\.MAX_ERROR now"):
        assert paper.MAX_ERROR == paper.collaborative.MAX_ERROR
    with pytest.warns(DeprecationWarning, match=r"constellm\.paper\.collaborative\.problem now"):
        assert paper.collaborative(image="720p") == paper.collaborative.problem(image="720p")
    with pytest.warns(DeprecationWarning, match=r"constellm\.paper\.collaborative\.edge_boards now"):
        assert paper.edge_boards() == paper.collaborative.edge_boards()


def test_the_warning_of_a_moved_name_is_of_the_line_that_used_it():
    with pytest.warns(DeprecationWarning) as caught:
        assert paper.Parameter is type(STUDY.parameters[0])
        assert paper.parameters_markdown().startswith("| parameter | value |")
    assert {one.filename for one in caught} == {__file__}
