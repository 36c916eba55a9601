"""Microservices of large models over a constellation: which run where, and which replica serves which stage.

A `Problem` has services that tasks share, tasks as graphs over them, and a network; a `Placement` says where
replicas are and which of them serves each stage; `evaluate` says what that comes to, `check` which rules it
breaks, and `solve` finds a `Plan`, with what is proved of it.
"""

from ..core.interrupt import Interrupted
from ..core.keywords import tell_of_slips as _tell_of_slips
from .bounds import Reduction, reduced_hosts
from .checking import check
from .comparison import Comparison, compare
from .component import Component
from .components import Catalogue, components
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
from .files import load_problem, problem_from_dict, problem_to_dict, save_problem
from .horizon_building import horizon
from .horizon_evaluation import HorizonEvaluation, check_horizon, evaluate_horizon
from .horizon_files import horizon_from_dict, horizon_to_dict
from .horizon_plan_files import (
    horizon_plan_from_dict,
    horizon_plan_to_dict,
    load_horizon,
    load_horizon_plan,
    save_horizon,
    save_horizon_plan,
)
from .horizon_plans import HorizonPlan
from .horizon_solver import HORIZON_METHODS, solve_horizon
from .horizons import Horizon
from .placement import Placement
from .plan import Plan
from .plan_files import load_plan, plan_from_dict, plan_to_dict, save_plan
from .problem import OBJECTIVES, Problem
from .queueing import Waiting, waiting
from .rate_accuracy import Choice, Compressed, Option, RateAccuracy
from .regions import Region, overhead, regions
from .repair import Repair, repair
from .robust import PriceOfRobustness, price_of_robustness, recourse
from .scenario import scenario
from .sharing import monoliths
from .solver import METHODS, Method, solve
from .stress import lose, shifted, spiked, without
from .tasks import Input, Service, Stage, Task
from .templates import TEMPLATES, Template, TemplateStage

__all__ = [
    "ENERGIES",
    "HORIZON_METHODS",
    "METHODS",
    "OBJECTIVES",
    "TEMPLATES",
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
    "Method",
    "Option",
    "Placement",
    "Plan",
    "PriceOfRobustness",
    "Problem",
    "RateAccuracy",
    "Reduction",
    "Region",
    "Repair",
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
    "load_problem",
    "lose",
    "monoliths",
    "overhead",
    "plan_from_dict",
    "plan_to_dict",
    "price_of_robustness",
    "probability_bound",
    "problem_from_dict",
    "problem_to_dict",
    "recourse",
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
    "violation",
    "waiting",
    "without",
    "work_j",
    "worst_demand",
]

_tell_of_slips(__name__)
