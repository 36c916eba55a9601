"""The table of federated training: how its rows come about, and that the page shows them."""

from __future__ import annotations

import dataclasses

import pytest

from constellm import images, tune
from constellm.core.table import Table, where

pytest.importorskip("onnxruntime")
pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def tables(tool):
    return tool("federated_table")


def test_a_run_is_thinned_and_keeps_its_ends(tables):
    test, train = images.sample().divided(10)
    seen = tables.learned(train, test, "quantise-3")
    assert seen.train.shape == (200, 128) and seen.ratio > 15
    (case,) = (case for case in tables.cases() if case.codec == "quantise-3" and case.fault == "none")
    rows = list(tables.rows_of(dataclasses.replace(case, rounds=150), 0.1, seen, train, test))
    assert [rows[0]["version"], rows[-1]["version"]] == [0, 150] and len(rows) <= tables.POINTS
    assert rows[0]["accuracy"] == 0.1 and rows[-1]["time_s"] > rows[0]["features_s"] > 0


def test_features_are_there_sooner_with_codecs_and_caches_change_no_first_round(tables):
    cases = {(case.scheme, case.codec): case for case in tables.cases() if case.fault == "none"}
    after = {
        name: tables.timing_of(cases["asynchronous split", name], ratio, 136)[1]
        for name, ratio in (("none", 1.0), ("quantise-3", 17.0), ("bottleneck-8", 85.0))
    }
    assert after["bottleneck-8"] < after["quantise-3"] < after["none"]
    published = tables.timing_of(cases["split as published", "none"], 1.0, 136)
    assert published[1] > after["none"] and published[0].computing.before_s == published[1]
    on_board = tables.timing_of(cases["all on board, features cached", "none"], 1.0, 136)[1]
    assert on_board == pytest.approx(136 * tune.spectral_gpt().server_flop(0) / 1e12)


def test_the_page_shows_the_stored_rows(tables):
    rows = list(Table.read_csv(tables.OUT))
    assert tables.BLOCK.search(tables.PAGE.read_text(encoding="utf-8"))[0] == tables.summary(rows)
    for case in tables.cases():
        for alpha in ("iid", 1, 0.1) if case.fault == "none" else (0.1,):
            found = where(rows, scheme=case.scheme, codec=case.codec, lost=case.fault, alpha=alpha)
            assert 2 <= len(found) <= tables.POINTS
            assert [row["time_s"] for row in found] == sorted(row["time_s"] for row in found)
