"""Cost of the layers of a user's module: counted, and timed on this machine."""

from __future__ import annotations

import threading
import time
from statistics import median
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..core.deprecation import moved_names
from ..model import LayerProfile, Measured, Profile
from .counting import Alive, FlopCounter, InsidePyTorch, OneThread
from .memory import Memory, Weight, nbytes, unpacked
from .nested import batch_of, take_rows, tensors_of
from .segment import Segment

__getattr__ = moved_names(__name__, {"measure": "constellm.train.cost.timed_profile"})


class SplitModel(Protocol):
    """What is asked of a `TorchModel` here."""

    name: str

    @property
    def blocks(self) -> int: ...
    @property
    def paths(self) -> tuple[str, ...]: ...
    @property
    def example(self) -> Any: ...
    @property
    def dtype(self) -> torch.dtype: ...
    @property
    def side_is_fixed(self) -> bool: ...
    def segment(self, first: int, last: int) -> Segment: ...


def profile(model: SplitModel, batch: int) -> Profile:
    """The profile that `TorchModel.profile` returns without `measured`."""
    args, kwargs = _example(model, batch)
    detail: list[LayerProfile] = []
    seen = Memory()
    x: Any = None
    side = None
    for i, path in enumerate(model.paths):
        segment = model.segment(i, i + 1)
        # A later segment's activation is counted when it is taken over.
        given = sum(map(nbytes, tensors_of((args, kwargs)))) if i == 0 else 0
        inputs = tensors_of((args, kwargs, x, () if side is None else (side.calls, side.inputs)))
        where, names = f"block {path!r}", segment.modules
        counter = FlopCounter(where, names, segment.tensors, inputs, segment.reenacts)
        inside = InsidePyTorch(where, names, counter.depends)
        with _Fused(), OneThread(where, names, counter.depends), Alive(given) as alive, counter, inside:
            if side is None:
                x, side = segment.start(*args, **kwargs)
            else:
                x = segment(x, side=side)
            counter.check_made(tensors_of((x, side.calls, side.inputs)))
        weight_bytes = Memory(segment.held).nbytes
        carried = 0 if model.side_is_fixed or i == model.blocks - 1 else side.from_block(i + 1).nbytes
        detail.append(
            LayerProfile(
                name=f"block-{i}",
                flop=counter.flop,
                memory_bytes=weight_bytes + alive.most_bytes,
                output_bytes=sum(map(nbytes, tensors_of(x))) + carried,
                parameters=sum(_new_numbers(weight, seen) for weight in segment.held),
                weight_bytes=weight_bytes,
                workspace_bytes=alive.most_bytes,
                read_bytes=weight_bytes,
            )
        )
    return Profile(
        name=model.name,
        detail=tuple(detail),
        input_bytes=sum(map(nbytes, tensors_of((args, kwargs)))),
        batch=batch,
        dtype=str(model.dtype).replace("torch.", ""),
        note="FLOP, weights, outputs and workspace counted in a pass through the module by PyTorch "
        f"{torch.__version__}.",
    )


def timed_profile(model: SplitModel, counted: Profile, repeats: int) -> Measured:
    """The profile with times that `TorchModel.profile` returns with `measured`."""
    args, kwargs = _example(model, counted.batch)
    segments = [model.segment(i, i + 1) for i in range(model.blocks)]
    times: list[list[float]] = [[] for _ in segments]
    for _ in range(repeats + 1):
        x: Any = None
        side = None
        for segment, own in zip(segments, times):
            _wait()
            start = time.perf_counter()
            if side is None:
                x, side = segment.start(*args, **kwargs)
            else:
                x = segment(x, side=side)
            _wait()
            own.append(time.perf_counter() - start)
    return Measured(
        profile=counted,
        device_times={"here": [median(own[1:]) for own in times]},
        device_memory_bytes={},
        device_rate_bps={},
    )


def _example(model: SplitModel, batch: int) -> Any:
    """The example's rows in turn, `batch` of them."""
    args, kwargs = model.example
    rows = batch_of((args, kwargs))
    return take_rows((args, kwargs), rows, [i % rows for i in range(batch)])


def _new_numbers(weight: Weight, seen: Memory) -> int:
    """Those of a parameter, or of packed weights, that lie in none of those seen."""
    if not isinstance(weight, Tensor):
        once = Memory()  # a recurrent layer's biases are in there twice
        numbers = sum(part.numel() for part in unpacked(weight) if once.add(part))
        return numbers if seen.add(weight) else 0
    if not isinstance(weight, nn.Parameter):
        return 0
    new_bytes = seen.add(weight)
    return weight.numel() if new_bytes == nbytes(weight) else new_bytes // weight.element_size()


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


class _Fused:
    """Keeps ``nn.TransformerEncoderLayer`` from the one fused operation in which nothing can be counted.

    The switch is the process's: of several threads that count, the first turns it and the last turns it back.
    """

    _lock = threading.Lock()
    _inside = 0
    _before = True

    def __enter__(self) -> None:
        with _Fused._lock:
            if _Fused._inside == 0:
                _Fused._before = torch.backends.mha.get_fastpath_enabled()
                torch.backends.mha.set_fastpath_enabled(False)
            _Fused._inside += 1

    def __exit__(self, *_: Any) -> None:
        with _Fused._lock:
            _Fused._inside -= 1
            if _Fused._inside == 0:
                torch.backends.mha.set_fastpath_enabled(_Fused._before)
