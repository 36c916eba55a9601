"""Training of policies by proximal policy optimisation, plain or against an adversary."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.checks import count, instance, positive
from ...core.optional import optional_import
from ..arguments import instances, named
from ..placement import Placement, placement_of
from ..problem import Problem
from .adversary import ADVERSARY_FEATURES, DEMANDS
from .policy import LearnedDemand, Policy, drawn_network, untrained
from .row_network import RowNetwork
from .setting import Setting

if TYPE_CHECKING:
    from .adversary import DemandRule

ADVERSARIES = ("nominal", "random", "worst", "learned")
_NEEDED = {"gymnasium": "policy", "torch": "policy", "stable_baselines3": "policy"}
_WORLDS = 8  # that are played at the same time
_ROUND = 128  # decisions of each before weights change


def train_policy(
    problems: Sequence[Problem],
    *,
    steps: int = 50_000,
    seed: int = 0,
    start: Policy | None = None,
    guard: str = "worst",
    demand: str = "nominal",
    rounds: int = 4,
    penalty: float = 1.0,
    learning_rate: float = 1e-3,
    name: str = "policy",
) -> Policy:
    """Learn to place problems like these, by PPO of Stable-Baselines3 on `services.PlacementEnv`.

    One thread; the same arguments give the same policy on one machine. What is not said here is as
    Stable-Baselines3 has it, but for whole episodes without discount, batches of 256, 6 passes over each
    1,024 decisions, and a bonus of 0.003 for entropy.

    Parameters
    ----------
    problems : sequence of Problem
        With one number of nodes; the policy places others too.
    steps : int
        Decisions, rounded up to a multiple of 1,024.
    seed : int
        Of the weights, the problems that are drawn, and the choices.
    start : Policy, optional
        Whose weights training begins with; default: drawn ones.
    guard : str
        ``"worst"`` or ``"nominal"``, as of `services.PlacementEnv`.
    demand : str
        Who chooses the demand: ``"nominal"``, ``"random"``, ``"worst"``, as of `services.PlacementEnv`, or
        ``"learned"``: an adversary that learns too, in turns with the policy.
    rounds : int
        How often a learned adversary is trained anew on what the policy does; before the first, demand is
        random.
    penalty : float
        Of a task that is not served, and of an overload by 100 %, in rewards.
    learning_rate : float
        Of Adam; falls linearly, to 0 after the last round.
    name : str
        Of the policy.

    Returns
    -------
    Policy

    Raises
    ------
    TypeError, ValueError
        Naming the field and the value.
    ImportError
        Where gymnasium, PyTorch or Stable-Baselines3 is not installed.

    Examples
    --------
    >>> from constellm import services
    >>> services.train_policy([], steps=0)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ValueError: problems: must not be empty
    """
    given = instances("problems", problems, Problem)
    steps, rounds = count("steps", steps), count("rounds", rounds)
    seed = count("seed", seed, least=0, most=2**31 - 1)
    positive("learning_rate", learning_rate)
    named("demand", demand, ADVERSARIES)
    policy = untrained(seed=seed, guard=guard) if start is None else instance("start", start, Policy)
    _import()
    made = _Training(given, guard=guard, penalty=penalty, learning_rate=learning_rate, seed=seed)
    with _one_thread():
        if demand == "learned":
            network = made.in_turns(policy.network, steps, rounds)
        else:
            network = made.agent(policy.network, steps, DEMANDS[demand], seed)
    told = f"PPO, {steps} decisions on {len(given)} problems, guard {guard}, demand {demand}, seed {seed}"
    if start is not None:
        told += f", from {start.name}"
    return Policy(name, network, guard, told)


def train_adversary(
    placed: Sequence[tuple[Problem, Any]], *, steps: int = 16_384, seed: int = 0
) -> LearnedDemand:
    """Learn which demand hurts placements like these, by PPO on `services.AdversaryEnv`.

    `services.worst_demand` has the exact answer; this is what a game of two learners has in its place.

    Parameters
    ----------
    placed : sequence of (Problem, Placement or Plan)
        As of `services.AdversaryEnv`.
    steps : int
        Demands that are tried, rounded up to a multiple of 1,024.
    seed : int
        Of the weights and the choices.

    Returns
    -------
    LearnedDemand

    Raises
    ------
    TypeError, ValueError
        Naming the field and the value.
    ImportError
        Where gymnasium, PyTorch or Stable-Baselines3 is not installed.

    Examples
    --------
    >>> from constellm import services
    >>> services.train_adversary([], steps=0)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ValueError: steps: 0 is not in [1, inf)
    """
    steps, seed = count("steps", steps), count("seed", seed, least=0, most=2**31 - 1)
    _import()
    random = np.random.Generator(np.random.PCG64(seed))
    begin = drawn_network(len(ADVERSARY_FEATURES), 16, random)
    with _one_thread():
        return LearnedDemand(_adversary(begin, placed, steps, seed))


class _Training:
    """Problems and what every stretch of training shares."""

    def __init__(
        self, problems: tuple[Problem, ...], *, guard: str, penalty: float, learning_rate: float, seed: int
    ) -> None:
        from .environment import PlacementEnv

        self.learning_rate, self.seed = learning_rate, seed
        self.env = PlacementEnv(problems, guard=guard, penalty=penalty)
        self.problems, self.guard, self.penalty = problems, guard, penalty
        self.settings = [Setting(problem, guard=guard) for problem in problems]

    def agent(self, start: RowNetwork, steps: int, demand: DemandRule, seed: int) -> RowNetwork:
        from .environment import PlacementEnv

        def world() -> PlacementEnv:
            env = PlacementEnv(self.problems, guard=self.guard, demand=demand, penalty=self.penalty)
            env._settings.update(enumerate(self.settings))
            return env

        return _learned(
            [world] * _WORLDS,
            start,
            self.env.nodes,
            steps=steps,
            seed=seed,
            learning_rate=self.learning_rate,
            gamma=1.0,
            ent_coef=0.003,
            masks=True,
        )

    def in_turns(self, start: RowNetwork, steps: int, rounds: int) -> RowNetwork:
        random = np.random.Generator(np.random.PCG64(self.seed))
        adversary = drawn_network(len(ADVERSARY_FEATURES), 16, random)
        network = self.agent(start, -(-steps // (rounds + 1)), DEMANDS["random"], self.seed)
        for turn in range(rounds):
            adversary = _adversary(adversary, self._placed(network), 8_192, self.seed + turn)
            network = self.agent(
                network, -(-steps // (rounds + 1)), LearnedDemand(adversary), self.seed + turn + 1
            )
        return network

    def _placed(self, network: RowNetwork) -> list[tuple[Problem, Placement]]:
        """What a policy makes of the problems, tasks that it turns away left out."""
        policy = Policy("", network, self.guard)
        found = []
        for setting in self.settings:
            episode = policy.episode(setting)
            if not episode.turned_away.all():
                found.append((setting.problem, placement_of(setting.problem, episode.positions())))
        return found


def _adversary(start: RowNetwork, placed: Sequence[Any], steps: int, seed: int) -> RowNetwork:
    from .adversary_environment import AdversaryEnv

    env = AdversaryEnv(placed)
    return _learned(
        [lambda: AdversaryEnv(placed)] * _WORLDS,
        start,
        env.tasks,
        steps=steps,
        seed=seed,
        learning_rate=2e-2,
        gamma=1.0,
        ent_coef=0.0,
        masks=False,
    )


def _learned(
    worlds: list[Any],
    start: RowNetwork,
    rows: int,
    *,
    steps: int,
    masks: bool,
    learning_rate: float,
    **options: Any,
) -> RowNetwork:
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    from .torch_rows import RowPolicy, Rows

    model = PPO(
        RowPolicy,
        DummyVecEnv(worlds),
        n_steps=_ROUND,
        batch_size=256,
        n_epochs=6,
        # It is asked after a round, for that round: so the first has all of it.
        learning_rate=lambda left: learning_rate * min(1.0, left + _WORLDS * _ROUND / steps),
        policy_kwargs={"start": start, "rows": rows, "masks": masks, "log_std_init": -0.5},
        device="cpu",
        **options,
    )
    model.learn(steps)
    rows_network = model.policy.mlp_extractor
    assert isinstance(rows_network, Rows)
    return rows_network.network()


def _import() -> None:
    for needed, extra in _NEEDED.items():
        optional_import(needed, extra=extra, purpose=f"training a placement policy needs {needed}")


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """PPO seeds the global generators; they and the number of threads are left as they were."""
    import torch

    threads, of_torch = torch.get_num_threads(), torch.get_rng_state()
    of_random, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(of_torch)
        random.setstate(of_random)
        np.random.set_state(of_numpy)  # noqa: NPY002
