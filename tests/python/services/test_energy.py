"""Energy of arithmetic, by the constants that are cited."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import model, services


def test_constants_name_their_source():
    values = {name: (of.value, of.unit) for name, of in services.ENERGIES.items()}
    assert values == {"mac": (4.6e-12, "J"), "ac": (0.9e-12, "J"), "sop": (77e-15, "J")}
    assert all(of.source for of in services.ENERGIES.values())


def test_layers():
    vit = model.vit("vit-base/16")
    macs = vit.array("flop") / 2
    found = services.energy(vit, spike_rate=0.25, steps=4, conventional=())
    assert found.conventional_j == pytest.approx(macs * 4.6e-12)
    assert found.spiking_j == pytest.approx(macs * 0.9e-12)
    assert found.neuromorphic_j == pytest.approx(macs * 77e-15)
    assert found.ratio == pytest.approx(4.6 / 0.9)


def test_layers_that_stay_conventional_and_rates_of_each():
    vit = model.vit("vit-base/16")
    rates = np.linspace(0.0, 1.0, len(vit))
    found = services.energy(vit, spike_rate=rates, steps=2)
    assert found.spiking_j[0] == found.conventional_j[0] == found.neuromorphic_j[0]
    assert found.spiking_j[1:] == pytest.approx(vit.array("flop")[1:] / 2 * rates[1:] * 2 * 0.9e-12)


def test_break_even_is_where_both_take_the_same():
    vit = model.vit("vit-base/16")
    steps = 10
    at = services.break_even() / steps
    assert services.energy(vit, spike_rate=at, steps=steps).ratio == pytest.approx(1.0)
    assert services.break_even("sop") == pytest.approx(4.6e-12 / 77e-15)


def test_of_services():
    part = services.components()["image-encoder"]
    assert services.work_j(part.flop) == pytest.approx(part.flop / 2 * 4.6e-12)
    assert services.work_j(part.flop, operation="sop", spikes=0.5) == pytest.approx(part.flop / 4 * 77e-15)


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"spike_rate": 1.5, "steps": 1}, ValueError, r"spike_rate: 1.5 to 1.5 is not in \[0, 1\]"),
        ({"spike_rate": [0.5, 0.5], "steps": 1}, ValueError, r"spike_rate: shape \(2,\) is neither"),
        ({"spike_rate": "a", "steps": 1}, TypeError, "spike_rate: expected numbers"),
        ({"spike_rate": 0.5, "steps": 0}, ValueError, "steps: 0 is not in"),
        (
            {"spike_rate": 0.5, "steps": 1, "conventional": [12]},
            ValueError,
            r"conventional: 12 is not in \[0, 11\]",
        ),
        ({"spike_rate": 0.5, "steps": 1, "conventional": 1}, TypeError, "conventional: expected numbers of"),
    ],
)
def test_bad_arguments(keywords, error, words):
    with pytest.raises(error, match=words):
        services.energy(model.vit("vit-base/16"), **keywords)


def test_bad_operations():
    with pytest.raises(ValueError, match="operation: 'mac' is not one of 'ac', 'sop'"):
        services.break_even("mac")
    with pytest.raises(ValueError, match="operation: 'xy' is not one of"):
        services.work_j(1.0, operation="xy")
    with pytest.raises(ValueError, match="flop: -1.0 is not in"):
        services.work_j(-1.0)


def test_displays():
    text = services.energy(model.vit("vit-base/16"), spike_rate=0.2, steps=4).summary()
    assert "Horowitz 2014" in text and "Qiao et al. 2015" in text
