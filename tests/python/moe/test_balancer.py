"""Balances against enumeration and a mixed-integer programme; what must not change them; wrong calls."""

from __future__ import annotations

import itertools
import math
import pickle

import numpy as np
import pytest

from constellm import moe


def least_largest(loads, devices: int, copies: int) -> float:
    """The least of the largest loads, over all counts of copies and all places for them."""
    best = math.inf
    most = range(1, devices + 1)
    for counts in itertools.product(most, repeat=len(loads)):
        if sum(counts) != copies:
            continue
        places = [copies // devices] * devices

        def place(expert: int, load: tuple[float, ...], places: list[int], counts=counts) -> float:
            if expert == len(loads):
                return max(load)
            found = math.inf
            for hosts in itertools.combinations(range(devices), counts[expert]):
                if any(places[d] == 0 for d in hosts):
                    continue
                there = [
                    load[d] + (loads[expert] / counts[expert] if d in hosts else 0) for d in range(devices)
                ]
                left = [places[d] - (d in hosts) for d in range(devices)]
                found = min(found, place(expert + 1, tuple(there), left))
            return found

        best = min(best, place(0, (0.0,) * devices, places))
    return best


def random_case(seed: int) -> tuple[np.ndarray, int, int]:
    rng = np.random.default_rng(seed)
    experts, devices = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    fewest = -(-experts // devices)
    places = int(rng.integers(fewest, min(experts, fewest + 1) + 1))
    loads = rng.choice([0.0, 1.0, 2.0], experts) if seed % 3 == 0 else np.exp(rng.normal(0, 1.5, experts))
    return loads, devices, devices * places


def assert_sound(found: moe.Balance) -> None:
    """What holds of every balance of one layer."""
    experts, devices, places = len(found.loads), *found.experts_on.shape
    assert found.devices == devices
    for row in found.experts_on.tolist():
        assert row == sorted(set(row))
    assert np.bincount(found.experts_on.ravel(), minlength=experts).tolist() == found.copies.tolist()
    assert found.copies.min() >= 1 and found.copies.sum() == devices * places
    load = (found.loads / found.copies)[found.experts_on].sum(axis=1)
    np.testing.assert_allclose(found.device_loads, load, rtol=1e-12, atol=1e-300)
    largest = float(found.device_loads.max())
    assert found.loads.sum() / devices <= float(found.lower_bound) * (1 + 1e-12)
    assert float(found.lower_bound) <= largest * (1 + 1e-12)
    assert 0 <= found.gap <= 1 and found.imbalance >= 1 - 1e-12


def test_bounds_hold_and_little_is_lost(random_problems):
    best = 0
    for seed in range(random_problems):
        loads, devices, copies = random_case(seed)
        found = moe.balance(loads, devices, copies=copies)
        assert_sound(found)
        least = least_largest(loads.tolist(), devices, copies)
        assert found.lower_bound <= least * (1 + 1e-9), seed
        assert found.device_loads.max() >= least * (1 - 1e-9), seed
        best += found.device_loads.max() <= least * (1 + 1e-9)
    assert best > 0.8 * random_problems


def test_without_replicas_beside_a_mixed_integer_programme():
    optimize = pytest.importorskip("scipy.optimize")
    for seed in range(6):
        loads = np.exp(np.random.default_rng(seed).normal(0, 0.8, 12))
        devices, places = 4, 3
        found = moe.balance(loads, devices)
        cells = 12 * devices
        rows, low, high = [], [], []
        for e in range(12):
            row = np.zeros(cells + 1)
            row[e * devices : (e + 1) * devices] = 1
            rows, low, high = [*rows, row], [*low, 1], [*high, 1]
        for d in range(devices):
            on, full = np.zeros(cells + 1), np.zeros(cells + 1)
            on[d:cells:devices], on[cells] = loads, -1
            full[d:cells:devices] = 1
            rows, low, high = [*rows, on, full], [*low, -np.inf, places], [*high, 0, places]
        least = optimize.milp(
            np.r_[np.zeros(cells), 1],
            constraints=optimize.LinearConstraint(np.array(rows), low, high),
            integrality=np.r_[np.ones(cells), 0],
            bounds=optimize.Bounds(0, np.r_[np.ones(cells), np.inf]),
        ).fun
        assert found.lower_bound <= least * (1 + 1e-6)
        assert least * (1 - 1e-6) <= found.device_loads.max() <= least * 1.02


def test_of_the_size_that_is_served_it_is_all_but_even():
    loads = moe.activation_shares(moe.lognormal_weights(256, 0.85, layers=1)[0], 8)
    found = moe.balance(loads, 32, copies=288)
    assert_sound(found)
    assert found.imbalance < 1.001 and found.gap < 1e-3
    assert moe.balance(loads, 32).imbalance >= found.imbalance


def test_the_order_of_experts_and_scale_are_nothing():
    rng = np.random.default_rng(3)
    loads = np.exp(rng.normal(0, 1, 40))
    found = moe.balance(loads, 8, copies=48)
    order = rng.permutation(40)
    other = moe.balance(loads[order], 8, copies=48)
    assert sorted(other.copies.tolist()) == sorted(found.copies.tolist())
    assert other.device_loads.max() == pytest.approx(found.device_loads.max(), rel=1e-9)
    large = moe.balance(loads * 2**20, 8, copies=48)
    assert np.array_equal(large.experts_on, found.experts_on)


def test_layers_are_balanced_each_for_itself():
    loads = np.exp(np.random.default_rng(4).normal(0, 1, (3, 10)))
    found = moe.balance(loads, 4, copies=12)
    assert found.experts_on.shape == (3, 4, 3) and found.imbalance.shape == found.gap.shape == (3,)
    for layer, one in enumerate(moe.balance(row, 4, copies=12) for row in loads):
        assert np.array_equal(found.experts_on[layer], one.experts_on)
        assert found.lower_bound[layer] == one.lower_bound
        assert found.imbalance[layer] == one.imbalance


def test_room_is_made_where_only_devices_with_the_expert_are_free():
    for experts in range(1, 7):
        for devices in range(1, 6):
            for places in range(-(-experts // devices), experts + 1):
                for loads in (np.ones(experts), 10.0 ** -np.arange(experts), np.zeros(experts)):
                    found = moe.balance(loads, devices, copies=devices * places)
                    assert_sound(found)
    nothing = moe.balance([0, 0], 2)
    assert nothing.imbalance == 1 and nothing.gap == 0


def test_values():
    found = moe.balance([[5, 1, 1, 1]], 2, copies=6)
    assert repr(found) == "Balance(1 layer, 4 experts on 2 devices of 3 places, imbalance=1)"
    assert found.summary().splitlines()[0] == "Balance of 1 layer, 4 experts on 2 devices of 3 places"
    assert "<table" in found._repr_html_()
    again = pickle.loads(pickle.dumps(found))
    assert again == found and again != moe.balance([[5, 1, 1, 2]], 2, copies=6) and again != 1
    for array in (found.loads, found.experts_on, found.copies, found.device_loads, found.lower_bound):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert moe.balance([1, 2, 3], 2).copies.sum() == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, -1], 2), r"loads\[1\]: -1 is not in \[0, 1e\+290\]"),
        (([[1, 2], [3, math.nan]], 2), r"loads\[1\]\[1\]: nan is not in \[0, 1e\+290\]"),
        (([1, math.inf], 2), r"loads\[1\]: inf is not in"),
        (([], 2), r"loads: expected numbers of shape \(experts\), got \[\]"),
        ((["a"], 2), r"loads: expected numbers"),
        (([[[1]]], 2), r"loads: expected numbers"),
        (([1, 2], 0), r"devices: 0 is not in \[1, 500000000\]"),
        (([1, 2], 1.5), r"devices: expected an integer"),
        (([1, 2, 3], 2, 2), r"copies: 2 is not in \[3, inf\)"),
        (([1, 2, 3], 2, 5), r"copies: 5 is not a multiple of the 2 devices"),
        (([1, 2, 3], 2, 8), r"copies: 8 is not in \[3, 6\]: a device has at most one of each"),
    ],
)
def test_wrong_calls(arguments, message):
    loads, devices, *copies = arguments
    with pytest.raises((ValueError, TypeError), match=message):
        moe.balance(loads, devices, copies=copies[0] if copies else None)
