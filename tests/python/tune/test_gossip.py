"""Gossip as it is counted against gossip as it is run."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import tune


def chain(n):
    """Neighbours on a chain."""
    return [[j for j in (i - 1, i + 1) if 0 <= j < n] for i in range(n)]


def ring(n):
    """Neighbours on a ring."""
    return [sorted({(i - 1) % n, (i + 1) % n}) for i in range(n)]


@pytest.mark.parametrize("weights", ("neighbours", "metropolis"))
@pytest.mark.parametrize("neighbours", [chain(2), chain(5), chain(6), ring(5), ring(8)])
def test_rounds_are_those_after_which_all_agree(neighbours, weights):
    alpha, tolerance, n = 0.4, 1e-3, len(neighbours)
    found = tune.gossip(neighbours, alpha=alpha, tolerance=tolerance, weights=weights)
    values = np.eye(n)  # every model that differs by 1 from the others, side by side
    for round_ in range(found.rounds + 1):
        spread = np.abs(values - np.array(found.share)).max()
        assert (spread <= tolerance) == (round_ == found.rounds)
        after = values.copy()
        for i, others in enumerate(neighbours):
            for j in others:
                if weights == "neighbours":
                    after[i] += alpha / len(others) * (values[j] - values[i])
                else:
                    most = max(len(others), len(neighbours[j]))
                    after[i] += alpha / most * (values[j] - values[i])
        values = after
    assert found.rounds <= found.rounds_bound
    assert sum(found.share) == pytest.approx(1.0)


def test_the_published_rule_favours_planes_with_more_neighbours():
    assert tune.gossip(chain(5)).rounds == 38 and tune.gossip(chain(6)).rounds == 58
    assert tune.gossip(chain(5)).share == (0.125, 0.25, 0.25, 0.25, 0.125)
    assert tune.gossip(ring(5)).share == pytest.approx((0.2,) * 5)
    assert tune.gossip(chain(5), weights="metropolis").share == (0.2,) * 5
    assert tune.gossip([[]]).rounds == 0


@pytest.mark.parametrize(
    ("neighbours", "options", "said"),
    [
        ([], {}, "expected at least one plane"),
        ([[1], []], {}, "not the same both ways"),
        ([[0]], {}, r"neighbours\[0\]: a plane is no neighbour of itself"),
        ([[1], [0], []], {}, r"neighbours\[2\]: it has none"),
        ([[1], [0], [3], [2]], {}, "not all connected"),
        ([[1], [0]], {"alpha": 1.0}, "not all connected, or fall into two sides"),
        ([[1], [0]], {"alpha": 0.0}, r"alpha: 0.0 is not in \(0, 1\]"),
        ([[1], [0]], {"tolerance": 1.0}, r"tolerance: 1 is not in \(0, 1\)"),
        ([[1], [0]], {"weights": "equal"}, "weights: 'equal' is not one of"),
        ([[2], [0]], {}, r"neighbours\[0\]: 2 is not in \[0, 1\]"),
    ],
)
def test_what_are_no_neighbours_is_refused(neighbours, options, said):
    with pytest.raises(ValueError, match=said):
        tune.gossip(neighbours, **options)
