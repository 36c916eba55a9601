"""What the layers of a user's module cost: counted, and timed on this machine."""

from __future__ import annotations

import math
import time
import weakref
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ..model import LayerProfile, Measured, Profile
from .rows import take_rows, tensors_of
from .trace import storage

if TYPE_CHECKING:
    from .torch_model import TorchModel


def profile(model: TorchModel, batch: int) -> Profile:
    """What `TorchModel.profile` returns without `measured`."""
    args, kwargs = _example(model, batch)
    detail: list[LayerProfile] = []
    seen: set[int] = set()
    x: Any = None
    side = None
    for i in range(model.blocks):
        segment = model.segment(i, i + 1)
        # A later segment's activation is counted when it is taken over.
        given = sum(map(_nbytes, tensors_of((args, kwargs)))) if i == 0 else 0
        with _Fused(), _Alive(given) as alive, _flop_counter() as counter:
            if side is None:
                x, side = segment.start(*args, **kwargs)
            else:
                x = segment(x, side=side)
        new = [tensor for tensor in segment.weights if storage(tensor) not in seen]
        seen.update(map(storage, new))
        weight_bytes = sum({storage(tensor): _nbytes(tensor) for tensor in segment.weights}.values())
        carried = 0 if model.side_is_fixed or i == model.blocks - 1 else side.from_block(i + 1).nbytes
        detail.append(
            LayerProfile(
                name=f"block-{i}",
                flop=counter.get_total_flops(),
                memory_bytes=weight_bytes + alive.most_bytes,
                output_bytes=sum(map(_nbytes, tensors_of(x))) + carried,
                parameters=sum(tensor.numel() for tensor in new if isinstance(tensor, nn.Parameter)),
                weight_bytes=weight_bytes,
                workspace_bytes=alive.most_bytes,
                read_bytes=weight_bytes,
            )
        )
    return Profile(
        name=model.name,
        detail=tuple(detail),
        input_bytes=sum(map(_nbytes, tensors_of((args, kwargs)))),
        batch=batch,
        dtype=str(model.dtype).replace("torch.", ""),
        note="FLOP, weights, outputs and workspace counted in a pass through the module by PyTorch "
        f"{torch.__version__}.",
    )


def measure(model: TorchModel, counted: Profile, repeats: int) -> Measured:
    """What `TorchModel.profile` returns with `measured`."""
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


def _example(model: TorchModel, batch: int) -> Any:
    """The example's rows in turn, `batch` of them."""
    args, kwargs = model.example
    rows = len(next(tensor for tensor in tensors_of((args, kwargs)) if tensor.ndim))
    return take_rows((args, kwargs), rows, [i % rows for i in range(batch)])


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _flop_counter() -> FlopCounterMode:
    """PyTorch's counter, with what it does not know: attention on a CPU, and experts' products."""
    more = {
        "_scaled_dot_product_flash_attention_for_cpu": _attention_flop,
        "_grouped_mm": _grouped_flop,
    }
    known = {
        getattr(torch.ops.aten, name): flop for name, flop in more.items() if hasattr(torch.ops.aten, name)
    }
    return FlopCounterMode(display=False, custom_mapping=known)


def _attention_flop(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Scores and weighted values: 2·(… n_q n_k d) + 2·(… n_q n_k d_v)."""
    return 2 * math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _grouped_flop(a: Any, b: Any, *_: Any, **__: Any) -> int:
    """Products of groups of rows with a matrix each: every row meets one matrix."""
    groups = a[0] if len(a) == len(b) == 3 else 1
    return 2 * groups * a[-2] * a[-1] * b[-1]


class _Fused:
    """Keeps ``nn.TransformerEncoderLayer`` from the one fused operation in which nothing can be counted."""

    def __enter__(self) -> None:
        self._before = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)

    def __exit__(self, *_: Any) -> None:
        torch.backends.mha.set_fastpath_enabled(self._before)


class _Alive(TorchDispatchMode):
    """Counts the bytes of tensors that operations made and that still exist.

    Parameters
    ----------
    given : int
        What exists before [B].

    Attributes
    ----------
    most_bytes : int
        The most at a time. What a fused operation uses inside itself is not in it.
    """

    def __init__(self, given: int) -> None:
        super().__init__()
        self.most_bytes = self._bytes = given
        self._holders: Counter[int] = Counter()  # tensors by memory

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        old = set(map(storage, tensors_of((args, kwargs))))
        for tensor in tensors_of(result):
            key = storage(tensor)
            if key not in self._holders:
                if key in old:
                    continue  # a view of what was there before: a weight or the input
                self._bytes += tensor.untyped_storage().nbytes()
            self._holders[key] += 1
            weakref.finalize(tensor, self._drop, key, tensor.untyped_storage().nbytes())
        self.most_bytes = max(self.most_bytes, self._bytes)
        return result

    def _drop(self, key: int, nbytes: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self._bytes -= nbytes
