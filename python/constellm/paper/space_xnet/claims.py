"""The paper's numbers beside what comes out here, with a verdict that the rows decide."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...core.table import Row, Rows, Tables, distinct, only, where
from ..report.claims import claim, span
from .parameters import FLOP_PER_S, PAPER_S, TOKEN_FLOP, TOKENS

NEAR = 0.05
"""A latency is reproduced where it is so near to the middle of the paper's, relatively."""

TOGETHER = 0.1
"""The same for all four at once."""

_BENCHMARKS = tuple(name for name in PAPER_S if name != "sorted")
_PROPOSAL_S = sum(PAPER_S["sorted"]) / 2


def claims(tables: Tables) -> Rows:
    """One row a claim: the paper's number, what comes out here, how it moves, and the verdict.

    Parameters
    ----------
    tables
        Rows of every experiment by name.

    Returns
    -------
    Rows
        Of `constellm.paper.report.claims.claim`.
    """
    return [
        *(_latency(tables, name) for name in PAPER_S),
        _together(tables),
        *(_gain(tables, name) for name in _BENCHMARKS),
        _altitude(tables),
        _size(tables),
        _better(tables, "survival", "better survival lowers the latency"),
        _better(tables, "max_turn_deg_per_s", "terminals that follow faster turns lower the latency"),
        _limit(tables),
        _compute(),
        _theorem(tables),
        _order(tables),
        _gateways(tables),
    ]


def _middle(name: str) -> float:
    return sum(PAPER_S[name]) / 2


def _latency(tables: Tables, name: str) -> Row:
    here = only(tables["schemes"], scheme=name)
    geometries = [row[f"{name}_s"] for row in tables["geometries"]]
    return claim(
        f"latency of a token, {name}",
        f"{PAPER_S[name][0]:.2f} to {PAPER_S[name][1]:.2f} s",
        f"{here['token_latency_s']:.3f} s ({100 * here['difference']:+.1f} %); draws "
        f"{here['least_s']:.3f} to {here['most_s']:.3f} s",
        f"geometries: {span(geometries, ' s')}",
        [abs(value / _middle(name) - 1.0) <= NEAR for value in geometries],
        f"A geometry was chosen for these figures. Settings: geometries, within {100 * NEAR:g} % of the "
        "middle.",
    )


def _together(tables: Tables) -> Row:
    rows = tables["geometries"]
    here = max(abs(row["difference"]) for row in tables["schemes"] if row["scheme"] in PAPER_S)
    worst = sorted(row["worst_difference"] for row in rows)
    return claim(
        "all four latencies at once",
        "one constellation",
        f"within {100 * here:.1f} %",
        f"geometries: within {100 * worst[0]:.1f} % at best, {100 * worst[len(worst) // 2]:.0f} % in the "
        f"median, {100 * worst[-1]:.0f} % at worst",
        [value <= TOGETHER for value in worst],
        f"Three free choices for four figures: a fit, no evidence. Settings: geometries, within "
        f"{100 * TOGETHER:g} % of every middle.",
    )


def _gain(tables: Tables, name: str) -> Row:
    here = only(tables["schemes"], scheme=name)["token_latency_s"]
    best = only(tables["schemes"], scheme="sorted")["token_latency_s"]
    ratios = [row[f"{name}_ratio"] for row in tables["geometries"]]
    paper = _middle(name) / _PROPOSAL_S
    return claim(
        f"how many times the proposal's latency, {name}",
        f"{paper:.1f}×, at least threefold",
        f"{here / best:.2f}×",
        f"geometries: {span(ratios, '×')}",
        [ratio >= 3.0 for ratio in ratios],
        "The gain is the distance of random satellites to near ones, so it shrinks where planes are near "
        f"each other. Settings: geometries, at least 3×; {sum(ratio >= paper for ratio in ratios)} of "
        f"them reach {paper:.1f}×.",
    )


def _steps(tables: Tables, assumption: str, scheme: str) -> list[float]:
    """By what share the latency grows from each value to the next."""
    own = where(tables["sensitivity"], assumption=assumption, scheme=scheme)
    latency_s = [row["token_latency_s"] for row in own]
    return [later / sooner - 1.0 for sooner, later in zip(latency_s, latency_s[1:])]


def _ends(tables: Tables, assumption: str, names: Iterable[str]) -> str:
    """Latencies at the first value and the last, scheme by scheme."""
    found = []
    for name in names:
        own = where(tables["sensitivity"], assumption=assumption, scheme=name)
        found.append(f"{name} {own[0]['token_latency_s']:.2f} → {own[-1]['token_latency_s']:.2f} s")
    return ", ".join(found)


def _altitude(tables: Tables) -> Row:
    rising = {name: [step > 0 for step in _steps(tables, "altitude_m", name)] for name in PAPER_S}
    limits = distinct(where(tables["sensitivity"], assumption="altitude_m"), "value")
    steps = ", ".join(f"{name} {sum(up)} of {len(up)}" for name, up in rising.items())
    return claim(
        "latency rises with altitude",
        "yes",
        f"{span([limit / 1e3 for limit in limits], ' km')}: {_ends(tables, 'altitude_m', PAPER_S)}",
        f"steps that rise: {steps}",
        [up for found in rising.values() for up in found],
        "Links are longer higher up, but turn more slowly, so that the limit cuts fewer of them: the two "
        "work against each other. Settings: steps of altitude and schemes.",
    )


def _size(tables: Tables) -> Row:
    holds, here = [], []
    for assumption, noun in (("planes", "planes"), ("satellites_per_plane", "a plane")):
        sizes = distinct(where(tables["sensitivity"], assumption=assumption), "value")
        here.append(f"{sizes[0]} to {sizes[-1]} {noun}: {_ends(tables, assumption, PAPER_S)}")
        for name in PAPER_S:
            falls = name == "sorted"
            holds += [(step < 0) == falls for step in _steps(tables, assumption, name)]
    return claim(
        "a larger constellation helps the proposal and hurts the random placements",
        "yes",
        "; ".join(here),
        "–",
        holds,
        "More satellites are nearer ones for the proposal; for random ones more planes are more hops, "
        "but more satellites a plane are shorter hops. Settings: steps of size and schemes.",
    )


def _better(tables: Tables, assumption: str, text: str) -> Row:
    holds = [step <= 0 for name in PAPER_S for step in _steps(tables, assumption, name)]
    values = distinct(where(tables["sensitivity"], assumption=assumption), "value")
    ends = " to ".join("no limit" if math.isinf(value) else f"{value:g}" for value in (values[0], values[-1]))
    return claim(
        text,
        "yes",
        f"{ends}{'' if assumption == 'survival' else ' (°/s)'}: {_ends(tables, assumption, PAPER_S)}",
        "–",
        holds,
        "More links are shorter ways. Settings: steps and schemes.",
    )


def _limit(tables: Tables) -> Row:
    turns = tables["turns"]
    fitted = only(turns, raan_spread_deg=360.0, phase=0.5, alternating=False, seam="open")
    return claim(
        "a limit of 0.12 rad/s of the line of sight cuts links (implied)",
        "links are usable below it",
        f"the fastest link turns at {1e3 * fitted['fastest_rad_per_s']:.2f} mrad/s in the fitted "
        f"geometry: none cut; at 0.12 °/s {100 * fitted['cut_at_0.12_deg_per_s']:.1f} %",
        f"fastest, geometries: {span((1e3 * row['fastest_rad_per_s'] for row in turns), ' mrad/s')}; cut at "
        f"0.12 °/s: {span((100 * row['cut_at_0.12_deg_per_s'] for row in turns), ' %')}",
        [row["cut_at_0.12_rad_per_s"] > 0 for row in turns],
        "So the study reads it as degrees: an assumption, and one on a knife edge, for the fastest link "
        "is just above the limit. Settings: geometries.",
    )


def _compute() -> Row:
    all_s = TOKEN_FLOP / FLOP_PER_S
    return claim(
        "the latency has the compute of 36.3 TFLOP for 4,096 tokens in it (implied)",
        f"{PAPER_S['sorted'][0]} to {PAPER_S['sorted'][1]} s a token in all",
        f"{TOKENS * TOKEN_FLOP / 1e12:.2f} TFLOP, {all_s:.3f} s a token at 7.28 GFLOP/s, without any link",
        "–",
        [all_s < PAPER_S["sorted"][1]],
        "More than the whole of the proposal's latency, so part of it or all is not charged; which, is not "
        "told. Here none is. Settings: the one model.",
    )


def _theorem(tables: Tables) -> Row:
    proofs = tables["order-proofs"]
    return claim(
        "heavy experts on satellites of small mean latency are optimal",
        "a theorem",
        f"{100 * max(row['excess'] for row in proofs):.3f} % above the proven optimum at most, "
        f"{100 * max(row['largest_excess'] for row in proofs):.2f} % in one layer",
        "–",
        [row["excess"] <= 1e-9 for row in proofs],
        "It is one for latencies that stand still. Over slots the mean of the slowest is not the slowest "
        "of the means. Settings: weights, two experts a token, 32 layers.",
    )


def _order(tables: Tables) -> Row:
    rows = tables["order"]
    measured = [row for row in rows if row["workload"][0].isupper() and row["workload"] != "Zipf"]
    gains = [100 * row["gain_of_order"] for row in rows]
    shown = ", ".join(f"{row['workload']} {100 * row['share_of_order']:.1f} %" for row in measured)
    return claim(
        "most of the gain over random satellites is the order's (implied)",
        "credits the placement by activation",
        f"share of the gain over rand-intra-cg, measured activations: {shown}",
        f"nearest-unsorted above sorted, all weights: {span(gains, ' %')}",
        [row["share_of_order"] > 0.5 for row in rows],
        "Where satellites are many, choosing the nearest gives nearly all of it, a benchmark that the "
        "paper lacks; where experts fill a subnet nothing is left to choose, and the order gives all. "
        "Settings: weights.",
    )


def _gateways(tables: Tables) -> Row:
    rows = tables["gateways"]
    shown = ", ".join(f"{row['window_s']:.0f} s {100 * row['net_gain']:+.1f} %" for row in rows)
    return claim(
        "a gateway in the centre of its subnet is best (implied)",
        "central gateways",
        f"planned ones save, in other slots, under other outages and with moves charged, by window: {shown}",
        f"as planned: {span((100 * row['gain'] for row in rows), ' %')}; at most "
        f"{100 * max(row['gap'] for row in rows):.3f} % above the bound",
        [row["net_gain"] <= 0 for row in rows],
        "Links between planes are shortest near the poles, and a subnet passes one in minutes: gateways that "
        "follow gain; what is fitted to the outages of an orbit does not last. Settings: windows.",
    )
