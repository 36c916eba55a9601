"""A Gymnasium environment whose actions are the demand that comes after services are placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ...core.checks import count, instance, short
from ..arguments import ordered
from ..evaluation import evaluate, placement_in
from ..placement import Placement
from ..problem import Problem
from .adversary import ADVERSARY_FEATURES, above, adversary_features, rates_of, used, within_budget


class AdversaryEnv(gymnasium.Env):
    """Chooses the demand that hurts a placement most; for agents of Gymnasium.

    An episode is one placement and one action: of each task how much of its deviation comes. The reward is
    the largest load of a node or a link, relative to its limit. What is exact, `services.worst_demand`, is
    never below it.

    Parameters
    ----------
    placed : sequence of (Problem, Placement or Plan)
        Problems without samples; a reset draws one.

    Attributes
    ----------
    observation_space : gymnasium.spaces.Box
        (tasks · features,) float32 in [0, 1]: a row of `services.ADVERSARY_FEATURES` a task; of the largest
        number of tasks that a problem has, those that one lacks are 0.
    action_space : gymnasium.spaces.Box
        (tasks,) float32 in [0, 1], those of tasks that a problem lacks without effect; scaled down where the
        sum is above the problem's budget.

    Raises
    ------
    TypeError, ValueError
        Naming the field and the value.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("ships", rate_per_s=80.0, deviation_per_s=40.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> problem = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> on = services.Placement({"encoder": ["a"]}, {"ships": ["a"]})
    >>> env = services.AdversaryEnv([(problem, on)])
    >>> observation, info = env.reset(seed=1)
    >>> env.step([0.5])[1]
    1.0
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, placed: Sequence[tuple[Problem, Any]]) -> None:
        self.placed = _given(placed)
        self.tasks = max(len(problem.tasks) for problem, _ in self.placed)
        self._seen = [self._padded(adversary_features(*pair)) for pair in self.placed]
        self._takes = [used(*pair) for pair in self.placed]
        self.observation_space = spaces.Box(0.0, 1.0, (self.tasks * len(ADVERSARY_FEATURES),), np.float32)
        self.action_space = spaces.Box(0.0, 1.0, (self.tasks,), np.float32)
        self._number = 0
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Take a placement.

        Parameters
        ----------
        seed : int, optional
            Of the placement that is drawn.
        options : dict, optional
            ``{"placed": i}`` takes the placement i in place of one that is drawn.

        Returns
        -------
        observation : numpy.ndarray
        info : dict
            ``placed`` (its number).
        """
        super().reset(seed=seed)
        self._number = int(self.np_random.integers(len(self.placed)))
        if options is not None and "placed" in options:
            self._number = count("placed", options["placed"], least=0, most=len(self.placed) - 1)
        self._over = False
        return self._seen[self._number].copy(), {"placed": self._number}

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Let the demand come.

        Parameters
        ----------
        action : array_like, shape (tasks,)
            In [0, 1].

        Returns
        -------
        observation : numpy.ndarray
        reward : float
        terminated, truncated : bool
        info : dict
            ``demand`` (shares of the deviations), ``overload``.

        Raises
        ------
        ValueError
            For another shape or range, and after the end of an episode.
        """
        if self._over:
            raise ValueError("step: the episode is over, reset begins another")
        shares = np.asarray(action, dtype=np.float64)
        if shares.shape != (self.tasks,) or not ((shares >= 0.0) & (shares <= 1.0)).all():
            raise ValueError(f"action: {short(action)} is not in [0, 1], of shape ({self.tasks},)")
        self._over = True
        problem, _ = self.placed[self._number]
        shares = within_budget(problem, shares[: len(problem.tasks)])
        loads = self._takes[self._number] @ rates_of(problem, shares)
        info = {"demand": shares, "overload": above(loads)}
        return self._seen[self._number].copy(), float(loads.max(initial=0.0)), True, False, info

    def _padded(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        missing = self.tasks - len(rows)
        return np.pad(rows, ((0, missing), (0, 0))).ravel()


def _given(placed: Any) -> list[tuple[Problem, Placement]]:
    found: list[tuple[Problem, Placement]] = []
    for i, pair in enumerate(ordered("placed", placed)):
        where = f"placed[{i}]"
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"{where}: expected a problem and its placement, got {short(pair)}")
        problem, placement = instance(f"{where}[0]", pair[0], Problem), placement_in(pair[1])
        evaluate(problem, placement)  # which refuses what is none
        if problem.samples is not None:
            raise ValueError(f"{where}: the problem has samples in place of a set of demands")
        found.append((problem, placement))
    if not found:
        raise ValueError("placed: must not be empty")
    return found
