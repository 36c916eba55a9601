"""Where the gain comes from: near satellites, or heavy experts on the nearest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ....core.table import Row, Rows, Tables
from ....moe import (
    Arrangement,
    Layer,
    Problem,
    evaluate,
    lognormal_weights,
    sample_activations,
    solve,
    zipf_weights,
)
from ....plot import style
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..measured import THREADS, look_of, measured
from ..scenario import Scenario

_SCHEMES = ("sorted", "nearest-unsorted", "rand-intra-cg")


def _measured(model: str, layers: int) -> tuple[int, NDArray[np.float64]]:
    """Experts a token, and weights of so many layers: the model's own, again and again."""
    found = sample_activations(model).with_prior(1.0)
    return found.top_k, found.sampling_weights()[np.arange(layers) % found.layers]


WORKLOADS: dict[str, Callable[[], tuple[int, NDArray[np.float64]]]] = {
    "even": lambda: (2, lognormal_weights(8, 0.0, layers=32)),
    "σ = 0.13": lambda: (2, lognormal_weights(8, 0.13, layers=32)),
    "σ = 0.45": lambda: (2, lognormal_weights(8, 0.45, layers=32)),
    "σ = 0.85": lambda: (2, lognormal_weights(8, 0.85, layers=32)),
    "Zipf": lambda: (2, zipf_weights(8, layers=32)),
    "Mixtral-8x7B": lambda: _measured("mixtral-8x7b", 32),
    "OLMoE": lambda: _measured("olmoe-1b-7b", 8),
    "OLMoE-Instruct": lambda: _measured("olmoe-1b-7b-instruct", 8),
    "DeepSeek-V2-Lite": lambda: _measured("deepseek-v2-lite", 8),
    "OLMoE, full": lambda: _measured("olmoe-1b-7b", 16),
    "DeepSeek-V2-Lite, full": lambda: _measured("deepseek-v2-lite", 16),
}
"""Experts a token, and sampling weights (layers, experts)."""


def _compute(quick: bool) -> Tables:
    scenario = Scenario(slots=10 if quick else 25)
    rows, proofs = [], []
    for name, make in list(WORKLOADS.items())[:: 5 if quick else 1]:
        top_k, weights = make()
        sized = scenario.replace(layers=len(weights), experts=weights.shape[1], top_k=top_k)
        found = measured(sized, 1 if quick else 4, schemes=_SCHEMES, weights=weights)
        rows.append(
            {**_head(name, sized, weights), **_gain({r["scheme"]: r["token_latency_s"] for r in found})}
        )
        if top_k == 2:
            drawn = sized.arrangements(0, schemes=["sorted"], weights=weights, threads=THREADS)["sorted"]
            proofs.append({**_head(name, sized, weights), **_proof(drawn)})
    return {"order": rows, "order-proofs": proofs}


def _head(name: str, scenario: Scenario, weights: NDArray[np.float64]) -> Row:
    spread = float(np.log(weights).std(axis=1).mean())
    return {
        "workload": name,
        "layers": scenario.layers,
        "experts": scenario.experts,
        "top_k": scenario.top_k,
        "spread": spread,
    }


def _gain(latency_s: dict[str, float]) -> Row:
    best, near, random = (latency_s[name] for name in _SCHEMES)
    return {
        "sorted_s": best,
        "nearest-unsorted_s": near,
        "rand-intra-cg_s": random,
        "gain_of_order": near / best - 1.0,
        "share_of_order": (near - best) / (random - best),
    }


def _proof(drawn: Arrangement) -> Row:
    """The sorted placement against the proven optimum of every subnet, what is cut off charged in both."""
    problem = drawn.problem
    position = {id: i for i, id in enumerate(problem.satellites)}
    best_s, excess = 0.0, 0.0
    sorted_s = evaluate(problem, drawn.placement).layer_latency_s
    for i, (layer, subnet) in enumerate(zip(problem.layers, drawn.ring.subnets)):
        own = [position[id] for id in subnet if id in position]
        alone = Layer(layer.weights, layer.latency_s[:, own], layer.base_s)
        plan = solve(Problem([alone], problem.top_k))
        if plan.status != "optimal":
            raise ValueError(f"layer {i}: {plan.status}")
        best_s += plan.token_latency_s
        excess = max(excess, sorted_s[i] / plan.token_latency_s - 1.0)
    return {
        "sorted_s": float(sorted_s.sum()),
        "optimal_s": best_s,
        "excess": float(sorted_s.sum()) / best_s - 1.0,
        "largest_excess": float(excess),
    }


def _draw(tables: Tables) -> list[Picture]:
    rows: Rows = tables["order"]
    with panels(1, 2, (10.0, 0.9 + 0.34 * len(rows))) as (figure, axes):
        left, right = axes[0]
        for name in _SCHEMES:
            look = look_of(name)
            values = [row[f"{name}_s"] for row in rows]
            left.plot(values, range(len(rows)), look.marker, color=look.colour, markersize=6, label=name)
        left.set_xlim(left=0)
        style.label_axis(left.xaxis, "token_latency_s", [row["rand-intra-cg_s"] for row in rows])
        left.legend(loc="center")
        left.set_title("Latency of a token")
        right.barh(
            range(len(rows)), [100 * row["gain_of_order"] for row in rows], color=look_of("sorted").colour
        )
        for i, row in enumerate(rows):
            words = f"{100 * row['share_of_order']:.1f} % of the gain"
            right.annotate(
                words, (100 * max(row["gain_of_order"], 0), i), (4, 0), textcoords="offset points",
                va="center", fontsize=7,
            )  # fmt: skip
        right.set_xlim(right=1.35 * max(100 * row["gain_of_order"] for row in rows) + 1)
        right.set_xlabel("nearest-unsorted above sorted (%)")
        right.set_title("What the order is worth")
        for ax in (left, right):
            ax.set_yticks(range(len(rows)), [_label(row) for row in rows] if ax is left else [])
            ax.set_ylim(len(rows) - 0.5, -0.5)
            style.grid(ax, "x")
    return [
        Picture(
            "order",
            figure,
            "Random satellites of the subnet, the nearest in random order, and the nearest with heavy "
            "experts on near ones, by the experts' weights: made up for 32 layers of 8 experts, or "
            "measured. Right: what the order alone saves, and its share of what sorting saves of the "
            "random placement.",
        )
    ]


def _label(row: Row) -> str:
    return f"{row['workload']}, {row['top_k']} of {row['experts']}"


ORDER = Experiment(
    "Where the gain comes from",
    "The fitted geometry with 25 slots and the mean of 4 draws, under made-up weights and those of "
    "measured activations. Models of 64 experts have 8 layers here, each on 132 satellites, or 16 that "
    "their experts fill but for one satellite: there nothing is left to choose. Of Mixtral and OLMoE "
    "three layers are known, which stand for all. A second table holds the sorted placement against the "
    "proven optimum of every subnet, in one draw and for two experts a token; what is cut off counts as "
    "0.3 s there.",
    _compute,
    _draw,
)
