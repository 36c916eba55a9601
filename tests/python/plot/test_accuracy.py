"""Figures of what was measured at cuts."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import codec, plot
from constellm.plot import palette

TABLE = {
    "ratio": np.array([4.0, 2.0, 8.0, 3.0, np.nan]),
    "accuracy": np.array([0.95, 0.96, 0.90, 0.955, 0.9]),
    "accuracy_se": np.array([0.01, 0.02, 0.03, 0.01, 0.01]),
    "codec": np.array(["mask", "mask", "mask", "top-$k", "gone"]),
}


def row(plan, *, loss=0.004, error=0.5, blocks=4):
    """Errors that every block halves."""
    first = min(plan)
    n = len(plan)
    return codec.MeasuredCuts(
        cuts=tuple(plan),
        codecs=tuple(plan.values()),
        blocks=blocks,
        images=1000,
        error=(error,) * n,
        reached=tuple(error / 2**i for i in range(blocks - first + 1)),
        ratio=(8.0,) * n,
        encode_s_per_byte=(1e-9,) * n,
        decode_s_per_byte=(1e-9,) * n,
        accuracy=0.9,
        agreement=0.99,
        loss=loss,
        loss_se=0.002,
        expected_loss=loss,
        expected_loss_se=0.001,
    )


@pytest.fixture(scope="module")
def measured():
    """Three codecs alone, and sets of two cuts whose losses add up."""
    loss = {"a": 0.001, "b": 0.004, "c": 0.01}
    alone = [row({k: name}, loss=value) for k in (1, 2, 3) for name, value in loss.items()]
    pairs = [({1: a, 3: b}, loss[a] + loss[b]) for a in loss for b in loss]
    pairs += [({1: a, 2: b}, loss[a] + loss[b]) for a in loss for b in loss]
    pairs += [({2: a, 3: b}, loss[a] + loss[b]) for a in loss for b in loss]
    return alone, [row(plan, loss=value) for plan, value in pairs]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_curves_have_points_of_their_own():
    ax = plot.plot_curves(TABLE, x="ratio", y="accuracy", hue="codec", se="accuracy_se")
    ax.figure.canvas.draw()
    assert legend(ax) == ["mask", "top-\\$k"]
    lines = [container.lines[0] for container in ax.containers]
    np.testing.assert_array_equal(lines[0].get_xdata(), [2.0, 4.0, 8.0])
    np.testing.assert_array_equal(lines[0].get_ydata(), [0.96, 0.95, 0.90])
    bars = ax.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [[0.94, 0.98], [0.94, 0.96], [0.87, 0.93]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("ratio", "accuracy (%)")
    apart = plot.plot_curves(TABLE, x="ratio", y="accuracy", hue="codec", dodge=0.2)
    at = [container.lines[0].get_xdata() for container in apart.containers]
    np.testing.assert_allclose(np.concatenate(at), [1.9, 3.9, 7.9, 3.1])
    assert ax.get_yticklabels()[1].get_text() in {"88", "90", "92"}


def test_curves_of_numbers_get_shades_and_decades_a_logarithm():
    table = {"bytes": [1e3, 1e4, 1e5] * 3, "error": [0.5, 0.05, 0.005] * 3, "bits": np.repeat([2, 4, 8], 3)}
    ax = plot.plot_curves(table, x="bytes", y="error", hue="bits")
    ax.figure.canvas.draw()
    assert legend(ax) == ["2", "4", "8"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert {"0.01", "0.1"} <= {label.get_text() for label in ax.get_yticklabels()}
    assert "10k" in {label.get_text() for label in ax.get_xticklabels()}
    assert palette.CYCLE[0] not in {line.get_color() for line in ax.lines}


def test_curves_take_a_data_frame():
    pandas = pytest.importorskip("pandas")
    ax = plot.plot_curves(pandas.DataFrame(TABLE), x="ratio", y="accuracy")
    assert ax.get_legend() is None
    assert len(ax.containers) == 1
    np.testing.assert_array_equal(ax.containers[0].lines[0].get_xdata(), [2.0, 3.0, 4.0, 8.0])


@pytest.mark.parametrize(
    ("changes", "names", "message"),
    [
        ({}, {"x": "rate", "y": "accuracy"}, "'rate' is not in the table; it has accuracy"),
        ({"ratio": np.ones(2)}, {"x": "ratio", "y": "accuracy"}, "columns of different shapes"),
        ({"ratio": np.full(5, np.nan)}, {"x": "ratio", "y": "accuracy"}, "no row with ratio, accuracy"),
    ],
)
def test_curves_refuse_what_they_cannot_draw(changes, names, message):
    with pytest.raises(ValueError, match=message):
        plot.plot_curves({**TABLE, **changes}, **names)


def test_propagation_starts_at_the_cut(measured):
    alone, pairs = measured
    ax = plot.plot_propagation([alone[0], alone[3], pairs[0]])
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in lines] == ["1", "2", "1+3"]
    np.testing.assert_array_equal(lines[1].get_xdata(), [2, 3, 4])
    np.testing.assert_array_equal(lines[1].get_ydata(), [0.5, 0.25, 0.125])
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(dots[2].get_xdata(), [1, 3])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3", "logits"]
    assert ax.get_title(loc="left") == "a"


def test_propagation_is_of_one_network():
    with pytest.raises(ValueError, match="none"):
        plot.plot_propagation([])
    with pytest.raises(ValueError, match="4, 5"):
        plot.plot_propagation([row({1: "a"}), row({1: "a"}, blocks=5)])


def test_calibration_shows_bound_rows_and_limits(measured):
    alone, pairs = measured
    calibration = codec.calibrate(alone + pairs)
    ax = plot.plot_calibration(calibration, alone + pairs, promises=(0.01, 0.02))
    mean, bound = (next(line for line in ax.lines if line.get_label() == name)
                   for name in ("expected", "95 % of plans below"))  # fmt: skip
    assert (bound.get_ydata() >= mean.get_ydata()).all()
    points = next(c for c in ax.containers if c.get_label() == "measured sets of cuts")
    assert len(points.lines[0].get_xdata()) == len(pairs), "single cuts are not drawn"
    limits = [calibration.max_error(promise) for promise in (0.01, 0.02)]
    promised = [
        line for line in ax.lines if line.get_color() == palette.ALERT and line.get_linestyle() == "-"
    ]
    assert [line.get_xdata()[1] for line in promised] == limits
    words = [f"1 point:\nerror {limits[0]:.3g}", f"2 points:\nerror {limits[1]:.3g}"]
    assert [text.get_text() for text in ax.texts] == words
    assert all(text.xy[0] > 1 for text in ax.texts), "a label within the frame hides points"
    assert ax.get_ylabel() == "loss of accuracy (points)"
    with pytest.raises(ValueError, match="promises"):
        plot.plot_calibration(calibration, promises=(2.0,))
    with pytest.raises(ValueError, match=r"loss: 0.001 cannot be promised .* support is [\d.]+ and more"):
        plot.plot_calibration(calibration, promises=(0.001,))
    with pytest.raises(ValueError, match="'other' at boundary 1"):
        plot.plot_calibration(calibration, [row({1: "other", 2: "a"})])


def test_predictions_leave_out_what_has_no_logarithm():
    table = {"measured": [0.1, 0.2, 0.0], "predicted": [0.2, 0.1, 0.3], "rule": np.array(["a", "b", "a"])}
    ax = plot.plot_predictions(table, hue="rule")
    dots = [line for line in ax.lines if line.get_marker() != "None"]
    assert [list(line.get_xdata()) for line in dots] == [[0.1], [0.2]]
    assert {line.get_linestyle() for line in dots} == {"None"}
    assert legend(ax) == ["a", "b"]
    assert ax.get_xlim() == ax.get_ylim()
    with pytest.raises(ValueError, match="positive"):
        plot.plot_predictions({"measured": [0.0], "predicted": [1.0]})


def test_strips_count_what_keeps_a_limit():
    table = {"loss": np.array([0.0, 0.02, 0.01, np.nan]), "cuts": np.array([1, 1, 2, 3])}
    ax = plot.plot_strips(table, x="loss", by="cuts", limit=0.01)
    assert [text.get_text() for text in ax.texts] == ["1 of 2", "1 of 1"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "2"]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[0.0, 0.02], [0.01]]
    with pytest.raises(ValueError, match="no row with loss"):
        plot.plot_strips({"loss": [np.nan], "cuts": [1]}, x="loss", by="cuts")


def test_rounds_lie_between_the_first_menu_and_the_ideal_codec():
    rounds = [
        {"round": 0, "start_s": 2.0, "objective_s": 2.0, "ideal_s": 1.0},
        {"round": 1, "start_s": 2.1, "objective_s": 1.5, "ideal_s": 1.0},
    ]
    ax = plot.plot_rounds(rounds)
    assert legend(ax) == ["menu of round 0", "optimum of the round", "ideal codec"]
    assert [list(line.get_ydata()) for line in ax.lines] == [[2.0, 2.1], [2.0, 1.5], [1.0, 1.0]]
    with pytest.raises(ValueError, match="none"):
        plot.plot_rounds([])
