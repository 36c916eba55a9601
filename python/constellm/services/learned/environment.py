"""A Gymnasium environment whose episodes place one problem each, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Union

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ...core.checks import count, instance, positive
from ..arguments import instances, texts
from ..placement import placement_of
from ..problem import Problem
from .adversary import DemandRule, demand_rule, overload
from .episode import Episode
from .features import FEATURES, features
from .setting import Setting, scale_of

Problems = Union[Sequence[Problem], Callable[[int], Problem]]
Observation = NDArray[np.float32]

SEEDS = 2**31


class PlacementEnv(gymnasium.Env):
    """Places services one stage after another; for agents of Gymnasium.

    An episode is one problem. Stages of core services are decided first, those of light ones second; where
    delay is minimised in the order of the tasks, else service by service, the dearest first, of its stages
    those that fewest nodes can serve first. An action is the node of the next stage.

    **Masks.** A node is allowed if it may host the service and has the memory for a replica, if the load
    stays within its limit, if the task can still be within its deadline, and replicas within ``max_cost``;
    where links can be overloaded or end, the evaluator is asked when a task is whole. A node that is not
    allowed is replaced by the allowed one that lets the objective grow least, of equal ones that with the
    least delay of the task, then the first. Where no node is allowed the task is turned away: its stages are
    taken back, and the next decision follows.

    **Rewards** are what the objective's first term grows by, negative and divided by ``scale``: of replicas
    that start, the cost; of delay, the growth of a lower bound of the mean, which the last decisions close;
    of tasks turned away, the weight. The sum over an episode is ``(start - objective) / scale -
    penalty * (unserved + overload)``, with the objective of the one evaluator: ``start`` is what it was
    known to be at least before the first decision, ``unserved`` the tasks turned away that had to be
    served, ``overload`` what the demand that comes is above the limits of nodes and links, each relative to
    its own. ``info`` has all of them at the end.

    **Demand** becomes known after the last decision. With ``guard="worst"`` every node keeps its limit in the
    worst case of the demand set, so that no demand of the set is above it; with ``"nominal"`` an agent has to
    learn how much to leave. A problem with samples has no deviations: nothing comes beside them, and its
    ``overload`` is 0.

    Parameters
    ----------
    problems : sequence of Problem, or callable
        Problems with one number of nodes, of which a reset draws one; or a function from a number in
        [0, 2^31) to such a problem. An environment pickles if that does.
    core : sequence of str, optional
        Names of services that are decided first; default: those that several tasks use.
    guard : str
        ``"worst"`` or ``"nominal"``: the demand that masks look at.
    demand : str or callable
        What comes: ``"nominal"``, ``"random"`` (a corner of the set, the tasks that are raised drawn),
        ``"worst"`` (what loads a node or a link of this placement most, by its limit), or a function
        ``(problem, placement, random) -> shares`` (tasks,) in [0, 1] of the deviations, with a
        `numpy.random.Generator`; what is above the problem's budget is scaled down to it.
    penalty : float
        Of a task that is not served, and of an overload by 100 %, in rewards, > 0.

    Attributes
    ----------
    observation_space : gymnasium.spaces.Box
        (nodes · features,) float32 in [0, 1]: a row of `services.FEATURES` a node, one after the other.
    action_space : gymnasium.spaces.Discrete
        (nodes)

    Raises
    ------
    TypeError, ValueError
        Naming the field and the value; also for a problem with another number of nodes.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b,
    ...                          stages=[services.Stage("encoder", [services.Input(bytes=6e5)])])])
    >>> env = services.PlacementEnv([problem])
    >>> observation, info = env.reset(seed=1)
    >>> env.step(0)[1:4]
    (-1.0, True, False)
    """

    metadata: dict[str, Any] = {"render_modes": []}
    episode: Episode
    scale: float
    _worth: float
    _over: bool

    def __init__(
        self,
        problems: Problems,
        *,
        core: Sequence[str] | None = None,
        guard: str = "worst",
        demand: str | DemandRule = "nominal",
        penalty: float = 1.0,
    ) -> None:
        self.core = None if core is None else texts("core", core)
        self.guard = guard
        self.penalty = positive("penalty", penalty)
        self.demand = demand_rule(demand)
        self.problems: Problems = problems if callable(problems) else _given(problems)
        self._settings: dict[int, Setting] = {}
        first = self._setting(0)
        self.nodes = first.nodes
        self.action_space = spaces.Discrete(self.nodes)
        self.observation_space = spaces.Box(0.0, 1.0, (self.nodes * len(FEATURES),), np.float32)
        self._begin(first)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin to place a problem.

        Parameters
        ----------
        seed : int, optional
            Of the problem and the demand that are drawn.
        options : dict, optional
            ``{"problem": i}`` takes problem i, or the function's of i, in place of one that is drawn.

        Returns
        -------
        observation : numpy.ndarray
        info : dict
            ``problem`` (its number), ``start``, ``scale``.
        """
        super().reset(seed=seed)
        many = SEEDS if callable(self.problems) else len(self.problems)
        number = int(self.np_random.integers(many))  # drawn always, so that options do not change the demand
        if options is not None and "problem" in options:
            number = count("problem", options["problem"], least=0, most=many - 1)
        self._begin(self._setting(number))
        return self._seen(), {"problem": number, "start": self.episode.start, "scale": self.scale}

    def action_masks(self) -> NDArray[np.bool_]:
        """(nodes,) which nodes the next stage may be on; all of them where nothing is left to decide."""
        choice = self.episode.choice
        return np.ones(self.nodes, dtype=bool) if choice is None else choice.allowed.copy()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Place the next stage.

        Parameters
        ----------
        action : int
            Position of a node; one that is not allowed is replaced, see the class.

        Returns
        -------
        observation : numpy.ndarray
        reward : float
        terminated, truncated : bool
        info : dict
            ``task``, ``stage`` and ``node`` by position, ``replaced``; at the end also ``placement``,
            ``evaluation``, ``objective``, ``feasible`` (no rule is broken), ``unserved``, ``demand`` (shares
            of the deviations), ``overload``, ``start`` and ``scale``.

        Raises
        ------
        TypeError, ValueError
            For an action that is no position of a node, and after the end of an episode.
        """
        if self._over:
            raise ValueError("step: the episode is over, reset begins another")
        node = _node(action, self.nodes)
        info: dict[str, Any] = {}
        choice = self.episode.choice
        if choice is not None:
            replaced = not choice.allowed[node]
            node = choice.by_rule() if replaced else node
            info = {"task": choice.slot.task, "stage": choice.slot.stage, "node": node, "replaced": replaced}
            self.episode.decide(node)
        self._over = self.episode.done
        worth = self.episode.objective + self.scale * self.penalty * self.episode.unserved
        if self._over:
            info.update(self._end())
            worth = info["objective"] + self.scale * self.penalty * (info["unserved"] + info["overload"])
        reward = (self._worth - worth) / self.scale
        self._worth = worth
        return self._seen(), float(reward), self._over, False, info

    # ---- within --------------------------------------------------------------------------------

    def _begin(self, setting: Setting) -> None:
        self.episode = Episode(setting)
        self.scale = scale_of(setting)
        self._worth = self.episode.start
        self._over = False

    def _seen(self) -> Observation:
        return features(self.episode, self.scale).ravel()

    def _end(self) -> dict[str, Any]:
        problem, positions = self.episode.setting.problem, self.episode.positions()
        evaluation = self.episode.evaluation()
        placement = placement_of(problem, positions)
        shares = self.demand(problem, placement, self.np_random)
        return {
            "placement": placement,
            "evaluation": evaluation,
            "objective": evaluation.objective,
            "feasible": self.episode.feasible(),
            "unserved": self.episode.unserved,
            "demand": shares,
            "overload": 0.0 if problem.samples is not None else overload(problem, placement, shares),
            "start": self.episode.start,
            "scale": self.scale,
        }

    def _setting(self, number: int) -> Setting:
        if number in self._settings:
            return self._settings[number]
        if callable(self.problems):
            problem = instance(f"problems({number})", self.problems(number), Problem)
            self._settings.clear()  # few numbers come twice
        else:
            problem = self.problems[number]
        made = Setting(problem, core=self.core, guard=self.guard)
        if made.nodes != getattr(self, "nodes", made.nodes):
            raise ValueError(f"problems[{number}]: has {made.nodes} nodes, others {self.nodes}")
        self._settings[number] = made
        return made


def _node(action: Any, nodes: int) -> int:
    """The position that an action is; what agents of numpy give is an array without axes."""
    one = action[()] if isinstance(action, np.ndarray) and action.ndim == 0 else action
    return count("action", one, least=0, most=nodes - 1)


def _given(problems: Any) -> tuple[Problem, ...]:
    found = instances("problems", problems, Problem)
    nodes = len(found[0].network.nodes)
    for i, problem in enumerate(found):
        if len(problem.network.nodes) != nodes:
            raise ValueError(
                f"problems[{i}]: has {len(problem.network.nodes)} nodes, problems[0] has {nodes}"
            )
    return found
