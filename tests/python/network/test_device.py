"""Speeds of known computers, against the figures that their makers state."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from constellm import network


@pytest.mark.parametrize(
    ("name", "precision", "tflop_per_s"),
    [
        ("jetson-agx-orin-15w", "fp16-tensor", 5.2),
        ("jetson-agx-orin-30w", "fp16-tensor", 10.2),
        ("jetson-agx-orin-50w", "fp16-tensor", 27.0),
        ("jetson-agx-orin-50w-816mhz", "fp16-tensor", 26.7),
        ("jetson-agx-orin-15w", "fp32-cuda", 0.65),
        ("jetson-agx-orin-50w", "fp32-cuda", 3.4),
        ("rtx-4070-ti", "fp16-tensor", 160.0),
        ("rtx-4070-ti", "fp16-tensor-fp32-accumulate", 80.0),
        ("rtx-4070-ti", "fp32-cuda", 40.0),
    ],
)
def test_peaks(name, precision, tflop_per_s):
    assert network.device(name, precision=precision, utilisation=1).peak_flop_per_s == pytest.approx(
        tflop_per_s * 1e12, rel=0.01
    )


def test_cycle_figures_give_the_module_s_stated_peaks():
    # NVIDIA states 5.3 TFLOP/s FP32 and 85 dense INT8 TOPS (half of it in FP16) at eight clusters, 1.3 GHz.
    rates = network.DEVICES["jetson-agx-orin-50w"]["flop_per_cluster_cycle"]
    assert 8 * 1.3e9 * rates["fp32-cuda"] == pytest.approx(5.3e12, rel=0.01)
    assert 8 * 1.3e9 * rates["fp16-tensor"] == pytest.approx(85e12 / 2, rel=0.01)


def test_effective_speed_is_peak_times_utilisation():
    orin = network.device("jetson-agx-orin-30w", utilisation=0.2)
    assert orin.flop_per_s == 0.2 * orin.peak_flop_per_s
    assert (orin.memory_bytes, orin.power_w) == (64e9, 30.0)
    assert orin == network.device("jetson-agx-orin-30w", precision="fp16-tensor", utilisation=0.2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        orin.power_w = 1.0


def test_every_device_has_a_source_and_every_precision():
    for name, row in network.DEVICES.items():
        assert row["source"]
        speeds = [
            network.device(name, precision=p, utilisation=1).flop_per_s for p in row["flop_per_cluster_cycle"]
        ]
        assert len(speeds) == 3 and min(speeds) > 0


def test_bad_choices():
    with pytest.raises(ValueError, match="device: 'jetson' is not one of 'jetson-agx-orin-15w'"):
        network.device("jetson", utilisation=0.2)
    with pytest.raises(ValueError, match="precision: 'fp8' is not one of 'fp16-tensor'"):
        network.device("rtx-4070-ti", precision="fp8", utilisation=0.2)
    for utilisation in (0.0, -0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"utilisation: .* is not in \(0, 1\]"):
            network.device("rtx-4070-ti", utilisation=utilisation)
    with pytest.raises(TypeError, match="utilisation"):
        network.device("rtx-4070-ti")
    for value in (True, "0.2", None):
        with pytest.raises(TypeError, match="utilisation: expected a number, got"):
            network.device("rtx-4070-ti", utilisation=value)
        with pytest.raises(TypeError, match="altitude_m: expected a number, got"):
            network.ring_hop_m(8, altitude_m=value)


def test_documentation_shows_the_devices():
    docs = (Path(__file__).parents[3] / "docs" / "network.md").read_text(encoding="utf-8")
    shown = docs.split("<!-- devices -->\n")[1].split("<!-- end of devices -->")[0].splitlines()[2:]
    rows = []
    for name, row in network.DEVICES.items():
        peaks = [row["clusters"] * rate * row["clock_hz"] for rate in row["flop_per_cluster_cycle"].values()]
        cells = [name, row["clusters"], row["clock_hz"] / 1e6, *(peak / 1e12 for peak in peaks)]
        cells += [row["power_w"], row["memory_bytes"] / 1e9]
        rows.append("| " + " | ".join(c if isinstance(c, str) else f"{c:.4g}" for c in cells) + " |")
    assert shown == rows, "\n".join(rows)
