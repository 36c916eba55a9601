"""Traces of vLLM and Megatron: every form that they are handed out in, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest

from constellm import moe

DRAWN = moe.draw_trace(moe.lognormal_weights(10, 0.4, layers=2, seed=1), top_k=2, tokens=12, seed=1)
ROUTES = DRAWN.expert_ids.swapaxes(0, 1)  # (tokens, layers, top_k)


def encoded(array):
    file = io.BytesIO()
    np.save(file, array)
    return base64.b64encode(file.getvalue()).decode()


def response(choices, **more):
    return {
        "id": "cmpl-1",
        "choices": [{"index": i, "routed_experts": c} for i, c in enumerate(choices)],
        **more,
    }


def read_vllm(folder, *responses, name="responses.jsonl", **keywords):
    path = folder / name
    path.write_text("".join(json.dumps(one) + "\n" for one in responses))
    return moe.read_vllm(path, **{"experts": 10, **keywords})


def test_arrays_are_read_whatever_their_integers():
    for kind in (np.uint8, np.int16, np.uint16, np.int32, np.int64):
        found = moe.from_routed_experts([ROUTES[:5].astype(kind), ROUTES[5:].astype(kind)], experts=10)
        np.testing.assert_array_equal(found.expert_ids, DRAWN.expert_ids)
        assert found.offsets.tolist() == [0, 5, 12]


def test_tokens_from_the_cache_are_left_out():
    cached = ROUTES.astype(np.int16)
    cached[:3] = -1
    found = moe.from_routed_experts([cached, np.full((4, 2, 2), -1), ROUTES[:2]], experts=10)
    assert found.offsets.tolist() == [0, 9, 11]
    np.testing.assert_array_equal(found.expert_ids[:, :9], DRAWN.expert_ids[:, 3:])


def test_dense_layers_are_named_and_left_out():
    slots = np.zeros((12, 4, 2), dtype=np.int32)
    slots[:, [1, 3]] = ROUTES
    with pytest.raises(ValueError, match=r"expert 0 stands twice.*dense layer: \[0, 2\]; `layers` names"):
        moe.from_routed_experts([slots], experts=10)
    found = moe.from_routed_experts([slots], experts=10, layers=[1, 3])
    assert found.layer_numbers == (1, 3)
    np.testing.assert_array_equal(found.expert_ids, DRAWN.expert_ids)


def test_lists_of_prompt_and_generated_tokens_are_read(tmp_path):
    split = response([ROUTES[4:].tolist()], prompt_routed_experts=ROUTES[:4].tolist())
    found = read_vllm(tmp_path, split, split)
    assert found.offsets.tolist() == [0, 12, 24] and found.name == "responses"
    np.testing.assert_array_equal(found.expert_ids[:, :12], DRAWN.expert_ids)
    several = response([ROUTES[4:8].tolist(), ROUTES[8:].tolist()], prompt_routed_experts=ROUTES[:4].tolist())
    assert read_vllm(tmp_path, several, name="one.json").offsets.tolist() == [0, 8, 12]


def test_arrays_in_base64_are_read(tmp_path):
    found = read_vllm(tmp_path, response([encoded(ROUTES.astype(np.uint8))]), name="one.json", layers=[0, 1])
    np.testing.assert_array_equal(found.expert_ids, DRAWN.expert_ids)
    assert found.offsets.tolist() == [0, 12]


@pytest.mark.parametrize(
    ("responses", "says"),
    [
        ([{}], "line 1: choices: expected a list, got None"),
        ([response([None])], "line 1: choices[0].routed_experts: there is none"),
        ([response([encoded(ROUTES)] * 2)], "2 choices hold the tokens of the prompt each"),
        ([response(["x"])], "choices[0].routed_experts: it is no array of numpy in base64"),
        ([response([base64.b64encode(b"abc").decode()])], "it is no array of numpy in base64"),
        (
            [response([encoded(ROUTES.astype(float))])],
            "choices[0].routed_experts: expected integers of shape",
        ),
        ([response([[[0, 1]]])], "choices[0].routed_experts: expected integers of shape"),
        ([response([[[[0, 10]]]])], "expert_ids[0][0]: 10 is not in [0, 9]"),
        ([response([[[[0, 1]]]]), response([[[[0]]]])], "sequences[1]: (1, 1) layers and experts a token"),
        ([response([encoded(ROUTES)], prompt_routed_experts=ROUTES.tolist())], "it is not of the form of"),
        ([response([[[[-1, -1]]]])], "sequences: none has a token whose experts are known"),
        ([response([[[[0, 1]], [[-1, -1]]]])], "expert_ids[0][1]: -1 is not in [0, 9]"),
    ],
)
def test_responses_that_are_not_understood_are_refused(tmp_path, responses, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)) as error:
        read_vllm(tmp_path, *responses)
    assert "responses.jsonl" in str(error.value)


def records(ids=DRAWN.expert_ids, numbers=(3, 5), step=0, **more):
    """As Megatron writes them, of one step."""
    names = ("step", "stage", "block", "layer", "rank", "num_tokens", "topk", "top_indices")
    values = [
        (step, "pre_dispatch", "decoder", number, 2, *layer.shape, layer.tolist())
        for number, layer in zip(numbers, ids)
    ]
    return [{**dict(zip(names, row)), **more} for row in values]


def read_megatron(folder, lines, **keywords):
    path = folder / "router_trace_rank2.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return moe.read_megatron(path, **{"experts": 10, **keywords})


def test_records_of_steps_and_micro_batches_are_joined(tmp_path):
    a, b, c = (DRAWN.expert_ids[:, part] for part in (slice(0, 5), slice(5, 6), slice(6, 12)))
    sidecars = {"hs_offset": 0, "hs_bytes": 80, "hs_shape": [5, 8]}
    lines = [*records(a, **sidecars), *records(b), *records(c, step=4)]
    found = read_megatron(tmp_path, lines)
    np.testing.assert_array_equal(found.expert_ids, DRAWN.expert_ids)
    assert (found.layer_numbers, found.offsets, found.name) == ((3, 5), None, "router_trace_rank2")
    ordered = read_megatron(tmp_path, lines[::-1][2:] + lines[::-1][:2], in_order=True, name="x")
    assert ordered.offsets.tolist() == [0, 1, 6, 12] and ordered.name == "x"


def test_layers_that_predict_further_tokens_are_left_out(tmp_path):
    further = records(block="mtp", mtp_idx=0)
    assert read_megatron(tmp_path, [*records(), *further]) == read_megatron(tmp_path, records())
    with pytest.raises(ValueError, match="no record of a decoder's layer"):
        read_megatron(tmp_path, further)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "no record of a decoder's layer in it"),
        ([{"step": 0}], "line 1: record: missing required key 'stage'"),
        (records(gates=[]), "line 1: record: unknown key 'gates'"),
        (records(stage="post_dispatch"), "line 1: stage: 'post_dispatch' is not 'pre_dispatch'"),
        (records(block="encoder"), "line 1: block: 'encoder' is not 'decoder' or 'mtp'"),
        (records(rank=-1), "line 1: rank: -1 is not in [0, inf)"),
        (records(num_tokens=11), "line 1: top_indices: shape (12, 2) is not (11, 2), (num_tokens, topk)"),
        (records(top_indices=[1, 2]), "line 1: top_indices: expected integers of shape (num_tokens, topk)"),
        ([*records(), *records(step=1, rank=0)], "rank: records of 2 ranks, expected those of one"),
        ([*records(), records(step=1)[0]], "layer 5: its records are not of the tokens of layer 3"),
        (
            [*records(), *records(DRAWN.expert_ids[:, :, :1], step=1)],
            "topk: it changes from record to record, [1, 2]",
        ),
        (records(DRAWN.expert_ids + 5), "is not in [0, 9]"),
    ],
)
def test_records_that_are_not_understood_are_refused(tmp_path, lines, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)) as error:
        read_megatron(tmp_path, lines)
    assert "router_trace_rank2.jsonl" in str(error.value)
