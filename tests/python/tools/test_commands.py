"""Every command that the documentation tells, on few images, into a folder of its own."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from constellm import codec, images, infer

pytest.importorskip("onnxruntime")
pytest.importorskip("PIL")

Tool = Callable[[str], ModuleType]


@pytest.fixture
def few_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    some = {name: infer.direct_compressors()[name] for name in ("quantise-3", "top-k-0.1-b4")}
    monkeypatch.setattr(infer, "direct_compressors", lambda: some)


@pytest.fixture
def one_thread() -> Any:
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(threads)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def copied(page: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return Path(shutil.copy(page, folder))


@pytest.mark.usefixtures("few_codecs")
def test_how_errors_add_up(
    tool: Tool, eurosat: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "errors"
    command = ["--images", str(eurosat), "--out", str(out), "--limit", "60", "--sets", "5"]
    errors = tool("measure_errors")
    monkeypatch.setattr(errors, "PROMISES", (0.001, 0.9))
    monkeypatch.setattr(errors, "FEW", 20)
    errors.main([*command, "--planned", "20", "--problems", "2", "--rivals", "1"])
    found = {path.stem: rows_of(path) for path in out.glob("*.csv")}
    assert len(found["alone"]) == 2 * 11 and len(found["random"]) == 5 and len(found["planned"]) == 20
    assert len(found["calibration"]) == 2 * 11 + 20
    assert {row["rule"] for row in found["promises"]} >= {"calibrated, loss", "sum of errors <= 0.01"}
    kept = [row["promise"] for row in found["promises"] if row["rule"] == "calibrated, loss"]
    assert set(kept) == {"0.9"}, "a tenth of a point is more than 60 images can tell"
    assert len(found["amplification"]) == 12 and found["rules"]
    judged = rows_of(out / "turned" / "promises.csv")
    assert {row["rule"] for row in judged} == {"calibrated, loss"} and "ratio_few" not in judged[0]
    adaptive = tool("measure_adaptive")
    monkeypatch.setattr(adaptive, "KEEP", (0.05, 0.1, 0.3))
    command = ["--images", str(eurosat), "--out", str(out / "adaptive.csv"), "--limit", "60", "--cuts", "6"]
    adaptive.main(command)
    policies = [row["policy"] for row in rows_of(out / "adaptive.csv")]
    assert sorted(policies) == ["error", "fixed", "fixed", "fixed", "margin", "oracle"]
    error_docs = tool("error_docs")
    page = copied(repository / "docs" / "error-accumulation.md", tmp_path)
    monkeypatch.setattr(error_docs, "PAGE", page)
    error_docs.main([str(out)])
    assert "| 6 | keep-0.1 | oracle |" in page.read_text(encoding="utf-8")


def test_what_compression_costs_in_accuracy(
    tool: Tool, eurosat: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accuracy = tool("accuracy_tables")
    page = copied(repository / "docs" / "accuracy.md", tmp_path)
    monkeypatch.setattr(accuracy, "DOCS", tmp_path)
    monkeypatch.setattr(accuracy, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(accuracy, "CLAIMED", tmp_path / "measured.csv")
    for name, value in {"FIT_IMAGES": 40, "CONFIGURATIONS": 8}.items():
        monkeypatch.setattr(accuracy, name, value)
    parts = ["rivals", "curves", "random", "ladder"]
    accuracy.main([*parts, "--images", str(eurosat), "--per-class", "2"])
    found = {name: rows_of(tmp_path / "results" / f"{name}.csv") for name in [*parts, "paired"]}
    assert len(found["rivals"]) == 8 * 4 and len(found["random"]) == 8 and len(found["ladder"]) == 2 * 11
    for row in found["ladder"]:
        assert float(row["sparsify"]) < float(row["quantise"]) < float(row["entropy"])
    accuracy.main(["page"])
    assert "| here, all | 8 |" in page.read_text(encoding="utf-8")
    assert len(rows_of(tmp_path / "measured.csv")) == 3 * 11 + 8
    with pytest.raises(SystemExit):
        accuracy.main(["rivals"])


@pytest.mark.usefixtures("few_codecs", "one_thread")
def test_training_and_planning_by_turns(
    tool: Tool, eurosat: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joint = tool("joint_training")
    monkeypatch.setattr(joint, "LOSS", 0.2)
    monkeypatch.setattr(joint, "PAGE", copied(repository / "docs" / "joint-training.md", tmp_path))
    command = ["--images", str(eurosat), "--out", str(tmp_path), "--cases", "slow links", "--rounds", "1"]
    joint.main(["run", *command, "--training", "10", "--limit", "20"])
    rounds, rates = rows_of(tmp_path / "rounds.csv"), rows_of(tmp_path / "rates.csv")
    assert [row["round"] for row in rounds] == ["0", "1"] and len(rates) == 13
    assert codec.read_measured_cuts(tmp_path / "slow-links.csv")
    for row in rates:
        assert float(row["ideal_s"]) <= float(row["trained_s"]) <= float(row["free_s"])
    joint.main(["docs", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        joint.main(["run"])


@pytest.mark.usefixtures("one_thread")
def test_training_the_network_and_what_sits_at_its_cuts(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = images.sample().per_class(5)
    monkeypatch.setattr(images, "load", lambda path, split: few)
    vit, weights = tool("train_vit"), tmp_path / "small.safetensors"
    monkeypatch.setattr(vit, "CALIBRATION_PER_CLASS", 2)
    vit.main(["--images", "eurosat.zip", "--out", str(weights), "--epochs", "1", "--threads", "1"])
    assert infer.load(weights).blocks == 12
    card = weights.with_suffix(".md").read_text(encoding="utf-8")
    assert "python tools/train_vit.py --images eurosat.zip --epochs 1" in card and "30 trained on" in card
    masks, out = tool("train_masks"), tmp_path / "learned.safetensors"
    monkeypatch.setattr(masks, "CALIBRATION_PER_CLASS", 2)
    monkeypatch.setattr(masks, "KEEP", (0.2,))
    monkeypatch.setattr(masks, "RANKS", (8,))
    masks.main(["--images", "eurosat.zip", "--weights", str(weights), "--out", str(out), "--threads", "1"])
    assert set(codec.load_learned(out)) == {"mask-shared-0.2", "mask-0.2", "bottleneck-8"}
    shares = json.loads(out.with_suffix(".json").read_text())["share_kept_of_calibration_images"]
    assert set(shares) == {"mask-shared-0.2", "mask-0.2"} and len(shares["mask-0.2"]) == 11


def test_the_shipped_images_are_chosen_again(tool: Tool, eurosat: Path, tmp_path: Path) -> None:
    out = tmp_path / "sample.zip"
    tool("eurosat_sample").main([str(eurosat), "--out", str(out)])
    shipped = resources.files("constellm.images") / "data" / "eurosat" / "sample.zip"
    with resources.as_file(shipped) as sample:
        assert out.read_bytes() == sample.read_bytes()
    assert len(images.load(out)) == 300


def test_a_reproduction_goes_into_the_documentation(
    tool: Tool, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    docs = tool("reproduction_docs")
    page = copied(repository / "docs" / "reproduction.md", tmp_path)
    monkeypatch.setattr(docs, "DOCS", tmp_path)
    results = tmp_path / "run"
    for folder in ("figures", "tables"):
        (results / folder).mkdir(parents=True)
    for name in docs.FIGURES:
        Image.new("RGB", (4, 3), "navy").save(results / "figures" / f"{name}.png")
    (results / "tables" / "claims.csv").write_text("claim\nshort\n", encoding="utf-8")
    (results / "tables" / "claims.md").write_text("| claim |\n| --- |\n| short |\n", encoding="utf-8")
    docs.main([str(results)])
    assert "<!-- claims -->\n| claim |\n| --- |\n| short |\n<!-- end" in page.read_text(encoding="utf-8")
    assert rows_of(tmp_path / "results" / "claims.csv") == [{"claim": "short"}]
    assert len(list((tmp_path / "img" / "reproduction").glob("*.png"))) == len(docs.FIGURES)


def test_the_comparison_of_models_is_written_again(
    tool: Tool, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = tool("vit_reference")
    page = copied(repository / "docs" / "models.md", tmp_path)
    before = page.read_text(encoding="utf-8")
    monkeypatch.setattr(reference, "DOCUMENT", page)
    reference.main(["table"])
    assert page.read_text(encoding="utf-8") == before
    with pytest.raises(SystemExit):
        reference.main([])
