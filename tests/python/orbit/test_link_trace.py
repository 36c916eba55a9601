"""Recorded links: reading, means over bins, contacts and timelines."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from constellm import network, orbit

HEADER = "time_s,one_way_delay_ms,rate_bps\n"


@pytest.fixture
def trace():
    random = np.random.default_rng(0)
    time_s = np.cumsum(random.uniform(0.01, 0.3, 50))
    rate_bps = np.where(random.random(50) < 0.2, 0.0, random.uniform(1e6, 9e7, 50))
    return orbit.LinkTrace(time_s, random.uniform(0.005, 0.06, 50), rate_bps, stop_s=time_s[-1] + 0.1)


def test_means_are_integrals(trace):
    random = np.random.default_rng(1)
    first_s, last_s = trace.time_s[0], trace.stop_s
    starts, stops = np.sort(random.uniform(first_s, last_s, (2, 30)), axis=0)
    found = trace.mean_rate_bps(starts, stops)
    ends_s = np.append(trace.time_s[1:], last_s)
    for start, stop, mean in zip(starts, stops, found):
        held_s = np.clip(np.minimum(ends_s, stop) - np.maximum(trace.time_s, start), 0, None)
        assert mean == pytest.approx((held_s * trace.rate_bps).sum() / (stop - start))
    assert trace.mean_rate_bps(first_s, last_s).shape == ()


def test_bins_carry_what_their_samples_carry(trace):
    for step_s in (0.03, 0.35, 1.0, 100.0, 1e9, 1e300):
        binned = trace.binned(step_s)
        ends_s = np.append(binned.time_s[1:], binned.stop_s)
        carried = ((ends_s - binned.time_s) * binned.rate_bps).sum()
        whole = trace.mean_rate_bps(trace.time_s[0], trace.stop_s) * (trace.stop_s - trace.time_s[0])
        assert carried == pytest.approx(whole) and binned.stop_s == trace.stop_s
        for begin_s, end_s, delay_s in zip(binned.time_s, ends_s, binned.delay_s):
            of = (np.append(trace.time_s[1:], trace.stop_s) > begin_s) & (trace.time_s < end_s)
            assert delay_s == np.median(trace.delay_s[of])
    slow, fast = trace.binned(1.0, quantile=1.0).delay_s, trace.binned(1.0, quantile=0.0).delay_s
    assert (slow >= fast).all() and slow.max() == trace.delay_s.max()


def test_contacts_and_timeline_are_alike(trace):
    plan = trace.contact_plan("dish", network.Node(id="gateway", flop_per_s=1e12, memory_bytes=1e9))
    carries = trace.rate_bps > 0
    assert len(plan) == carries.sum() < len(trace)
    assert np.array_equal(plan.rate_bps, trace.rate_bps[carries])
    assert np.array_equal(plan.owlt_s, trace.delay_s[carries])
    timeline = trace.timeline("dish", "gateway")
    assert len(timeline) == len(trace)
    ends_s = np.append(trace.time_s[1:], trace.stop_s)
    for t_s in (trace.time_s + ends_s) / 2:
        graph, expected = timeline.at(t_s).graph, plan.at(t_s).graph
        assert graph.link_count == expected.link_count
        assert np.array_equal(graph.rate_bps, expected.rate_bps)
        assert np.array_equal(graph.latency_s, expected.latency_s)
    found = network.earliest_arrival(plan, "dish", t_s=float(trace.time_s[0]), size_bytes=1e4)
    assert trace.time_s[0] < found.arrival_s[0, 1] < trace.stop_s


def test_traces_are_values(trace):
    assert trace == pickle.loads(pickle.dumps(trace))
    assert trace != orbit.sample_link_trace() and not trace.rate_bps.flags.writeable
    assert repr(trace).startswith("LinkTrace(50 samples from")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: expected the columns time_s,one_way_delay_ms,rate_bps, got ''"),
        ("time_s,rate_bps\n", "line 1: expected the columns"),
        (HEADER, "line 1: expected at least two samples"),
        (HEADER + "0,1,2\n", "line 2: expected at least two samples"),
        (HEADER + "0,1\n", "line 2: expected 3 values, got 2"),
        (HEADER + "0,1,2\n\n", "line 3: expected 3 values, got 0"),
        (HEADER + "0,1,2\n1,x,2\n", "line 3: one_way_delay_ms: 'x' is not a number"),
        (HEADER + "0,1,2\n1,1_0,2\n", "line 3: one_way_delay_ms: '1_0' is not a number"),
        (HEADER + "0,1,2\n1,-1,2\n", r"line 3: one_way_delay_ms: -1 is not in \[0, inf\)"),
        (HEADER + "0,1,2\n1,1,nan\n", "line 3: rate_bps: 'nan' is not a number"),
        (HEADER + "0,1,2\n1e999,1,2\n", r"line 3: time_s: 1e999 is not in \(-inf, inf\)"),
        (HEADER + "0,1,2\n0,1,2\n", "line 3: time_s: 0 is not after 0"),
        (HEADER + '0,1,2\n1,"1\n', "line 3: "),
    ],
)
def test_a_line_that_is_not_understood_is_named(tmp_path, text, says):
    path = tmp_path / "link.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"link.csv': {says}"):
        orbit.read_link_trace(path)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: orbit.LinkTrace([], [], [], stop_s=1), "time_s: expected numbers of shape"),
        (lambda: orbit.LinkTrace([0, 1], [0], [1, 1], stop_s=2), "delay_s: 1 samples, time_s has 2"),
        (
            lambda: orbit.LinkTrace([0, 1], [0, -1], [1, 1], stop_s=2),
            r"delay_s\[1\]: -1 is not in \[0, inf\)",
        ),
        (lambda: orbit.LinkTrace([1, 0], [0, 0], [1, 1], stop_s=2), r"time_s\[1\]: 0 is not after 1"),
        (lambda: orbit.LinkTrace([0, 1], [0, 0], [1, 1], stop_s=1), r"stop_s: 1 is not in \(1, inf\)"),
        (lambda: orbit.sample_link_trace().mean_rate_bps(5, 5), r"start_s: \[5, 5\] is no stretch within"),
        (lambda: orbit.sample_link_trace().mean_rate_bps(-1, 5), r"start_s: \[-1, 5\] is no stretch within"),
        (lambda: orbit.sample_link_trace().binned(0.0), r"step_s: 0.0 is not in \(0, inf\)"),
        (lambda: orbit.sample_link_trace().binned(1e-9), "step: 1e-09 from 0 to 119.9 makes more than 1000"),
        (lambda: orbit.sample_link_trace().binned(1, quantile=2), r"quantile: 2 is not in \[0, 1\]"),
        (lambda: orbit.sample_link_trace().contact_plan("a", "a"), "'a'"),
    ],
)
def test_what_is_no_trace_is_refused(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()


def test_the_shipped_trace_is_that_of_every_10_ms():
    data = os.environ.get("CONSTELLM_DATA")
    if data is None:
        pytest.skip("CONSTELLM_DATA is not set")
    full = orbit.read_link_trace(Path(data) / "starlink_trace" / "starlink-120s.csv")
    shipped = orbit.sample_link_trace()
    assert (len(full), len(shipped)) == (11_999, 1_199)
    begin_s = np.round(shipped.time_s, 1)
    expected = full.mean_rate_bps(full.time_s[0:11_990:10], full.time_s[10::10])
    np.testing.assert_allclose(shipped.rate_bps, expected, rtol=1e-9)
    assert np.array_equal(shipped.time_s, begin_s)
    medians = np.median(full.delay_s[:11_990].reshape(-1, 10), axis=1)
    np.testing.assert_allclose(shipped.delay_s, medians, rtol=1e-12)
