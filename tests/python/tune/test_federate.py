"""Federated training: equal to plain loops where links are perfect, closed forms of time, faults, counts."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from constellm import orbit, tune
from constellm.tune.clients import job_seed
from python.tune.small import contact_plan, contact_timing, samples, task

MODES = [
    tune.Synchronous(),
    tune.Synchronous(deadline_s=4000.0),
    tune.Synchronous(deadline_s=4000.0, late="keep"),
    tune.Synchronous(participants=3),
    tune.Buffered(size=3),
    tune.Buffered(size=4, rate=0.7, most_staleness=2),
    tune.Asynchronous(),
    tune.Asynchronous(mixing=0.9, most_staleness=3),
]


# ---- the same as without satellites ----


def test_one_step_of_everybody_is_gradient_descent_on_all_images() -> None:
    """Full batches, one local step, perfect links."""
    shared = task(batch=None, learning_rate=0.4, dtype="float64")
    alone = replace(shared, partition=tune.partition(shared.partition.labels, 1))
    run = tune.federate(shared, tune.ConstantTiming(6), rounds=30)
    parameters = alone.start()
    for version in range(31):
        expected = alone.evaluate(parameters)
        assert run.column("cross_entropy")[version] == pytest.approx(expected["cross_entropy"], rel=1e-12)
        assert run.column("accuracy")[version] == expected["accuracy"]
        last, parameters = parameters, alone.fit(0, parameters, {})[0]
    for part, wanted in zip(run.parameters, last):
        assert part == pytest.approx(wanted, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_perfect_links_give_federated_averaging_bit_for_bit(dtype: str) -> None:
    shared = task(dtype=dtype)
    run = tune.federate(shared, tune.ConstantTiming(6), rounds=5, epochs=2, seed=3)
    parameters = shared.start()
    for nth in range(5):
        sums = [np.zeros(part.shape) for part in parameters]
        for satellite in range(6):
            config = {"epochs": 2, "seed": job_seed(3, satellite, nth)}
            trained, images, _ = shared.fit(satellite, parameters, config)
            for total, part in zip(sums, trained):
                total += images / 150 * part.astype(float)
        parameters = [total.astype(dtype) for total in sums]
    assert [part.tobytes() for part in run.parameters] == [part.tobytes() for part in parameters]


def test_fedbuff_and_fedasync_by_hand() -> None:
    """Two satellites, one twice as fast: which version each update meets is known."""

    class Counting:
        satellites = 2

        def start(self) -> list[np.ndarray]:
            return [np.zeros(1)]

        def fit(self, satellite: int, parameters: list, config: dict) -> tuple:
            return [parameters[0] + 1.0 + satellite], 1, {}

        def evaluate(self, parameters: list) -> dict[str, float]:
            return {"accuracy": float(parameters[0][0])}

    timing = tune.ConstantTiming(2, computing=tune.Computing(epoch_s=[1.0, 2.0]))
    run = tune.federate(
        Counting(), timing, mode=tune.Asynchronous(mixing=0.5, staleness_exponent=1.0), rounds=4
    )
    # Updates: 0 at 1 s (fresh); at 2 s that of 1, of version 0, which began before that of 0, of version
    # 1: each is one version old; 0 at 3 s, of the model after both.
    first = 0.5 * 1.0
    second = 0.75 * first + 0.25 * 2.0
    third = 0.75 * second + 0.25 * (first + 1.0)
    fourth = 0.5 * third + 0.5 * (third + 1.0)
    assert run.column("accuracy").tolist() == pytest.approx([0, first, second, third, fourth])
    assert run.column("time_s").tolist() == [0, 1, 2, 2, 3]
    assert run.column("staleness").tolist() == [0, 0, 1, 1, 0]

    run = tune.federate(Counting(), timing, mode=tune.Buffered(size=2, rate=0.5), rounds=2)
    # 0 at 1 s and 1 at 2 s, both of version 0. Then 0 at 2 s, one version old: its second model left before
    # the buffer was full; 0 at 3 s, of version 1.
    first = 0.5 * (1.0 + 2.0) / 2
    second = first + 0.5 * (1.0 / math.sqrt(2) + 1.0) / 2
    assert run.column("accuracy").tolist() == pytest.approx([0, first, second])
    assert run.column("staleness").tolist() == [0, 0, 0.5]


@pytest.mark.parametrize("mode", [tune.Asynchronous(), tune.Buffered(size=2)], ids=repr)
def test_everybody_trains_where_links_take_no_time(mode: object) -> None:
    seen = []

    class Seen(tune.HeadTask):
        def fit(self, satellite: int, parameters: list, config: dict) -> tuple:
            seen.append(satellite)
            return super().fit(satellite, parameters, config)

    run = tune.federate(Seen(*task().__reduce__()[1]), tune.ConstantTiming(6), mode=mode, rounds=12)
    assert seen == list(range(6)) * (len(seen) // 6) and run.column("updates")[-1] == len(seen)


def test_participants_are_those_that_can_come_back() -> None:
    timing = tune.ConstantTiming(6, down_s=[0, 1, 2, 3, 4, 5], up_s=[math.inf, 0, 0, 0, 0, 0])
    run = tune.federate(task(), timing, mode=tune.Synchronous(participants=2), rounds=3)
    assert run.column("time_s").tolist() == [0, 2, 4, 6] and run.column("dropped")[-1] == 0


@pytest.mark.parametrize("mode", [tune.Synchronous(), tune.Asynchronous()], ids=repr)
def test_a_timing_that_goes_back_in_time_is_refused(mode: object) -> None:
    class Relative(tune.ConstantTiming):
        def up(self, satellite: int, t_s: float) -> tune.Passage:
            return tune.Passage(0.0, 2.0, 0.0, 0.0)  # since then, in place of when

    with pytest.raises(ValueError, match=r"timing: up\(0, 5\) leaves at 0 s, comes at 2 s"):
        tune.federate(task(), Relative(6, down_s=5.0), mode=mode, rounds=2)


def test_a_global_model_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the global model\[0\]: not finite"):
        tune.federate(task(), tune.ConstantTiming(6), mode=tune.Buffered(rate=1e300), rounds=2)


def test_participants_and_late_ones_by_hand() -> None:
    timing = tune.ConstantTiming(6, down_s=[1, 2, 3, 4, 5, 60], message_bytes=10)
    shared = task()
    few = tune.federate(shared, timing, mode=tune.Synchronous(participants=2), rounds=3)
    assert few.column("time_s").tolist() == [0, 2, 4, 6] and few.column("updates").tolist() == [0, 2, 4, 6]
    dropped = tune.federate(shared, timing, mode=tune.Synchronous(deadline_s=10), rounds=3)
    assert dropped.column("time_s").tolist() == [0, 10, 20, 30]
    assert dropped.column("updates").tolist() == [0, 5, 10, 15]
    assert dropped.column("dropped").tolist() == [0, 1, 2, 3] == dropped.column("late").tolist()
    # A model down to each of six, an update up from each of five.
    assert dropped.column("sent_bytes").tolist() == [0, 110, 220, 330]
    kept = tune.federate(shared, timing, mode=tune.Synchronous(deadline_s=10, late="keep"), rounds=7)
    assert kept.column("updates").tolist() == [0, 5, 10, 15, 20, 25, 31, 36]
    assert kept.column("dropped").tolist() == [0] * 8
    assert kept.column("late").tolist() == [0, 1, 1, 1, 1, 1, 1, 2]
    assert kept.column("staleness").tolist() == [0, 0, 0, 0, 0, 0, 5 / 6, 0]
    assert kept.column("time_s").tolist() == [0, 10, 20, 30, 40, 50, 60, 70]


def test_energy_and_bytes_by_hand() -> None:
    computing = tune.Computing(epoch_s=2.0, before_s=1.0, power_w=3.0)
    timing = tune.ConstantTiming(6, message_bytes=100, computing=computing)
    run = tune.federate(task(), timing, rounds=2, epochs=4)
    assert run.column("energy_j").tolist() == [0, 6 * 27.0, 12 * 27.0]
    assert run.column("sent_bytes").tolist() == [0, 1200, 2400]
    assert run.column("time_s").tolist() == [0, 9, 18]


# ---- over contacts ----


@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_it_repeats_bit_for_bit_and_the_seed_matters(mode: object) -> None:
    timing = contact_timing()
    keywords = {"mode": mode, "rounds": 8, "epochs": (1, 5)}
    run = tune.federate(task(), timing, **keywords)
    assert run == tune.federate(task(), timing, **keywords)
    assert run != tune.federate(task(), timing, **keywords, seed=1)
    assert pickle.loads(pickle.dumps(run)) == run
    assert run.status == "finished" and len(run.history) == 9
    for name in ("time_s", "updates", "dropped", "sent_bytes", "energy_j"):
        assert (np.diff(run.column(name)) >= 0).all()
    assert run.accuracy > 0.6


def test_time_of_synchronous_rounds_is_the_slowest_way_there_and_back() -> None:
    timing = contact_timing()
    run = tune.federate(task(), timing, rounds=3, epochs=2)
    now = 0.0
    for version in range(1, 4):
        ends = []
        for s in range(6):
            trained = timing.computing.done_s(s, timing.down(s, now).arrival_s, 2)
            ends.append(timing.up(s, trained).arrival_s)
        now = max(ends)
        assert run.column("time_s")[version] == now


def test_training_while_waiting_for_a_contact_costs_no_time() -> None:
    timing = contact_timing(computing=tune.Computing(epoch_s=60.0, before_s=700.0, power_w=20.0))
    once = tune.federate(task(), timing, rounds=3)
    more = tune.federate(task(), timing, rounds=3, epochs=(1, 10**6))
    assert more.column("time_s").tolist() == once.column("time_s").tolist()
    assert more.column("energy_j")[-1] > once.column("energy_j")[-1]
    fixed = tune.federate(task(), timing, rounds=3, epochs=100)
    assert fixed.column("time_s")[-1] > once.column("time_s")[-1]


def test_a_satellite_that_is_lost_is_missed_and_a_station_costs_time() -> None:
    # Satellite 1 is lost at an hour; only then.
    plan = contact_plan(outages=[orbit.Outage("s/0/1", start=3600.0)])
    whole = tune.federate(task(), contact_timing(), rounds=4)
    lost = tune.federate(task(), contact_timing(plan), rounds=4)
    assert whole.column("updates").tolist() == [0, 6, 12, 18, 24]
    assert lost.column("updates")[-1] < 24 and lost.status == "finished"
    one_station = tune.federate(
        task(), contact_timing(contact_plan(outages=[orbit.Outage("south")])), rounds=2
    )
    assert one_station.time_s > whole.column("time_s")[2]


def test_everybody_lost_ends_the_run_out_of_contact() -> None:
    plan = contact_plan(hours=2.0)
    for mode in MODES:
        run = tune.federate(task(), contact_timing(plan), mode=mode, rounds=1000)
        assert run.status == "out_of_contact" and run.time_s <= 7200.0
    never = tune.ConstantTiming(6, up_s=math.inf)
    run = tune.federate(task(), never, rounds=2)
    assert (run.status, len(run.history)) == ("out_of_contact", 1)
    run = tune.federate(task(), tune.ConstantTiming(6, computing=tune.Computing(ready_s=math.inf)), rounds=2)
    assert run.status == "out_of_contact"


@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_a_time_limit_cuts_the_history(mode: object) -> None:
    whole = tune.federate(task(), contact_timing(), mode=mode, rounds=6)
    middle = whole.column("time_s")[3] + 1e-6
    cut = tune.federate(task(), contact_timing(), mode=mode, rounds=6, until_s=middle)
    assert cut.status == "time_limit" and cut.history.rows == whole.history.rows[: len(cut.history)]
    assert cut.time_s <= middle < whole.column("time_s")[len(cut.history)]


def test_the_newest_model_leaves_when_the_contact_opens() -> None:
    """Satellite 1 waits for its contact until 50 s; by then satellite 0 has made 4 versions."""

    class Late(tune.ConstantTiming):
        def down(self, satellite: int, t_s: float) -> tune.Passage:
            start = max(t_s, 50.0) if satellite else t_s
            return tune.Passage(start, start + 5.0, 0.0, 0.0)

    shared = task(2)
    run = tune.federate(shared, Late(2, up_s=6.0), mode=tune.Asynchronous(), rounds=6)
    assert run.column("time_s").tolist() == [0, 11, 22, 33, 44, 55, 61]
    assert run.column("staleness").tolist() == [0, 0, 0, 0, 0, 0, 1]


def test_relabelled_satellites_train_as_well() -> None:
    """Full batches need no seeds: whoever is called what, the model is the same but for rounding."""
    shared = task(batch=None, dtype="float64")
    order = np.array([3, 1, 5, 0, 2, 4])
    spread = shared.partition
    other = replace(shared, partition=tune.Partition(order[spread.satellite_of], spread.labels, 6))
    delays = np.array([1.0, 2.1, 3.3, 4.7, 5.9, 60.0])  # no two updates arrive at once
    moved = np.empty(6)
    moved[order] = delays
    for mode in (tune.Synchronous(deadline_s=10.0, late="keep"), tune.Buffered(size=3)):
        one = tune.federate(shared, tune.ConstantTiming(6, up_s=delays), mode=mode, rounds=8)
        two = tune.federate(other, tune.ConstantTiming(6, up_s=moved), mode=mode, rounds=8)
        assert one.column("time_s").tolist() == two.column("time_s").tolist()
        assert one.parameters[0] == pytest.approx(two.parameters[0], rel=1e-9, abs=1e-12)


# ---- what comes out, and what is refused ----


def test_the_history_as_tables() -> None:
    run = tune.federate(task(), tune.ConstantTiming(6, up_s=1.0), rounds=2)
    pandas = pytest.importorskip("pandas")
    frame = run.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and frame["time_s"].tolist() == [0.0, 1.0, 2.0]
    data = run.to_xarray()
    assert data.sizes == {"version": 3} and "time_s" in data.coords
    assert run.time_to(0.0) == 0.0 and math.isinf(run.time_to(1.5))
    assert run.time_to(run.accuracy) <= run.time_s
    assert "2 versions" in repr(run) and "accuracy" in run.summary()
    with pytest.raises(ValueError, match="name: 'speed' is not one of version"):
        run.column("speed")
    with pytest.raises(ValueError, match="read-only"):
        run.parameters[0][0] = 1.0


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"task": 3}, "task: expected a Task, got 3"),
        ({"timing": tune.ConstantTiming(5)}, "timing: 5 satellites, the task has 6"),
        ({"rounds": 0}, r"rounds: 0 is not in \[1, inf\)"),
        ({"epochs": 0}, r"epochs: 0 is not in \[1, inf\)"),
        ({"epochs": (3, 2)}, r"epochs\[1\]: 2 is not in \[3, "),
        ({"epochs": (1, 2, 3)}, "epochs: expected a number, or the fewest and the most"),
        ({"until_s": 0.0}, "until_s: 0.0 is not in"),
        ({"seed": -1}, "seed: -1 is not in"),
        ({"mode": "sync"}, "mode: expected Synchronous, Buffered or Asynchronous, got 'sync'"),
        ({"engine": "ray"}, "engine: 'ray' is not 'inline', 'flower' or a Flower"),
        ({"checkpoint_every": 0}, r"checkpoint_every: 0 is not in \[1, inf\)"),
        ({"round": 3}, "unexpected keyword argument 'round'"),
    ],
)
def test_bad_inputs(keywords: dict[str, object], message: str) -> None:
    arguments = {"task": task(), "timing": tune.ConstantTiming(6), "rounds": 1, **keywords}
    with pytest.raises((TypeError, ValueError), match=message):
        tune.federate(arguments.pop("task"), arguments.pop("timing"), **arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tune.Synchronous(deadline_s=-1.0), "deadline_s: -1.0 is not in"),
        (lambda: tune.Synchronous(late="wait"), "late: 'wait' is not one of 'drop', 'keep'"),
        (lambda: tune.Synchronous(participants=0), "participants: 0 is not in"),
        (lambda: tune.Buffered(size=0), "size: 0 is not in"),
        (lambda: tune.Buffered(rate=0.0), "rate: 0.0 is not in"),
        (lambda: tune.Asynchronous(mixing=1.5), r"mixing: 1.5 is not in \(0, 1\]"),
        (lambda: tune.Asynchronous(staleness_exponent=-1.0), "staleness_exponent: -1.0 is not in"),
        (lambda: tune.Buffered(most_staleness=-1), "most_staleness: -1 is not in"),
    ],
)
def test_bad_modes(call: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def broken(answer: object) -> object:
    class Broken(tune.HeadTask):
        def fit(self, satellite: int, parameters: list, config: dict) -> object:
            if satellite == 4:
                return answer(parameters)
            return super().fit(satellite, parameters, config)

    return Broken(*task().__reduce__()[1])


def test_a_client_that_fails_is_told_at_once_with_its_traceback() -> None:
    def fails(parameters: list) -> None:
        raise OSError("no images left")

    with pytest.raises(tune.ClientError, match="satellite 4: OSError: no images left") as caught:
        tune.federate(broken(fails), tune.ConstantTiming(6), rounds=2)
    assert caught.value.satellite == 4 and 'raise OSError("no images left")' in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda p: ([p[0]], 1, {}), "its answer: parameters: expected shapes and types"),
        (lambda p: ([p[0] * np.nan, p[1]], 1, {}), r"its answer: parameters\[0\]: not finite"),
        (lambda p: (p, -1, {}), "its answer: images: -1 is not in"),
        (lambda p: (p, 1.5, {}), "its answer: images: expected an integer"),
    ],
)
def test_an_answer_that_is_none_is_refused(answer: object, message: str) -> None:
    with pytest.raises(tune.ClientError, match=f"satellite 4: {message}"):
        tune.federate(broken(answer), tune.ConstantTiming(6), rounds=1)


def test_more_rounds_learn() -> None:
    x, labels = samples(60, seed=77)
    run = tune.federate(
        replace(task(), test_features=x, test_labels=labels), contact_timing(), rounds=10, epochs=5
    )
    assert run.column("cross_entropy")[-1] < run.column("cross_entropy")[0] / 2
