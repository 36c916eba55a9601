"""A learned policy: places any problem, without PyTorch, from the weights that training left."""

from __future__ import annotations

import io
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..._core import services as _core
from ...core.checks import count, instance, real, short
from ...core.files import as_path, write_bytes
from ..arguments import named
from ..placement import Placement, Positions, placement_of
from ..plan import Plan
from ..problem import Problem
from ..solver import Found, plan_of
from .adversary import ADVERSARY_FEATURES, Floats, adversary_features
from .episode import Episode
from .features import FEATURES, features
from .row_network import RowNetwork
from .setting import GUARDS, Setting, nominal_problem, scale_of

_FORMAT = "constellm.placement-policy"


@dataclass(frozen=True)
class Policy:
    """Places a problem's stages one after another, each on the node that a small network scores highest.

    What it sees are `services.FEATURES`, a row a node; it reads all rows alike, so that it places problems of
    any number of nodes, services and tasks, and the order of nodes does not matter but for ties. What it may
    choose, and in which order it decides, is as of `services.PlacementEnv`.

    Parameters
    ----------
    name : str
        Shown as the method of its plans.
    network : RowNetwork
        The weights.
    guard : str
        ``"worst"`` or ``"nominal"``: the demand that a choice has to withstand, as it was in training.
    told : str
        How it was trained, in words.
    tries : int
        Episodes of a placement, of which the best by the objective's terms is kept: the first takes the
        highest scores, the others draw from their softmax. Not part of its file.

    Raises
    ------
    TypeError, ValueError
        Naming the field and the value.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b,
    ...                          stages=[services.Stage("encoder", [services.Input(bytes=6e5)])])])
    >>> services.untrained(seed=1).place(problem).cost
    1.0
    """

    name: str
    network: RowNetwork
    guard: str = "worst"
    told: str = ""
    tries: int = 1

    def __post_init__(self) -> None:
        for field in ("name", "told"):
            instance(field, getattr(self, field), str)
        object.__setattr__(self, "tries", count("tries", self.tries))
        instance("network", self.network, RowNetwork)
        named("guard", self.guard, GUARDS)
        if len(self.network.inner) != len(FEATURES):
            raise ValueError(f"network: reads {len(self.network.inner)} features, there are {len(FEATURES)}")

    def place(self, problem: Problem, *, seed: int = 0, time_limit_s: float = math.inf) -> Plan:
        """A plan, without a bound; status ``no_plan_found`` where it turns tasks away that have to be served.

        Parameters
        ----------
        problem : Problem
            Of any size.
        seed : int
            Of what is drawn.
        time_limit_s : float
            No other try begins after this time [s].

        Returns
        -------
        Plan

        Raises
        ------
        TypeError, ValueError
            For what is no problem or a wrong number.
        """
        instance("problem", problem, Problem)
        start = time.perf_counter()
        limit_s = real("time_limit_s", time_limit_s, least=0.0)
        found = self.search(problem, time_limit_s=limit_s, seed=seed, threads=1)
        return plan_of(problem, found, method=self.name, seconds=time.perf_counter() - start)

    def search(self, problem: Problem, *, time_limit_s: float, seed: int, threads: int) -> Found:
        """As the methods of `services.METHODS` are called."""
        positions, done = self._best(problem, seed, time_limit_s)
        status = "no_plan_found" if positions is None else "feasible"
        return Found(status, positions, counters={"steps": done})

    def episode(self, setting: Setting, random: np.random.Generator | None = None) -> Episode:
        """One placement on a setting; `random`: draws from the softmax of the scores."""
        episode, scale = Episode(setting), scale_of(setting)
        while episode.choice is not None:
            nodes = np.flatnonzero(episode.choice.allowed)
            scores = self.network.scores(features(episode, scale))[nodes]
            if random is None:
                chosen = int(scores.argmax())
            else:
                shares = np.exp(scores - scores.max()).cumsum()
                chosen = int(np.searchsorted(shares, random.random() * shares[-1], side="right"))
            episode.decide(int(nodes[min(chosen, len(nodes) - 1)]))
        return episode

    def placement(self, problem: Problem, *, seed: int = 0) -> Placement | None:
        """What `place` places, held against the demand of the policy's own `guard` alone.

        Parameters
        ----------
        problem, seed
            As of `place`.

        Returns
        -------
        Placement or None
            One that keeps every limit under that demand.
        """
        best = self._best(instance("problem", problem, Problem), seed, math.inf)[0]
        return None if best is None else placement_of(problem, best)

    def _best(self, problem: Problem, seed: int, time_limit_s: float) -> tuple[Positions | None, int]:
        seed = count("seed", seed, least=0, most=2**64 - 1)
        end = time.perf_counter() + time_limit_s
        setting = Setting(problem, guard=self.guard)
        withstood = nominal_problem(problem) if self.guard == "nominal" else problem
        random = np.random.Generator(np.random.PCG64(seed))
        best: tuple[tuple[float, float], Positions] | None = None
        done = 0
        while done < self.tries and (done == 0 or time.perf_counter() < end):
            episode = self.episode(setting, random if done else None)
            done += 1
            positions = episode.positions()
            if not _core.keeps_limits(withstood._compiled, withstood._routes, *positions):
                continue
            evaluation = episode.evaluation()
            terms = evaluation.objective, evaluation.second
            if best is None or terms < best[0]:
                best = terms, positions
        return None if best is None else best[1], done

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as an ``.npz`` file.

        Parameters
        ----------
        path : path-like

        Examples
        --------
        See `constellm.services.load_policy`.
        """
        said = {"format": _FORMAT, "version": 1, "name": self.name, "guard": self.guard, "told": self.told}
        _save(path, {**said, "features": list(FEATURES)}, self.network)


@dataclass(frozen=True)
class LearnedDemand:
    """An adversary that a network plays: shares of deviations by `services.ADVERSARY_FEATURES`, a row a task.

    Parameters
    ----------
    network : RowNetwork
        The weights.

    Examples
    --------
    >>> from constellm import services
    >>> callable(services.LearnedDemand)
    True
    """

    network: RowNetwork

    def __post_init__(self) -> None:
        instance("network", self.network, RowNetwork)
        if len(self.network.inner) != len(ADVERSARY_FEATURES):
            raise ValueError(
                f"network: reads {len(self.network.inner)} features, there are {len(ADVERSARY_FEATURES)}"
            )

    def __call__(
        self, problem: Problem, placement: Placement, random: np.random.Generator | None = None
    ) -> Floats:
        """(tasks,) in [0, 1]; nothing is drawn."""
        return np.clip(self.network.scores(adversary_features(problem, placement)), 0.0, 1.0)


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """A policy from its file.

    Parameters
    ----------
    path : path-like
        As `Policy.save` wrote it.

    Returns
    -------
    Policy

    Raises
    ------
    ValueError
        For a file that is none, or whose policy sees other features than this version shows.
    OSError
        Where it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from constellm import services
    >>> mine = services.untrained(seed=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mine.save(Path(folder) / "policy.npz")
    ...     services.load_policy(Path(folder) / "policy.npz") == mine
    True
    """
    said, network = _load(path)
    where = os.fspath(path)
    if not isinstance(said, dict):
        raise ValueError(f"{where}: holds no policy: expected an object, got {short(said)}")
    if said.get("format") != _FORMAT or said.get("version") != 1:
        raise ValueError(f"{where}: format {short(said.get('format'))} is not {_FORMAT!r}, version 1")
    if said.keys() != {"format", "version", "name", "guard", "told", "features"}:
        raise ValueError(f"{where}: holds no policy: keys {sorted(said)}")
    if said["features"] != list(FEATURES):
        raise ValueError(f"{where}: its policy sees other features than this version shows")
    try:
        return Policy(said["name"], network, said["guard"], said["told"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: holds no policy: {error}") from error


TRAINED = ("ppo-nominal", "ppo-worst", "ppo-corner", "ppo-adversary")
"""Names of the policies that come with the package."""


def trained_policy(name: str = "ppo-worst") -> Policy:
    """A policy that comes with the package, trained on `services.scenario` over 66 satellites for least cost.

    Parameters
    ----------
    name : str
        ``"ppo-nominal"`` and ``"ppo-worst"`` let choices withstand nominal rates and the worst case;
        ``"ppo-corner"`` and ``"ppo-adversary"`` nominal rates too, and learned to leave room from the
        penalties of the worst demand, and of an adversary that learned with them.

    Returns
    -------
    Policy
        Its ``told`` says how it was trained.

    Raises
    ------
    TypeError, ValueError
        For another name.

    Examples
    --------
    >>> from constellm import services
    >>> services.trained_policy().guard
    'worst'
    """
    named("name", name, TRAINED)
    return load_policy(Path(__file__).parents[1] / "data" / f"policy-{name}.npz")


def untrained(*, hidden: int = 32, seed: int = 0, guard: str = "worst") -> Policy:
    """A policy of weights that are drawn: where training begins, and what it is held against.

    Parameters
    ----------
    hidden : int
        Width of the network.
    seed : int
        Of the weights.
    guard : str
        As of `Policy`.

    Returns
    -------
    Policy

    Raises
    ------
    TypeError, ValueError
        For a wrong number.

    Examples
    --------
    >>> from constellm import services
    >>> services.untrained(seed=1) == services.untrained(seed=1), services.untrained(seed=1).name
    (True, 'untrained')
    """
    random = np.random.Generator(np.random.PCG64(count("seed", seed, least=0, most=2**64 - 1)))
    return Policy("untrained", drawn_network(len(FEATURES), count("hidden", hidden), random), guard)


def drawn_network(width: int, hidden: int, random: np.random.Generator) -> RowNetwork:
    """Weights that leave the size of what they read; scores are small, so that a softmax of them is flat."""
    weights: dict[str, Any] = {}
    for name, shape in RowNetwork.shapes(width, hidden).items():
        spread = 0.0 if name.endswith("bias") else 0.1 if name == "score" else 1.0
        weights[name] = spread * random.standard_normal(shape) / math.sqrt(shape[0])
    return RowNetwork(**weights)


def _save(path: str | os.PathLike[str], said: dict[str, Any], network: RowNetwork) -> None:
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(said).encode("utf-8"), dtype=np.uint8)
    np.savez(buffer, said=text, **network.arrays())
    write_bytes(buffer.getvalue(), path)


def _load(path: str | os.PathLike[str]) -> tuple[Any, RowNetwork]:
    content = io.BytesIO(as_path(path).read_bytes())
    try:
        with np.load(content, allow_pickle=False) as stored:
            weights = {name: stored[name] for name in stored.files}
        said = json.loads(weights.pop("said").tobytes().decode("utf-8"))
        return said, RowNetwork(**weights)
    except Exception as error:  # whatever numpy, zipfile and json make of it
        raise ValueError(f"{os.fspath(path)}: holds no policy: {error}") from error
