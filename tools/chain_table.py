"""What co-activation is worth to a chain of experts on measured tokens, as a table of docs/chains.md.

``python tools/chain_table.py`` from the root of the sources writes it anew; it takes some minutes.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from constellm import moe, orbit

PAGE = Path(__file__).parents[1] / "docs" / "chains.md"
CASES = [("law", 16, 1), ("intent", 16, 1), ("law", 26, 2), ("intent", 26, 2)]  # domain, layers, places
HEAD = ("tokens", "layers", "places", "random", "central", "gateways", "how often", "who follows")
SLOTS = 20
UNREACHABLE_S = 0.3


def constellation() -> tuple[orbit.Shell, orbit.Constellation, np.ndarray]:
    """Space-XNet's, as its study has it, and slots over an orbit."""
    shell = orbit.preset("space-xnet")
    links = orbit.plus_grid(seam="open", max_angular_rate_rad_per_s=np.radians(0.12), survival=0.95)
    return shell, orbit.Constellation(shell, links=links), shell.period_s / SLOTS * np.arange(SLOTS)


def halves(domain: str, layers: int) -> tuple[moe.ActivationTrace, int]:
    """A trace of the first layers, and where the second half of its sequences begins."""
    whole = moe.sample_trace(domain)
    trace = moe.ActivationTrace(whole.expert_ids[:layers], experts=whole.experts, offsets=whole.offsets)
    return trace, int(trace.offsets[len(trace.offsets) // 2])


def ring_s(shell, world, times, trace: moe.ActivationTrace, half: int) -> float:
    """Of the second half, over gateways: planned by the shares of the first; an expert a satellite."""
    problem = moe.ring_problem(
        world,
        moe.ring(shell, trace.layers),
        times,
        weights=trace.activations(0, half).with_prior(0.5).sampling_weights(),
        top_k=1,
        unreachable_s=UNREACHABLE_S,
    )
    plan = moe.solve(problem)
    if not plan.placement:
        return np.nan
    later = moe.ActivationTrace(trace.expert_ids[:, half:], experts=trace.experts)
    return moe.evaluate_trace(problem, plan, later).token_latency_s


def row(domain: str, layers: int, places: int) -> dict[str, object]:
    """Latencies of the second half of the tokens, of placements made for the first."""
    shell, world, times = constellation()
    trace, half = halves(domain, layers)
    distance_s = moe.mean_latencies(world, times, unreachable_s=UNREACHABLE_S)
    first = moe.Chain(trace.affinities(0, half), distance_s, places=places)
    second = first.replace(affinities=trace.affinities(half))

    def later_s(placement) -> float:
        return moe.evaluate_chain(second, placement).token_latency_s

    shape = (layers, trace.experts)
    seats = np.argsort(distance_s.mean(axis=1), kind="stable").repeat(places)
    draws = np.random.default_rng(0)
    by_chance = [draws.permutation(seats)[: np.prod(shape)].reshape(shape) for _ in range(10)]
    busiest = np.argsort(-trace.activations(0, half).shares, axis=None, kind="stable")
    central = np.empty(busiest.size, dtype=int)
    central[busiest] = seats[: busiest.size]
    blind, aware = moe.solve_chain(first.independent()), moe.solve_chain(first)
    return {
        "random": float(np.mean([later_s(hosts.tolist()) for hosts in by_chance])),
        "central": later_s(central.reshape(shape).tolist()),
        "ring": ring_s(shell, world, times, trace, half) if places == 1 else np.nan,
        "blind": later_s(blind),
        "aware": later_s(aware),
        "plan": aware,
    }


def table() -> str:
    """In Markdown, as the page has it."""
    lines = ["| " + " | ".join((*HEAD, "bound, gap of the plan")) + " |", "| --- " * (len(HEAD) + 1) + "|"]
    for domain, layers, places in CASES:
        found = row(domain, layers, places)
        cells = [f"{found[name]:.3f} s" for name in ("random", "central", "ring", "blind", "aware")]
        plan = found["plan"]
        told = f"{plan.lower_bound_s:.3f} s below {plan.token_latency_s:.3f} s, {plan.gap:.0%}"
        cells = [cell.replace("nan s", "–") for cell in cells]
        lines.append("| " + " | ".join([domain, str(layers), str(places), *cells, told]) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args(arguments)
    text = PAGE.read_text(encoding="utf-8")
    block = f"<!-- chains -->\n{table()}\n<!-- end of chains -->"
    pattern = r"<!-- chains -->\n.*<!-- end of chains -->"
    PAGE.write_text(re.sub(pattern, lambda _: block, text, flags=re.S), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
