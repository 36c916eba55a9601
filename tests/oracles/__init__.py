"""Independent solvers of split problems, to hold the planner against.

Each module reads problems and plans as the dictionaries of the file format, and rests on the words of the
format alone: nothing here imports `constellm`, so that the two can disagree.

* `evaluator`: every term of a plan, and the rules that it breaks.
* `enumerate`: every plan of a small problem: optimum, k best, Pareto fronts.
* `threshold_dp`: descending bottleneck thresholds on chains, each a dynamic programme.
* `milp`: the problem as a mixed-integer linear programme, on any graph.
* `random_problems`: seeded problems, small and wild, or larger and tame.

Others rest on the words of their formats likewise, as `experts`, and `transfers` with `random_transfers`: the
quickest transfer by linear programmes and in fractions.
"""
