"""Placements over slots by the definition alone: every set of replicas in every slot, in exact fractions.

A slot is what can be done in it by itself: for each assignment that keeps the limits but for memory and
cost, who serves and what the mean delay is. Replicas that serve nothing are allowed, so a slot's state is
any set of replicas that has those who serve.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

Replica = tuple[int, int]
"""Service and node."""
Replicas = frozenset[Replica]
Pair = tuple[Fraction, Fraction]
"""First and second term of the objective."""


@dataclass(frozen=True)
class Slot:
    """What one slot allows."""

    share: Fraction
    ways: Sequence[tuple[Replicas, Fraction, Fraction]]
    """Who serves, mean delay, rejected weight: of each assignment that keeps loads and deadlines."""


@dataclass(frozen=True)
class Rules:
    """What holds in all slots."""

    hosts: Sequence[Sequence[int]]
    """Of each service the nodes that may host it."""
    memory_bytes: Sequence[Fraction]
    node_memory_bytes: Sequence[Fraction]
    cost: Sequence[Fraction]
    max_cost: Fraction | None
    objective: str
    core: Sequence[int]
    start_cost: Sequence[Fraction]
    max_starts: int | None
    max_moved_bytes: Fraction | None
    initial: Replicas | None


ROOM = 1 + Fraction(1, 10**9)


def states(rules: Rules) -> list[Replicas]:
    """Every set of replicas that memory and the limit of cost allow."""
    places = [(s, v) for s, nodes in enumerate(rules.hosts) for v in nodes]
    found = []
    for size in range(len(places) + 1):
        for some in itertools.combinations(places, size):
            memory = [Fraction(0)] * len(rules.node_memory_bytes)
            for s, v in some:
                memory[v] += rules.memory_bytes[s]
            fits = all(of <= most * ROOM for of, most in zip(memory, rules.node_memory_bytes))
            cost = sum((rules.cost[s] for s, _ in some), Fraction(0))
            if fits and (rules.max_cost is None or cost <= rules.max_cost * ROOM):
                found.append(frozenset(some))
    return found


def worth(rules: Rules, slot: Slot, every: Sequence[Replicas]) -> dict[Replicas, Pair]:
    """Of each state in which the slot can be served the least terms, without those of starts."""
    found: dict[Replicas, Pair] = {}
    for state in every:
        cost = sum((rules.cost[s] for s, _ in state), Fraction(0))
        fitting = [(delay, rejected) for serving, delay, rejected in slot.ways if serving <= state]
        if not fitting:
            continue
        if rules.objective == "cost":
            found[state] = (slot.share * cost, slot.share * min(delay for delay, _ in fitting))
        else:
            which = 0 if rules.objective == "delay" else 1
            found[state] = (slot.share * min(one[which] for one in fitting), slot.share * cost)
    return found


def step(rules: Rules, before: Replicas | None, now: Replicas) -> Fraction | None:
    """What the starts cost; None where they are too many."""
    if before is None:
        return Fraction(0)
    starts = now - before
    moved = sum((rules.memory_bytes[s] for s, _ in starts), Fraction(0))
    if rules.max_starts is not None and len(starts) > rules.max_starts:
        return None
    if rules.max_moved_bytes is not None and moved > rules.max_moved_bytes * ROOM:
        return None
    return sum((rules.start_cost[s] for s, _ in starts), Fraction(0))


def least(rules: Rules, slots: Sequence[Slot]) -> Pair | None:
    """The least pair of terms over all placements; None where there are none."""
    every = states(rules)
    tables = [worth(rules, slot, every) for slot in slots]
    cores = {core_of(rules, state) for state in tables[0]}
    found = [pair for core in cores for pair in [least_with(rules, tables, core)] if pair is not None]
    return min(found) if found else None


def core_of(rules: Rules, state: Replicas) -> Replicas:
    return frozenset(one for one in state if one[0] in rules.core)


def least_with(rules: Rules, tables: Sequence[Mapping[Replicas, Pair]], core: Replicas) -> Pair | None:
    """With these replicas of the core services in all slots: state by state, slot after slot."""
    best: dict[Replicas | None, Pair] = {rules.initial: (Fraction(0), Fraction(0))}
    for table in tables:
        after: dict[Replicas | None, Pair] = {}
        for state, own in table.items():
            if core_of(rules, state) != core:
                continue
            for before, spent in best.items():
                paid = step(rules, before, state)
                if paid is None:
                    continue
                moves = (paid, Fraction(0)) if rules.objective == "cost" else (Fraction(0), paid)
                sums = (spent[0] + own[0] + moves[0], spent[1] + own[1] + moves[1])
                if state not in after or sums < after[state]:
                    after[state] = sums
        best = after
    return min(best.values()) if best else None
