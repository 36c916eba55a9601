"""The shipped calibration: complete, repeatable, and kept on images that it has not seen."""

from __future__ import annotations

import re

import numpy as np
import pytest

from constellm import codec, images, infer, network, split

BLOCKS = 12


def chain(calibration, max_error, seed=0):
    """Three slow nodes, none of which holds half the model."""
    pytest.importorskip("onnxruntime")
    net = infer.load()
    profile = net.profile(batch=64)
    memory = sum(layer.memory_bytes for layer in profile.layers)
    random = np.random.Generator(np.random.PCG64(seed))
    return net, split.Problem(
        model=profile,
        network=network.chain(
            4,
            flop_per_s=10.0 ** random.uniform(10.5, 12.0, 4),
            memory_bytes=0.35 * memory,
            rate_bps=10.0 ** random.uniform(6.5, 8.5, 3),
        ),
        codecs=codec.none() + calibration.menu(),
        max_error=max_error,
        error_rule=calibration.error_rule,
    )


def test_every_codec_was_measured_at_every_boundary():
    rows = infer.measured_cuts()
    names = list(infer.direct_compressors())
    alone = [row.plan for row in rows if len(row.cuts) == 1]
    assert sorted(map(str, alone)) == sorted(str({k: n}) for n in names for k in range(1, BLOCKS))
    assert {row.blocks for row in rows} == {BLOCKS} and {row.images for row in rows} == {1000}
    assert sum(len(row.cuts) > 1 for row in rows) >= 100
    assert [option.name for option in infer.calibration().menu()] == names


def test_stronger_compression_has_larger_ratio_and_error():
    rows = {(row.cuts[0], row.codecs[0]): row for row in infer.measured_cuts() if len(row.cuts) == 1}
    for k in range(1, BLOCKS):
        for finer, coarser in (
            ("quantise-6", "quantise-4"),
            ("quantise-4", "quantise-2"),
            ("top-k-0.2-b8", "top-k-0.05-b4"),
        ):
            assert rows[k, finer].ratio < rows[k, coarser].ratio
            assert rows[k, finer].error < rows[k, coarser].error
            assert rows[k, finer].expected_loss <= rows[k, coarser].expected_loss


def test_promises_are_in_order():
    calibration = infer.calibration()
    limits = [calibration.max_error(loss) for loss in (0.005, 0.01, 0.02)]
    assert 0.0 < limits[0] < limits[1] < limits[2] <= calibration.largest
    for limit, loss in zip(limits, (0.005, 0.01, 0.02)):
        assert calibration.loss(limit) < calibration.loss_bound(limit) <= loss


@pytest.mark.parametrize("seed", range(3))
def test_a_plan_that_promises_one_point_keeps_it_on_the_sample(seed):
    calibration = infer.calibration()
    net, problem = chain(calibration, calibration.max_error(0.01), seed)
    plan = split.solve(problem)
    cuts = split.compressors_at_cuts(plan, infer.direct_compressors())
    assert len(cuts) >= 1
    sample = images.sample()
    exact = infer.infer(net, sample.pixels)
    found = codec.flips(exact.logits, sample.labels, infer.infer(net, sample.pixels, cuts=cuts).labels)
    assert found.expected_loss - 2.0 * found.expected_loss_se <= 0.01
    assert found.agreement > 0.95


def test_what_the_data_cannot_support_is_refused():
    calibration = infer.calibration()
    assert 0.001 < calibration.least_promise() <= 0.005
    with pytest.raises(ValueError, match="loss: 0.001 cannot be promised .* support is 0.00[2-5]"):
        calibration.max_error(0.001)


def test_what_ships_is_what_was_stored(repository):
    stored = repository / "docs" / "results" / "errors" / "calibration.csv"
    assert infer.measured_cuts() == codec.read_measured_cuts(stored)


@pytest.fixture(scope="module")
def halves():
    """The shipped network, and two parts of the shipped images, in messages of 64 of all classes."""
    pytest.importorskip("onnxruntime")
    sample = images.sample().shuffled(0)
    return infer.load(), sample.take(slice(128)), sample.take(slice(128, 256))


@pytest.mark.parametrize("k", [1, 4, 8, 11])
def test_stored_rows_are_those_of_the_codec_today(halves, k):
    net, some, others = halves
    rows = {(row.cuts[0], row.codecs[0]): row for row in infer.measured_cuts() if len(row.cuts) == 1}
    x = np.concatenate([net.segment(0, k)(part.pixels) for part in (some, others)])
    for name, compressor in infer.direct_compressors().items():
        messages = [compressor.encode(x[at : at + 64]) for at in range(0, len(x), 64)]
        sent = sum(map(len, messages))
        assert x.nbytes / sent == pytest.approx(rows[k, name].ratio[0], rel=0.03), name
        restored = np.concatenate([compressor.decode(message) for message in messages])
        error = np.linalg.norm(restored - x) / np.linalg.norm(x)
        assert error == pytest.approx(rows[k, name].error[0], rel=0.05), name


def test_bytes_of_plans_with_mixed_cuts_are_foretold(halves):
    """Measured together on some images, sent of others."""
    net, some, others = halves
    calibration, compressors = infer.calibration(), infer.direct_compressors()
    mixed = 0
    for seed in range(12):
        _, problem = chain(calibration, calibration.max_error(0.01), seed)
        cuts = split.codecs_at_cuts(split.solve(problem))
        if len(set(cuts.values())) < 2 or mixed == 4:
            continue
        mixed += 1
        (row,) = infer.measure(net, some, compressors, boundaries=(), combinations=[cuts]).rows
        menu = {option.name: option for option in calibration.menu(measured=row)}
        foretold = sum(1.0 / menu[name].layer_ratio[k - 1] for k, name in cuts.items())
        (sent,) = infer.measure(net, others, compressors, boundaries=(), combinations=[cuts]).rows
        assert len(cuts) / foretold == pytest.approx(sent.total_ratio, rel=0.03), cuts
    assert mixed >= 3


def test_the_least_promise_that_is_shown_can_be_promised():
    calibration = infer.calibration()
    points = re.search(r"from ([\d.]+) points on", calibration.summary())[1]
    assert calibration.max_error(float(points) / 100) > 0.0
    share = re.search(r"promises from ([\d.]+)\)", repr(calibration))[1]
    assert calibration.max_error(float(share)) > 0.0
