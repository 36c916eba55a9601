"""Rules of accumulation on rows that follow a known one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from constellm import codec
from python.codec.measured import AMPLIFICATION, BLOCKS, CODECS, made_up, sets, singles


def test_amplification_of_every_block_is_found():
    np.testing.assert_allclose(codec.fit_amplification(singles()), AMPLIFICATION, rtol=1e-12)


def test_blocks_before_every_cut_pass_nothing():
    later = [row for row in singles() if row.cuts[0] >= 3]
    np.testing.assert_allclose(codec.fit_amplification(later), [1.0, 1.0, 1.0, *AMPLIFICATION[3:]])


def test_gains_by_codec_tell_codecs_apart():
    def damped(row):
        if row.codecs[0] != "coarse":
            return row
        return dataclasses.replace(row, reached=(*row.reached[:-1], row.reached[-1] / 4.0))

    rows = [damped(row) for row in singles()]
    together, apart = codec.cut_weights(rows, "propagated"), codec.cut_weights(rows, "propagated_each")
    exact = codec.cut_weights(rows, "output_error")
    for pair, weight in exact.items():
        assert apart[pair] == pytest.approx(weight)
        assert together[pair] != pytest.approx(weight, rel=0.2)


def test_weights_are_what_the_bases_say():
    rows = singles()
    gain = codec.propagated_gain(AMPLIFICATION)
    error, propagated = codec.cut_weights(rows, "error"), codec.cut_weights(rows, "propagated")
    output, loss = codec.cut_weights(rows, "output_error"), codec.cut_weights(rows, "loss")
    assert len(error) == (BLOCKS - 1) * len(CODECS)
    for (k, name), weight in error.items():
        assert weight == CODECS[name]
        assert propagated[k, name] == pytest.approx(gain[k - 1] * weight)
        assert output[k, name] == pytest.approx(gain[k - 1] * weight)
        assert loss[k, name] == pytest.approx(0.05 * gain[k - 1] * weight)


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
def test_the_exponent_that_made_the_rows_is_found(exponent):
    rows = sets(40, exponent=exponent)
    weights = codec.cut_weights(singles(exponent=exponent), "output_error")
    plain = [[weights[pair] for pair in row.plan.items()] for row in rows]
    assert codec.fit_exponent(plain, [row.output_error for row in rows]) == exponent


def test_the_right_rule_scores_best():
    scores = codec.score_rules(singles() + sets(60), bases=("error", "propagated", "output_error"))
    of_output = [score for score in scores if score.target == "output_error"]
    best = min(of_output, key=lambda score: score.within)
    assert best.exponent == 2.0 and best.basis in ("propagated", "output_error")
    assert best.median_ratio == pytest.approx(1.0) and best.within == pytest.approx(1.0)
    assert best.rank_correlation == pytest.approx(1.0)
    # The sum is a bound, gains of 1 ignore that these blocks damp.
    by_rule = {(score.basis, score.exponent): score for score in of_output}
    assert by_rule["propagated", 1.0].median_ratio > 1.0
    assert by_rule["error", 2.0].median_ratio > 1.5


def test_ranks_share_ties():
    assert codec.rank_correlation(np.array([1, 2, 2, 3]), np.array([10, 20, 20, 40])) == pytest.approx(1.0)
    assert codec.rank_correlation(np.arange(5), -(np.arange(5) ** 3)) == pytest.approx(-1.0)


def test_rank_correlation_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.Generator(np.random.PCG64(3))
    x, y = random.integers(0, 9, 80), random.integers(0, 9, 80)
    assert codec.rank_correlation(x, y) == pytest.approx(stats.spearmanr(x, y)[0])


def test_rows_survive_their_file(tmp_path):
    rows = singles() + sets(10)
    codec.write_measured_cuts(rows, tmp_path / "rows.csv")
    again = codec.read_measured_cuts(tmp_path / "rows.csv")
    assert len(again) == len(rows)
    for before, after in zip(rows, again):
        assert (before.cuts, before.codecs, before.images) == (after.cuts, after.codecs, after.images)
        np.testing.assert_allclose(before.reached, after.reached, rtol=1e-5)
        assert after.expected_loss == pytest.approx(before.expected_loss, rel=1e-5)
    codec.write_measured_cuts(again, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "rows.csv").read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cuts": (2, 2)}, r"cuts: \(2, 2\) are not one or more rising boundaries"),
        ({"cuts": (1, 6)}, r"cuts: 6 is not in \[1, 5\]"),
        ({"codecs": ("fine",)}, "codecs: 1 values for 2 cuts"),
        ({"reached": (0.1,)}, "reached: 1 values, expected 6, from boundary 1 to the logits"),
        ({"ratio": (0.0, 1.0)}, r"ratio: 0 is not in \(0, inf\)"),
        ({"error": (float("nan"), 0.0)}, "error: nan is not in"),
    ],
)
def test_a_row_says_what_is_wrong(change, says):
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(made_up({1: "fine", 3: "coarse"}), **change)


def test_files_say_what_is_wrong(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("cuts,codecs\n1,fine\n")
    with pytest.raises(ValueError, match="columns"):
        codec.read_measured_cuts(file)
    codec.write_measured_cuts(singles(), file)
    file.write_text(file.read_text().replace("\n2,", "\nx,", 1))
    with pytest.raises(ValueError, match=r"rows.csv: row \d+: invalid literal"):
        codec.read_measured_cuts(file)


def test_calls_say_what_is_wrong():
    with pytest.raises(ValueError, match="rows: no single cut among them"):
        codec.fit_amplification(sets(3))
    silent = dataclasses.replace(made_up({4: "fine"}), reached=(0.1, 0.0, 0.0))
    with pytest.raises(ValueError, match="no error of a single cut passes block 5"):
        codec.fit_amplification([silent])
    for exponent in (0.5, 2.5, math.nan):
        with pytest.raises(ValueError, match=rf"exponent: {exponent} is not in \[1, 2\]"):
            codec.accumulate([1.0], exponent)
    for weight in (-1.0, math.nan):
        with pytest.raises(ValueError, match=rf"weights: {weight:g} is not in \[0, inf\]"):
            codec.accumulate([1.0, weight], 1.0)
    with pytest.raises(ValueError, match="basis: 'other' is not one of 'error'"):
        codec.cut_weights(singles(), "other")
    with pytest.raises(ValueError, match="no set of several cuts"):
        codec.score_rules(singles())
    with pytest.raises(ValueError, match="was not measured alone"):
        codec.score_rules(singles()[:4] + [made_up({1: "fine", 5: "coarse"})])
