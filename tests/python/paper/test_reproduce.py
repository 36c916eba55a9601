"""The reproduction: rows, verdicts, figures and page of a quick run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from constellm import paper
from constellm.paper.claims import claims, verdict
from constellm.paper.experiments import EXPERIMENTS
from constellm.paper.experiments.communication import accountings
from constellm.paper.experiments.compression import PAPER_LADDER, ladder, laplace_bits
from constellm.paper.rows import columns, distinct, markdown, only, read_rows, where, write_rows

pytest.importorskip("matplotlib")

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduction")
    page = paper.reproduce(folder, quick=True)
    assert page == folder / "index.html"
    return folder


def stored(out, name):
    return read_rows(out / "rows" / f"{name}.csv")


def same(a, b):
    return a == b or (a != a and b != b)


def test_rows_come_back_as_they_were(tmp_path):
    rows = [
        {"name": "720p", "delay_s": 0.1 + 0.2, "stages": 7, "near": True, "limit": math.inf, "note": ""},
        {"name": "a, | b", "delay_s": math.nan, "stages": -1, "near": False, "limit": 1e-300, "note": "x"},
    ]
    back = read_rows(write_rows(rows, tmp_path / "rows.csv"))
    assert [list(row) for row in back] == [list(row) for row in rows]
    assert all(same(row[name], old[name]) for row, old in zip(back, rows) for name in row)
    assert "a, \\| b | –" in markdown(rows)


def test_tables_are_regular():
    with pytest.raises(ValueError, match="at least one row"):
        columns([])
    with pytest.raises(ValueError, match="differ"):
        columns([{"a": 1}, {"b": 1}])
    with pytest.raises(KeyError, match="2 rows"):
        only([{"a": 1}, {"a": 1}], a=1)


@pytest.mark.parametrize(
    ("holds", "text"),
    [([True, True], "holds"), ([True, False], "holds in a region"), ([False], "does not hold")],
)
def test_verdict(holds, text):
    assert verdict(holds) == (text, sum(holds), len(holds))


def test_no_verdict_without_settings():
    with pytest.raises(ValueError, match="no setting"):
        verdict([])


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
    for parameter in paper.PARAMETERS:
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
        expected = (
            "not measured here"
            if row["examined"] == 0
            else verdict([True] * row["holding"] + [False] * (row["examined"] - row["holding"]))[0]
        )
        assert row["verdict"] == expected
    verdicts = {claim: row["verdict"] for claim, row in judged.items()}
    assert verdicts["lowest delay at every image size and S2G rate"] == "holds in a region"
    assert verdicts["speed-up over the heuristic split"] == "does not hold"
    assert verdicts["no layer on the ground is the best plan (implied)"] == "does not hold"
    assert verdicts["loss of accuracy below 1 point"] == "not measured here"


def test_saving_against_ground_only(out):
    rows = stored(out, "delay-against-ground")
    for row in rows:
        assert row["reduction"] == pytest.approx(1 - row["chain_delay_s"] / row["ground_delay_s"], rel=1e-12)
    large = only(rows, image="1080p", s2g_rate_bps=0.8e9)
    # Ground-only: four hops and the ground link of raw micro-batches, and the ground's compute.
    raw = 8 * 8 * 1920 * 1080 * 3
    compute = sum(layer.flop for layer in paper.collaborative().layers) / (0.2 * 160.3584e12)
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
    assert read_rows(DOCS / "results" / "claims.csv") == rows
    assert markdown(rows).strip() in (DOCS / "reproduction.md").read_text(encoding="utf-8")


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
    from constellm.paper.notebooks import render_notebooks

    with pytest.raises(FileNotFoundError, match="no \\*.ipynb"):
        render_notebooks(tmp_path, tmp_path / "out")
