"""What the texts say, or rest on, beside what comes out here, with a verdict that the rows decide."""

from __future__ import annotations

from ...core.quantity import quantity
from ...core.table import Row, Rows, Tables, only, where
from ...tune import spectral_gpt
from ..report.claims import claim, span
from .experiments.greedy import NEAR
from .placement_claims import placement_claims
from .scenario import SETTINGS, SHELLS, Scenario
from .trained import NOTHING

SHELL, SETTING = next(iter(SHELLS)), next(iter(SETTINGS))
"""What “here” means."""
PAPER = "float32, all-gather"
"""The paper's scheme among the contenders."""
AS_GROUND, THREEFOLD = 1.0, 3.0
"""Rates between satellites by the rate to the ground."""


def claims(tables: Tables) -> Rows:
    """One row a claim: what is said, what comes out here, how it moves, and the verdict.

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
        _third(tables, "training takes about 33 % less than on board", "by_33", "versions 1 and 2"),
        _third(tables, "training falls to about 33 % of on board", "to_33", "version 3"),
        _fair(tables),
        _work(tables),
        _embedding(tables),
        _down(tables),
        _gather(tables),
        _slots(tables),
        _slots_fast(tables),
        _between(tables),
        _gossip(tables),
        _network_flow(tables),
        _asynchronous(tables),
        _accuracy(tables),
        *placement_claims(tables),
    ]


def _counted(good: int, of: int) -> list[bool]:
    return [True] * good + [False] * (of - good)


def _third(tables: Tables, text: str, column: str, paper: str) -> Row:
    rows = where(tables["thirds"], scheme=PAPER)
    here = only(rows, shell=SHELL, setting=SETTING)
    passes = f"passes_for_{column}"
    holds = [cell for row in rows for cell in _counted(row[column], row["cells"])]
    others = ", ".join(
        f"{name} {sum(row[column] for row in own)} of {sum(row['cells'] for row in own)}"
        for name in ("float32", "float16", "codec", "raw images")
        if (own := where(tables["thirds"], scheme=name))
    )
    return claim(
        text,
        paper,
        f"{here['ratio_of_a_pass']:.2f}× at 1 TFLOP/s and one pass a round; it holds from "
        f"{here[passes]:.1f} passes on",
        f"settings and stations: from {span((row[passes] for row in rows), ' passes')}; cells of other "
        f"schemes: {others}",
        holds,
        "Time on board grows with the passes and falls with the speed, that of the split hardly does "
        "either: twice the passes turn one reading into the other. Settings: speeds, passes, shells, "
        "stations and links.",
    )


def _fair(tables: Tables) -> Row:
    rows = where(tables["fair"], scheme=PAPER)
    here = only(rows, setting=SETTING, board_flop_per_s=1e12)
    codec = where(tables["fair"], scheme="codec")
    return claim(
        "the split is faster than on board (implied: whatever is cached)",
        "compared with training on board",
        f"where both keep features: {here['ratio']:.2f}× at 1 TFLOP/s",
        f"speeds and settings: {span((row['ratio'] for row in rows), '×')}; with the codec "
        f"{span((row['ratio'] for row in codec), '×')}, below 1 in "
        f"{sum(row['ratio'] < 1.0 for row in codec)} of {len(codec)}",
        [row["ratio"] < 1.0 for row in rows],
        "Embedding and encoder are frozen, so that features never change and on board too need computing "
        "only once: a rival that the comparison lacks. Settings: speeds on board, stations and links.",
    )


def _work(tables: Tables) -> Row:
    shares = {row["model"]: row["board_share"] for row in tables["messages"]}
    shown = ", ".join(f"{name} {100 * share:.2f} %" for name, share in shares.items())
    return claim(
        "the embedding leaves satellites next to no work",
        "parameter-heavy encoder on the ground",
        f"share of the work on board: {shown}",
        "–",
        [share < 0.01 for share in shares.values()],
        "The shipped network has no thinner cut than behind its first block. Settings: models, below 1 %.",
    )


def _embedding(tables: Tables) -> Row:
    rows = [row for row in tables["messages"] if row["message"].startswith("embedding")]
    shown = ", ".join(f"{row['model']}, {row['message']} {row['by_raw']:.2g}×" for row in rows)
    plain = [row for row in rows if row["message"] == "embedding"]
    return claim(
        "embeddings are less to send than images (implied)",
        "sends embeddings",
        shown,
        "–",
        [row["by_raw"] < 1.0 for row in plain],
        "An embedding has as many tokens as there are patches, and more numbers each than a patch has: only "
        "a codec makes it smaller than the image. Settings: models, float32.",
    )


def _down(tables: Tables) -> Row:
    rows = where(tables["phases"], scheme=PAPER)
    shares = {
        phase: [
            sum(r["share"] for r in where(rows, shell=a, setting=b, phase=phase)) for a, b in _places(rows)
        ]
        for phase in ("down", "all-gather")
    }
    return claim(
        "the way down is what a round waits for (implied)",
        "schedules it by flows",
        f"{100 * shares['down'][0]:.0f} % of the published round; the all-gather "
        f"{100 * shares['all-gather'][0]:.0f} %",
        f"down {span((100 * share for share in shares['down']), ' %')}, all-gather "
        f"{span((100 * share for share in shares['all-gather']), ' %')}",
        [share > 0.5 for share in shares["down"]],
        "Where links between satellites are slow, or stations many and fast, it is the exchange within the "
        "orbit. Settings: shells, stations and links, above one half.",
    )


def _places(rows: Rows) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["shell"], row["setting"]) for row in rows))


def _gather(tables: Tables) -> Row:
    rows = where(tables["totals"], cached=False)
    ratios = [
        only(rows, shell=a, setting=b, scheme=PAPER)["delay_s"]
        / only(rows, shell=a, setting=b, scheme="float32")["delay_s"]
        for a, b in _places(rows)
    ]
    return claim(
        "exchanging embeddings within the orbit first pays (implied)",
        "ring all-gather in every round",
        f"{ratios[0]:.2f}× the time of doing without",
        f"shells, stations and links: {span(ratios, '×')}",
        [ratio < 1.0 for ratio in ratios],
        "It moves one copy less than there are members; a transfer that is planned over all links needs "
        "none. Settings: shells, stations and links.",
    )


def _greedy(tables: Tables, *, least: float) -> tuple[Rows, list[bool]]:
    rows = [row for row in tables["greedy"] if row["method"] != "direct" and row["isl_by_ground"] >= least]
    return rows, [cell for row in rows for cell in _counted(row["near"], row["cases"])]


def _slots(tables: Tables) -> Row:
    rows, holds = _greedy(tables, least=0.0)
    slow = [row for row in rows if row["isl_by_ground"] < AS_GROUND and row["method"] == "intervals"]
    by_slot = ", ".join(
        f"{name} {span((row['median'] for row in where(rows, method=name)), '×')}"
        for name in dict.fromkeys(row["method"] for row in rows)
    )
    return claim(
        "a maximum flow in every slot is the quickest schedule (implied)",
        "gives the schedule",
        f"links slower than to the ground, shortest slots: up to {max(row['most'] for row in slow):.2f}× "
        "the quickest",
        f"medians by method: {by_slot}",
        holds,
        "It never puts data where it will be wanted, and long slots leave out contacts that open within "
        f"them. Settings: rates, stations, shells, amounts, starts and slots, within {100 * (NEAR - 1):.0f} "
        "%.",
    )


def _slots_fast(tables: Tables) -> Row:
    rows, _ = _greedy(tables, least=THREEFOLD)
    rows = [row for row in rows if row["method"] in ("intervals", "slots:10")]
    return claim(
        "the same, with links three times as fast as to the ground and slots of ten seconds at most",
        "gives the schedule",
        f"{span((row['median'] for row in rows), '×')} in the median",
        f"at most {max(row['most'] for row in rows):.3f}×",
        [cell for row in rows for cell in _counted(row["near"], row["cases"])],
        "There the ground is the only bottleneck, and greedy nearly the quickest. Settings: rates, "
        f"stations, shells, amounts, starts, and both kinds of slots, within {100 * (NEAR - 1):.0f} %.",
    )


def _between(tables: Tables) -> Row:
    rows = where(tables["phases"], scheme=PAPER)
    shares = [
        sum(r["share"] for r in where(rows, shell=a, setting=b, phase="between orbits"))
        for a, b in _places(rows)
    ]
    heads = where(tables["between"], shell=SHELL, links="usual", message="head")
    shown = ", ".join(f"{row['method']} {quantity(row['median_s'], 's')}" for row in heads)
    return claim(
        "summing between orbits with least latency matters (implied)",
        "a latency-minimising strategy",
        f"{100 * shares[0]:.3f} % of the published round; a head takes: {shown}",
        f"share: {span((100 * share for share in shares), ' %')}",
        [share > 0.01 for share in shares],
        "A head is 30.8 kB: any way but gossip takes two seconds at most. For whole encoders one ring over "
        "all is best. Settings: shells, stations and links, above 1 %.",
    )


def _gossip(tables: Tables) -> Row:
    rows = where(tables["gossip"], weights="neighbours")
    here = only(rows, shell=SHELL)
    return claim(
        "gossip between planes agrees on their mean (implied)",
        "w ← (1 − α) w + α/|N| Σ w′",
        f"a plane counts {here['least_of_fair_share']:.2f} to {here['most_of_fair_share']:.2f} times its "
        f"share, after {here['rounds']} rounds to a thousandth",
        f"shells: from {span(row['least_of_fair_share'] for row in rows)} times",
        [row["least_of_fair_share"] > 1 - 1e-9 for row in rows],
        "Its limit weighs planes by their numbers of neighbours, and the planes at the seam have one. "
        "Metropolis weights keep the mean. Settings: shells.",
    )


def _trained(tables: Tables, name: str, alpha: float) -> float:
    row = only(tables["trained"], scheme=name, alpha=alpha, lost=NOTHING)
    return float(row["target_s"])


def _alphas(tables: Tables) -> list[float]:
    return list(dict.fromkeys(row["alpha"] for row in tables["trained"]))


def _network_flow(tables: Tables) -> Row:
    flows = "network-flow aggregation"
    pairs = {
        rival: [_trained(tables, flows, alpha) / _trained(tables, rival, alpha) for alpha in _alphas(tables)]
        for rival in ("FedAvg", "FedBuff", "all on board")
    }
    shown = ", ".join(f"{span(ratios, '×')} of {rival}" for rival, ratios in pairs.items())
    return claim(
        "network-flow aggregation converges about 30 % faster (arXiv 2404.01875)",
        "0.70× the time",
        shown,
        "–",
        [ratio <= 0.7 for ratios in pairs.values() for ratio in ratios],
        "Without links between satellites a synchronous round waits hours for the last pass; with them how "
        "heads are summed no longer matters. Settings: rivals and Dirichlet parameters, to the same cross "
        "entropy.",
    )


def _asynchronous(tables: Tables) -> Row:
    alphas = _alphas(tables)
    pairs = [
        (f"asynchronous split{codec}", f"split, cached{codec}", alpha)
        for codec in ("", ", codec")
        for alpha in alphas
    ]
    ratios = [_trained(tables, one, alpha) / _trained(tables, other, alpha) for one, other, alpha in pairs]
    queued = [
        (_trained(tables, one, alpha) + _queue_s(tables, one, alpha)) / _trained(tables, other, alpha)
        for one, other, alpha in pairs
    ]
    published = [
        _trained(tables, "asynchronous split", alpha) / _trained(tables, "split, as published", alpha)
        for alpha in alphas
    ]
    return claim(
        "asynchronous split learning is faster than rounds (arXiv 2504.13479)",
        "yes",
        f"{span(ratios, '×')} the time of rounds with the same features",
        f"of the published rounds {span(published, '×')}; were all heads to queue for one uplink "
        f"{span(queued, '×')} of those with the same features",
        [ratio < 1.0 for ratio in ratios],
        "Both wait for features to come down and back, once; what is left are seconds. Without rounds each "
        "head has its links for itself. Settings: with and without codec, Dirichlet "
        "parameters, to the same cross entropy.",
    )


def _queue_s(tables: Tables, name: str, alpha: float) -> float:
    """All heads up to the target over one uplink, one after the other: more than contention could cost."""
    row = only(tables["trained"], scheme=name, alpha=alpha, lost=NOTHING)
    return float(row["updates"]) * 8.0 * spectral_gpt().head_bytes / Scenario().uplink_bps


def _accuracy(tables: Tables) -> Row:
    pairs = [("split, cached", "split, cached, codec"), ("asynchronous split", "asynchronous split, codec")]
    found = []
    for plain, codec in pairs:
        for alpha in _alphas(tables):
            ends = [
                only(tables["trained"], scheme=name, alpha=alpha, lost=NOTHING)["end_accuracy"]
                for name in (plain, codec)
            ]
            found.append(ends[1] - ends[0])
    return claim(
        "embeddings must be sent in full (implied)",
        "no compression at the cut",
        f"at 2 bits a number, coded, accuracy moves by {span((100 * gain for gain in found), ' points')}",
        "–",
        [gain < -0.01 - 1e-9 for gain in found],
        "On 100 test images, where one is a point. Settings: rounds and asynchronous, Dirichlet parameters, "
        "a loss of more than a point.",
    )
