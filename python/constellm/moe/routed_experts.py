"""Traces as other programs hand them out: routed experts of vLLM, router traces of Megatron."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, short
from ..core.files import as_path, parse_json, read_text
from ..core.plain import as_list, as_object, check_keys
from .activation_trace import MOST_EXPERTS, ActivationTrace
from .arguments import as_array

_RECORD = ("step", "stage", "block", "layer", "rank", "num_tokens", "topk", "top_indices")
_SIDECARS = ("hs_offset", "hs_bytes", "hs_shape", "logit_offset", "logit_bytes", "logit_shape")


def from_routed_experts(
    sequences: Iterable[ArrayLike],
    *,
    experts: int,
    layers: Sequence[int] | None = None,
    name: str = "",
) -> ActivationTrace:
    """A trace of arrays (tokens, layers, top_k), as vLLM and Megatron hand them out.

    They are vLLM's ``routed_experts`` and what ``get_routing_indices`` of Megatron's routing metadata gives.
    Where vLLM took the start of a prompt from its cache it tells no experts, -1; those tokens are left out.
    Some of its versions have an entry for every layer of the model, of which dense ones hold nothing but
    zeros: `layers` then says which to take. With one expert a token that cannot be seen here.

    Parameters
    ----------
    sequences : iterable of array_like of int, shape (tokens, layers, top_k)
        One a sequence, its tokens in their order; all of as many layers and experts a token.
    experts : int
        How many a layer has, which the arrays do not tell.
    layers : sequence of int, optional
        Positions of those layers that have experts, rising, by which they are then numbered. Default: all.
    name : str
        Of the model, the text, or both.

    Returns
    -------
    ActivationTrace

    Raises
    ------
    ValueError, TypeError
        For arrays that are none of the sort: names the sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import moe
    >>> completions = [np.array([[[0, 3]], [[3, 1]]], dtype=np.int16), np.array([[[2, 0]]], dtype=np.int16)]
    >>> moe.from_routed_experts(completions, experts=4)
    ActivationTrace(3 tokens in 2 sequences, 1 layer of 4 experts, 2 a token)
    """
    experts = count("experts", experts, most=MOST_EXPERTS)
    arrays: list[NDArray[Any]] = []
    for i, sequence in enumerate(sequences):
        array = as_array(f"sequences[{i}]", sequence, "tokens, layers, top_k", integers=True)
        if arrays and array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"sequences[{i}]: {array.shape[1:]} layers and experts a token are not {arrays[0].shape[1:]}"
            )
        cached = (array == -1).all(axis=(1, 2))
        arrays.append(array[np.argmin(cached) :] if not cached.all() else array[:0])
    lengths = [len(array) for array in arrays if len(array)]
    if not lengths:
        raise ValueError("sequences: none has a token whose experts are known")
    whole = np.concatenate(arrays).swapaxes(0, 1)
    if layers is not None:
        places = [count(f"layers[{i}]", n, least=0, most=len(whole) - 1) for i, n in enumerate(layers)]
        whole = whole[places]
    try:
        return ActivationTrace(
            whole,
            experts=experts,
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            layer_numbers=layers,
            name=name,
        )
    except ValueError as error:
        dense = [layer for layer, ids in enumerate(whole) if whole.shape[2] > 1 and not ids.any()]
        hint = f"; zeros alone, as of a dense layer: {short(dense)}; `layers` names the others"
        raise ValueError(f"{error}{hint if dense else ''}") from None


def read_vllm(
    path: str | os.PathLike[str],
    *,
    experts: int,
    layers: Sequence[int] | None = None,
    name: str | None = None,
) -> ActivationTrace:
    r"""The trace in responses of a vLLM server that was started with ``--enable-return-routed-experts``.

    Of a response's choices ``routed_experts`` is read, which vLLM 0.21 has as lists of the generated tokens,
    with ``prompt_routed_experts`` beside the choices, and later versions as an array of all tokens but the
    last in numpy's format and base64. https://docs.vllm.ai/en/v0.21.0/training/routed_experts_replay and
    https://docs.vllm.ai/en/latest/training/routed_experts.

    Parameters
    ----------
    path : path
        A response of completions or chat completions as JSON; or one a line, where the name ends in
        ``.jsonl`` or ``.jsonl.gz``.
    experts, layers
        As of `from_routed_experts`.
    name : str, optional
        Default: the file's.

    Returns
    -------
    ActivationTrace
        A sequence a choice: prompt and generated tokens; of several choices the prompt belongs to the first.

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, a choice has no experts, or several hold the prompt each: names the place.

    Examples
    --------
    >>> import json, pathlib
    >>> from constellm import moe
    >>> choices = [{"routed_experts": [[[2, 0]], [[2, 3]]]}]
    >>> response = {"prompt_routed_experts": [[[0, 1]]], "choices": choices}
    >>> _ = pathlib.Path("response.json").write_text(json.dumps(response))
    >>> moe.read_vllm("response.json", experts=4).expert_ids.tolist()
    [[[0, 1], [2, 0], [2, 3]]]
    """
    place, sequences = as_path(path), []
    by_line = place.name.endswith((".jsonl", ".jsonl.gz"))
    text = read_text(path)
    try:
        for where, part in _lines(text) if by_line else [("", text)]:
            try:
                sequences += _choices(parse_json(part))
            except (ValueError, TypeError) as error:
                raise type(error)(f"{where}{error}") from None
        name = _stem(place) if name is None else name
        return from_routed_experts(sequences, experts=experts, layers=layers, name=name)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{os.fspath(path)!r}: {error}") from None


def _choices(response: dict[str, Any]) -> list[NDArray[Any]]:
    choices = as_list("choices", response.get("choices"))
    prompt = response.get("prompt_routed_experts")
    sequences = []
    for i, choice in enumerate(choices):
        field = f"choices[{i}].routed_experts"
        found = as_object(f"choices[{i}]", choice).get("routed_experts")
        if found is None:
            raise ValueError(f"{field}: there is none; vLLM tells it with --enable-return-routed-experts")
        if isinstance(found, str) and len(choices) > 1:
            raise ValueError(f"{field}: {len(choices)} choices hold the tokens of the prompt each")
        sequences.append(_routes(field, found))
    if prompt is not None and sequences:
        first = _routes("prompt_routed_experts", prompt)
        if isinstance(choices[0]["routed_experts"], str) or first.shape[1:] != sequences[0].shape[1:]:
            raise ValueError("prompt_routed_experts: it is not of the form of choices[0].routed_experts")
        sequences[0] = np.concatenate([first, sequences[0]])
    return sequences


def _routes(field: str, value: Any) -> NDArray[Any]:
    if isinstance(value, str):
        try:
            value = np.load(io.BytesIO(base64.b64decode(value, validate=True)), allow_pickle=False)
        except Exception as error:  # of base64 and numpy, for damaged content
            raise ValueError(f"{field}: it is no array of numpy in base64: {error}") from None
        if not isinstance(value, np.ndarray):
            raise ValueError(f"{field}: it is no array of numpy in base64 but several")
    return as_array(field, value, "tokens, layers, top_k", integers=True)


def read_megatron(
    path: str | os.PathLike[str], *, experts: int, in_order: bool = False, name: str | None = None
) -> ActivationTrace:
    r"""The trace in a ``router_trace_rank<rank>.jsonl`` of Megatron Core (``--moe-routing-trace-path``).

    A line is a record of a layer in a step: ``top_indices`` (num_tokens, topk). Layers of the decoder are
    read; those that predict further tokens (``mtp``) are no part of the model's own. NVIDIA, Megatron-LM,
    megatron/core/transformer/moe/router_trace.py, 2026.

    The file of one rank is read: in those of a pipeline's other stages the layers are numbered from 0 again.
    Activations of data-parallel ranks, which see other tokens, add up (`Activations`). Where activations are
    recomputed in training, tokens are recorded twice.

    Parameters
    ----------
    path : path
    experts : int
        How many a layer has, which the file does not tell.
    in_order : bool
        Whether every record holds the tokens of one sequence in their order, as with micro-batches of one.
        The file does not tell how sequences stand in a record; by default their order is not known.
    name : str, optional
        Default: the file's.

    Returns
    -------
    ActivationTrace

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, a line is something else, or layers have not the same tokens.

    Examples
    --------
    >>> import json, pathlib
    >>> from constellm import moe
    >>> record = {"step": 0, "stage": "pre_dispatch", "block": "decoder", "layer": 3, "rank": 0}
    >>> record |= {"num_tokens": 2, "topk": 2, "top_indices": [[0, 3], [1, 3]]}
    >>> _ = pathlib.Path("router_trace_rank0.jsonl").write_text(json.dumps(record) + "\n")
    >>> moe.read_megatron("router_trace_rank0.jsonl", experts=4)
    ActivationTrace('router_trace_rank0', 2 tokens, 1 layer of 4 experts, 2 a token)
    """
    records: dict[int, dict[int, list[NDArray[Any]]]] = {}  # by layer and step
    ranks = set()
    text = read_text(path)
    try:
        for where, line in _lines(text):
            try:
                record = parse_json(line)
                array = _record(record)
            except (ValueError, TypeError) as error:
                raise type(error)(f"{where}{error}") from None
            ranks.add(record["rank"])
            if array is not None:
                records.setdefault(record["layer"], {}).setdefault(record["step"], []).append(array)
        if not records:
            raise ValueError("no record of a decoder's layer in it")
        if len(ranks) > 1:
            raise ValueError(f"rank: records of {len(ranks)} ranks, expected those of one")
        name = _stem(as_path(path)) if name is None else name
        return _trace_of(records, experts, in_order, name)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{os.fspath(path)!r}: {error}") from None


def _record(record: dict[str, Any]) -> NDArray[Any] | None:
    """The experts of a record (tokens, top_k); None of a layer that is not the decoder's."""
    check_keys("record", record, _RECORD, ("mtp_idx", *_SIDECARS))
    for field in ("step", "layer", "rank"):
        count(field, record[field], least=0)
    if record["stage"] != "pre_dispatch":
        raise ValueError(f"stage: {short(record['stage'])} is not 'pre_dispatch'")
    if record["block"] not in ("decoder", "mtp"):
        raise ValueError(f"block: {short(record['block'])} is not 'decoder' or 'mtp'")
    array = as_array("top_indices", record["top_indices"], "num_tokens, topk", integers=True)
    told = (record["num_tokens"], record["topk"])
    if array.shape != told:
        raise ValueError(f"top_indices: shape {array.shape} is not {told}, (num_tokens, topk)")
    return array if record["block"] == "decoder" else None


def _trace_of(
    records: dict[int, dict[int, list[NDArray[Any]]]], experts: int, in_order: bool, name: str
) -> ActivationTrace:
    numbers = sorted(records)
    parts = {n: [part for step in sorted(records[n]) for part in records[n][step]] for n in numbers}
    shapes = [part.shape for part in parts[numbers[0]]]
    for number in numbers:
        same_steps = records[number].keys() == records[numbers[0]].keys()
        if not same_steps or [part.shape for part in parts[number]] != shapes:
            raise ValueError(f"layer {number}: its records are not of the tokens of layer {numbers[0]}")
    if len({top_k for _, top_k in shapes}) > 1:
        raise ValueError(f"topk: it changes from record to record, {short(sorted({k for _, k in shapes}))}")
    offsets = np.concatenate([[0], np.cumsum([tokens for tokens, _ in shapes])])
    return ActivationTrace(
        np.array([np.concatenate(parts[number]) for number in numbers]),
        experts=experts,
        offsets=offsets if in_order else None,
        layer_numbers=numbers,
        name=name,
    )


def _stem(place: Path) -> str:
    return place.with_suffix("").stem if place.suffix == ".gz" else place.stem


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Where a line stands, for messages, and the line."""
    for i, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {i}: ", line
