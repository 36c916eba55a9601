"""Every extra, with each of its modules hidden in turn: what needs it says what to install."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import constellm as clm
from constellm import orbit
from constellm.paper.report.notebooks import render_notebooks

CHAIN = clm.split.Problem(
    model=clm.model.from_arrays(
        flop=[1e9] * 3, memory_bytes=[1e6] * 3, output_bytes=[1e6] * 3, input_bytes=1e6
    ),
    network=clm.network.chain(2, flop_per_s=1e9, memory_bytes=1e9, rate_bps=1e6),
    codecs=clm.codec.menu("none"),
)

WORLD = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())


def swept(**options: object) -> clm.sweep.SweepResult:
    return clm.sweep.run(CHAIN, rate_bps=[1e6, 2e6], **options)


def rendered(folder: Path) -> dict[Path, str]:
    return render_notebooks(folder, folder / "out", quick=True)


def read_yaml(folder: Path) -> object:
    (folder / "models.yml").write_text("{}", encoding="utf-8")
    return clm.model.read_pipeedge(folder)


def federated(backend: str) -> object:
    """Two rounds of a head on two satellites, by Flower."""
    x, labels = np.array([[0.0], [1.0]]), [0, 1]
    spread = clm.tune.Partition([0, 1], labels=labels, satellites=2)
    task = clm.tune.HeadTask(x, spread, test_features=x, test_labels=labels)
    engine = clm.tune.Flower(backend=backend)
    return clm.tune.federate(task, clm.tune.ConstantTiming(2), rounds=2, engine=engine)


def logits() -> np.ndarray:
    net = clm.infer.load()
    return clm.infer.infer(net, np.zeros((1, net.image_px, net.image_px, 3), np.uint8)).logits


def services_problem() -> object:
    service = clm.services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    chain = clm.network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9)
    task = clm.services.Task(
        "detect",
        rate_per_s=1.0,
        source=chain.nodes[0].id,
        sink=chain.nodes[1].id,
        stages=[clm.services.Stage("encoder")],
    )
    return clm.services.Problem(network=chain, services=[service], tasks=[task])


CALLS: list[tuple[str, str, Callable[[Path], object]]] = [
    ("plot", "matplotlib", lambda folder: clm.plot.plot_network(CHAIN)),
    ("interactive", "plotly", lambda folder: clm.plot.plot_globe(WORLD)),
    ("graphs", "networkx", lambda folder: WORLD.at(0.0).to_networkx()),
    ("graphs", "networkx", lambda folder: WORLD.at(0.0).graph.to_networkx()),
    ("sweep", "xarray", lambda folder: swept().to_xarray()),
    ("sweep", "xarray", lambda folder: WORLD.to_xarray([0.0])),
    ("sweep", "xarray", lambda folder: WORLD.timeline(0.0, 60.0, 60.0).to_xarray()),
    ("sweep", "xarray", lambda folder: WORLD.contacts(0.0, 60.0).to_xarray()),
    ("sweep", "xarray", lambda folder: WORLD.latencies(WORLD.ids[0], [0.0]).to_xarray()),
    ("sweep", "xarray", lambda folder: clm.moe.sample_activations("mixtral-8x7b").to_xarray()),
    ("sweep", "pandas", lambda folder: clm.split.compare(CHAIN, ["optimal"]).to_pandas()),
    ("sweep", "tqdm", lambda folder: swept(progress=True)),
    ("notebook", "nbformat", rendered),
    ("notebook", "nbclient", rendered),
    ("notebook", "nbconvert", rendered),
    ("profiles", "yaml", read_yaml),
    ("images", "PIL", lambda folder: clm.images.sample()),
    ("orbit", "sgp4", lambda folder: orbit.Sgp4(orbit.sample_elements())),
    ("infer", "safetensors", lambda folder: clm.infer.load()),
    ("infer", "safetensors", lambda folder: clm.codec.load_learned(folder)),
    ("infer", "onnx", lambda folder: logits()),
    ("infer", "onnxruntime", lambda folder: logits()),
    ("federated", "flwr", lambda folder: federated("inline")),
    ("solver", "highspy", lambda folder: clm.services.solve(services_problem(), method="programme")),
    ("policy", "gymnasium", lambda folder: clm.services.PlacementEnv([services_problem()])),
    ("policy", "gymnasium", lambda folder: clm.services.AdversaryEnv([])),
    ("policy", "stable_baselines3", lambda folder: clm.services.train_policy([services_problem()])),
    ("policy", "stable_baselines3", lambda folder: clm.services.train_adversary([], steps=1)),
    ("train", "torch", lambda folder: clm.train.TorchModel),
    ("train", "safetensors", lambda folder: clm.train.save),
]


@pytest.mark.parametrize(("extra", "hidden", "call"), CALLS)
def test_what_is_absent_is_asked_for_by_its_extra(
    extra: str,
    hidden: str,
    call: Callable[[Path], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [*sys.modules, hidden]:
        if name.split(".")[0] == hidden:
            monkeypatch.setitem(sys.modules, name, None)  # importing it now raises ImportError
    for name in clm.train.__all__:  # as if none had been used yet
        monkeypatch.delitem(vars(clm.train), name, raising=False)
    for name in ("PlacementEnv", "AdversaryEnv"):
        monkeypatch.delitem(vars(clm.services), name, raising=False)
    with pytest.raises(ImportError, match=re.escape(f": pip install 'constellm[{extra}]'")):
        call(tmp_path)


def test_every_extra_is_tried_and_brings_what_it_says(repository: Path) -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    # `run` is an old name of `infer`; the other two are for tests and benchmarks, not for the package.
    assert {extra for extra, _, _ in CALLS} == set(extras) - {"run", "benchmark", "test"}

    def brought(extra: str) -> set[str]:
        found = set()
        for requirement in extras[extra]:
            own = re.fullmatch(r"constellm\[(.*)\]", requirement)
            if own:
                found.update(*(brought(other) for other in own[1].split(",")))
            else:
                found.add(re.match(r"[\w-]+", requirement)[0])
        return found

    # What goes under another name, and pandas, which xarray requires.
    projects = {
        "PIL": "pillow",
        "yaml": "pyyaml",
        "pandas": "xarray",
        "stable_baselines3": "stable-baselines3",
    }
    for extra, hidden, _ in CALLS:
        assert projects.get(hidden, hidden) in brought(extra)


def test_nothing_else_imports_what_may_be_absent(repository: Path) -> None:
    """One helper, so that one message says it."""
    for path in (repository / "python").rglob("*.py"):
        if path.name != "optional.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"except \(?(ImportError|ModuleNotFoundError).*\n\s+raise", text), path
