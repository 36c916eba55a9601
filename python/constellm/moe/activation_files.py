"""Counts and traces of activations in files: OLMoE's tables, ESFT's texts, and arrays of our own."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, hint_for, short
from ..core.files import as_path, read_json, read_text, write_bytes
from ..core.plain import as_list, as_object, as_text, check_keys
from .activation_trace import MOST_EXPERTS, ActivationTrace
from .activations import Activations

_ESFT_NAME = re.compile(r"expert_weights_(0|[1-9][0-9]{0,5})\.txt")
_ARRAYS = ("expert_ids", "instance_offsets", "counts")
_MORE_ARRAYS = ("weights_x10000", "layer_numbers", "name")
_MOST_BYTES = 4 << 30  # of a trace's arrays


def read_expert_counts(
    path: str | os.PathLike[str], *, model: str, top_k: int, domain: str | None = None
) -> Activations:
    """Counts by model, domain and layer in JSON, as the package keeps those of `sample_activations`.

    The file is an object of ``layers_in_order``, the layers' numbers, and ``models``: a model has
    ``expert_counts``, by domain a list a layer of counts by expert. What else it has, as
    ``expert_counts_top1`` of the first choices alone, is passed over. The counts are those of Muennighoff et
    al., OLMoE, arXiv 2409.02060, section 5, which the authors published as Python's pickles.

    Parameters
    ----------
    path : path
    model : str
        As in the file.
    top_k : int
        Experts of a token in each layer, which the file does not tell.
    domain : str, optional
        Default: all domains added up.

    Returns
    -------
    Activations

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, is something else, or has no such model or domain: names the place in it.

    Examples
    --------
    >>> import json, pathlib
    >>> from constellm import moe
    >>> domains = {"code": [[6, 2, 2]], "prose": [[3, 4, 3]]}
    >>> table = {"layers_in_order": [7], "models": {"tiny": {"expert_counts": domains}}}
    >>> _ = pathlib.Path("counts.json").write_text(json.dumps(table))
    >>> moe.read_expert_counts("counts.json", model="tiny", top_k=1).counts.tolist()
    [[9.0, 6.0, 5.0]]
    """
    try:
        data = read_json(path)
        check_keys("file", data, ("layers_in_order", "models"), ())
        numbers = as_list("layers_in_order", data["layers_in_order"])
        tables = as_object("models", data["models"])
        table = as_object(f"models.{model}", chosen("model", model, tables))
        if "expert_counts" not in table:
            raise ValueError(f"models.{model}: missing required key 'expert_counts'")
        domains = as_object("expert_counts", table["expert_counts"])
        if domain is not None:
            domains = {domain: chosen("domain", domain, domains)}
        if not domains:
            raise ValueError("expert_counts: it has no domain")
        name = model if domain is None else f"{model}, {domain}"
        found = []
        for text, rows in domains.items():
            try:
                found.append(Activations(rows, top_k=top_k, layer_numbers=numbers, name=name))
            except (ValueError, TypeError) as error:
                raise type(error)(f"expert_counts.{text}: {error}") from None
        return reduce(add, found)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{os.fspath(path)!r}: {error}") from None


def chosen(field: str, name: Any, table: Mapping[str, Any]) -> Any:
    """What `table` has under `name`; ValueError with the one that was meant where it has nothing."""
    if as_text(field, name) not in table:
        raise ValueError(f"{field}: unknown {short(name)}{hint_for(name, table)}")
    return table[name]


def read_esft(
    folder: str | os.PathLike[str], *, experts: int = 64, top_k: int = 6, name: str | None = None
) -> ActivationTrace:
    r"""The trace in a folder of ``expert_weights_<layer>.txt``, as ESFT logs it and its authors published it.

    A line is a text: the experts of all its tokens, `top_k` a token, tabs between them, two tabs, and as many
    gate weights, which are checked and not kept. Wang et al., Let the Expert Stick to His Last, arXiv
    2407.01906; https://github.com/deepseek-ai/ESFT, ``results/expert_scores``.

    Parameters
    ----------
    folder : path
        Of one rank, where several logged. Other files in it do not matter.
    experts, top_k : int
        Of the model, which the files do not tell; those of DeepSeek-V2-Lite by default.
    name : str, optional
        Default: the folder's.

    Returns
    -------
    ActivationTrace
        One sequence a line, layers by the numbers in the files' names.

    Raises
    ------
    OSError, ValueError, TypeError
        Where there is no such file, or a line is something else: names file and line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from constellm import moe
    >>> Path("law").mkdir()
    >>> for layer, experts in {1: "0\t3\t2\t1", 2: "1\t2\t1\t0"}.items():
    ...     line = f"{experts}\t\t0.6\t0.1\t0.5\t0.2\n"
    ...     _ = Path(f"law/expert_weights_{layer}.txt").write_text(line)
    >>> moe.read_esft("law", experts=4, top_k=2)
    ActivationTrace('law', 2 tokens in 1 sequence, 2 layers of 4 experts, 2 a token)
    """
    experts = count("experts", experts, most=MOST_EXPERTS)
    top_k = count("top_k", top_k, most=experts)
    place = as_path(folder)
    files = {int(found[1]): path for path in place.iterdir() if (found := _ESFT_NAME.fullmatch(path.name))}
    if not files:
        raise ValueError(f"{os.fspath(folder)!r}: no expert_weights_<layer>.txt in it")
    layers: list[NDArray[np.int64]] = []
    lengths: list[int] = []
    for number in sorted(files):
        texts = _esft_layer(files[number], experts, top_k)
        layers.append(np.concatenate(texts).reshape(-1, top_k))
        tokens = [len(text) // top_k for text in texts]
        if lengths and tokens != lengths:
            raise ValueError(f"{files[number].name!r}: its texts are not as long as those of other layers")
        lengths = tokens
    return ActivationTrace(
        np.array(layers),
        experts=experts,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        layer_numbers=sorted(files),
        name=place.name if name is None else name,
    )


def _esft_layer(path: Path, experts: int, top_k: int) -> list[NDArray[np.int64]]:
    """Of each line the experts, token by token."""
    lines = read_text(path).split("\n")
    if not lines[-1]:
        del lines[-1]
    texts = []
    for i, line in enumerate(lines, start=1):
        ids, _, weights = line.partition("\t\t")
        try:
            array = _numbers("experts", ids, np.int64)
            gates = _numbers("weights", weights, np.float64)
            if len(array) % top_k or len(array) != len(gates):
                raise ValueError(f"{len(array)} experts and {len(gates)} weights are not {top_k} a token")
            for value in array[(array < 0) | (array >= experts)][:1].tolist():
                raise ValueError(f"experts: {value} is not in [0, {experts - 1}]")
            for gate in gates[~((gates >= 0.0) & (gates <= 1.0))][:1].tolist():
                raise ValueError(f"weights: {gate:g} is not in [0, 1]")
        except ValueError as error:
            raise ValueError(f"{path.name!r}: line {i}: {error}") from None
        texts.append(array)
    if not texts:
        raise ValueError(f"{path.name!r}: no text in it")
    return texts


def _numbers(field: str, text: str, kind: type) -> Any:
    parts = text.split("\t")
    # Digits, points and exponents alone: none of the words and underscores that Python reads too.
    if not re.fullmatch(r"[0-9.eE+\-\t]+", text):
        raise ValueError(f"{field}: {short(text)} are not numbers between tabs")
    try:
        return np.array(parts, dtype=kind)
    except (ValueError, OverflowError):
        raise ValueError(f"{field}: {short(text)} are not numbers between tabs") from None


def save_trace(trace: ActivationTrace, path: str | os.PathLike[str]) -> None:
    """Write a trace as compressed arrays of numpy, which `load_trace` reads.

    Parameters
    ----------
    trace : ActivationTrace
    path : path
        Of the file, which is replaced; by custom it ends in ``.npz``.

    Raises
    ------
    OSError
        Where it cannot be written.

    Examples
    --------
    >>> from constellm import moe
    >>> trace = moe.draw_trace(moe.zipf_weights(8), top_k=2, tokens=100)
    >>> moe.save_trace(trace, "trace.npz")
    >>> moe.load_trace("trace.npz") == trace
    True
    """
    arrays: dict[str, Any] = {
        "expert_ids": trace.expert_ids,
        "counts": trace.activations().counts.astype(np.int64),
        "layer_numbers": np.array(trace.layer_numbers),
        "name": np.array(trace.name),
    }
    if trace.offsets is not None:
        arrays["instance_offsets"] = trace.offsets
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_bytes(content.getvalue(), path)


def load_trace(
    path: str | os.PathLike[str], *, name: str | None = None, layer_numbers: Any = None
) -> ActivationTrace:
    """Read a trace from a file of numpy's arrays (``.npz``).

    They are ``expert_ids`` (layers, tokens, top_k); ``counts`` (layers, experts), which must be those of the
    ids; ``instance_offsets`` (sequences + 1,), without which nothing is known of the order of tokens;
    ``layer_numbers`` and ``name``. Gate weights (``weights_x10000``) may be there and are not kept.

    Parameters
    ----------
    path : path
        What it holds need not be trusted.
    name : str, optional
        In place of the file's; default: that, or else the file's own name.
    layer_numbers : sequence of int, optional
        In place of the file's.

    Returns
    -------
    ActivationTrace

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or holds something else.

    Examples
    --------
    See `constellm.moe.save_trace`.
    """
    place = as_path(path)
    try:
        arrays = _arrays(place)
        check_keys("file", arrays, ("expert_ids", "counts"), (*_ARRAYS, *_MORE_ARRAYS))
        counts = arrays["counts"]
        if counts.ndim != 2:
            raise ValueError(f"counts: shape {counts.shape} is not (layers, experts)")
        if layer_numbers is None and "layer_numbers" in arrays:
            layer_numbers = arrays["layer_numbers"].tolist()
        if name is None:
            name = arrays["name"].tolist() if "name" in arrays else place.stem
        trace = ActivationTrace(
            arrays["expert_ids"],
            experts=counts.shape[1],
            offsets=arrays.get("instance_offsets"),
            layer_numbers=layer_numbers,
            name=name,
        )
        if not np.array_equal(trace.activations().counts, counts):
            raise ValueError("counts: they are not those of expert_ids")
    except (ValueError, TypeError) as error:
        raise type(error)(f"{os.fspath(path)!r}: {error}") from None
    return trace


def _arrays(place: Path) -> dict[str, NDArray[Any]]:
    import zipfile

    with place.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as members:
                # A few kilobytes of a hostile file could ask for any memory.
                content_bytes = sum(member.file_size for member in members.infolist())
            if content_bytes > _MOST_BYTES:
                raise ValueError(f"{content_bytes} bytes are not in [0, {_MOST_BYTES}]")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except Exception as error:  # of zipfile, zlib and numpy, for damaged content
            raise ValueError(f"it is no file of numpy's arrays: {error}") from None
