"""One problem placed stage by stage: what is decided, what may be next, and what it comes to so far."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..._core import services as _core
from ..evaluation import Evaluation, evaluation_of
from ..placement import Positions
from .setting import Flags, Floats, Setting, Slot


class Choice(NamedTuple):
    """The next decision: of each node whether it may be, and what it would come to."""

    slot: Slot
    allowed: Flags
    is_new: Flags
    """Where a replica of the service would start."""
    begin_s: Floats
    """When the data is there, at least."""
    delay_s: Floats
    """Of the task, at least."""
    asked: Floats
    """(nodes, tasks) of each node, were the stage there [FLOP a request]."""
    grows: Floats
    """What the objective grows by, at least."""

    def by_rule(self) -> int:
        """The allowed node that lets the objective grow least; ties by the task's delay, then the first."""
        nodes = np.flatnonzero(self.allowed)
        return int(min(nodes.tolist(), key=lambda v: (self.grows[v], self.delay_s[v], v)))


class Episode:
    """A placement on its way; decisions in the order of its setting.

    A task for which no node is left is turned away: its stages are taken back. That is a plan where tasks may
    be turned away, and breaks a rule elsewhere.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.nodes = [[-1] * len(of) for of in setting.services]
        self.users = np.zeros(setting.can_host.shape, dtype=np.int64)
        self.asked = np.zeros((setting.nodes, setting.tasks))
        self.ready, self.rest = list(setting.ready), list(setting.rest)
        self.bound_s = setting.least_s.copy()
        self.turned_away = np.zeros(setting.tasks, dtype=bool)
        self.fits = np.array([setting.fits(s, self.ready[s.task], self.rest[s.task]) for s in setting.order])
        self.open = np.ones(len(setting.order), dtype=bool)
        self.decided = 0
        self.choice: Choice | None = None
        self.start = self.objective
        for t in np.flatnonzero(~setting.hopeful).tolist():
            self._turn_away(t)  # before it takes what others can use
        self._move_on()

    @property
    def done(self) -> bool:
        return self.choice is None

    @property
    def objective(self) -> float:
        """What it comes to at least with what is decided; at the end the evaluator has the last word."""
        of = self.setting
        if of.problem.objective == "cost":
            return float((of.cost * (self.users > 0).sum(axis=1)).sum())
        if of.problem.objective == "admitted":
            return float(of.weight[self.turned_away].sum())
        can = ~self.turned_away & np.isfinite(self.bound_s)
        return float((of.rate * self.bound_s)[can].sum() / of.rate[can].sum()) if can.any() else 0.0

    @property
    def unserved(self) -> int:
        """Tasks that were turned away though each has to be served."""
        return 0 if self.setting.problem.objective == "admitted" else int(self.turned_away.sum())

    @property
    def free_memory(self) -> Floats:
        """(nodes,) [B]"""
        return self.setting.room - self.setting.memory @ (self.users > 0)

    def decide(self, node: int) -> None:
        """Place the stage of `choice` on a node that it allows."""
        assert self.choice is not None and self.choice.allowed[node]
        t, k, s = self.choice.slot
        self.nodes[t][k] = node
        self.users[s, node] += 1
        self.asked[node, t] += self.setting.flop[s]
        self._renew(t)
        self.open[self.decided] = False
        self.decided += 1
        self._move_on()

    def positions(self) -> Positions:
        """Of what is decided, with those replicas alone that serve."""
        assignment = [[] if away else list(nodes) for away, nodes in zip(self.turned_away, self.nodes)]
        return Positions([np.flatnonzero(users).tolist() for users in self.users], assignment)

    def evaluation(self) -> Evaluation:
        return evaluation_of(self.setting.problem, self.positions())

    def feasible(self) -> bool:
        """Whether it is a plan."""
        problem = self.setting.problem
        return bool(_core.keeps_limits(problem._compiled, problem._routes, *self.positions()))

    # ---- one decision after another ------------------------------------------------------------

    def _renew(self, t: int) -> None:
        of = self.setting
        self.ready[t] = of.ready_s(t, self.nodes[t])
        self.rest[t] = of.rest_s(t, self.ready[t], self.nodes[t])
        self.bound_s[t] = max(self.bound_s[t], of.least(t, self.ready[t]))
        for i, slot in enumerate(of.order):
            if slot.task == t:
                self.fits[i] = of.fits(slot, self.ready[t], self.rest[t])

    def _move_on(self) -> None:
        """To the next stage of a task that is not turned away and has a node for it."""
        order = self.setting.order
        while self.decided < len(order):
            slot = order[self.decided]
            if not self.turned_away[slot.task]:
                self.choice = self._choice(slot)
                if self.choice.allowed.any():
                    return
                self._turn_away(slot.task)
            self.open[self.decided] = False
            self.decided += 1
        self.choice = None

    def _turn_away(self, t: int) -> None:
        for k, v in enumerate(self.nodes[t]):
            if v >= 0:
                self.users[self.setting.services[t][k], v] -= 1
        self.asked[:, t] = 0.0
        self.nodes[t] = [-1] * len(self.nodes[t])
        self.turned_away[t] = True
        for i, slot in enumerate(self.setting.order):
            if slot.task == t:
                self.open[i] = False

    def _choice(self, slot: Slot) -> Choice:
        of = self.setting
        t, k, s = slot
        is_new = self.users[s] == 0
        after = self.asked.copy()
        after[:, t] += of.flop[s]
        delay_s = np.maximum(self.bound_s[t], self.ready[t][k] + self.rest[t][k])
        allowed = self.fits[self.decided] & of.carries(self.asked, after)
        allowed &= ~is_new | (self.free_memory >= of.memory[s])
        if of.max_cost < math.inf:
            spent = (of.cost * (self.users > 0).sum(axis=1)).sum()
            allowed &= spent + of.cost[s] * is_new <= of.max_cost
        if of.judge is not None and sum(v < 0 for v in self.nodes[t]) == 1:
            for v in np.flatnonzero(allowed).tolist():
                allowed[v] = self._judged(slot, v)
        grows = np.zeros(of.nodes)
        if of.problem.objective == "cost":
            grows = of.cost[s] * is_new
        elif of.problem.objective == "delay":
            rates = float((of.rate * ~self.turned_away).sum())
            grows = of.rate[t] * (delay_s - self.bound_s[t]) / rates
        begin_s = np.full(of.nodes, math.inf)
        np.subtract(self.ready[t][k], of.compute_s[s], out=begin_s, where=of.can_host[s])
        return Choice(slot, allowed, is_new, begin_s, delay_s, after, grows)

    def _judged(self, slot: Slot, node: int) -> bool:
        """Whether the tasks that are whole with this stage keep the limits, those of links too."""
        judge = self.setting.judge
        assert judge is not None
        assignment = [list(of) if min(of) >= 0 else [] for of in self.nodes]
        assignment[slot.task] = [v if v >= 0 else node for v in self.nodes[slot.task]]
        replicas: list[set[int]] = [set() for _ in self.users]
        for of, nodes in zip(self.setting.services, assignment):
            for s, v in zip(of, nodes):
                replicas[s].add(v)
        serving = [sorted(nodes) for nodes in replicas]
        return bool(_core.keeps_limits(judge._compiled, judge._routes, serving, assignment))
