"""Counts and traces in files: there and back, real files, and what is refused."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from constellm import moe


@pytest.fixture
def trace():
    weights = moe.lognormal_weights(12, 0.5, layers=3, seed=1)
    drawn = moe.draw_trace(weights, top_k=3, tokens=40, seed=1)
    return moe.ActivationTrace(
        drawn.expert_ids, experts=12, offsets=[0, 7, 40], layer_numbers=[1, 2, 4], name="a text"
    )


def write_esft(folder, trace):
    folder.mkdir()
    (folder / "summary.json").write_text("{}")
    for number, layer in zip(trace.layer_numbers, trace.expert_ids):
        lines = []
        for a, b in zip(trace.offsets[:-1], trace.offsets[1:]):
            ids = layer[a:b].ravel().tolist()
            gates = [round(1.0 / (1 + i), 4) for i in range(len(ids))]
            lines.append("\t".join(map(str, ids)) + "\t\t" + "\t".join(map(str, gates)) + "\n")
        (folder / f"expert_weights_{number}.txt").write_text("".join(lines))


def test_a_trace_goes_there_and_back(trace, tmp_path):
    moe.save_trace(trace, tmp_path / "trace.npz")
    assert moe.load_trace(tmp_path / "trace.npz") == trace
    renamed = moe.load_trace(tmp_path / "trace.npz", name="b", layer_numbers=[0, 1, 2])
    assert (renamed.name, renamed.layer_numbers) == ("b", (0, 1, 2))
    unordered = moe.ActivationTrace(trace.expert_ids, experts=12)
    moe.save_trace(unordered, tmp_path / "trace.npz")
    assert moe.load_trace(tmp_path / "trace.npz") == unordered


def test_esfts_texts_are_read(trace, tmp_path):
    write_esft(tmp_path / "a text", trace)
    assert moe.read_esft(tmp_path / "a text", experts=12, top_k=3) == trace
    assert moe.read_esft(tmp_path / "a text", experts=12, top_k=3, name="x").name == "x"


def change(line, old, new):
    def of(folder):
        path = folder / "expert_weights_2.txt"
        lines = path.read_text().splitlines(keepends=True)
        lines[line] = re.sub(old, new, lines[line], count=1)
        path.write_text("".join(lines))

    return of


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: [p.unlink() for p in f.glob("*.txt")], "no expert_weights_<layer>.txt in it"),
        (lambda f: (f / "expert_weights_2.txt").write_text(""), "'expert_weights_2.txt': no text in it"),
        (change(1, r"^\d+", "12"), "'expert_weights_2.txt': line 2: experts: 12 is not in [0, 11]"),
        (change(0, r"^\d+", "-1"), "'expert_weights_2.txt': line 1: experts: -1 is not in [0, 11]"),
        (change(0, r"^\d+", "x"), "line 1: experts: 'x\\t"),
        (change(0, r"^\d+", "1.0"), "line 1: experts: '1.0\\t"),
        (change(0, r"^\d+\t", ""), "line 1: 20 experts and 21 weights are not 3 a token"),
        (change(0, r"\t\t.*", "\t\t"), "line 1: weights: '' are not numbers between tabs"),
        (change(0, r"\t1.0\t", "\t1.5\t"), "line 1: weights: 1.5 is not in [0, 1]"),
        (change(0, r"\t1.0\t", "\t-1\t"), "line 1: weights: -1 is not in [0, 1]"),
        (change(1, r"(?s).*", ""), "'expert_weights_2.txt': its texts are not as long as those of other"),
        (change(0, r"^\d+\t\d+", "3\t3"), "expert 3 stands twice"),
    ],
)
def test_texts_that_are_not_understood_are_refused(trace, tmp_path, spoil, says):
    write_esft(tmp_path / "esft", trace)
    spoil(tmp_path / "esft")
    with pytest.raises(ValueError, match=re.escape(says)):
        moe.read_esft(tmp_path / "esft", experts=12, top_k=3)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"expert_ids": None}, "missing required key 'expert_ids'"),
        ({"counts": None}, "missing required key 'counts'"),
        ({"gates": np.zeros(3)}, "unknown key 'gates'"),
        ({"counts": np.ones((3, 12))}, "counts: they are not those of expert_ids"),
        ({"counts": np.ones(3)}, "counts: shape (3,) is not (layers, experts)"),
        ({"counts": np.zeros((3, 0))}, "experts: 0 is not in [1, 65536]"),
        ({"expert_ids": np.zeros((3, 40))}, "expert_ids: expected integers"),
        ({"instance_offsets": np.array([0, 39])}, "offsets: 0 … 39 are not 0 … 40, the tokens"),
        ({"layer_numbers": np.array([1, 2])}, "layer_numbers: 2 of them are not 3, one a layer"),
        ({"layer_numbers": np.array(3)}, "layer_numbers: expected integers, got 3"),
        ({"counts": np.array([None])}, "it is no file of numpy's arrays"),
    ],
)
def test_arrays_that_are_not_understood_are_refused(trace, tmp_path, changed, says):
    path = tmp_path / "trace.npz"
    moe.save_trace(trace, path)
    with np.load(path) as found:
        arrays = {**found, **changed}
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
    with pytest.raises((ValueError, TypeError), match=re.escape(says)) as error:
        moe.load_trace(path)
    assert "trace.npz" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no arrays", b"\x93NUMPY\x01\x00"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "trace.npz").write_bytes(content)
    with pytest.raises(ValueError, match="it is no file of numpy's arrays"):
        moe.load_trace(tmp_path / "trace.npz")
    with pytest.raises(FileNotFoundError):
        moe.load_trace(tmp_path / "none.npz")


TABLE = {
    "layers_in_order": [0, 7],
    "models": {"m": {"expert_counts": {"a": [[1, 2], [2, 1]], "b": [[4, 4]] * 2}}},
}


def read_table(folder, table, **keywords):
    (folder / "counts.json").write_text(json.dumps(table))
    return moe.read_expert_counts(folder / "counts.json", **{"model": "m", "top_k": 1, **keywords})


def test_tables_of_counts_are_read(tmp_path):
    whole = read_table(tmp_path, TABLE)
    assert whole.counts.tolist() == [[5, 6], [6, 5]] and whole.layer_numbers == (0, 7) and whole.name == "m"
    one = read_table(tmp_path, TABLE, domain="a", top_k=1)
    assert one.counts.tolist() == [[1, 2], [2, 1]] and one.name == "m, a"


@pytest.mark.parametrize(
    ("table", "keywords", "says"),
    [
        ({"models": {}}, {}, "file: missing required key 'layers_in_order'"),
        ({**TABLE, "x": 1}, {}, "file: unknown key 'x'"),
        (TABLE, {"model": "n"}, "model: unknown 'n'"),
        (TABLE, {"domain": "c"}, "domain: unknown 'c'"),
        (TABLE, {"top_k": 2}, "expert_counts.a: counts[0][1]: 2 is not in [0, 1.5]"),
        ({**TABLE, "models": {"m": {}}}, {}, "models.m: missing required key 'expert_counts'"),
        ({**TABLE, "models": {"m": {"expert_counts": {}}}}, {}, "expert_counts: it has no domain"),
        ({**TABLE, "models": {"m": 3}}, {}, "models.m: expected an object, got 3"),
        ({**TABLE, "layers_in_order": [0]}, {}, "expert_counts.a: layer_numbers: 1 of them are not 2"),
        ({**TABLE, "models": {"m": {"expert_counts": {"a": [[1], [1, 2]]}}}}, {}, "counts: expected numbers"),
    ],
)
def test_tables_that_are_not_understood_are_refused(tmp_path, table, keywords, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)) as error:
        read_table(tmp_path, table, **keywords)
    assert "counts.json" in str(error.value)


def test_the_shipped_counts_are_those_of_the_full_table():
    data = os.environ.get("CONSTELLM_DATA")
    if data is None:
        pytest.skip("CONSTELLM_DATA is not set")
    path = Path(data) / "moe_counts" / "expert_counts.json"
    for name, model, top_k in (
        ("mixtral-8x7b", "Mixtral-8x7B-v0.1", 2),
        ("olmoe-1b-7b", "OLMoE-1B-7B-0924", 8),
        ("olmoe-1b-7b-sft", "OLMoE-1B-7B-0924-SFT", 8),
        ("olmoe-1b-7b-instruct", "OLMoE-1B-7B-0924-Instruct", 8),
    ):
        for domain in moe.SAMPLE_ACTIVATIONS[name]:
            full = moe.read_expert_counts(path, model=model, top_k=top_k, domain=domain)
            np.testing.assert_array_equal(full.counts, moe.sample_activations(name, domain=domain).counts)
