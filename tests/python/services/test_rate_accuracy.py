"""The least bytes within a limit of losses, as trying everything finds them."""

from __future__ import annotations

import itertools
import random

import pytest

from constellm import infer, services


def chain(sizes):
    """A task of so many transfers, in a row."""
    stages = [services.Stage(f"m{k}", [services.Input(k - 1, size)]) for k, size in enumerate(sizes[:-1])]
    return services.Task("t", rate_per_s=1.0, source="a", sink="a", stages=stages, output_bytes=sizes[-1])


def splits(count):
    names = ["source", *(f"m{k}" for k in range(count - 1)), "sink"]
    return list(zip(names, names[1:]))


def test_every_choice_agrees(random_problems):
    for seed in range(min(random_problems, 1000)):
        draw = random.Random(seed)
        count = draw.randint(2, 5)
        table = services.RateAccuracy(
            {
                split: tuple(
                    services.Option(
                        f"c{i}", draw.choice([1.0, 2.0, 4.0, 7.5, 16.0]), draw.choice([-1, 0, 1, 2, 5]) / 256
                    )
                    for i in range(draw.randint(1, 3))
                )
                for split in splits(count)
                if draw.random() < 0.8
            }
        )
        task = chain([draw.choice([0.0, 1e3, 5e4, 1e6]) for _ in range(count)])
        limit = draw.choice([0, 1, 3, 8]) / 256
        found = table.choose(task, limit)
        sizes = [of.bytes for stage in task.stages for of in stage.inputs] + [task.output_bytes]
        offers = [
            (services.Option("none", 1.0, 0.0), *table.options.get(split, ())) for split in splits(count)
        ]
        best = min(
            (sum(size / option.ratio for size, option in zip(sizes, picked)), sum(o.loss for o in picked))
            for picked in itertools.product(*offers)
            if sum(option.loss for option in picked) <= limit
        )
        assert found.bytes == pytest.approx(best[0], rel=1e-12), seed
        assert found.loss == pytest.approx(best[1], abs=1e-12), seed
        assert found.bytes == pytest.approx(sum(s / o.ratio for s, o in zip(sizes, found.options)), rel=1e-12)


def test_more_loss_never_sends_more():
    table = services.RateAccuracy.of_measured(infer.measured_cuts(), {("landuse-front", "landuse-back"): 6})
    kind, parts = services.TEMPLATES["landuse"], services.components()
    task = kind.task(parts, "t", source="a", sink="a", rate_per_s=1.0)
    sent = [table.choose(task, loss).bytes for loss in (0.0, 0.001, 0.005, 0.02, 0.1, 1.0)]
    assert sent == sorted(sent, reverse=True)
    assert sent[0] <= task.output_bytes + sum(of.bytes for stage in task.stages for of in stage.inputs)
    assert sent[-1] < sent[0]


def test_rows_of_one_cut_become_options():
    rows = infer.measured_cuts()
    for cut in (1, 11):
        table = services.RateAccuracy.of_measured(rows, {("a", "b"): cut}, expected=False)
        wanted = {row.codecs[0]: (row.ratio[0], row.loss) for row in rows if row.cuts == (cut,)}
        assert {of.codec: (of.ratio, of.loss) for of in table.options["a", "b"]} == wanted
    with pytest.raises(ValueError, match=r"no row measures a codec at cut 12 alone"):
        services.RateAccuracy.of_measured(rows, {("a", "b"): 12})


def test_a_problem_with_less_to_send():
    problem = services.scenario(seed=1, templates=["landuse", "captioning"], tasks=6, requests_per_s=2.0)
    four = services.Option("quantise-4", 7.9, 0.004)
    table = services.RateAccuracy({("image-encoder", "projector"): [four]})
    smaller, choices = table.compressed(problem, 0.01)
    assert set(choices) == {task.name for task in problem.tasks}
    for before, after in zip(problem.tasks, smaller.tasks):
        told = before.name.startswith("captioning")
        assert choices[before.name].loss == (0.004 if told else 0.0)
        ratio = before.stages[1].inputs[0].bytes / after.stages[1].inputs[0].bytes
        assert ratio == pytest.approx(7.9 if told else 1.0)
        assert after.stages[0] == before.stages[0] and after.output_bytes == before.output_bytes
    one = problem.tasks[0].name
    some = table.compressed(problem, {one: 0.0})
    assert some.problem == problem
    with pytest.raises(ValueError, match="max_loss: 'nobody' is not the name of a task"):
        table.compressed(problem, {"nobody": 0.1})


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: services.Option("a", 0.0, 0.0), ValueError, "ratio: 0.0 is not in"),
        (lambda: services.Option("a", 1.0, 1.5), ValueError, r"loss: 1.5 is not in \[-1, 1\]"),
        (lambda: services.RateAccuracy({"a": ()}), TypeError, "expected pairs of names of services, got 'a'"),
        (lambda: services.RateAccuracy({("a", "b"): [1]}), TypeError, "expected a Option"),
        (lambda: services.RateAccuracy({("a", "b"): 1}), TypeError, "expected a sequence of Option, got 1"),
        (lambda: services.RateAccuracy({}).choose(chain([1.0, 1.0]), -0.1), ValueError, "max_loss: -0.1"),
    ],
)
def test_bad_tables(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_displays():
    table = services.RateAccuracy({("a", "b"): [services.Option("q", 2.0, 0.1)]})
    assert repr(table) == "RateAccuracy(1 split, 1 option)"
    assert "a → b" in table.summary()
