"""When every stage and hop of a plan works on every micro-batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._core import Plan
from .solver import evaluate

PHASES = ("overhead", "decode", "compute", "encode", "transmit")


@dataclass(frozen=True)
class Server:
    """A stage or a hop: it serves one micro-batch at a time, in order.

    Attributes
    ----------
    name
        The node's id, or ``'sender → receiver'``.
    kind
        ``'stage'`` or ``'hop'``.
    phases
        What the time of one micro-batch goes into, in order: (one of `PHASES`, seconds), without empty ones.
    time_s
        Seconds per micro-batch, as the evaluator sums them.
    latency_s
        Seconds from its finish until the next server, or the sink, has the micro-batch.
    """

    name: str
    kind: str
    phases: tuple[tuple[str, float], ...]
    time_s: float
    latency_s: float


@dataclass(frozen=True, eq=False)
class Schedule:
    """The flow line of a plan.

    Attributes
    ----------
    servers
        Stages and hops in path order; a node that only relays is none.
    start_s, finish_s
        Read-only arrays of shape (servers, micro_batches), seconds since the start.
    makespan_s
        When the sink has the last result.
    bottleneck
        Index of the slowest server, the first of equals.
    """

    servers: tuple[Server, ...]
    start_s: NDArray[np.float64]
    finish_s: NDArray[np.float64]
    makespan_s: float
    bottleneck: int


def schedule(plan: Plan) -> Schedule:
    """The exact flow-line schedule of `plan`, computed from the evaluator's terms.

    Micro-batch m starts at server i when it has come from server i - 1 and server i has finished
    micro-batch m - 1::

        start[i, m] = max(finish[i - 1, m] + latency[i - 1], finish[i, m - 1])

    The makespan is the plan's ``delay_s`` up to rounding: with deterministic times and buffers that never
    block, the closed form of the evaluator is this recursion's value.

    Raises
    ------
    ValueError
        If `plan` holds no stages, as that of an infeasible problem.
    """
    servers = _servers(plan)
    turn = np.arange(plan.problem.micro_batches, dtype=float)
    start = np.empty((len(servers), turn.size))
    arrival = np.zeros_like(turn)
    for row, server in zip(start, servers):
        # With equal times t the recursion over m has the solution max over k <= m of arrival[k] + (m - k) t.
        row[:] = np.maximum.accumulate(arrival - turn * server.time_s) + turn * server.time_s
        arrival = row + (server.time_s + server.latency_s)
    finish = start + np.array([[server.time_s] for server in servers])
    start.setflags(write=False)
    finish.setflags(write=False)
    return Schedule(
        servers=servers,
        start_s=start,
        finish_s=finish,
        makespan_s=float(arrival[-1]),
        bottleneck=int(np.argmax([server.time_s for server in servers])),
    )


def _servers(plan: Plan) -> tuple[Server, ...]:
    terms = evaluate(plan.problem, plan)
    stage_of = {stage["node"]: stage for stage in terms["stages"]}
    servers = []
    for position, node in enumerate(plan.path):
        if node in stage_of:
            stage = stage_of[node]
            phases = [(phase, stage[f"{phase}_s"]) for phase in PHASES[:-1]]
            servers.append(_server(node, "stage", phases, stage["time_s"], 0.0))
        if position < len(terms["hops"]):
            hop = terms["hops"][position]
            name = f"{hop['from']} → {hop['to']}"
            phases = [("transmit", hop["time_s"])]
            servers.append(_server(name, "hop", phases, hop["time_s"], hop["latency_s"]))
    return tuple(servers)


def _server(name: str, kind: str, phases: list[tuple[str, float]], time_s: float, latency_s: float) -> Server:
    return Server(name, kind, tuple(phase for phase in phases if phase[1] > 0.0), time_s, latency_s)
