"""The planner's limit from measured cuts."""

from __future__ import annotations

import copy
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

from constellm import codec, model, network, split
from constellm.codec.calibration import Curve
from python.codec.measured import BLOCKS, CODECS, made_up, sets, singles


def isotonic_by_definition(y):
    """min-max formula: f_i = max_{a <= i} min_{b >= i} mean(y_a..y_b)."""
    n = len(y)
    return [max(min(np.mean(y[a : b + 1]) for b in range(i, n)) for a in range(i + 1)) for i in range(n)]


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_the_least_squares_one_that_does_not_fall(seed):
    random = np.random.Generator(np.random.PCG64(seed))
    x, y = np.arange(-7.0, 8.0), np.sort(random.random(15)) + random.random(15)
    curve = Curve.fit(x, y)
    assert (np.diff(curve.x) > 0.0).all() and (np.diff(curve.y) > 0.0).all()
    # Its points are the pools' means.
    assert set(np.round(curve.y, 12)) == set(np.round(isotonic_by_definition(y), 12))
    from_zero = Curve.from_zero(x + 8.0, y)
    assert from_zero(0.0) == 0.0 and from_zero(100.0) == curve(100.0)


def test_a_menu_and_a_limit_say_the_same_as_the_calibration():
    calibration = codec.calibrate(singles() + sets(100, scatter=0.1))
    menu = calibration.menu()
    assert [option.name for option in menu] == list(CODECS)
    profile = model.vit("vit-tiny/16", ends="folded")
    layers = profile.layers[:BLOCKS]
    problem = split.Problem(
        layers=layers,
        input_bytes=1e6,
        network=network.chain(4, flop_per_s=1e12, memory_bytes=1e9, rate_bps=1e8),
        codecs=menu + codec.none(),
        error_rule=calibration.error_rule,
        max_error=calibration.max_error(0.01),
    )
    cuts = {2: "coarse", 3: "fine", 5: "middle"}
    bounds = [0, *cuts, BLOCKS]
    stages = [
        split.Stage(node=f"s{i}", first_layer=a, last_layer=b - 1, codec=cuts.get(b))
        for i, (a, b) in enumerate(zip(bounds, bounds[1:]))
    ]
    plan = {"path": [stage.node for stage in stages], "stages": [stage.to_dict() for stage in stages]}
    from constellm._core.split import evaluate

    terms = evaluate(problem, plan["path"], stages)
    assert terms.error == pytest.approx(calibration.error(cuts), rel=1e-9)
    solved = split.solve(problem)
    assert solved.error <= problem.max_error
    assert calibration.loss_bound(solved.error) <= 0.01 * (1 + 1e-9)


@pytest.mark.parametrize("basis", codec.BASES)
def test_a_limit_keeps_its_promise_on_other_sets(basis):
    options = {"exponent": 1.5, "scatter": 0.3}
    calibration = codec.calibrate(singles(**options) + sets(200, **options), basis=basis)
    others = sets(300, seed=1, **options)
    for loss in (0.01, 0.02, 0.04):
        limit = calibration.max_error(loss)
        kept = [row.expected_loss <= loss for row in others if calibration.error(row.plan) <= limit]
        assert kept and np.mean(kept) >= 0.95
    covered = [row.expected_loss <= calibration.loss_bound(calibration.error(row.plan)) for row in others]
    assert np.mean(covered) >= 0.93


def test_bounds_rise_with_error_confidence_and_fewer_images():
    rows = singles() + sets(100, scatter=0.2)
    plain, surer = codec.calibrate(rows), codec.calibrate(rows, confidence=0.99)
    errors = np.linspace(0.0, plain.largest, 50)
    bounds = [plain.loss_bound(e) for e in errors]
    assert (np.diff(bounds) >= 0.0).all()
    assert all(plain.loss(e) <= bound for e, bound in zip(errors, bounds))
    assert all(surer.loss_bound(e) >= bound for e, bound in zip(errors, bounds))
    assert all(plain.loss_bound(e, images=2000) >= bound for e, bound in zip(errors, bounds))
    assert plain.loss_bound(e := plain.largest / 2, images=100) > plain.loss_bound(e, images=1000)
    assert plain.max_error(0.01, images=500) <= plain.max_error(0.01) <= plain.max_error(0.02)


def test_the_limit_is_the_largest_error_within_the_promise():
    calibration = codec.calibrate(singles() + sets(100, scatter=0.2))
    limit = calibration.max_error(0.01)
    assert 0.0 < limit < calibration.largest
    assert calibration.loss_bound(limit) <= 0.01 < calibration.loss_bound(limit * 1.001)


def test_nothing_is_promised_where_nothing_was_measured():
    calibration = codec.calibrate(singles() + sets(60))
    assert calibration.loss_bound(calibration.largest * 1.01) == 1.0
    assert calibration.max_error(0.9) == calibration.largest


@pytest.mark.parametrize("images", [None, 500])
def test_what_the_data_cannot_support_is_refused_with_the_least_promise(images):
    rows = singles() + sets(60, scatter=0.2)
    calibration = codec.calibrate(rows)
    least = calibration.least_promise(images=images)
    assert calibration.max_error(least, images=images) >= calibration.smallest
    below = sum(calibration.error(row.plan) <= calibration.smallest * (1 + 1e-9) for row in rows[-60:])
    assert below == 10, "half of the 19 sets that a confidence of 0.95 takes"
    for loss in (0.0, 0.999 * least):
        with pytest.raises(ValueError, match=r"^loss: .* cannot be promised with 0.95 confidence; ") as told:
            calibration.max_error(loss, images=images)
        assert "what 60 sets of several cuts on 1000 images support is " in str(told.value)
        named = float(re.search(r"support is ([\d.]+) and more", str(told.value))[1])
        assert least <= named <= least + 1e-4
        assert calibration.smallest <= calibration.max_error(named, images=images)


def test_sets_that_lose_little_and_more_images_support_smaller_promises():
    random = np.random.Generator(np.random.PCG64(3))
    some = [
        {int(k): "fine" for k in random.choice(np.arange(1, BLOCKS), 2, replace=False)} for _ in range(30)
    ]
    low = [made_up(cuts, scatter=0.2, random=random) for cuts in some]
    plain = codec.calibrate(singles() + sets(60, scatter=0.2))
    assert codec.calibrate(singles() + sets(60, scatter=0.2) + low).least_promise() < plain.least_promise()
    many = {"scatter": 0.2, "images": 8000}
    assert codec.calibrate(singles(**many) + sets(60, **many)).least_promise() < plain.least_promise()


@pytest.mark.parametrize("lucky", [0.5, 0.7])
def test_sets_on_images_of_their_own_tell_what_was_luck(lucky):
    """Singles that happened to lose too little on theirs: limits that sets on other images keep."""
    found = [row.expected_loss * lucky for row in singles()]
    chosen = [replace(row, expected_loss=loss, loss=loss) for row, loss in zip(singles(), found)]
    calibration = codec.calibrate(chosen + sets(200, scatter=0.3))
    others = sets(300, seed=1, scatter=0.3)
    for promise in (0.01, 0.02):
        limit = calibration.max_error(promise)
        kept = [row.expected_loss <= promise for row in others if calibration.error(row.plan) <= limit]
        assert kept and np.mean(kept) >= 0.93


def test_a_menu_takes_the_ratios_of_a_set_that_was_measured_together():
    calibration = codec.calibrate(singles() + sets(60))
    row = replace(made_up({2: "coarse", 4: "fine"}), ratio=(2.0, 30.0))
    alone = {option.name: option for option in calibration.menu()}
    for option in calibration.menu(measured=row):
        wanted = list(alone[option.name].layer_ratio)
        if option.name == "coarse":
            wanted[1] = 2.0
        if option.name == "fine":
            wanted[3] = 30.0
        assert list(option.layer_ratio) == wanted
        assert option.replace(layer_ratio=alone[option.name].layer_ratio) == alone[option.name]
    with pytest.raises(ValueError, match=f"measured: a row of 9 blocks, expected {BLOCKS}"):
        calibration.menu(measured=replace(row, blocks=9, reached=(0.1,) * 8))
    with pytest.raises(TypeError, match="measured"):
        calibration.menu(measured={2: "coarse"})


def test_weights_for_the_planner_are_cautious():
    rows = singles() + sets(60)
    calibration = codec.calibrate(rows, exponent=1.0)
    for row in singles():
        assert calibration.error(row.plan) == pytest.approx(row.expected_loss + row.expected_loss_se)
    assert calibration.error({1: "none"}) == 0.0


def test_weights_cannot_be_changed():
    calibration = codec.calibrate(singles() + sets(60))
    with pytest.raises(TypeError):
        calibration.weights[1, "fine"] = 0.0


@pytest.mark.parametrize(("count", "most"), [(20, 0.9523), (99, 0.99), (110, 0.9909)])
def test_no_more_confidence_than_the_sets_can_support(count, most):
    rows = singles() + sets(count, scatter=0.2)
    assert codec.calibrate(rows, confidence=most).confidence == most
    with pytest.raises(ValueError, match=rf"confidence: 0.995 is not in \[0.5, {most}\], what {count} sets"):
        codec.calibrate(rows, confidence=0.995)


def test_a_plan_that_is_not_there_has_no_loss():
    calibration = codec.calibrate(singles() + sets(60))
    for call in (calibration.loss, calibration.loss_bound):
        with pytest.raises(
            ValueError, match="error: nan; a plan that is not there has no error, see its status"
        ):
            call(float("nan"))


def test_the_same_rows_give_the_same_calibration():
    rows = singles() + sets(60, scatter=0.2)
    one, other = codec.calibrate(rows), codec.calibrate(list(rows))
    assert repr(one) == repr(other) and one.menu() == other.menu()
    assert one == other == pickle.loads(pickle.dumps(one)) == copy.deepcopy(one)
    assert hash(one) == hash(other) and one != codec.calibrate(rows, confidence=0.9)
    assert repr(one).startswith("Calibration('loss', exponent ")


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        (singles() + sets(19), {}, "rows: 19 sets of several cuts, at least 20 are needed"),
        (singles() + sets(20), {"basis": "x"}, "basis: 'x'"),
        (singles() + sets(20), {"confidence": 1.0}, "confidence: 1.0 is not in"),
        (singles() + sets(20), {"confidence": 0.4}, "confidence: 0.4 is not in"),
        (singles() + sets(20), {"exponent": 3}, "exponent: 3 is not in"),
        (sets(20), {}, "no single cut"),
    ],
)
def test_says_what_is_wrong(rows, options, says):
    with pytest.raises(ValueError, match=says):
        codec.calibrate(rows, **options)


def test_menus_say_what_is_missing():
    rows = [row for row in singles() if row.plan != {1: "coarse"}]
    rows += [row for row in sets(100) if row.plan.get(1) != "coarse"]
    calibration = codec.calibrate(rows)
    assert [option.name for option in calibration.menu()] == ["fine", "middle"]
    with pytest.raises(ValueError, match="names: 'coarse' was not measured at every boundary"):
        calibration.menu(["coarse"])
    with pytest.raises(TypeError, match="names: expected several names, got 'fine'"):
        calibration.menu("fine")
    with pytest.raises(ValueError, match="cuts: 'coarse' at boundary 1 was not measured"):
        calibration.error({1: "coarse"})


def test_made_up_rows_are_as_measured_ones():
    assert made_up({1: "fine"}).output_error == made_up({1: "fine"}).reached[-1]
