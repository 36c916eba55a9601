"""Collaborative inference over a chain or graph of satellites: the problem, its plans, their worth.

`Problem` says what is to be run where under which limits; `solve` finds the provably best plan, `evaluate`
and `check` say what a plan is worth and which rule it breaks.
"""

from .._core.split import Infeasibility, Plan, Problem, Stage
from ..core.interrupt import Interrupted
from ..core.keywords import tell_of_slips as _tell_of_slips
from ..sweep import register as _register
from .comparison import Comparison, compare
from .cuts import codecs_at_cuts, compressors_at_cuts
from .display import attach as _attach_displays
from .evaluation import Evaluation, GenerationTerms, HopTerms, StageTerms
from .files import load_problem, problem_from_dict, save_problem
from .fronts import ParetoFront, pareto_front
from .generating import GenerationPlan, GenerationProblem, solve_generation
from .instants import over_time
from .methods import METHODS, Method
from .micro_batches import best_micro_batches, with_micro_batches
from .options import OPTIONS
from .plans import load_plan, plan_from_dict, save_plan
from .schedule import Schedule, schedule
from .solver import check, evaluate, k_best, solve
from .sweeping import SWEEP

__all__ = [
    "METHODS",
    "OPTIONS",
    "Comparison",
    "Evaluation",
    "GenerationPlan",
    "GenerationProblem",
    "GenerationTerms",
    "HopTerms",
    "Infeasibility",
    "Interrupted",
    "Method",
    "ParetoFront",
    "Plan",
    "Problem",
    "Schedule",
    "Stage",
    "StageTerms",
    "best_micro_batches",
    "check",
    "codecs_at_cuts",
    "compare",
    "compressors_at_cuts",
    "evaluate",
    "k_best",
    "load_plan",
    "load_problem",
    "over_time",
    "pareto_front",
    "plan_from_dict",
    "problem_from_dict",
    "save_plan",
    "save_problem",
    "schedule",
    "solve",
    "solve_generation",
    "with_micro_batches",
]

_attach_displays()
_register(SWEEP)
_tell_of_slips(__name__)
