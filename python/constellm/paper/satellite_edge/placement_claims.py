"""What the texts say of microservices, beside what comes out here."""

from __future__ import annotations

from ...core.table import Row, Rows, Tables, distinct, only, where
from ...services import break_even
from ..report.claims import claim, span
from .experiments.degradation import ON_TIME
from .experiments.over_time import CORE, FREE
from .experiments.sharing import APART, ENCODERS, SHARED
from .placements import REQUESTS_PER_S


def placement_claims(tables: Tables) -> Rows:
    """Rows of `constellm.paper.report.claims.claim`, as `claims` of the study."""
    return [
        _sharing(tables),
        _encoders(tables),
        _slower(tables),
        _adversary(tables),
        _price(tables),
        _on_time(tables),
        _core(tables),
        _ahead(tables),
        _heuristics(tables),
        _waiting(tables),
        _rates(tables),
        _spiking(tables),
    ]


def _by(tables: Tables, field: str, above: str, below: str) -> dict[int, list[float]]:
    """By number of tasks, what one variant has of the other's."""
    rows = where(tables["sharing"], status="optimal")
    return {
        tasks: [
            row[field] / only(rows, tasks=tasks, seed=row["seed"], variant=below)[field]
            for row in where(rows, tasks=tasks, variant=above)
        ]
        for tasks in distinct(rows, "tasks")
    }


def _sharing(tables: Tables) -> Row:
    ratios = _by(tables, "memory_bytes", APART, SHARED)
    shown = ", ".join(f"{tasks} tasks {span(found, '×')}" for tasks, found in ratios.items())
    most = max(ratios)
    return claim(
        "sharing pays memory once",
        "components serve several tasks and modalities",
        f"models of one's own keep {span(ratios[most], '×')} as much with {most} tasks",
        shown,
        [ratio > 1.0 for found in ratios.values() for ratio in found],
        "Both placements are the cheapest there are, proven. The more tasks, the more of their components "
        "are there already. Settings: numbers of tasks and draws.",
    )


def _encoders(tables: Tables) -> Row:
    rows = where(tables["sharing"], status="optimal")
    shares = []
    for row in where(rows, variant=ENCODERS):
        case = {"tasks": row["tasks"], "seed": row["seed"]}
        apart, shared = (only(rows, variant=name, **case)["cost"] for name in (APART, SHARED))
        if apart > shared:
            shares.append((apart - row["cost"]) / (apart - shared))
    return claim(
        "encoders are what is worth sharing (implied)",
        "one image encoder serves detection, captioning, …",
        f"encoders alone bring {span((100 * share for share in shares), ' %')} of what sharing saves",
        "–",
        [share > 0.5 for share in shares],
        "A decoder weighs 1.6 times as much as the image encoder: where tasks answer in words it is much of "
        "what can be saved. Settings: numbers of tasks and draws, above one half.",
    )


def _slower(tables: Tables) -> Row:
    ratios = [ratio for found in _by(tables, "delay_s", SHARED, APART).values() for ratio in found]
    return claim(
        "sharing costs no delay (implied)",
        "lowest delay for core microservices",
        f"the cheapest shared placement takes {span(ratios, '×')} the time of the cheapest without sharing",
        "–",
        [ratio <= 1.0 + 1e-9 for ratio in ratios],
        "What is shared stands somewhere between its users; of one's own it stands with the user. "
        "Deadlines hold in both. Settings: numbers of tasks and draws.",
    )


def _adversary(tables: Tables) -> Row:
    rows = tables["demand"]
    seeds = distinct(rows, "seed")
    same = [
        only(rows, seed=seed, rule="box")["cost"] == only(rows, seed=seed, rule="upper corner")["cost"]
        for seed in seeds
    ]
    broken = [100 * only(rows, seed=seed, rule="nominal")["violated"] for seed in seeds]
    return claim(
        "a box of demands calls for a game against an adversary (arXiv 2501.06244)",
        "robust reinforcement learning",
        f"the upper corner alone has the box's least cost in {sum(same)} of {len(same)} draws; neither is "
        "broken by any demand tried",
        f"placements for nominal demand are broken by {span(broken, ' %')} of demands",
        [not equal for equal in same],
        "Loads grow with every rate and no other rule depends on rates, so that what bears the corner "
        "bears the box: one programme without uncertainty. Settings: draws.",
    )


def _price(tables: Tables) -> Row:
    rows = where(tables["robustness"], objective="cost")
    last = [where(rows, seed=seed)[-1] for seed in distinct(rows, "seed")]
    quick = [where(tables["robustness"], objective="delay", seed=seed) for seed in distinct(rows, "seed")]
    slower = [own[-1]["delay_s"] / own[0]["delay_s"] - 1.0 for own in quick if own]
    delays = f"the quickest placement is {span((100 * by for by in slower), ' %')} slower" if slower else "–"
    return claim(
        "robust placements cost more (implied)",
        "least resources under uncertain regional demand",
        f"the whole box costs {span((100 * row['price'] for row in last), ' %')} more, every rate doubled",
        delays,
        [row["price"] > 0.0 for row in last],
        "Replicas come whole: mostly there is room already, and the placement only moves. Settings: draws.",
    )


def _on_time(tables: Tables) -> Row:
    rows = where(tables["degradation"], placed_for="nominal")
    shown = []
    for kind in distinct(rows, "kind"):
        own = where(rows, kind=kind)
        for amount in distinct(own, "amount"):
            found = [row["kept_share"] for row in where(own, amount=amount)]
            if min(found) < ON_TIME:
                shown.append(f"{kind} of {amount:g} {span((100 * share for share in found), ' %')}")
                break
    box = where(tables["degradation"], kind="spike", amount=2.0, placed_for="box")
    doubled = (
        f"; made for the box, at twice the demand {span((100 * r['kept_share'] for r in box), ' %')}"
        if box
        else ""
    )
    return claim(
        "over 84 % of tasks are on time (arXiv 2601.19563)",
        "84 %",
        f"at nominal demand all, at {REQUESTS_PER_S:g} requests a second; first below: "
        f"{', '.join(shown) or 'never'}"
        f"{doubled}",
        f"with replicas kept and tasks assigned anew "
        f"{span((100 * row['rerouted_share'] for row in rows), ' %')}",
        [row["kept_share"] > ON_TIME for row in rows],
        "Its load is not told: with the exact placement any share comes out, by how far demand is above "
        "what was planned for. Requests count here. Settings: spikes, shifts and losses by amount, and "
        "draws.",
    )


def _core(tables: Tables) -> Row:
    rows = where(tables["over-time"], method="clairvoyant")
    pairs = [
        only(rows, seed=seed, core=CORE)["cost"] / only(rows, seed=seed, core=FREE)["cost"]
        for seed in distinct(rows, "seed")
    ]
    return claim(
        "core microservices first, light ones after, loses nothing (implied)",
        "core placed first, light second",
        f"a core that stays costs {span(pairs, '×')} the least over the horizon",
        "–",
        [ratio <= 1.0 + 1e-9 for ratio in pairs],
        "Where deadlines are tight what is heavy has to be near its users: a core that never moves stands "
        "wherever any slot wants it. Settings: draws.",
    )


def _ahead(tables: Tables) -> Row:
    rows = where(tables["over-time"], core=FREE)
    ratios: dict[str, list[float]] = {}
    for row in rows:
        best = only(rows, seed=row["seed"], method="clairvoyant")["cost"]
        if row["method"] != "clairvoyant" and row["cost"] == row["cost"]:
            ratios.setdefault(row["method"], []).append(row["cost"] / best)
    shown = ", ".join(f"{name} {span(found, '×')}" for name, found in ratios.items())
    return claim(
        "each slot by itself is enough (per-slot optimum as a benchmark)",
        "per-slot optimum",
        f"of the clairvoyant's cost: {shown}",
        "–",
        [ratio <= 1.0 + 1e-9 for ratio in ratios.get("per-slot", [])],
        "It pays for every start that its slot's optimum happens to want. Settings: draws.",
    )


def _heuristics(tables: Tables) -> Row:
    rows = tables["placement-methods"]
    there = [row for row in rows if row["over"] == row["over"]]
    shown = ", ".join(
        f"{name} {span((row['over'] for row in own), '×')}"
        for name in distinct(rows, "method")
        if (own := where(there, method=name))
    )
    missing = len(rows) - len(there)
    return claim(
        "heuristics come near the optimum (implied)",
        "compared with heuristics alone",
        f"of the least cost: {shown}",
        f"no plan in {missing} of {len(rows)} runs",
        [row["over"] <= 1.05 for row in rows],
        "Annealing and the genetic algorithm do at this size; a second image encoder alone, where one is "
        "enough, is a fifth to a quarter more. Settings: methods, draws, nominal and box demand, within 5 %.",
    )


def _waiting(tables: Tables) -> Row:
    rows = tables["waiting"]
    shares = [100 * row["wait_s"] / row["delay_s"] for row in rows]
    at = where(rows, max_utilisation=0.9)
    here = span((100 * row["wait_s"] / row["delay_s"] for row in at), " %") if at else "–"
    return claim(
        "a limit of utilisation keeps queues short enough to leave out (implied)",
        "load ≤ ρ_max · capacity",
        f"at 0.9 waiting is {here} of the mean delay",
        f"limits from {min(r['max_utilisation'] for r in rows):g} to "
        f"{max(r['max_utilisation'] for r in rows):g}: "
        f"{span(shares, ' %')}; tasks late {sum(row['late'] for row in rows)} of "
        f"{sum(r['tasks'] for r in rows)}",
        [row["late"] == 0 for row in rows],
        "By Pollaczek and Khinchine with Kleinrock's independence. The cheapest placement shares one "
        "decoder, which takes from 0.06 to 0.31 s for a request, by satellite: who comes behind one waits "
        "as long. "
        "Settings: limits and draws, no task late in the mean.",
    )


def _rates(tables: Tables) -> Row:
    rows = [row for row in tables["rate-accuracy"] if 0.0 < row["max_loss"] <= 0.01 + 1e-9]
    full = [row for row in rows if row["max_loss"] == max(r["max_loss"] for r in rows)]
    lossless = where(tables["rate-accuracy"], max_loss=0.0)
    return claim(
        "sending what the task needs saves most of the bytes",
        "task-oriented communication",
        f"{span((row['ratio'] for row in full), '×')} fewer within "
        f"{100 * max(row['max_loss'] for row in rows):g} points of accuracy",
        f"without any expected loss {span((row['ratio'] for row in lossless), '×')}",
        [row["ratio"] > 2.0 for row in full],
        "Measured on the shipped network and EuroSAT; the later the split the more. Coding takes no time "
        "here. Settings: splits, more than half.",
    )


def _spiking(tables: Tables) -> Row:
    rows = tables["spiking"]
    usual = [row for row in rows if row["steps"] == 4 and 0.1 <= row["spike_rate"] <= 0.3]
    return claim(
        "spiking layers take less energy",
        "4.6 pJ a multiply-add, 0.9 pJ a sum, 77 fJ a synaptic operation",
        f"{span((row['ratio'] for row in usual), '×')} less in 4 steps at rates from 0.1 to 0.3"
        if usual
        else "–",
        f"even where rate · steps is {break_even():.2f}; all steps and rates "
        f"{span((row['ratio'] for row in rows), '×')}",
        [row["ratio"] > 1.0 for row in rows],
        "Arithmetic alone: memory and movement of data are left out, which take more on most computers; "
        "rates are assumed, and accuracy is not the same. Settings: steps and rates.",
    )
