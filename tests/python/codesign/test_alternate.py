"""Joint training of partition and codecs: with made-up measurements, and once in earnest."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from constellm import model, network, split
from constellm.codec import MeasuredCuts
from constellm.codesign import COLUMNS, IDEAL, STOPS, Campaign, Images, Measuring, Order, alternate
from constellm.images import ImageSet, synthetic
from constellm.split import codecs_at_cuts

BLOCKS = 6
NET = SimpleNamespace(name="net", blocks=BLOCKS)


class Stub:
    """A compressor that is never run: its ratio and loss are stated."""

    def __init__(self, ratio, loss, name="stub"):
        self.ratio, self.loss, self.name = ratio, loss, name

    def encode(self, x):
        raise AssertionError("the measurer of these tests encodes nothing")

    decode = encode


class Measurer:
    """Losses add up and fall towards the end; everything asked for is noted."""

    def __init__(self):
        self.sets = []

    def __call__(self, net, images, compressors, *, boundaries, combinations, batch):
        assert net is NET and tuple(boundaries) == () and batch == 64
        rows = [self.row(compressors, dict(sorted(cuts.items())), len(images)) for cuts in combinations]
        if len(images) == len(CALIBRATION) // 2:
            self.sets += [tuple(row.plan.items()) for row in rows]
        return SimpleNamespace(rows=rows)

    @staticmethod
    def row(compressors, cuts, images):
        at = {
            k: compressors[n][k] if isinstance(compressors[n], dict) else compressors[n]
            for k, n in cuts.items()
        }
        loss = sum(stub.loss * (1.0 - 0.05 * k) for k, stub in at.items())
        return MeasuredCuts(
            cuts=tuple(cuts),
            codecs=tuple(cuts.values()),
            blocks=BLOCKS,
            images=images,
            error=tuple(10.0 * stub.loss for stub in at.values()),
            reached=(10.0 * loss,) * (BLOCKS - min(cuts) + 1),
            ratio=tuple(stub.ratio for stub in at.values()),
            encode_s_per_byte=(1e-9,) * len(cuts),
            decode_s_per_byte=(1e-9,) * len(cuts),
            accuracy=0.95 - loss,
            agreement=1.0 - loss,
            loss=loss,
            loss_se=0.001,
            expected_loss=loss,
            expected_loss_se=1e-5,
        )


DRAW = np.random.default_rng(0)


def image_set(count):
    pixels = DRAW.integers(0, 256, (count, 2, 2, 3), np.uint8)
    return ImageSet(pixels, np.zeros(count, np.int64), ("a", "b"))


CALIBRATION, TRAINING, TEST = image_set(8000), image_set(7), image_set(500)
MENU = {"fine": Stub(2.0, 0.0004), "middle": Stub(4.0, 0.001), "coarse": Stub(8.0, 0.003)}


def problem_of(rate_bps=5e6, nodes=3, **changes):
    def made(menu, max_error):
        profile = model.from_arrays(
            flop=[1e9] * BLOCKS,
            memory_bytes=[1e6] * BLOCKS,
            output_bytes=[1e6] * (BLOCKS - 1) + [1e1],
            input_bytes=1e6,
        )
        chain = network.chain(nodes, flop_per_s=1e10, memory_bytes=1e9, rate_bps=rate_bps)
        options = {"micro_batches": 8, "max_error": max_error, **changes}
        return split.Problem(model=profile, network=chain, codecs=menu, **options)

    return made


class Better:
    """Trains codecs with `factor` times the ratio that the plan has and a given loss."""

    def __init__(self, factor, loss=0.0005):
        self.factor, self.loss, self.orders = factor, loss, []

    def __call__(self, images, order):
        assert images is TRAINING
        self.orders.append(order)
        name = f"trained-r{order.round}"
        return {name: {k: Stub(self.factor * ratio, self.loss, name) for k, ratio in order.ratios.items()}}


def run(trainer, *, problem=None, measurer=None, test=None, measured=(), report=None, **terms):
    return alternate(
        problem or problem_of(),
        NET,
        Images(TRAINING, CALIBRATION, test),
        compressors=MENU,
        trainer=trainer,
        campaign=Campaign(**terms),
        measuring=Measuring(measurer or Measurer(), measured),
        report=report,
    )


def cuts(plan):
    return [stage.last_layer + 1 for stage in plan.stages[:-1]]


def ideal_cuts():
    return cuts(split.solve(problem_of()([IDEAL], 0.0)))  # at any rate


def not_called(images, order):
    raise AssertionError("nothing should be trained")


def test_every_round_trains_for_the_last_plan_and_no_round_is_worse():
    trainer = Better(2.0)
    found = run(trainer, rounds=3, tolerance=0.001, test=TEST)
    assert [done.index for done in found.rounds] == [0, 1, 2, 3] and found.stopped_because == "rounds"
    assert [order.round for order in trainer.orders] == [1, 2, 3]
    for order, before, after in zip(trainer.orders, found.rounds, found.rounds[1:]):
        assert list(order.ratios) == cuts(before.plan) == list(after.trained_cuts)
    first = found.rounds[0]
    at = codecs_at_cuts(first.plan)
    for k, name in at.items():
        assert trainer.orders[0].ratios[k] == MENU[name].ratio
    for done in found.rounds:
        assert done.plan.status == "optimal" and split.check(done.plan.problem, done.plan) == []
        assert done.plan.error <= done.max_error * (1 + 1e-9)
        assert done.ideal_s <= done.objective_s <= done.before_s * (1 + 1e-9) <= done.start_s * (1 + 3e-9)
        assert 0.0 <= done.gain < 1.0 and 0.0 <= done.share <= 1.0
    assert found.rounds[0].gain == 0.0 and found.rounds[0].trained == ()
    assert found.rounds[1].gain > 0.05 and found.rounds[1].trained == ("trained-r1",)
    assert found.plan is found.rounds[-1].plan


def test_bytes_of_a_trained_codec_are_counted_at_its_cuts_alone():
    found = run(Better(16.0), rounds=1)
    done = found.rounds[1]
    where = set(found.compressors["trained-r1"])
    assert where < set(range(1, BLOCKS))
    trained = {k for k, name in codecs_at_cuts(done.plan).items() if name == "trained-r1"}
    assert trained and trained <= where
    codec = next(c for c in done.plan.problem.codecs if c.name == "trained-r1")
    for k in range(1, BLOCKS):
        assert (codec.layer_error[k - 1] <= done.max_error) == (k in where)


def test_stops_when_no_codec_could_gain_more():
    found = run(not_called, problem=problem_of(rate_bps=1e12), tolerance=0.01)
    assert found.stopped_because == "bound" and len(found.rounds) == 1
    assert 0.0 <= found.rounds[0].room <= 0.01


def test_stops_after_training_that_reaches_the_bound():
    found = run(Better(1e6, loss=0.0), tolerance=0.01)
    assert found.stopped_because == "bound" and len(found.rounds) > 1
    assert found.rounds[-1].share > 0.9


def test_stops_when_the_plan_repeats_but_tries_the_ideal_cuts_before():
    trainer = Better(0.5, loss=0.02)
    found = run(trainer, problem=problem_of(rate_bps=2.5e6))
    assert found.stopped_because == "repeats" and len(found.rounds) == 3
    assert [list(order.ratios) for order in trainer.orders] == [cuts(found.plan), ideal_cuts()]
    assert cuts(found.plan) != ideal_cuts()
    last = found.rounds[-1]
    allowed = [stub.ratio for stub in MENU.values() if stub.loss < last.max_error / 2]  # two cuts share it
    assert set(trainer.orders[1].ratios.values()) == {max(allowed)}
    for done in found.rounds[1:]:
        assert done.plan.stages == found.rounds[0].plan.stages and done.gain == 0.0


def test_stops_when_a_round_gains_too_little():
    trainer = Better(1.01)
    found = run(trainer, tolerance=0.05, rounds=5)
    assert found.stopped_because == "gain" and 2 <= len(found.rounds) <= 3
    assert ideal_cuts() in [list(order.ratios) for order in trainer.orders]
    assert 0.0 < found.rounds[1].gain < 0.05 < found.rounds[-1].room


def test_codecs_for_the_ideal_cuts_find_what_turns_alone_do_not():
    def trainer(images, order):
        factor = 50.0 if list(order.ratios) == ideal_cuts() else 0.5
        name = f"trained-r{order.round}"
        return {name: {k: Stub(factor * ratio, 0.0005, name) for k, ratio in order.ratios.items()}}

    found = run(trainer, problem=problem_of(rate_bps=2.5e6))
    assert cuts(found.rounds[1].plan) == cuts(found.rounds[0].plan) != ideal_cuts()
    assert found.rounds[2].gain > 0.1 and cuts(found.rounds[2].plan) == ideal_cuts()


def test_plan_without_a_cut_asks_for_codecs_at_the_cuts_of_the_ideal_plan():
    trainer = Better(1e3, loss=0.0)
    found = run(trainer, problem=problem_of(rate_bps=1e5), rounds=1, test=TEST)
    assert len(found.rounds[0].plan.stages) == 1 and found.cuts(0) == {}
    row = found.rounds[0].row()
    assert row["test_loss"] != row["test_loss"] and row["promised_loss"] == 0.0
    ratios = trainer.orders[0].ratios
    assert ratios and set(ratios.values()) <= {stub.ratio for stub in MENU.values()}
    assert len(found.rounds[1].plan.stages) > 1


def test_no_codec_is_used_where_the_images_are_too_few_for_any_promise():
    found = run(Better(2.0, loss=0.0), loss=1e-5, rounds=1)
    assert [done.max_error for done in found.rounds] == [0.0, 0.0]
    assert all(
        codecs_at_cuts(done.plan) == {} and done.row()["promised_loss"] == 0.0 for done in found.rounds
    )


def test_throughput_is_an_objective_too():
    found = run(Better(2.0), problem=problem_of(objective="throughput"), rounds=1)
    for done in found.rounds:
        assert done.objective_s == done.plan.bottleneck_s


def test_nothing_is_measured_twice_and_rows_at_hand_are_not_measured_at_all():
    measurer = Measurer()
    found = run(Better(2.0), measurer=measurer, rounds=2)
    assert len(measurer.sets) == len(set(measurer.sets)) == len(found.measured)
    again = Measurer()
    repeated = run(Better(2.0), measurer=again, rounds=0, measured=found.measured)
    assert again.sets == []
    alone = [row for row in repeated.measured if len(row.cuts) == 1]
    assert len(alone) == len(MENU) * (BLOCKS - 1)
    assert all(set(row.codecs) <= set(MENU) for row in repeated.measured)


def test_the_same_seed_gives_the_same_rows():
    def figures(seed):
        rows = run(Better(2.0), rounds=2, seed=seed, test=TEST).rows()
        return [{**row, "train_s": 0.0} for row in rows]

    assert figures(3) == figures(3)


def test_test_images_change_nothing():
    without, tested = run(Better(2.0), rounds=2), run(Better(2.0), rounds=2, test=TEST)
    for one, two in zip(without.rounds, tested.rounds):
        assert one.plan.stages == two.plan.stages and one.objective_s == two.objective_s
        assert one.tested is None and two.tested.images == len(TEST)
        assert two.tested.plan == codecs_at_cuts(two.plan) == two.measured.plan


def test_shows_itself():
    seen = []
    found = run(Better(2.0), rounds=1, tolerance=0.001, test=TEST, report=seen.append)
    assert seen == list(found.rounds)
    for row in found.rows():
        assert row.keys() == COLUMNS.keys()
    assert found.stopped_because in STOPS and STOPS[found.stopped_because] in found.summary()
    lines = found.summary().splitlines()
    head = next(i for i, line in enumerate(lines) if line.split()[:1] == ["round"])
    assert [line.split()[0] for line in lines[head + 1 :]] == ["0", "1"]
    assert "<script" not in found._repr_html_() and found._repr_html_().count("<tr>") == 3
    assert "1 round of training" in repr(found)


def test_cuts_are_those_of_the_plan():
    found = run(Better(16.0), rounds=1)
    at = found.cuts()
    for k, name in codecs_at_cuts(found.plan).items():
        menu = found.compressors[name]
        assert at[k] is (menu[k] if isinstance(menu, dict) else menu)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"coarse": {2: Stub(2.0, 0.0)}}, "trainer: the name 'coarse' is in use"),
        ({IDEAL.name: {2: Stub(2.0, 0.0)}}, "trainer: the name 'ideal' is in use"),
        ({"new": {}}, r"trainer: 'new' is for cuts \[\]"),
        ({"new": {99: Stub(2.0, 0.0)}}, r"trainer: 'new' is for cuts \[99\], asked for \["),
    ],
)
def test_wrong_codecs_of_a_trainer_are_refused(made, message):
    with pytest.raises(ValueError, match=message):
        run(lambda images, order: made)


def shorter(menu, max_error):
    problem = problem_of()([IDEAL], max_error)
    return problem.replace(layers=problem.layers[:3])


def with_another(menu, max_error):
    return problem_of()([*menu, menu[0].replace(name="more")], max_error)


def without_memory(menu, max_error):
    problem = problem_of()(menu, max_error)
    return problem.replace(nodes=[node.replace(memory_bytes=0.0) for node in problem.nodes])


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (problem_of(error_rule="root_sum_square"), "error rule 'root_sum_square'"),
        (problem_of(max_error=None), "limit None"),
        (shorter, "3 layers, expected 6"),
        (with_another, "other codecs"),
        (without_memory, "has no plan"),
    ],
)
def test_wrong_problems_are_refused(problem, message):
    with pytest.raises(ValueError, match=f"problem_of: .*{message}"):
        run(not_called, problem=problem)


def test_a_problem_that_grows_with_the_menu_is_refused():
    """Optima could not be compared: a longer menu is never worse of itself."""

    def slower(menu, max_error):
        return problem_of(rate_bps=5e6 * 0.1 ** len(menu))(menu, max_error)

    with pytest.raises(ValueError, match="problem_of: longer menus have optima of .*depends on the menu"):
        run(Better(1.0), problem=slower)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sets": 19}, ValueError, "sets: 19"),
        ({"rounds": -1}, ValueError, "rounds: -1"),
        ({"tolerance": 2.0}, ValueError, "tolerance: 2.0"),
        ({"loss": 0.0}, ValueError, "loss: 0.0"),
        ({"confidence": 0.4}, ValueError, "confidence: 0.4"),
        ({"batch": 0}, ValueError, "batch: 0"),
        ({"seed": 1.0}, TypeError, "seed: expected an integer, got 1.0"),
        ({"measured": [Measurer.row(MENU, {1: "fine"}, 3)]}, ValueError, "measured: a row of 6 blocks and 3"),
    ],
)
def test_wrong_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        run(not_called, **options)


def test_reserved_names_and_empty_menus_are_refused():
    for menu in ({}, {"none": MENU["fine"]}, {"ideal": MENU["fine"]}):
        with pytest.raises(ValueError, match="compressors: expected some"):
            images = Images(TRAINING, CALIBRATION)
            alternate(problem_of(), NET, images, compressors=menu, trainer=not_called)


def test_sets_of_cuts_are_measured_on_other_images_than_single_cuts():
    seen = {}

    def measured(net, images, compressors, *, combinations, **options):
        for cuts in combinations:
            seen.setdefault(len(cuts) > 1, set()).add(images.name)
        return Measurer()(net, images, compressors, combinations=combinations, **options)

    some, others = (
        ImageSet(s.pixels, s.labels, s.classes, name) for s, name in ((CALIBRATION, "some"), (TEST, "others"))
    )
    terms = {"compressors": MENU, "trainer": not_called, "campaign": Campaign(rounds=0, sets=20)}
    alternate(problem_of(), NET, Images(TRAINING, some, sets=others), measuring=Measuring(measured), **terms)
    assert seen == {False: {"some"}, True: {"others"}}
    alone, several = Images(TRAINING, synthetic(9, side_px=8, seed=0)).measured()
    assert (len(alone), len(several)) == (4, 5)
    assert not any((one == two).all() for one in alone.pixels for two in several.pixels)


def test_halves_of_the_calibration_images_keep_classes_even():
    few = synthetic(47, side_px=8, seed=1)
    alone, several = Images(TRAINING, few).measured()
    apart = np.bincount(alone.labels, minlength=10) - np.bincount(several.labels, minlength=10)
    assert abs(apart).max() <= 1 and len(alone) == 23 and len(several) == 24
    assert list(alone.labels) != sorted(alone.labels)


def test_images_that_two_sets_share_are_refused():
    with pytest.raises(ValueError, match="^calibration: shares 7 of 7 images with training"):
        Images(TRAINING, TRAINING)
    with pytest.raises(ValueError, match="^sets: shares 8000 of 8000 images with calibration"):
        Images(TRAINING, CALIBRATION, sets=CALIBRATION)
    longer, shorter = synthetic(20, side_px=8), synthetic(10, side_px=8)  # of one seed
    with pytest.raises(ValueError, match="^test: shares 10 of 10 images with calibration"):
        Images(TRAINING, longer, test=shorter)
    with pytest.raises(ValueError, match="^calibration: shares 6 of 10 images with training"):
        Images(longer.take(slice(4, 14)), shorter)
    Images(TRAINING, longer.take(slice(9, None)), test=shorter)  # the same picture twice, as in archives


@pytest.mark.parametrize("made", [None, 3, {"new": None}])
def test_what_a_trainer_gives_is_checked(made):
    with pytest.raises(TypeError, match=r"^trainer: expected codecs by name, then by boundary.*, got "):
        run(lambda images, order: made, rounds=1)


def test_groups_are_checked():
    with pytest.raises(TypeError, match="training: expected a ImageSet"):
        Images(None, CALIBRATION)
    with pytest.raises(TypeError, match="test: expected a ImageSet"):
        Images(TRAINING, CALIBRATION, 3)
    with pytest.raises(TypeError, match="sets: expected a ImageSet"):
        Images(TRAINING, CALIBRATION, sets=3)
    with pytest.raises(ValueError, match="calibration: one image cannot be divided"):
        Images(TRAINING, image_set(1))
    Images(TRAINING, image_set(1), sets=image_set(1))
    for name in ("training", "calibration", "test", "sets"):
        given = {"training": TRAINING, "calibration": CALIBRATION, name: image_set(0)}
        with pytest.raises(ValueError, match=f"^{name}: no image in it"):
            Images(**given)
    for name in ("images", "campaign", "measuring"):
        given = {"images": Images(TRAINING, CALIBRATION), name: 3}
        with pytest.raises(TypeError, match=f"{name}: expected a {name.title()}, got 3"):
            alternate(problem_of(), NET, compressors=MENU, trainer=not_called, **given)


def test_arguments_of_the_old_version_make_the_groups():
    terms = {"compressors": MENU, "trainer": Better(2.0)}
    groups = {"campaign": Campaign(rounds=1, sets=20), "measuring": Measuring(Measurer())}
    new = alternate(problem_of(), NET, Images(TRAINING, CALIBRATION, TEST), **terms, **groups)
    known = [row for row in new.measured if len(row.cuts) == 1]
    with pytest.warns(DeprecationWarning) as told:
        old = alternate(
            problem_of(), NET, TRAINING, CALIBRATION, test=TEST, rounds=1, sets=20, measured=known,
            measure=Measurer(), **terms
        )  # fmt: skip
    assert [warning.filename for warning in told] == [__file__]
    assert str(told[0].message).endswith(
        "it is alternate(images=Images(training=…, calibration=…, test=…), "
        "campaign=Campaign(rounds=…, sets=…), measuring=Measuring(known=…, measure=…)) now"
    )
    assert [done.plan.stages for done in old.rounds] == [done.plan.stages for done in new.rounds]
    assert [done.tested for done in old.rounds] == [done.tested for done in new.rounds]
    assert len(old.measured) == len(new.measured)
    with pytest.warns(DeprecationWarning, match=r"alternate\(rounds=…, sets=…\) is"):
        alternate(
            problem_of(), NET, Images(TRAINING, CALIBRATION), rounds=0, sets=20,
            measuring=Measuring(Measurer()), **terms
        )  # fmt: skip


@pytest.mark.parametrize(
    "wrong, name",
    [
        ({"turns": 1}, "turns"),
        ({"rounds": 1, "campaign": Campaign()}, "rounds"),
        ({"test": None}, "test"),
        ({"measured": (), "measuring": Measuring()}, "measured"),
    ],
)
def test_what_is_given_twice_or_unknown_is_refused(wrong, name):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        alternate(
            problem_of(),
            NET,
            images=Images(TRAINING, CALIBRATION),
            compressors=MENU,
            trainer=not_called,
            **wrong,
        )


def test_in_earnest_on_a_tiny_network(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnxruntime")
    from constellm import infer
    from constellm.codec import Direct, Scheme
    from constellm.train import Recipe, VitShape, fit, save
    from constellm.train.at_cuts import CutRecipe
    from constellm.train.cut_trainer import CutTrainer

    training, calibration = synthetic(48, side_px=16, seed=0), synthetic(32, side_px=16, seed=1)
    shape = VitShape(blocks=4, width=16, heads=2, mlp_width=32, image_px=16, patch_px=4, classes=10)
    trained = fit(training, shape=shape, recipe=Recipe(epochs=1, all_tokens_epochs=1, seed=0))
    path = tmp_path / "tiny.safetensors"
    save(trained, path, name="tiny", classes=training.classes)
    net = infer.load(path)
    profile = net.profile(16)

    def problem(menu, max_error):
        timeless = [codec.replace(encode_s_per_byte=0.0, decode_s_per_byte=0.0) for codec in menu]
        chain = network.chain(3, flop_per_s=1e8, memory_bytes=1e9, rate_bps=1e5)
        return split.Problem(
            model=profile, network=chain, codecs=timeless, micro_batches=4, max_error=max_error
        )

    recipes = dict.fromkeys(("mask", "bottleneck"), CutRecipe(epochs=1, batch=16))

    def figures():
        found = alternate(
            problem,
            net,
            Images(training, calibration),
            compressors={f"q{bits}": Direct(Scheme(bits=bits), name=f"q{bits}") for bits in (4, 8)},
            trainer=CutTrainer(trained, sizes=(0.8, 0.5), recipes=recipes),
            campaign=Campaign(loss=0.5, sets=20, rounds=1, tolerance=0.0),
        )
        assert len(found.rounds) == 2
        names = set(found.rounds[1].trained)
        assert {name.split("-")[0] for name in names} == {"mask", "bottleneck"} and len(names) == 4
        at = found.cuts()
        assert at
        seen = Images(training, calibration).measured()[len(at) > 1]
        inferred = infer.infer(net, seen.pixels, cuts=at)
        assert inferred.accuracy(seen.labels) == found.rounds[1].measured.accuracy
        return [str({**row, "train_s": 0.0}) for row in found.rows()]  # as text: NaN equals NaN

    assert figures() == figures()


def test_share_and_rank_aim_at_the_bytes_asked_for():
    pytest.importorskip("torch")
    from constellm.train.cut_trainer import CutTrainer, mask_share

    shares = [mask_share(bits, 2.0) for bits in (0.01, 0.5, 1.0, 1.5, 4.0)]
    assert shares == sorted(shares) and shares[0] >= 0.005 and shares[-1] <= 0.5
    assert mask_share(2.0, 6.0) == pytest.approx(0.2098, abs=1e-4)  # H(0.2098) + 6 · 0.2098 = 2
    for wrong in ({"gzip": None}, {}):
        with pytest.raises(ValueError, match="recipes: kinds"):
            CutTrainer(None, recipes=wrong)
    with pytest.raises(TypeError, match="'mask'.*expected a CutRecipe"):
        CutTrainer(None, recipes={"mask": 3})
    with pytest.raises(ValueError, match="sizes"):
        CutTrainer(None, sizes=())
    with pytest.raises(ValueError, match=r"sizes: 0\.0"):
        CutTrainer(None, sizes=(0.0,))
    with pytest.raises(ValueError, match="bits: 9"):
        CutTrainer(None, bits=9)


def test_order_says_what_is_wanted():
    order = Order(2, {3: 8.0})
    assert order.round == 2 and order.ratios == {3: 8.0}
