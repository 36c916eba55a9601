"""Flower as the engine: the same results, a user's strategies and clients, errors, nothing left behind."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from constellm import tune
from constellm.tune.flower import import_flower
from python.tune.small import contact_timing, task

pytest.importorskip("flwr")

LOCAL = tune.Flower(backend="inline")
TIMING = tune.ConstantTiming(6, down_s=[1, 2, 3, 4, 5, 60])


def strategies() -> Any:
    import_flower()
    from flwr.serverapp import strategy

    return strategy


def client_app(train: Any) -> Any:
    """Flower's, with a function of parameters and configuration as its training."""
    flower = import_flower()
    app = flower.clientapp.ClientApp()

    @app.train()
    def answer(message: Any, context: Any) -> Any:
        found = import_flower().app
        arrays = message.content["arrays"].to_numpy_ndarrays()
        trained = train(arrays, message.content["config"], context.node_config["partition-id"])
        metrics = found.MetricRecord({"num-examples": 10})
        records = {"arrays": found.ArrayRecord(trained), "metrics": metrics}
        return found.Message(found.RecordDict(records), reply_to=message)

    return app


def older_app() -> Any:
    """As Flower's clients were made before messages."""
    return import_flower().clientapp.ClientApp(client_fn=lambda context: None)


def fails_on_two(arrays: list, config: Any, satellite: int) -> list:
    if satellite == 2:
        raise OSError("no images left")
    return arrays


@pytest.mark.parametrize(
    "mode",
    [
        tune.Synchronous(),
        tune.Synchronous(deadline_s=10, late="keep"),
        tune.Synchronous(deadline_s=10, participants=4),
        tune.Buffered(size=4),
        tune.Asynchronous(most_staleness=2),
    ],
    ids=repr,
)
def test_flower_gives_the_same_bits(mode: Any) -> None:
    for timing in (TIMING, contact_timing()):
        keywords = {"mode": mode, "rounds": 8, "epochs": (1, 3), "seed": 2}
        inline = tune.federate(task(), timing, **keywords)
        assert tune.federate(task(), timing, **keywords, engine=LOCAL) == inline


def test_flower_s_averaging_is_ours_and_its_proximal_term_too() -> None:
    inline = tune.federate(task(), TIMING, rounds=5, mode=tune.Synchronous(deadline_s=10))
    averaged = tune.federate(
        task(),
        TIMING,
        rounds=5,
        mode=tune.Synchronous(deadline_s=10),
        engine=tune.Flower(strategy=strategies().FedAvg(min_available_nodes=6), backend="inline"),
    )
    assert averaged.column("updates").tolist() == inline.column("updates").tolist() == [0, 5, 10, 15, 20, 25]
    for one, other in zip(averaged.parameters, inline.parameters):
        assert one.dtype == np.float32 and one == pytest.approx(other, abs=1e-6)
    proximal = tune.federate(task(proximal=0.2), TIMING, rounds=3, epochs=4)
    of_flower = tune.federate(
        task(),
        TIMING,
        rounds=3,
        epochs=4,
        engine=tune.Flower(strategy=strategies().FedProx(proximal_mu=0.2), backend="inline"),
    )
    assert of_flower.parameters[0] == pytest.approx(proximal.parameters[0], abs=1e-6)


def test_strategies_with_a_state_repeat_and_are_resumed(tmp_path: Path) -> None:
    def run(rounds: int, **more: Any) -> tune.FederatedRun:
        engine = tune.Flower(strategy=strategies().FedAdam(fraction_train=0.5), backend="inline")
        return tune.federate(task(), TIMING, rounds=rounds, engine=engine, **more)

    state = random.getstate()
    whole = run(6)
    assert random.getstate() == state
    random.seed(123)
    assert run(6) == whole != run(6, seed=1)
    assert whole.column("updates").tolist() == [0, 3, 6, 9, 12, 15, 18]
    run(2, checkpoint=tmp_path)
    assert run(6, checkpoint=tmp_path) == whole


def test_a_strategy_begins_each_run_as_it_was_given() -> None:
    engine = tune.Flower(strategy=strategies().FedAdam(), backend="inline")
    assert tune.federate(task(), TIMING, rounds=3, engine=engine) == tune.federate(
        task(), TIMING, rounds=3, engine=engine
    )


def test_a_checkpoint_of_another_strategy_is_refused(tmp_path: Path) -> None:
    def run(**more: Any) -> tune.FederatedRun:
        return tune.federate(task(), TIMING, rounds=2, checkpoint=tmp_path, **more)

    run(engine=tune.Flower(strategy=strategies().FedAdam(), backend="inline"))
    assert run(engine=tune.Flower(strategy=strategies().FedAdam(), backend="inline")).status == "finished"
    for other in (strategies().FedAvg(), strategies().FedAdam(eta=0.5)):
        with pytest.raises(ValueError, match="of another run: strategy was .*FedAdam"):
            run(engine=tune.Flower(strategy=other, backend="inline"))
    with pytest.raises(ValueError, match="of another run: strategy was .*, is None"):
        run()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda arrays: arrays[:1], r"strategy: expected parameters of shapes \[\(5, 3\), \(3,\)\], got"),
        (lambda arrays: [part * np.nan for part in arrays], r"strategy: parameters\[0\]: not finite"),
    ],
)
def test_what_a_strategy_makes_of_a_model_is_checked(answer: Any, message: str) -> None:
    class Odd(strategies().FedAvg):
        def aggregate_train(self, version: int, replies: Any) -> Any:
            arrays, metrics = super().aggregate_train(version, replies)
            return import_flower().app.ArrayRecord(answer(arrays.to_numpy_ndarrays())), metrics

    with pytest.raises(ValueError, match=message):
        tune.federate(task(), TIMING, rounds=1, engine=tune.Flower(strategy=Odd(), backend="inline"))


def test_a_strategy_may_leave_the_model_as_it_is() -> None:
    class Idle(strategies().FedAvg):
        def aggregate_train(self, version: int, replies: Any) -> Any:
            return None, None

    run = tune.federate(task(), TIMING, rounds=2, engine=tune.Flower(strategy=Idle(), backend="inline"))
    assert not run.parameters[0].any() and run.column("updates").tolist() == [0, 6, 12]


def test_a_strategy_that_would_wait_for_ever_is_told_of() -> None:
    timing = tune.ConstantTiming(6, up_s=0.0, down_s=[0, 0, 0, 0, np.inf, np.inf])
    engine = tune.Flower(strategy=strategies().FedAvg(min_available_nodes=6), backend="inline")
    with pytest.raises(ValueError, match="strategy: waits for more than the 4 satellites"):
        tune.federate(task(), timing, rounds=1, engine=engine)
    engine = tune.Flower(strategy=strategies().FedAvg(fraction_train=0.0), backend="inline")
    with pytest.raises(ValueError, match="strategy: it chose none of 4 satellites"):
        tune.federate(task(), timing, rounds=1, engine=engine)


def test_a_user_s_client_trains_in_place_of_the_task() -> None:
    def train(arrays: list, config: Any, satellite: int) -> list:
        assert config["satellite"] == satellite and config["epochs"] == 3
        return [part + np.float32(satellite) for part in arrays]

    engine = tune.Flower(client_app=client_app(train), backend="inline")
    run = tune.federate(task(), TIMING, rounds=2, epochs=3, engine=engine)
    assert (run.parameters[0] == 5.0).all()  # twice the mean of 0 to 5


def test_failures_surface_with_their_tracebacks() -> None:
    engine = tune.Flower(client_app=client_app(fails_on_two), backend="inline")
    with pytest.raises(tune.ClientError, match="satellite 2: OSError: no images left") as caught:
        tune.federate(task(), TIMING, rounds=1, engine=engine)
    assert 'raise OSError("no images left")' in str(caught.value)
    engine = tune.Flower(client_app=client_app(lambda arrays, *_: arrays[:1]), backend="inline")
    with pytest.raises(tune.ClientError, match="satellite 0: its answer: parameters: expected shapes"):
        tune.federate(task(), TIMING, rounds=1, engine=engine)


def test_a_client_that_answers_with_no_message_is_refused() -> None:
    engine = tune.Flower(client_app=lambda message, context: None, backend="inline")
    with pytest.raises(tune.ClientError, match="satellite 0: TypeError: client_app: expected a Message"):
        tune.federate(task(), TIMING, rounds=1, engine=engine)


def test_an_answer_without_the_number_of_examples_is_refused() -> None:
    flower = import_flower()
    app = flower.clientapp.ClientApp()

    @app.train()
    def answer(message: Any, context: Any) -> Any:
        return flower.app.Message(message.content, reply_to=message)

    engine = tune.Flower(client_app=app, backend="inline")
    with pytest.raises(tune.ClientError, match="its reply has not one ArrayRecord, and a MetricRecord with"):
        tune.federate(task(), TIMING, rounds=1, engine=engine)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tune.Flower(backend="dask"), "backend: 'dask' is not one of 'ray', 'inline'"),
        (lambda: tune.Flower(workers=0), "workers: 0 is not in"),
        (
            lambda: tune.Flower(strategy="FedAvg"),
            "strategy: expected an object of .*, got 'FedAvg'",
        ),
        (lambda: tune.Flower(strategy=strategies().FedAvg), "strategy: expected an object of flwr.serverapp"),
        (lambda: tune.Flower(client_app=3), "client_app: expected an object of flwr.clientapp, got 3"),
        (
            lambda: tune.Flower(client_app=older_app()),
            "client_app: one of a client_fn has no train",
        ),
    ],
)
def test_bad_settings(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.parametrize("mode", [tune.Buffered(), tune.Asynchronous(), tune.Synchronous(late="keep")])
def test_a_strategy_is_for_synchronous_rounds(mode: Any) -> None:
    engine = tune.Flower(strategy=strategies().FedAvg(), backend="inline")
    with pytest.raises(ValueError, match="strategy: combines the updates of one round"):
        tune.federate(task(), TIMING, rounds=1, mode=mode, engine=engine)


# ---- the simulation: a few seconds each, to start and end Ray ----


def children() -> list[str]:
    """Processes of this one, by what they are called."""
    own = str(os.getpid())
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended since
            name, rest = status.read_text(encoding="utf-8").rsplit(")", 1)
            if rest.split()[1] == own:
                found.append(name.split("(", 1)[1])
    return found


def test_the_simulation_gives_the_same_bits_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr("tempfile.tempdir", None)
    import_flower()
    before = dict(os.environ), logging.getLogger("flwr").level
    inline = tune.federate(task(), TIMING, mode=tune.Buffered(size=4), rounds=5)
    run = tune.federate(
        task(),
        TIMING,
        mode=tune.Buffered(size=4),
        rounds=5,
        engine=tune.Flower(workers=2),
        checkpoint=tmp_path,
    )
    assert run == inline
    assert tune.federate(task(), TIMING, mode=tune.Buffered(size=4), rounds=5, checkpoint=tmp_path) == inline
    assert [name for name in children() if "ray" in name or "gcs" in name] == []
    assert (dict(os.environ), logging.getLogger("flwr").level) == before
    assert os.environ["FLWR_TELEMETRY_ENABLED"] == "0"
    told = capfd.readouterr()
    assert told.out == "" and told.err == ""


def test_a_failure_in_the_simulation_surfaces_at_once() -> None:
    pytest.importorskip("ray")
    engine = tune.Flower(client_app=client_app(fails_on_two), workers=1)
    with pytest.raises(tune.ClientError, match="satellite 2: OSError: no images left") as caught:
        tune.federate(task(), TIMING, rounds=1000, engine=engine)
    assert 'raise OSError("no images left")' in caught.value.client_traceback
    assert [name for name in children() if "ray" in name or "gcs" in name] == []


INTERRUPTED = """
import sys
sys.path.insert(0, {tests!r})
from constellm import tune
from python.tune.small import task

if __name__ == "__main__":
    timing = tune.ConstantTiming(6, up_s=1.0)
    tune.federate(task(), timing, rounds=10**6, engine=tune.Flower(workers=1), checkpoint={folder!r})
"""


def test_interrupting_the_simulation_ends_it(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    code = INTERRUPTED.format(tests=str(Path(__file__).parents[2]), folder=str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        while not (tmp_path / "federated.npz").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGINT and told.rstrip().endswith("KeyboardInterrupt")
