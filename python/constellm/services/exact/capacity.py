"""Rows that keep a node or a link from too much, for every kind of demand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .instance import Instance, Ints, is_box, worst_load
from .rows import Linear, Rows, linear, total


def add_capacity(
    rows: Rows, instance: Instance, loads: Mapping[int, Linear], capacity: float, broken: Ints
) -> None:
    """What tasks load a node or a link with [a request] fits for every demand; `broken`: columns b.

    Nominal and box: Σ_t r_t L_t ≤ c, with the upper corner of the box for r. Budget Γ, by duality of the
    inner maximum: Σ_t r_t L_t + Γ θ + Σ_t π_t ≤ c, θ + π_t ≥ d_t L_t. Samples: Σ_t r_it L_t ≤ c + (C_i
    − c) b_i with C_i the most that can come.
    """
    tasks = [t for t in loads if len(loads[t].column)]
    most = np.zeros(instance.tasks)
    for t in tasks:
        columns = loads[t].column
        most[t] = np.bincount(columns, loads[t].value).sum() + loads[t].constant
    if instance.samples is not None:
        for i, rates in enumerate(instance.samples):
            largest = float(rates @ most)
            if largest <= capacity:
                continue
            terms = [loads[t].times(float(rates[t])) for t in tasks]
            if len(broken):
                terms.append(linear(broken[i], capacity - largest))
            rows.at_most(total(terms), capacity)
        return
    if worst_load(instance, most) <= capacity:
        return
    box = is_box(instance)
    rates = instance.rate_per_s + (instance.deviation_per_s if box else 0.0)
    terms = [loads[t].times(float(rates[t])) for t in tasks]
    raised = [t for t in tasks if instance.deviation_per_s[t] > 0]
    if not box and instance.budget > 0 and raised:
        theta = rows.add_columns(1)
        pi = rows.add_columns(len(raised))
        # θ and π in parts of the capacity, so that all entries are about 1
        for t, column in zip(raised, pi.tolist()):
            above = loads[t].times(float(instance.deviation_per_s[t]) / capacity)
            rows.at_most(above.plus(linear([int(theta[0]), column], [-1.0, -1.0])), 0.0)
        terms.append(linear(theta, instance.budget * capacity))
        terms.append(linear(pi, capacity))
    rows.at_most(total(terms), capacity)
