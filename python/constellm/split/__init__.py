"""Collaborative inference over a chain or graph of satellites: the problem, its plans, their worth.

`Problem` says what is to be run where under which limits; `solve` finds the provably best plan.
"""

from .._core import Problem, Stage
from .files import load_problem, problem_from_dict, save_problem

__all__ = ["Problem", "Stage", "load_problem", "problem_from_dict", "save_problem"]
