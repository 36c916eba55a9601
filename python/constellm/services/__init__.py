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
from .endurance import Endurance, degradation, endure
from .energy import ENERGIES, Energy, break_even, energy, work_j
from .evaluation import Evaluation, evaluate
from .files import load_problem, problem_from_dict, problem_to_dict, save_problem
from .placement import Placement
from .plan import Plan
from .plan_files import load_plan, plan_from_dict, plan_to_dict, save_plan
from .problem import OBJECTIVES, Input, Problem, Service, Stage, Task
from .queueing import Waiting, waiting
from .rate_accuracy import Choice, Compressed, Option, RateAccuracy
from .regions import Region, overhead, regions
from .scenario import scenario
from .sharing import monoliths
from .solver import METHODS, Method, solve
from .stress import lose, shifted, spiked, without
from .templates import TEMPLATES, Template, TemplateStage

__all__ = [
    "ENERGIES",
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
    "Input",
    "Interrupted",
    "Method",
    "Option",
    "Placement",
    "Plan",
    "Problem",
    "RateAccuracy",
    "Reduction",
    "Region",
    "Service",
    "Stage",
    "Task",
    "Template",
    "TemplateStage",
    "Waiting",
    "break_even",
    "check",
    "compare",
    "components",
    "degradation",
    "endure",
    "energy",
    "evaluate",
    "load_plan",
    "load_problem",
    "lose",
    "monoliths",
    "overhead",
    "plan_from_dict",
    "plan_to_dict",
    "problem_from_dict",
    "problem_to_dict",
    "reduced_hosts",
    "regions",
    "save_plan",
    "save_problem",
    "scenario",
    "shifted",
    "solve",
    "spiked",
    "waiting",
    "without",
    "work_j",
]

_tell_of_slips(__name__)
