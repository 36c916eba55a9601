"""The project's vision transformer under ONNX Runtime, block by block."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from ..core.checks import count
from ..core.console import for_console
from ..core.optional import optional_import
from ..model import Measured, Profile
from .graph import segment_graph
from .vit_profile import profile
from .weights import Weights, read_weights

_SHIPPED = Path(__file__).parent / "data"

_IMAGES_AT_A_TIME = 8
"""Through all blocks of a segment: what is alive then stays in the cache, and memory small at any batch."""


class OnnxModel:
    """A vision transformer that runs any consecutive blocks by themselves.

    Every block is one ONNX Runtime session, made when it is first needed, the stem with the first and the
    head with the last. A run of blocks calls them in turn, so that where a model is cut cannot change a
    bit of what it computes: a graph of several blocks may be fused across their borders, and then rounds
    otherwise. Calls from several threads are safe. It can be pickled and copied, as can its segments.

    Boundary k lies after k blocks: 0 is the image, 1 to ``blocks - 1`` can be cut.

    Parameters
    ----------
    weights : Weights
        From `read_weights`.
    threads : int
        Of ONNX Runtime within a block.

    Attributes
    ----------
    name : str
        Of the model.
    blocks, tokens, width : int
        Blocks; tokens and features of an activation.
    classes : tuple of str
        Names of the logits.
    image_px : int
        Side of the square image [px].

    Examples
    --------
    >>> from constellm import images, infer
    >>> net = infer.load()
    >>> few = images.sample().per_class(1).pixels
    >>> activation = net.segment(0, 6)(few)
    >>> activation.shape, bool((net.segment(6, 12)(activation) == net.segment(0, 12)(few)).all())
    ((10, 64, 128), True)
    """

    def __init__(self, weights: Weights, *, threads: int = 1) -> None:
        self.weights = weights
        self.threads = count("threads", threads)
        self.name = weights.name
        self.blocks = weights.shape["blocks"]
        self.tokens = weights.tokens
        self.width = weights.shape["width"]
        self.image_px = weights.shape["image_px"]
        self.classes = weights.classes
        self._sessions: list[Any] = self._no_sessions()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """For pickles and copies: without the sessions, which are made anew when they are needed."""
        return {**vars(self), "_sessions": self._no_sessions(), "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    def __repr__(self) -> str:
        parameters = sum(tensor.size for tensor in self.weights.tensors.values())
        return for_console(
            f"OnnxModel({self.name!r}, {self.blocks} blocks of {self.tokens} tokens × {self.width} features, "
            f"{len(self.classes)} classes, {parameters / 1e6:.1f} M parameters)"
        )

    def segment(self, first: int, last: int, *, classify: bool = True) -> partial[np.ndarray]:
        """The blocks `first` to `last` - 1.

        Parameters
        ----------
        first, last : int
            0 <= first < last <= blocks.
        classify : bool
            Whether what ends with the last block ends with the classifier, or with what that takes.

        Returns
        -------
        callable
            From the array at boundary `first` to the one at boundary `last`: uint8 pixels (images, height,
            width, 3) at 0, logits (images, classes) or features (images, features) at `blocks`, else float32
            activations (images, tokens, features).

        Raises
        ------
        ValueError, TypeError
            If the range is none; and, when called, if the array's shape or type is wrong.
        """
        last = count("last", last, most=self.blocks)
        return partial(self._run, count("first", first, least=0, most=last - 1), last, classify=classify)

    def activations(
        self, pixels: np.ndarray, boundaries: Iterable[int] | None = None
    ) -> dict[int, np.ndarray]:
        """What crosses the boundaries, from one pass.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (images, height, width, 3)
            Red, green, blue.
        boundaries : iterable of int, optional
            In [1, blocks], the last being the logits; default: all that can be cut.

        Returns
        -------
        dict of int to ndarray of float32, shape (images, tokens, features)
        """
        if boundaries is None:
            boundaries = range(1, self.blocks)
        wanted = sorted({count("boundaries", k, most=self.blocks) for k in boundaries})
        found: dict[int, np.ndarray] = {}
        x = pixels
        for first, last in zip([0, *wanted], wanted):
            x = found[last] = self._run(first, last, x)
        return found

    @overload
    def profile(self, batch: int = ..., *, measured: Literal[False] = ..., repeats: int = ...) -> Profile: ...
    @overload
    def profile(self, batch: int = ..., *, measured: Literal[True], repeats: int = ...) -> Measured: ...
    def profile(self, batch: int = 64, *, measured: bool = False, repeats: int = 5) -> Profile | Measured:
        """The model as rows of the planner: a layer a block, the stem in the first, the head in the last.

        Parameters
        ----------
        batch : int
            Images in a micro-batch.
        measured : bool
            Measure every block on this machine too, on random input.
        repeats : int
            Of a measurement, of which the median counts, after one that does not.

        Returns
        -------
        Profile, or Measured where `measured`
            The latter with one device, ``"here"``.
        """
        batch = count("batch", batch)
        computed = profile(self.weights, batch)
        if not measured:
            return computed
        random = np.random.Generator(np.random.PCG64(0))
        x = random.integers(256, size=(batch, self.image_px, self.image_px, 3), dtype=np.uint8)
        repeats = count("repeats", repeats)
        times_s = []
        for block in range(self.blocks):
            seconds = []
            for _ in range(1 + repeats):
                start = time.perf_counter()
                y = self._run(block, block + 1, x)
                seconds.append(time.perf_counter() - start)
            times_s.append(statistics.median(seconds[1:]))
            x = y
        return Measured(
            profile=computed, device_times={"here": times_s}, device_memory_bytes={}, device_rate_bps={}
        )

    def _run(self, first: int, last: int, x: np.ndarray, *, classify: bool = True) -> np.ndarray:
        x = self._check(first, x)
        sessions = [self._session(block, classify or block < self.blocks - 1) for block in range(first, last)]
        at_end = (len(self.classes) if classify else self.width,)
        sides = at_end if last == self.blocks else (self.tokens, self.width)
        y = np.empty((len(x), *sides), dtype=np.float32)
        for start in range(0, len(x), _IMAGES_AT_A_TIME):
            some = slice(start, start + _IMAGES_AT_A_TIME)
            part = x[some]
            for session in sessions:
                (part,) = session.run(None, {session.get_inputs()[0].name: part})
            y[some] = part
        return y

    def _check(self, boundary: int, x: np.ndarray) -> np.ndarray:
        kind: type = np.float32
        field, sides, axes = "activation", (self.tokens, self.width), "(images, tokens, features)"
        if boundary == 0:
            kind, field, axes = np.uint8, "pixels", "(images, height, width, 3)"
            sides = (self.image_px, self.image_px, 3)  # type: ignore[assignment]
        if not isinstance(x, np.ndarray) or x.dtype != kind:
            got = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise TypeError(f"{field}: expected an array of {np.dtype(kind)}, got {got}")
        if x.ndim != len(sides) + 1 or x.shape[1:] != sides or len(x) == 0:
            expected = ", ".join(map(str, sides))
            raise ValueError(
                f"{field}: expected {axes} = (1 or more, {expected}) at boundary {boundary}, got {x.shape}"
            )
        return np.ascontiguousarray(x)

    def _no_sessions(self) -> list[Any]:
        """Of every block, and of the last one without the classifier."""
        return [None] * (self.blocks + 1)

    def _session(self, block: int, classify: bool) -> Any:
        place = block if classify else self.blocks
        with self._lock:
            if self._sessions[place] is None:
                graph = segment_graph(self.weights, block, block + 1, classify=classify)
                self._sessions[place] = _session(graph, self.threads)
            return self._sessions[place]


def _session(graph: Any, threads: int) -> Any:
    onnxruntime = optional_import("onnxruntime", extra="infer", purpose="inference needs ONNX Runtime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: nothing below them concerns a user
    options.enable_cpu_mem_arena = False  # every block would keep the most that it ever needed
    # Threads that wait for work by spinning would take time from the codecs between the blocks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )


def save_onnx(net: OnnxModel, folder: str | os.PathLike[str], *, cuts: Iterable[int] = ()) -> list[Path]:
    """Write a model, or its parts between the cuts, as ONNX files that any runtime reads.

    Parameters
    ----------
    net : OnnxModel
        The model.
    folder : path
        Made if it is not there.
    cuts : iterable of int
        Boundaries in [1, blocks - 1]; default: none, one file.

    Returns
    -------
    list of Path
        ``<name>-<first>-<last>.onnx``, in order, with the blocks `first` to `last` - 1. Inputs and outputs
        are those of `OnnxModel.segment`, with names that say what they are.

    Examples
    --------
    >>> from constellm import infer
    >>> [path.name for path in infer.save_onnx(infer.load(), "parts", cuts=[6])]
    ['vit-eurosat-0-6.onnx', 'vit-eurosat-6-12.onnx']
    """
    inner = sorted({count("cuts", k, most=net.blocks - 1) for k in cuts})
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    paths = []
    for first, last in zip([0, *inner], [*inner, net.blocks]):
        paths.append(place / f"{net.name}-{first}-{last}.onnx")
        paths[-1].write_bytes(segment_graph(net.weights, first, last).SerializeToString())
    return paths


def shipped() -> list[str]:
    """Names of the models that come with the package.

    Returns
    -------
    list of str
        For `load`.

    Examples
    --------
    >>> from constellm import infer
    >>> infer.shipped()
    ['vit-eurosat']
    """
    # What was learned for the cuts of a model lies beside it.
    paths = _SHIPPED.glob("*.safetensors")
    return sorted(path.stem for path in paths if not path.stem.endswith("-learned"))


def path_of(model: str | os.PathLike[str]) -> Path:
    """The file of a shipped model, or the one that is meant; ValueError if the name is not known."""
    if not isinstance(model, str) or model.endswith(".safetensors"):
        return Path(model)
    if model not in shipped():
        known = ", ".join(map(repr, shipped()))
        raise ValueError(f"model: {model!r} is neither one of {known} nor a .safetensors file")
    return _SHIPPED / f"{model}.safetensors"


def load(model: str | os.PathLike[str] = "vit-eurosat", *, threads: int = 1) -> OnnxModel:
    """A model ready to run.

    Parameters
    ----------
    model : str or path
        Name of a shipped one (`shipped`), or a ``.safetensors`` file that `constellm.train.save` wrote.
    threads : int
        Of ONNX Runtime within a block.

    Returns
    -------
    OnnxModel

    Raises
    ------
    ValueError
        If the name is not known, or the file is not such a file.
    ImportError
        If safetensors is absent; when it first runs, if onnx or onnxruntime are.

    Examples
    --------
    >>> from constellm import infer
    >>> net = infer.load()
    >>> net.blocks, net.tokens, net.width, len(net.classes)
    (12, 64, 128, 10)
    """
    return OnnxModel(read_weights(path_of(model)), threads=threads)
