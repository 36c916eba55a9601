"""Microservices of large models over a constellation: which run where, and which replica serves which stage.

A `Problem` has services that tasks share, tasks as graphs over them, and a network; a `Placement` says where
replicas are and which of them serves each stage; `evaluate` says what that comes to, `check` which rules it
breaks, and `solve` finds a `Plan`, with what is proved of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..core.interrupt import Interrupted
from ..core.keywords import tell_of_slips as _tell_of_slips
from ..core.keywords import with_hints as _with_hints
from ..core.optional import optional_import as _optional_import
from .checking import check
from .comparison import Comparison, compare
from .demand import (
    Violation,
    WorstDemand,
    guarantee,
    probability_bound,
    sample_demand,
    violation,
    worst_demand,
)
from .endurance import Endurance, degradation, endure
from .energy import ENERGIES, Energy, break_even, energy, work_j
from .evaluation import Evaluation, evaluate
from .exact.bounds import Reduction, reduced_hosts
from .files import load_problem, problem_from_dict, problem_to_dict, save_problem
from .horizons.building import horizon
from .horizons.evaluation import HorizonEvaluation, check_horizon, evaluate_horizon
from .horizons.files import horizon_from_dict, horizon_to_dict
from .horizons.horizon import Horizon
from .horizons.plan_files import (
    horizon_plan_from_dict,
    horizon_plan_to_dict,
    load_horizon,
    load_horizon_plan,
    save_horizon,
    save_horizon_plan,
)
from .horizons.plans import HorizonPlan
from .horizons.solver import HORIZON_METHODS, solve_horizon
from .learned.adversary import ADVERSARY_FEATURES, overload
from .learned.features import FEATURES
from .learned.policy import LearnedDemand, Policy, load_policy, trained_policy, untrained
from .learned.regret import REGRET_COLUMNS, Regret, regret
from .learned.setting import nominal_problem
from .learned.training import train_adversary, train_policy
from .placement import Placement
from .plan import Plan
from .plan_files import load_plan, plan_from_dict, plan_to_dict, save_plan
from .problem import OBJECTIVES, Problem
from .queueing import Waiting, waiting
from .rate_accuracy import Choice, Compressed, Option, RateAccuracy
from .repair import Repair, repair
from .robust import PriceOfRobustness, price_of_robustness, recourse
from .scenarios.component import Component
from .scenarios.components import Catalogue, components
from .scenarios.regions import Region, overhead, regions
from .scenarios.scenario import scenario
from .scenarios.sharing import monoliths
from .scenarios.templates import TEMPLATES, Template, TemplateStage
from .solver import METHODS, Method, solve
from .stress import lose, shifted, spiked, without
from .tasks import Input, Service, Stage, Task

if TYPE_CHECKING:
    from .learned.adversary_environment import AdversaryEnv
    from .learned.environment import PlacementEnv

_OF_GYMNASIUM = {"AdversaryEnv": "adversary_environment", "PlacementEnv": "environment"}

__all__ = [
    "ADVERSARY_FEATURES",
    "ENERGIES",
    "FEATURES",
    "HORIZON_METHODS",
    "METHODS",
    "OBJECTIVES",
    "REGRET_COLUMNS",
    "TEMPLATES",
    "AdversaryEnv",
    "Catalogue",
    "Choice",
    "Comparison",
    "Component",
    "Compressed",
    "Endurance",
    "Energy",
    "Evaluation",
    "Horizon",
    "HorizonEvaluation",
    "HorizonPlan",
    "Input",
    "Interrupted",
    "LearnedDemand",
    "Method",
    "Option",
    "Placement",
    "PlacementEnv",
    "Plan",
    "Policy",
    "PriceOfRobustness",
    "Problem",
    "RateAccuracy",
    "Reduction",
    "Region",
    "Repair",
    "Regret",
    "Service",
    "Stage",
    "Task",
    "Template",
    "TemplateStage",
    "Violation",
    "Waiting",
    "WorstDemand",
    "break_even",
    "check",
    "check_horizon",
    "compare",
    "components",
    "degradation",
    "endure",
    "energy",
    "evaluate",
    "evaluate_horizon",
    "guarantee",
    "horizon",
    "horizon_from_dict",
    "horizon_plan_from_dict",
    "horizon_plan_to_dict",
    "horizon_to_dict",
    "load_horizon",
    "load_horizon_plan",
    "load_plan",
    "load_policy",
    "load_problem",
    "lose",
    "monoliths",
    "nominal_problem",
    "overhead",
    "overload",
    "plan_from_dict",
    "plan_to_dict",
    "price_of_robustness",
    "probability_bound",
    "problem_from_dict",
    "problem_to_dict",
    "recourse",
    "regret",
    "reduced_hosts",
    "regions",
    "repair",
    "sample_demand",
    "save_horizon",
    "save_horizon_plan",
    "save_plan",
    "save_problem",
    "scenario",
    "shifted",
    "solve",
    "solve_horizon",
    "spiked",
    "train_adversary",
    "train_policy",
    "trained_policy",
    "untrained",
    "violation",
    "waiting",
    "without",
    "work_j",
    "worst_demand",
]

_tell_of_slips(__name__)


def __getattr__(name: str) -> Any:
    if name not in _OF_GYMNASIUM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _optional_import("gymnasium", extra="policy", purpose=f"{__name__}.{name} needs gymnasium")
    home = importlib.import_module(f".learned.{_OF_GYMNASIUM[name]}", __name__)
    value = globals()[name] = _with_hints(getattr(home, name))
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_OF_GYMNASIUM])
