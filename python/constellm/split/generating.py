"""Autoregressive generation over a split decoder: time to first token, then the loop of the tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import numpy as np

from .. import _core
from .._core.split import Plan, Problem
from ..core.checks import count, instance, real, short
from ..core.console import for_console
from ..core.deprecation import warn_moved
from ..core.display import Display, Displayed
from ..core.interrupt import check_on_interrupt, handed_over
from ..core.keywords import with_hints
from ..core.plausible import warn_implausible
from ..core.progress import waiting
from ..core.quantity import quantity
from .display import NEAR, gap_text, plan_display, problem_display, status_text
from .evaluation import GenerationTerms
from .options import check_options
from .solver import as_plan, with_codecs


@dataclass(frozen=True)
class GenerationProblem(Displayed):
    """A prompt, and the tokens that follow it.

    The prompt flows through the pipeline as in any `Problem`, in `prefill.micro_batches` chunks. Each further
    token then goes once round a loop: every decode stage, every hop with its latency between the first and
    the last host, and the sampled token back along the fastest route. So

        total_s = ttft_s + (new_tokens - 1) * token_s.

    A stage of the loop takes the longer of computing and of reading weights and cache from memory, layer by
    layer, plus the node's `overhead_s` and codec times on the token's activation.

    Parameters
    ----------
    prefill : Problem
        Its layers' `memory_bytes` must hold the cache of prompt and new tokens (`constellm.model.generation`
        makes such profiles). Nodes that host need `flop_per_s`: measured times say nothing of decoding.
    decode : array_like, shape (layers, 3)
        FLOP, bytes read from memory, and bytes of the uncompressed activation per layer for one step at the
        mean context; or a profile with `detail` that has `flop`, `read_bytes` and `output_bytes`.
    new_tokens : int
        n >= 1, the first one included.
    memory_bandwidth_bytes_per_s : float or mapping of node id to float
        Between a node's memory and its processor [B/s], as data sheets have it; infinite where it is not the
        limit.
    token_bytes : float
        What returns to the first host after each step.

    Raises
    ------
    ValueError, TypeError
        For a value out of range; the message names the field, the value and the range.

    Examples
    --------
    See `solve_generation`.

    Examples
    --------
    >>> from constellm import codec, model, network, split
    >>> passes = model.generation("llama-3-8b", prompt_tokens=512, new_tokens=128)
    >>> ring = network.ring(4, flop_per_s=40e12, memory_bytes=8e9, rate_bps=2.5e9, latency_s=0.004)
    >>> prefill = split.Problem(
    ...     model=passes.prefill, network=ring, source="s0", sink="s2", codecs=codec.none(), micro_batches=1
    ... )
    >>> problem = split.GenerationProblem(
    ...     prefill=prefill, decode=passes.decode, new_tokens=128, memory_bandwidth_bytes_per_s=200e9
    ... )
    >>> split.solve_generation(problem).status
    'optimal'
    """

    prefill: Problem
    decode: Any
    new_tokens: int
    memory_bandwidth_bytes_per_s: float | Mapping[str, float] = math.inf
    token_bytes: float = 4.0
    _arguments: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        instance("prefill", self.prefill, Problem)
        object.__setattr__(self, "decode", _decode_table(self.decode))
        self._arguments.update(
            memory_bandwidth_bytes_per_s=self._bandwidths(),
            new_tokens=count("new_tokens", self.new_tokens, most=2**40),
            token_bytes=real("token_bytes", self.token_bytes, least=0),
        )
        _core.split.check_generation(self.prefill, self.decode, **self._arguments)
        bandwidths = "memory_bandwidth_bytes_per_s"
        warn_implausible(bandwidths, self._arguments[bandwidths])

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "memory_bandwidth_bps" in state:  # of version 0.1.0
            arguments = dict(state["_arguments"])
            bits = arguments.pop("memory_bandwidth_bps")
            arguments["memory_bandwidth_bytes_per_s"] = [rate / 8 for rate in bits]
            given = _in_bytes(state["memory_bandwidth_bps"])
            state = {**state, "memory_bandwidth_bytes_per_s": given, "_arguments": arguments}
            del state["memory_bandwidth_bps"]
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"GenerationProblem({self.prefill.name!r}: {self.new_tokens} new tokens, {self.prefill!r})"

    def _display(self) -> Display:
        speeds = self._arguments["memory_bandwidth_bytes_per_s"]
        ends = dict.fromkeys((quantity(min(speeds), "B/s"), quantity(max(speeds), "B/s")))
        flop, read_bytes, _ = self.decode.sum(axis=0)
        lines = [
            f"Generation of {self.new_tokens} tokens after the prompt of {self.prefill.name}",
            f"a token takes {quantity(flop, 'FLOP')} and reads {quantity(read_bytes, 'B')}; "
            f"memory bandwidth {' to '.join(ends)}",
        ]
        prefill = problem_display(self.prefill)
        return Display([*lines, *prefill.lines], prefill.tables)

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
        if isinstance(self.memory_bandwidth_bytes_per_s, Mapping):
            for name in self.memory_bandwidth_bytes_per_s:
                if name not in ids:
                    raise ValueError(f"memory_bandwidth_bytes_per_s: the problem has no node {name!r}")
            given = {
                name: real(f"memory_bandwidth_bytes_per_s[{name!r}]", value, least=0)
                for name, value in self.memory_bandwidth_bytes_per_s.items()
            }
            return [given.get(name, math.inf) for name in ids]
        return [real("memory_bandwidth_bytes_per_s", self.memory_bandwidth_bytes_per_s, least=0)] * len(ids)

    def evaluate(self, plan: Plan, *, requests: int = 1) -> GenerationTerms:
        """What a plan of the prefill is worth for the whole generation.

        Parameters
        ----------
        plan : Plan
            Of the prefill.
        requests : int
            R requests in flight at once, one token of each on its way round the loop.

        Returns
        -------
        GenerationTerms
            ``ttft_s``, ``token_s``, ``total_s``, ``decode_bottleneck_s``; ``energy_j`` and ``bytes`` of
            prefill and decode; ``tokens_per_s`` = min(R / token_s, 1 / decode_bottleneck_s).

        Raises
        ------
        TypeError, ValueError
            For what is no plan of the prefill, or `requests` that are not in [1, 2^53].
        """
        requests = count("requests", requests, most=2**53)
        as_plan(plan)
        if not plan.path:
            raise ValueError(f"plan of status {plan.status!r} holds nothing to evaluate")
        return _core.split.evaluate_generation(
            with_codecs(self.prefill, plan.codecs),
            self.decode,
            path=plan.path,
            stages=plan.stages,
            requests=requests,
            **self._arguments,
        )


@dataclass(frozen=True)
class GenerationPlan(Displayed):
    """The answer of `solve_generation`: a plan of the prefill, and what is proven of `total_s`.

    Attributes
    ----------
    problem : GenerationProblem
    plan : Plan
        Of `problem.prefill`, with the prefill's figures. It claims no bound of its own: ``"feasible"``, or
        ``"no_plan_found"``.
    status : str
        What is proven: ``"optimal"``, ``"infeasible"``, ``"time_limit"``, ``"interrupted"``.
    lower_bound_s : float
        No plan has a smaller `total_s` [s]; infinite where no plan exists.
    terms : GenerationTerms or None
        What `problem.evaluate` says of the plan; None without one.

    Examples
    --------
    >>> from constellm import codec, model, network, split
    >>> passes = model.generation("llama-3-8b", prompt_tokens=512, new_tokens=128)
    >>> ring = network.ring(4, flop_per_s=40e12, memory_bytes=8e9, rate_bps=2.5e9, latency_s=0.004)
    >>> prefill = split.Problem(
    ...     model=passes.prefill, network=ring, source="s0", sink="s2", codecs=codec.none(), micro_batches=1
    ... )
    >>> problem = split.GenerationProblem(
    ...     prefill=prefill, decode=passes.decode, new_tokens=128, memory_bandwidth_bytes_per_s=200e9
    ... )
    >>> plan = split.solve_generation(problem)
    >>> plan.status, plan.total_s == plan.ttft_s + 127 * plan.token_s
    ('optimal', True)
    """

    problem: GenerationProblem
    plan: Plan
    status: str
    lower_bound_s: float
    terms: GenerationTerms | None

    def __repr__(self) -> str:
        if self.terms is None:
            return f"GenerationPlan({self.problem.prefill.name!r}: {self.status}, no plan)"
        return for_console(
            f"GenerationPlan({self.problem.prefill.name!r}: {self.status}, first token after "
            f"{quantity(self.ttft_s, 's')}, then {quantity(self.token_s, 's')} a token, "
            f"{quantity(self.total_s, 's')} in all)"
        )

    def _display(self) -> Display:
        head = f"Generation with {self.problem.prefill.name}: {status_text(self.status)}"
        shown = plan_display(self.plan)
        if self.terms is None:
            return Display([head, *shown.lines[1:]])
        terms = self.terms
        lines = [
            head,
            f"first token after {quantity(terms.ttft_s, 's')}, then {quantity(terms.token_s, 's')} a token: "
            f"{quantity(terms.total_s, 's', digits=NEAR)} for {self.problem.new_tokens} tokens",
            f"proven: none in less than {quantity(self.lower_bound_s, 's', digits=NEAR)}; "
            f"gap {gap_text(self.gap)}",
            f"{terms.tokens_per_s:.3g} tokens/s, {quantity(terms.bytes, 'B')} sent, "
            f"energy {quantity(terms.energy_j, 'J')}",
            "Prefill: " + "; ".join(shown.lines[2:]),
        ]
        return Display(lines, shown.tables, shown.picture)

    def __setstate__(self, state: dict[str, Any]) -> None:
        terms = state["terms"]
        if isinstance(terms, dict):  # as version 0.1.0 had it, empty without a plan
            terms = GenerationTerms(**terms) if terms else None
        self.__dict__.update({**state, "terms": terms})

    @property
    def ttft_s(self) -> float:
        """Time to first token [s]; NaN without a plan."""
        return math.nan if self.terms is None else self.terms.ttft_s

    @property
    def token_s(self) -> float:
        """Time per further token [s]; NaN without a plan."""
        return math.nan if self.terms is None else self.terms.token_s

    @property
    def total_s(self) -> float:
        """Time of the whole generation [s]; NaN without a plan."""
        return math.nan if self.terms is None else self.terms.total_s

    @property
    def gap(self) -> float:
        """(`total_s` - `lower_bound_s`) / `total_s`; NaN without a plan."""
        if self.total_s == 0:
            return 0.0
        return (self.total_s - self.lower_bound_s) / self.total_s


def solve_generation(
    problem: GenerationProblem, *, time_limit_s: float = math.inf, on_interrupt: str = "return"
) -> GenerationPlan:
    """The plan of least `total_s` under the prefill problem's limits, by exact search.

    The return of the token depends on both ends of the plan; one search for each first host makes that exact.
    The energy limit covers prefill and decode.

    Parameters
    ----------
    problem : GenerationProblem
        A prompt, and the tokens that follow it.
    time_limit_s : float
        Stop after this time [s], with the best plan so far and a true bound.
    on_interrupt : str
        As of `constellm.split.solve`; `Interrupted` then carries the answer.

    Returns
    -------
    GenerationPlan

    Raises
    ------
    TypeError, ValueError
        For what is no generation problem, or an argument out of range.
    Interrupted
        See `on_interrupt`.

    Examples
    --------
    >>> import constellm as clm
    >>> passes = clm.model.generation("llama-3-8b", prompt_tokens=512, new_tokens=128)
    >>> network = clm.network.chain(4, flop_per_s=40e12, memory_bytes=8e9, rate_bps=2.5e9, two_way=True)
    >>> prefill = clm.split.Problem(model=passes.prefill, network=network, codecs=clm.codec.none())
    >>> plan = clm.split.solve_generation(
    ...     clm.split.GenerationProblem(
    ...         prefill=prefill, decode=passes.decode, new_tokens=128, memory_bandwidth_bytes_per_s=200e9
    ...     )
    ... )
    >>> plan.status, len(plan.plan.stages), plan.total_s == plan.ttft_s + 127 * plan.token_s
    ('optimal', 3, True)
    """
    instance("problem", problem, GenerationProblem)
    check_on_interrupt(on_interrupt)
    limit = check_options({"time_limit_s": time_limit_s})["time_limit_s"]
    with waiting("solve generation", limit_s=limit):
        plan, status, lower_bound_s = _core.split.solve_generation(
            problem.prefill, problem.decode, time_limit_s=limit, **problem._arguments
        )
    terms = problem.evaluate(plan) if plan.path else None
    found = GenerationPlan(problem, plan, status, lower_bound_s, terms)
    return handed_over(found, interrupted=status == "interrupted", on_interrupt=on_interrupt)


def _old_bandwidth(self: GenerationProblem) -> float | dict[str, float]:
    warn_moved("memory_bandwidth_bps in bit/s", "memory_bandwidth_bytes_per_s in B/s")
    given = self.memory_bandwidth_bytes_per_s
    return {name: 8 * rate for name, rate in given.items()} if isinstance(given, Mapping) else 8 * given


_new = with_hints(GenerationProblem).__init__


@wraps(_new)
def _with_old_bandwidth(
    self: GenerationProblem,
    *args: Any,
    memory_bandwidth_bps: float | Mapping[str, float] | None = None,
    **keywords: Any,
) -> None:
    if memory_bandwidth_bps is not None:
        warn_moved(
            "GenerationProblem(memory_bandwidth_bps=...) in bit/s", "memory_bandwidth_bytes_per_s=... in B/s"
        )
        keywords["memory_bandwidth_bytes_per_s"] = _in_bytes(memory_bandwidth_bps)
    _new(self, *args, **keywords)


# No field of the dataclass: its `replace` would give the old value again, beside the new one.
setattr(GenerationProblem, "__init__", _with_old_bandwidth)  # noqa: B010
setattr(GenerationProblem, "memory_bandwidth_bps", property(_old_bandwidth))  # noqa: B010


def _in_bytes(bits_per_s: float | Mapping[str, float]) -> float | dict[str, float]:
    if isinstance(bits_per_s, Mapping):
        return {
            name: real(f"memory_bandwidth_bps[{name!r}]", v, least=0) / 8 for name, v in bits_per_s.items()
        }
    return real("memory_bandwidth_bps", bits_per_s, least=0) / 8


def _decode_table(decode: Any) -> np.ndarray:
    if hasattr(decode, "detail"):
        decode = [(layer.flop, layer.read_bytes, layer.output_bytes) for layer in decode.detail]
    try:
        given = np.asarray(decode)
    except ValueError:  # rows of unequal length
        given = np.asarray(None)
    if given.dtype.kind not in "iuf":
        raise TypeError(f"decode: expected numbers of shape (layers, 3), got {short(decode)}")
    table = np.array(given, dtype=float)
    table.setflags(write=False)
    return table
