"""Autoregressive generation over a split decoder: time to first token, then the loop of the tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _core
from .._core import Plan, Problem
from .options import check_options


@dataclass(frozen=True)
class GenerationProblem:
    """A prompt, and the tokens that follow it.

    The prompt flows through the pipeline as in any `Problem`, in `prefill.micro_batches` chunks. Each further
    token then goes once round a loop: every decode stage, every hop with its latency between the first and the
    last host, and the sampled token back along the fastest route. So

        total_s = ttft_s + (new_tokens - 1) * token_s.

    A stage of the loop takes the longer of computing and of reading weights and cache from memory, layer by
    layer, plus the node's `overhead_s` and codec times on the token's activation.

    Parameters
    ----------
    prefill : Problem
        Its layers' `memory_bytes` must hold the cache of prompt and new tokens (`constellm.model.generation`
        makes such profiles). Nodes that host need `flop_per_s`: measured prefill times say nothing of decoding.
    decode : array_like, shape (layers, 3)
        FLOP, bytes read from memory, and bytes of the uncompressed activation per layer for one step at the
        mean context; or a profile with `detail` that has `flop`, `read_bytes` and `output_bytes`.
    new_tokens : int
        n >= 1, the first one included.
    memory_bandwidth_bps : float or mapping of node id to float
        Bit/s between a node's memory and its processor; infinite where it is not the limit.
    token_bytes : float
        What returns to the first host after each step.
    """

    prefill: Problem
    decode: Any
    new_tokens: int
    memory_bandwidth_bps: float | Mapping[str, float] = math.inf
    token_bytes: float = 4.0
    _arguments: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        decode = self.decode
        if hasattr(decode, "detail"):
            decode = [(layer.flop, layer.read_bytes, layer.output_bytes) for layer in decode.detail]
        table = np.array(decode, dtype=float)
        table.setflags(write=False)
        object.__setattr__(self, "decode", table)
        if isinstance(self.new_tokens, bool) or not isinstance(self.new_tokens, int):
            raise TypeError(f"new_tokens: expected an integer, got {self.new_tokens!r}")
        self._arguments.update(
            memory_bandwidth_bps=self._bandwidths(),
            new_tokens=self.new_tokens,
            token_bytes=float(self.token_bytes),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GenerationProblem):
            return NotImplemented
        return (
            self.prefill == other.prefill
            and np.array_equal(self.decode, other.decode)
            and self._arguments == other._arguments
        )

    def _bandwidths(self) -> list[float]:
        ids = [node.id for node in self.prefill.nodes]
        if isinstance(self.memory_bandwidth_bps, Mapping):
            for name in self.memory_bandwidth_bps:
                if name not in ids:
                    raise ValueError(f"memory_bandwidth_bps: the problem has no node {name!r}")
            return [float(self.memory_bandwidth_bps.get(name, math.inf)) for name in ids]
        return [float(self.memory_bandwidth_bps)] * len(ids)

    def evaluate(self, plan: Plan, *, requests: int = 1) -> dict[str, float]:
        """What a plan of the prefill is worth for the whole generation.

        Parameters
        ----------
        requests
            R requests in flight at once, one token of each on its way round the loop.

        Returns
        -------
        dict
            ``ttft_s``, ``token_s``, ``total_s``, ``decode_bottleneck_s``; ``energy_j`` and ``bytes`` of prefill and
            decode; ``tokens_per_s`` = min(R / token_s, 1 / decode_bottleneck_s).
        """
        if isinstance(requests, bool) or not isinstance(requests, int) or requests < 1:
            raise ValueError(f"requests: {requests!r} is not an integer >= 1")
        if not plan.path:
            raise ValueError(f"plan of status {plan.status!r} holds nothing to evaluate")
        terms: dict[str, float] = _core.evaluate_generation(
            self.prefill, self.decode, path=plan.path, stages=plan.stages, **self._arguments
        )
        round_s, slowest_s = terms["token_s"], terms["decode_bottleneck_s"]
        terms["tokens_per_s"] = min(
            requests / round_s if round_s > 0 else math.inf, 1 / slowest_s if slowest_s > 0 else math.inf
        )
        return terms


def solve_generation(problem: GenerationProblem, *, time_limit_s: float = math.inf) -> Plan:
    """The plan of least `total_s` under the prefill problem's limits, by exact search.

    The return of the token depends on both ends of the plan; one search for each first host makes that exact.
    The energy limit covers prefill and decode.

    Returns
    -------
    Plan
        Of the prefill problem: its figures are the prefill's, `lower_bound_s` is of `total_s`, and
        `problem.evaluate(plan)` has the rest.
    """
    limit = check_options({"time_limit_s": time_limit_s})["time_limit_s"]
    return _core.solve_generation(problem.prefill, problem.decode, time_limit_s=limit, **problem._arguments)
