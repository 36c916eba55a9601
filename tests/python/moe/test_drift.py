"""Schedules over windows against enumeration; what must not change them; time limits; wrong calls."""

from __future__ import annotations

import math
import pickle
import re

import numpy as np
import pytest

from constellm import moe
from oracles import drift as oracle

FEWEST = 300  # of random drifts: these have every oddity
GAP = 1e-9


def random_drift(seed: int) -> moe.Drift:
    """Small enough to enumerate: ties, NaN, layers that compete, one window, one expert, all moves."""
    rng = np.random.default_rng(seed)
    layers = int(rng.choice([1, 1, 2]))
    experts = [int(rng.integers(1, 4 if layers == 1 else 3)) for _ in range(layers)]
    satellites = int(rng.integers(sum(experts), 6))
    top_k = int(rng.integers(1, min(experts) + 1))
    nulls = rng.choice([0.0, 0.0, 0.15])
    base_s = rng.uniform(0.01, 0.06, (layers, satellites))
    windows = []
    for _ in range(int(rng.integers(1, 5))):
        shape = int(rng.integers(1, 4)), satellites
        made = []
        for layer, count in enumerate(experts):
            latency_s = base_s[layer] * rng.uniform(0.5, 1.5, shape)
            if seed % 3 == 0:
                latency_s = rng.choice([0.0, 0.02, 0.03], shape)
            latency_s = np.where(rng.random(shape) < nulls, np.nan, latency_s)
            made.append(moe.Layer(np.exp(rng.normal(0, 1, count)), latency_s, float(rng.choice([0, 0.01]))))
        charge_s = 0.1 if nulls and rng.random() < 0.5 else None
        windows.append(moe.Problem(made, top_k=top_k, unreachable_s=charge_s))
    move_s = rng.uniform(0, 0.02, (satellites, satellites)) * (rng.random((satellites, satellites)) < 0.9)
    np.fill_diagonal(move_s, 0)
    order = rng.permutation(satellites).tolist()
    start = [[order.pop() for _ in range(count)] for count in experts] if rng.random() < 0.3 else None
    some_s = (move_s, 0.0, float(rng.choice([1e-3, 1e-2, 0.1])), math.inf)[int(rng.integers(0, 4))]
    return moe.Drift(windows, rng.uniform(0.5, 3, len(windows)), some_s, start)


def moves_of(drift: moe.Drift) -> np.ndarray:
    if drift.move_s.ndim:
        return drift.move_s
    count = len(drift.windows[0].satellites)
    return np.where(np.eye(count, dtype=bool), 0.0, float(drift.move_s))


def least_s(drift: moe.Drift) -> float:
    place = {id: i for i, id in enumerate(drift.windows[0].satellites)}
    return oracle.least_s(
        [[(of.weights, of.latency_s, of.base_s) for of in window.layers] for window in drift.windows],
        drift.tokens,
        moves_of(drift),
        top_k=drift.windows[0].top_k,
        unreachable_s=[window.unreachable_s for window in drift.windows],
        start=None if drift.start is None else [place[id] for hosts in drift.start for id in hosts],
    )


def assert_sound(found: moe.Schedule) -> None:
    """What holds of every schedule with placements."""
    drift = found.drift
    moves_s = moves_of(drift)
    place = {id: i for i, id in enumerate(drift.windows[0].satellites)}
    before = drift.start
    cost_s = 0.0
    for w, (window, placement) in enumerate(zip(drift.windows, found.placements)):
        latency_s = moe.evaluate(window, placement).token_latency_s
        pairs = (
            []
            if before is None
            else [(place[a], place[b]) for x, y in zip(before, placement) for a, b in zip(x, y)]
        )
        assert found.token_latency_s[w] == latency_s
        assert found.moved[w] == sum(a != b for a, b in pairs)
        assert found.window_move_s[w] == pytest.approx(sum(moves_s[a, b] for a, b in pairs), abs=1e-15)
        cost_s += drift.tokens[w] * latency_s + found.window_move_s[w]
        before = placement
    assert found.cost_s == pytest.approx(cost_s, rel=1e-12)
    assert 0 <= found.lower_bound_s <= found.cost_s and 0 <= found.gap <= 1
    assert found.moves == found.moved.sum()


# ---- against enumeration ---------------------------------------------------------------------


def test_finds_what_enumeration_finds(random_problems):
    seen = set()
    for seed in range(max(FEWEST, random_problems)):
        drift = random_drift(seed)
        best = least_s(drift)
        found = moe.replan(drift)
        seen.add((found.status, drift.windows[0].top_k, len(drift.windows[0].layers)))
        if best == math.inf:
            assert (found.status, found.placements, found.lower_bound_s) == ("infeasible", (), math.inf), seed
            assert math.isnan(found.cost_s) and math.isnan(found.gap)
            continue
        assert found.status == "optimal", seed
        assert found.cost_s == pytest.approx(best, rel=GAP, abs=1e-300), seed
        assert found.lower_bound_s <= best * (1 + GAP), seed
        assert_sound(found)
    for top_k in (1, 2):
        for layers in (1, 2):
            assert ("optimal", top_k, layers) in seen
    assert ("optimal", 3, 1) in seen and "infeasible" in {status for status, *_ in seen}


def test_one_pick_beside_a_mixed_integer_programme():
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(8)
    windows, experts, satellites, move_s = 4, 4, 7, 0.004
    weights = np.exp(rng.normal(0, 1, (windows, experts)))
    latency_s = rng.uniform(0.01, 0.05, (windows, satellites))
    drift = moe.Drift(
        [moe.Problem([moe.Layer(w, [row])], top_k=1) for w, row in zip(weights, latency_s)], 1.0, move_s
    )
    shares = weights / weights.sum(axis=1, keepdims=True)
    cells = windows * experts * satellites  # who is where, then who has come
    cost = np.r_[(shares[:, :, None] * latency_s[:, None, :]).ravel(), np.full(cells, move_s)]

    def cell(w: int, e: int, s: int) -> int:
        return (w * experts + e) * satellites + s

    rows, low, high = [], [], []
    for w in range(windows):
        for e in range(experts):
            row = np.zeros(2 * cells)
            row[[cell(w, e, s) for s in range(satellites)]] = 1
            rows, low, high = [*rows, row], [*low, 1], [*high, 1]
        for s in range(satellites):
            row = np.zeros(2 * cells)
            row[[cell(w, e, s) for e in range(experts)]] = 1
            rows, low, high = [*rows, row], [*low, 0], [*high, 1]
            for e in range(experts) if w else ():
                row = np.zeros(2 * cells)
                row[cell(w, e, s)], row[cell(w - 1, e, s)], row[cells + cell(w, e, s)] = 1, -1, -1
                rows, low, high = [*rows, row], [*low, -np.inf], [*high, 0]
    least = optimize.milp(
        cost,
        constraints=optimize.LinearConstraint(np.array(rows), low, high),
        integrality=np.ones(2 * cells),
        bounds=optimize.Bounds(0, 1),
    ).fun
    found = moe.replan(drift)
    assert found.status == "optimal" and found.moves > 0
    assert found.cost_s == pytest.approx(least, rel=1e-6)


# ---- between the extremes --------------------------------------------------------------------


def swinging(seed: int = 1, *, windows: int = 5, top_k: int = 2, experts: int = 6, satellites: int = 14):
    """Latencies that turn and weights that drift; larger than what can be enumerated."""
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, 2 * np.pi, satellites)
    base_s, logs = rng.uniform(0.01, 0.03, satellites), rng.normal(0, 0.8, experts)
    found = []
    for w in range(windows):
        phase = 0.5 * w + np.linspace(0, 0.4, 4)[:, None] + turn
        logs = logs + rng.normal(0, 0.3, experts)
        layer = moe.Layer(np.exp(logs), base_s * (1 + 0.4 * np.sin(phase)))
        found.append(moe.Problem([layer], top_k=top_k))
    return found


def test_between_windows_apart_and_one_placement_for_all():
    windows, tokens = swinging(), np.array([100.0, 50, 200, 100, 80])
    plans = [moe.solve(window) for window in windows]
    apart_s = sum(n * plan.token_latency_s for n, plan in zip(tokens, plans))
    costs, moves = [], []
    for move_s in (0.0, 1e-3, 1e-2, 0.05, 0.2, 1.0, math.inf):
        found = moe.replan(moe.Drift(windows, tokens, move_s))
        assert found.status == "optimal"
        assert_sound(found)
        costs.append(found.cost_s)
        moves.append(found.moves)
    assert costs[0] == pytest.approx(apart_s, rel=GAP)
    assert costs == sorted(costs) and costs[0] < costs[-1]
    assert moves[1:] == sorted(moves[1:], reverse=True) and moves[1] > 0 and moves[-1] == 0
    assert len(set(found.placements)) == 1


def test_no_period_of_rebalancing_is_better():
    drift = moe.Drift(swinging(), 100.0, 0.02)
    best = moe.replan(drift)
    for every in range(1, 6):
        found = moe.rebalance(drift, every=every)
        assert found.status == "feasible"
        assert_sound(found)
        assert found.cost_s > best.cost_s >= found.lower_bound_s > 0.9 * best.cost_s
        held = [found.placements[w] == found.placements[w - 1] for w in range(1, 5)]
        assert [w for w in range(1, 5) if not held[w - 1]] == list(range(every, 5, every))


def test_rebalancing_says_what_cannot_be_held():
    here, there = ([[0.01, np.nan]], [[np.nan, 0.01]])
    drift = moe.Drift([moe.Problem([moe.Layer([1], lat)], top_k=1) for lat in (here, there)], 1.0, 5.0)
    assert moe.rebalance(drift, every=2).status == "no_plan_found"
    assert moe.rebalance(drift).cost_s == moe.replan(drift).cost_s == pytest.approx(5.02)
    still = drift.replace(move_s=math.inf)
    found = moe.rebalance(still)
    assert (found.cost_s, found.gap) == (math.inf, 1.0)
    assert moe.replan(still).status == "infeasible"
    nowhere = moe.Problem([moe.Layer([1], [[np.nan, np.nan]])], top_k=1)
    drift = moe.Drift([drift.windows[0], nowhere], 1.0, 5.0)
    assert moe.rebalance(drift).status == moe.replan(drift).status == "infeasible"


def test_where_experts_are_counts_from_the_start():
    window = moe.Problem([moe.Layer([3, 1], [[0.01, 0.02, 0.03]])], top_k=1)
    there = [["s1", "s0"]]
    held = moe.replan(moe.Drift([window], 1.0, 1.0, there))
    assert held.placements == ((("s1", "s0"),),) and held.moves == 0
    swapped = moe.replan(moe.Drift([window], 1.0, 1e-3, there))
    assert swapped.placements == ((("s0", "s1"),),) and swapped.moved.tolist() == [2]
    assert swapped.cost_s == pytest.approx(0.0125 + 2e-3)


# ---- what must not change the answer ---------------------------------------------------------


def test_order_scale_and_windows_cut_in_two_are_nothing():
    for seed in range(60):
        drift = random_drift(seed)
        best = moe.replan(drift)
        rng = np.random.default_rng(seed)
        count = len(drift.windows[0].satellites)
        order = rng.permutation(count)
        where = np.argsort(order)
        windows = [
            moe.Problem(
                [moe.Layer(of.weights, of.latency_s[:, order], of.base_s) for of in window.layers],
                top_k=window.top_k,
                unreachable_s=window.unreachable_s,
            )
            for window in drift.windows
        ]
        move_s = drift.move_s[order][:, order] if drift.move_s.ndim else drift.move_s
        start = drift.start and [[int(where[int(id[1:])]) for id in hosts] for hosts in drift.start]
        other = moe.replan(moe.Drift(windows, drift.tokens, move_s, start))
        assert other.cost_s == pytest.approx(best.cost_s, rel=GAP, abs=1e-300, nan_ok=True)
        more = moe.replan(drift.replace(tokens=drift.tokens * 8, move_s=drift.move_s * 8))
        assert more.cost_s == pytest.approx(8 * best.cost_s, rel=GAP, abs=1e-300, nan_ok=True)
        if drift.move_s.ndim:  # where a way round is cheaper, one more window may pay
            continue
        # A window cut into two costs the same: nobody need move between them.
        twice = drift.replace(
            windows=[drift.windows[0], *drift.windows], tokens=[drift.tokens[0] / 2] * 2 + [*drift.tokens[1:]]
        )
        assert moe.replan(twice).cost_s == pytest.approx(best.cost_s, rel=GAP, abs=1e-300, nan_ok=True)


def test_more_satellites_never_hurt():
    windows = swinging(3, windows=4)
    best = moe.replan(moe.Drift(windows, 1.0, 1e-3))
    fewer = [
        moe.Problem([moe.Layer(of.weights, of.latency_s[:, :9]) for of in window.layers], top_k=2)
        for window in windows
    ]
    assert best.cost_s <= moe.replan(moe.Drift(fewer, 1.0, 1e-3)).cost_s * (1 + GAP)


def test_layers_apart_are_scheduled_apart():
    a, b = swinging(4, experts=3, satellites=6), swinging(5, experts=3, satellites=6)
    both = []
    for x, y in zip(a, b):
        away = np.full((4, 6), np.nan)
        layers = [
            moe.Layer(x.layers[0].weights, np.hstack([x.layers[0].latency_s, away])),
            moe.Layer(y.layers[0].weights, np.hstack([away, y.layers[0].latency_s])),
        ]
        both.append(moe.Problem(layers, top_k=2))
    found = moe.replan(moe.Drift(both, 1.0, 1e-3))
    apart = [moe.replan(moe.Drift(windows, 1.0, 1e-3)) for windows in (a, b)]
    assert found.status == "optimal"
    assert found.cost_s == pytest.approx(sum(one.cost_s for one in apart), rel=GAP)


def test_the_same_call_gives_the_same_answer():
    drift = moe.Drift(swinging(6), 1.0, 2e-3)
    first, again = moe.replan(drift), moe.replan(pickle.loads(pickle.dumps(drift)))
    assert first == again and first.nodes == again.nodes


# ---- what is too large, and time limits ------------------------------------------------------


@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_bounds_hold_where_nothing_is_proven(top_k):
    rng = np.random.default_rng(7)
    windows = []
    for _ in range(3):
        layers = [
            moe.Layer(np.exp(rng.normal(0, 0.6, 8)), rng.uniform(0.01, 0.06, (6, 24))) for _ in range(2)
        ]
        windows.append(moe.Problem(layers, top_k=top_k))
    drift = moe.Drift(windows, 1.0, 5e-3)
    found = moe.replan(drift, time_limit_s=2.0)
    assert_sound(found)
    assert found.lower_bound_s > 0 and found.gap < (1e-9, 0.2, 0.5)[top_k // 2]
    assert found.cost_s <= moe.rebalance(drift, time_limit_s=0.5).cost_s


def test_no_time_leaves_a_schedule_and_a_true_bound(random_problems):
    for seed in range(min(random_problems, 100)):
        drift = random_drift(seed)
        best, found = moe.replan(drift), moe.replan(drift, time_limit_s=0)
        assert found.status in (best.status, "time_limit")
        if not best.placements:
            continue
        assert found.lower_bound_s <= best.cost_s * (1 + GAP)
        if found.placements:
            assert_sound(found)
            assert found.cost_s >= best.cost_s * (1 - GAP)
        else:
            assert math.isinf(drift.move_s.max()) and math.isnan(found.cost_s)


# ---- values and wrong calls ------------------------------------------------------------------


def test_values():
    drift = moe.Drift(swinging(2, windows=2, experts=3, satellites=5), [10, 20], 1e-2)
    assert repr(drift) == "Drift(2 windows, 1 layer, 3 experts, 5 satellites)"
    assert "moving an expert: 10 ms" in drift.summary() and "<table" in drift._repr_html_()
    assert drift == drift.replace() == pickle.loads(pickle.dumps(drift)) and drift != 1
    assert drift != drift.replace(tokens=[10, 21])
    with pytest.raises(ValueError, match="read-only"):
        drift.tokens[0] = 1
    found = moe.replan(drift)
    assert re.fullmatch(
        r"Schedule\(2 windows: optimal, cost_s=[0-9.]+, \d moves?, gap=[0-9.e-]+\)", repr(found)
    )
    assert "no schedule costs less" in found.summary() and "<table" in found._repr_html_()
    again = pickle.loads(pickle.dumps(found))
    assert again == found and found != 1
    for array in (again.token_latency_s, again.window_move_s, again.moved):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    same = moe.evaluate_schedule(drift, found.placements)
    assert same.cost_s == found.cost_s and same.lower_bound_s == 0
    by_place = [[[int(id[1:]) for id in hosts] for hosts in window] for window in found.placements]
    assert moe.evaluate_schedule(drift, by_place) == same
    nothing = moe.replan(drift.replace(move_s=math.inf), time_limit_s=0)
    assert repr(nothing).startswith("Schedule(2 windows: ") and nothing.summary()
    with pytest.raises(TypeError, match="did you mean 'move_s'"):
        drift.replace(moves_s=1)


def small(**changes):
    return moe.Problem(**{"layers": [moe.Layer([2, 1], [[0.1, 0.2, 0.3]])], "top_k": 1, **changes})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((small(), 1, 1), r"windows: expected a sequence of Problem"),
        (([], 1, 1), r"windows: must not be empty"),
        (([1], 1, 1), r"windows\[0\]: expected a Problem, got 1"),
        (([small(), small(top_k=2)], 1, 1), r"windows\[1\]: top_k 2 is not the 1 of windows\[0\]"),
        (
            ([small(), small(satellites=["a", "b", "c"])], 1, 1),
            r"windows\[1\]: its satellites are not those of windows\[0\]",
        ),
        (
            ([small(), small(layers=[moe.Layer([1], [[0.1, 0.2, 0.3]])])], 1, 1),
            r"windows\[1\]: 1 experts of layer 0 are not the 2 of windows\[0\]",
        ),
        (
            ([small(), small(layers=[*small().layers] * 2)], 1, 1),
            r"windows\[1\]: 2 layers are not the 1 of windows\[0\]",
        ),
        (([small()], [1, 2], 1), r"tokens: expected a scalar or shape \(1,\), got shape \(2,\)"),
        (([small()], 0, 1), r"tokens\[0\]: 0.* is not in \(0, inf\)"),
        (([small()], [math.nan], 1), r"tokens\[0\]: nan is not in"),
        (([small()], ["a"], 1), r"tokens: expected numbers"),
        (([small()], 1, -1), r"move_s: -1 is not in \[0, inf\]"),
        (([small()], 1, math.nan), r"move_s: nan is not in"),
        (([small()], 1, "a"), r"move_s: expected a number"),
        (([small()], 1, [1, 2]), r"move_s: expected numbers of shape \(satellites, satellites\)"),
        (([small()], 1, np.zeros((2, 3))), r"move_s: expected a number or shape \(satellites, satellites\)"),
        (([small()], 1, np.zeros((2, 2))), r"move_s: of 2 satellites, the problems have 3"),
        (([small()], 1, np.ones((3, 3))), r"move_s\[0\]\[0\]: 1.* is not in \{0\}"),
        (([small()], 1, np.full((3, 3), -1)), r"move_s\[0\]\[0\]: -1.*is not in"),
        (([small()], 1, 1, [["s0"]]), r"start\[0\]: 1 satellites for 2 experts"),
        (([small()], 1, 1, []), r"start: 0 layers are not the 1 of the problems"),
        (([small()], 1, 1, [["s0", "s0"]]), r"start\[0\]\[1\]: 's0' hosts another expert already"),
        (([small()], 1, 1, [["s0", "x"]]), r"start\[0\]\[1\]: 'x' is not one of the problem's satellites"),
        (([small()], 1, 1, [["s0", 3]]), r"start\[0\]\[1\]: 3 is not in \[0, 2\]"),
        (([small()], 1, 1, "s0"), r"start: expected a sequence of layers"),
    ],
)
def test_wrong_drifts(arguments, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        moe.Drift(*arguments)


def test_wrong_calls():
    drift = moe.Drift([small()], 1, 1)
    for call in (moe.replan, moe.rebalance, lambda x: moe.evaluate_schedule(x, [])):
        with pytest.raises(TypeError, match="^drift: expected a Drift"):
            call(small())
    with pytest.raises(ValueError, match=r"^time_limit_s: -1 is not in \[0, inf\]"):
        moe.replan(drift, time_limit_s=-1)
    with pytest.raises(ValueError, match=r"^every: 0 is not in \[1, inf\)"):
        moe.rebalance(drift, every=0)
    with pytest.raises(ValueError, match=r"^placements: 0 of them for 1 window"):
        moe.evaluate_schedule(drift, [])
    with pytest.raises(TypeError, match=r"^placements: expected one of each window"):
        moe.evaluate_schedule(drift, 3)
    with pytest.raises(ValueError, match=r"^placements\[0\]\[0\]\[1\]: 'x' is not one of"):
        moe.evaluate_schedule(drift, [[["s0", "x"]]])
    with pytest.raises(ValueError, match=r"^placements\[0\]: placement\[0\]\[1\]: 's0' hosts expert 0"):
        moe.evaluate_schedule(drift, [[["s0", "s0"]]])
