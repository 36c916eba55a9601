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
from .evaluation import Evaluation, evaluate
from .files import load_problem, problem_from_dict, problem_to_dict, save_problem
from .placement import Placement
from .plan import Plan
from .plan_files import load_plan, plan_from_dict, plan_to_dict, save_plan
from .problem import OBJECTIVES, Problem
from .solver import METHODS, Method, solve
from .tasks import Input, Service, Stage, Task

__all__ = [
    "METHODS",
    "OBJECTIVES",
    "Comparison",
    "Evaluation",
    "Input",
    "Interrupted",
    "Method",
    "Placement",
    "Plan",
    "Problem",
    "Reduction",
    "Service",
    "Stage",
    "Task",
    "check",
    "compare",
    "evaluate",
    "load_plan",
    "load_problem",
    "plan_from_dict",
    "plan_to_dict",
    "problem_from_dict",
    "problem_to_dict",
    "reduced_hosts",
    "save_plan",
    "save_problem",
    "solve",
]

_tell_of_slips(__name__)
