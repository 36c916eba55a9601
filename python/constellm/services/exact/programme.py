"""The mixed-integer programme of a placement: every constraint with its formula.

Binary columns: y[s, v], service s has a replica at node v; x[k, v], that replica serves slot k (a stage of a
task). Of a service with one replica in every plan looked for, x[k, v] *is* y[s, v]. Continuous columns
carry the data between slots, g[e, a] on physical links (form ``flow``) or z[e, u, v] between nodes (form
``pair``), and say when a stage begins that waits for several inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .capacity import add_capacity
from .highs import Sparse
from .instance import ENDPOINT, Floats, Ints, Mask, is_box
from .preprocessing import Reduction, left_after_s
from .rows import INF, Linear, Rows, linear, total

Assignment = Sequence[Sequence[int]]
FORMS = ("flow", "pair")


class Programme:
    """Of one reduction; rows for links and forbidden combinations may be added after a solution was judged.

    Several may share their `rows`: then they are one programme. `spare` [services, nodes] are places of
    replicas that no slot could use.
    """

    def __init__(
        self,
        reduction: Reduction,
        *,
        form: str,
        admits_all: bool,
        needs_delay: bool,
        rows: Rows | None = None,
        spare: Mask | None = None,
    ) -> None:
        self.reduction, self.instance = reduction, reduction.instance
        self.form, self.admits_all = form, admits_all
        self.rows = Rows() if rows is None else rows
        self._place(spare)
        self._replicas()
        self._assign()
        self._memory()
        self._broken: Ints = self._samples()
        self._node_loads()
        timed = [t for t in range(self.instance.tasks) if needs_delay or np.isfinite(reduction.deadline_s[t])]
        self.delay_s: dict[int, Linear] = {}
        self._pairs: dict[int, tuple[Ints, Ints, Ints]] = {}
        for task in timed:
            self.delay_s[task] = self._delay(task)
        self._deadlines()
        self._impossible_pairs()

    # Columns --------------------------------------------------------------------------------------

    def _place(self, spare: Mask | None) -> None:
        """y[s, v], x[k, v] ∈ {0, 1}, only where allowed; a[t] ∈ {0, 1}: task t is admitted."""
        instance, allowed = self.instance, self.reduction.allowed
        self.y = np.full((instance.services, instance.nodes), -1, dtype=np.int64)
        used = np.zeros_like(self.y, dtype=bool) if spare is None else spare.copy()
        np.logical_or.at(used, instance.slot_service, allowed)
        self.y[used] = self.rows.add_columns(int(used.sum()), high=1.0, integer=True)
        self.x = np.full((instance.slots, instance.nodes), -1, dtype=np.int64)
        own = allowed & ~self.reduction.single[instance.slot_service][:, None]
        self.x[own] = self.rows.add_columns(int(own.sum()), high=1.0, integer=True)
        shared = allowed & self.reduction.single[instance.slot_service][:, None]
        self.x[shared] = self.y[instance.slot_service][shared]
        self.admitted = (
            np.full(instance.tasks, -1, dtype=np.int64)
            if self.admits_all
            else self.rows.add_columns(instance.tasks, high=1.0, integer=True)
        )

    # Placing --------------------------------------------------------------------------------------

    def _replicas(self) -> None:
        """n_s ≤ Σ_v y[s, v] ≤ N_s; Σ_{s in K} Σ_v y[s, v] ≥ |K| + 1 for services K that cannot all have
        one."""
        instance, reduction = self.instance, self.reduction
        service, node = np.nonzero(self.y >= 0)
        self.rows.add_rows(
            instance.services,
            service,
            self.y[service, node],
            1.0,
            reduction.least_replicas.astype(float),
            reduction.most_replicas.astype(float),
        )
        for conflict in reduction.conflicts:
            columns = self.y[list(conflict)].ravel()
            self.rows.add_rows(1, 0, columns, 1.0, len(conflict) + 1.0, INF)

    def _assign(self) -> None:
        """Σ_v x[k, v] = 1, or a[t]; x[k, v] ≤ y[s, v]."""
        instance = self.instance
        slot, node = np.nonzero(self.x >= 0)
        if self.admits_all:
            self.rows.add_rows(instance.slots, slot, self.x[slot, node], 1.0, 1.0, 1.0)
        else:
            row = np.concatenate([slot, np.arange(instance.slots)])
            column = np.concatenate([self.x[slot, node], self.admitted[instance.slot_task]])
            value = np.concatenate([np.ones(len(slot)), np.full(instance.slots, -1.0)])
            self.rows.add_rows(instance.slots, row, column, value, 0.0, 0.0)
        y = self.y[instance.slot_service[slot], node]
        row = np.arange(len(slot))
        own = self.x[slot, node] != y
        row, slot, node, y = np.arange(int(own.sum())), slot[own], node[own], y[own]
        self.rows.add_rows(
            len(row),
            np.concatenate([row, row]),
            np.concatenate([self.x[slot, node], y]),
            np.concatenate([np.ones(len(row)), np.full(len(row), -1.0)]),
            -INF,
            0.0,
        )

    def _memory(self) -> None:
        """Σ_s m_s y[s, v] ≤ M_v."""
        instance = self.instance
        service, node = np.nonzero(self.y >= 0)
        limit = instance.memory_limit_bytes
        share = instance.service_memory_bytes[service] / np.where(limit[node] > 0, limit[node], 1.0)
        self.rows.add_rows(instance.nodes, node, self.y[service, node], share, -INF, 1.0)

    # Loads ----------------------------------------------------------------------------------------

    def _samples(self) -> Ints:
        """b[i] ∈ {0, 1}: sample i overloads something; Σ_i b[i] ≤ how many may."""
        instance = self.instance
        if instance.samples is None or not instance.may_break:
            return np.empty(0, dtype=np.int64)
        columns = self.rows.add_columns(len(instance.samples), high=1.0, integer=True)
        self.rows.add_rows(1, 0, columns, 1.0, -INF, float(instance.may_break))
        return columns

    def _node_loads(self) -> None:
        """Load of v from the slots there ≤ c_v; of a service's slots alone ≤ c_v y[s, v] (nominal rates)."""
        instance = self.instance
        for v in range(instance.nodes):
            slots = np.flatnonzero(self.x[:, v] >= 0)
            capacity = float(instance.node_capacity_flop_per_s[v])
            loads = self._load_of_slots(slots, v)
            add_capacity(self.rows, instance, loads, capacity, self._broken)
            if instance.samples is not None:
                continue
            rates = instance.rate_per_s + (instance.deviation_per_s if is_box(instance) else 0.0)
            for s in np.unique(instance.slot_service[slots]).tolist():
                mine = slots[instance.slot_service[slots] == s]
                share = instance.service_flop[s] * rates[instance.slot_task[mine]] / capacity
                if len(mine) > 1 and share.sum() > 1.0:
                    column = np.append(self.x[mine, v], self.y[s, v])
                    self.rows.add_rows(1, 0, column, np.append(share, -1.0), -INF, 0.0)

    def _load_of_slots(self, slots: Ints, node: int) -> dict[int, Linear]:
        """By task, a request."""
        instance = self.instance
        return {
            t: linear(self.x[mine, node], instance.service_flop[instance.slot_service[mine]])
            for t in np.unique(instance.slot_task[slots]).tolist()
            for mine in (slots[instance.slot_task[slots] == t],)
        }

    def add_link(self, link: int) -> None:
        """Load of a link from the transfers whose route takes it ≤ its capacity.

        From a source or to a sink it is linear in x. Between slots: with pairs Σ z[e, u, v] over routes that
        take it, else q[e] ≥ x[k, u] + Σ_{v: the route from u to v takes it} x[j, v] − 1 for each u, q[e] ≥ 0.
        """
        instance = self.instance
        loads: dict[int, list[Linear]] = {}
        for e in range(len(instance.transfer_task)):
            if not instance.transfer_bytes[e]:
                continue
            used = self._use_of_link(e, link)
            if used is not None:
                task = int(instance.transfer_task[e])
                loads.setdefault(task, []).append(used.times(8.0 * float(instance.transfer_bytes[e])))
        capacity = float(instance.link_capacity_bps[link])
        of_tasks = {t: total(terms) for t, terms in loads.items()}
        add_capacity(self.rows, instance, of_tasks, capacity, self._broken)

    def _use_of_link(self, e: int, link: int) -> Linear | None:
        instance = self.instance
        k, j, task = self._ends(e)
        if k == ENDPOINT:
            source = int(instance.source[task])
            targets = np.flatnonzero(self.x[j] >= 0)
            takes = [v for v in targets.tolist() if link in instance.route(e, source, v)]
            return linear(self.x[j, takes], 1.0) if takes else None
        origins = np.flatnonzero(self.x[k] >= 0)
        if j == ENDPOINT:
            sink = int(instance.sink[task])
            takes = [u for u in origins.tolist() if link in instance.route(e, u, sink)]
            return linear(self.x[k, takes], 1.0) if takes else None
        if e in self._pairs:
            us, vs, columns = self._pairs[e]
            takes = [i for i in range(len(us)) if link in instance.route(e, int(us[i]), int(vs[i]))]
            return linear(columns[takes], 1.0) if takes else None
        seconds = self.reduction.seconds(e)
        q = None
        for u in origins.tolist():
            targets = np.flatnonzero((self.x[j] >= 0) & np.isfinite(seconds[u]))
            takes = [v for v in targets.tolist() if link in instance.route(e, u, v)]
            if takes:
                q = int(self.rows.add_columns(1)[0]) if q is None else q
                left = linear(self.x[k, u], 1.0).plus(linear(self.x[j, takes], 1.0))
                self.rows.at_most(left.plus(linear(q, -1.0)), 1.0)
        return None if q is None else linear(q, 1.0)

    # Times ----------------------------------------------------------------------------------------

    def _delay(self, task: int) -> Linear:
        """End of the last stage and the way to the sink.

        end(j) = begin(j) + Σ_v f_l / c_v x[j, v]; begin of a stage with one input: end(k) + seconds of the
        transfer; with several: a column b[j] ≥ each. So a chain needs no column of its own.
        """
        instance = self.instance
        end: dict[int, Linear] = {}
        for j in instance.slots_of(task):
            came = []
            for e in instance.inputs_of(j):
                k = int(instance.transfer_from[e])
                way = self._seconds(e)
                came.append(way if k == ENDPOINT else end[k].plus(way))
            if len(came) > 1:
                # In a unit of about its own size: what a solver leaves open is then as little of it.
                unit = max(float(np.max(np.abs(one.value), initial=0.0)) for one in came) or 1.0
                begin = linear(self.rows.add_columns(1), unit)
                for one in came:
                    self.rows.at_most(one.plus(begin.times(-1.0)), 0.0)
            else:
                begin = came[0]
            nodes = np.flatnonzero(self.x[j] >= 0)
            end[j] = begin.plus(linear(self.x[j, nodes], instance.compute_s[j, nodes]))
        return end[instance.slots_of(task)[-1]].plus(self._seconds(instance.way_out(task)))

    def _seconds(self, e: int) -> Linear:
        """Of a transfer: Σ_v τ(source, v) x[j, v]; Σ_u τ(u, sink) x[k, u]; else by its form."""
        instance = self.instance
        k, j, task = self._ends(e)
        if k == ENDPOINT:
            nodes = np.flatnonzero(self.x[j] >= 0)
            return linear(self.x[j, nodes], self.reduction.seconds(e)[0][nodes])
        if j == ENDPOINT:
            nodes = np.flatnonzero(self.x[k] >= 0)
            return linear(self.x[k, nodes], self.reduction.seconds(e)[nodes, instance.sink[task]])
        if np.array_equal(self.x[k], self.x[j]):
            return linear()
        return self._on_links(e) if self.form == "flow" else self._on_pairs(e)

    def _on_links(self, e: int) -> Linear:
        """x[k, w] + Σ_{a into w} g[e, a] = x[j, w] + Σ_{a out of w} g[e, a] for each w; Σ_a τ_e(a) g[e, a]
        seconds.

        A link is left out that makes its task too late.
        """
        instance, reduction = self.instance, self.reduction
        k, j, task = self._ends(e)
        seconds = instance.link_seconds(e)
        table = reduction.seconds(e)
        to, origin = instance.link_to, instance.link_from
        reached = np.where(reduction.allowed[k][:, None], reduction.head_s[k][:, None] + table, INF).min(
            axis=0
        )
        with np.errstate(invalid="ignore"):
            left = left_after_s(reduction, e)
            through = reached[origin] + seconds + left[to]
        kept = np.flatnonzero(np.isfinite(through) & (through <= reduction.deadline_s[task] * (1 + 1e-9)))
        g = self.rows.add_columns(len(kept), high=1.0)
        nodes_k, nodes_l = np.flatnonzero(self.x[k] >= 0), np.flatnonzero(self.x[j] >= 0)
        self.rows.add_rows(
            instance.nodes,
            np.concatenate([nodes_k, to[kept], nodes_l, origin[kept]]),
            np.concatenate([self.x[k, nodes_k], g, self.x[j, nodes_l], g]),
            np.concatenate([np.ones(len(nodes_k) + len(g)), np.full(len(nodes_l) + len(g), -1.0)]),
            0.0,
            0.0,
        )
        return linear(g, seconds[kept])

    def _on_pairs(self, e: int) -> Linear:
        """Σ_v z[e, u, v] = x[k, u]; Σ_u z[e, u, v] = x[j, v]; Σ τ(u, v) z[e, u, v] seconds."""
        instance, reduction = self.instance, self.reduction
        k, j, _ = self._ends(e)
        us, vs = np.nonzero(reduction.pairs(e))
        z = self.rows.add_columns(len(us), high=1.0)
        self._pairs[e] = (us, vs, z)
        for slot, ends in ((k, us), (j, vs)):
            nodes = np.flatnonzero(self.x[slot] >= 0)
            self.rows.add_rows(
                instance.nodes,
                np.concatenate([ends, nodes]),
                np.concatenate([z, self.x[slot, nodes]]),
                np.concatenate([np.ones(len(z)), np.full(len(nodes), -1.0)]),
                0.0,
                0.0,
            )
        return linear(z, reduction.seconds(e)[us, vs])

    def _deadlines(self) -> None:
        """delay(t) ≤ D_t, or D_t a[t]."""
        for task, delay in self.delay_s.items():
            limit = float(self.reduction.deadline_s[task])
            if not np.isfinite(limit):
                continue
            if self.admits_all:
                self.rows.at_most(delay, limit)
            else:
                self.rows.at_most(delay.times(1.0 / limit).plus(linear(self.admitted[task], -1.0)), 0.0)

    def _impossible_pairs(self) -> None:
        """x[k, u] + Σ_{v: no way, or data from u outlives a link at its earliest} x[j, v] ≤ 1."""
        instance, reduction = self.instance, self.reduction
        for e in range(len(instance.transfer_task)):
            k, j, _ = self._ends(e)
            if k == ENDPOINT or j == ENDPOINT or e in self._pairs:
                continue
            late = ~np.isfinite(reduction.in_time_s(e))
            for u in np.flatnonzero(reduction.allowed[k]).tolist():
                targets = np.flatnonzero(late[u] & reduction.allowed[j])
                if len(targets):
                    self.forbid([int(self.x[k, u])], self.x[j, targets])

    # Rows after a solution was judged -------------------------------------------------------------

    def forbid(self, columns: list[int], anyone: Ints | None = None, but: Ints | None = None) -> None:
        """Σ columns + Σ anyone ≤ their count without `anyone`, or less 1 where none is given, + Σ but."""
        together = sorted(set(columns))
        left = linear(together, 1.0)
        if but is not None:
            left = left.plus(linear(but, -1.0))
        if anyone is None:
            self.rows.at_most(left, len(together) - 1.0)
        else:
            self.rows.at_most(left.plus(linear(np.setdiff1d(anyone, together), 1.0)), float(len(together)))

    # Objectives -----------------------------------------------------------------------------------

    def cost(self) -> Linear:
        """Σ c_s y[s, v]."""
        service, node = np.nonzero(self.y >= 0)
        return linear(self.y[service, node], self.instance.service_cost[service])

    def mean_delay_s(self) -> Linear:
        """Σ_t r_t delay(t) / Σ_t r_t."""
        rate = self.instance.rate_per_s
        return total([self.delay_s[t].times(float(rate[t] / rate.sum())) for t in range(self.instance.tasks)])

    def rejected_weight(self) -> Linear:
        """Σ_t w_t (1 − a[t])."""
        weight = self.instance.weight
        return linear(self.admitted, -weight, float(weight.sum()))

    def finish(self, objective: Linear) -> Sparse:
        """Its constant is left out."""
        return self.rows.finish(objective)

    # Between columns and assignments --------------------------------------------------------------

    def assignment(self, x: Floats) -> Assignment:
        """The node of each stage of each task; none where a task is not admitted."""
        found: list[list[int]] = []
        for task in range(self.instance.tasks):
            slots = self.instance.slots_of(task)
            if not self.admits_all and x[self.admitted[task]] < 0.5:
                found.append([])
                continue
            values = np.where(self.x[slots] >= 0, x[self.x[slots]], -1.0)
            found.append(values.argmax(axis=1).tolist())
        return found

    def start(self, assignment: Assignment) -> dict[int, float] | None:
        """Integer columns of an assignment; None where it is not within the reduction."""
        instance = self.instance
        values = dict.fromkeys([*self.y[self.y >= 0].tolist(), *self.x[self.x >= 0].tolist()], 0.0)
        for task, nodes in enumerate(assignment):
            if not self.admits_all:
                values[int(self.admitted[task])] = float(bool(nodes))
            for k, v in zip(instance.slots_of(task), nodes):
                if self.x[k, v] < 0:
                    return None
                values[int(self.x[k, v])] = values[int(self.y[instance.slot_service[k], v])] = 1.0
        if len(self._broken):
            return None
        return values

    def _ends(self, e: int) -> tuple[int, int, int]:
        instance = self.instance
        return int(instance.transfer_from[e]), int(instance.transfer_to[e]), int(instance.transfer_task[e])
