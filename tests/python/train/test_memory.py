"""Bytes and numbers of weights: what is shared counts once, and what is not one's own is not carried."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from constellm.train import TorchModel  # noqa: E402
from constellm.train.memory import Memory, compact, held, nbytes  # noqa: E402


def linears(count: int, width: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(width, width) for _ in range(count))).eval()


def as_views_of_one(module: nn.Module) -> nn.Module:
    vector = nn.utils.parameters_to_vector(module.parameters())
    nn.utils.vector_to_parameters(vector, module.parameters())
    return module


def test_parameters_that_are_views_of_one_vector() -> None:
    profile = TorchModel(as_views_of_one(linears(4, 8)), example=torch.randn(2, 8)).profile()
    assert (profile.parameters, profile.weight_bytes) == (288, 1152)
    assert list(profile.array("parameters")) == [72] * 4


def test_a_pickled_segment_leaves_the_rest_of_the_vector_behind() -> None:
    module = as_views_of_one(linears(8, 256))
    net = TorchModel(module, example=torch.randn(2, 256))
    own = 4 * (256**2 + 256)
    x = torch.randn(3, 256)
    for i in (0, 3, 7):
        segment = net.segment(i, i + 1)
        stored = pickle.dumps(segment)
        assert own < len(stored) < own + 20_000
        assert torch.equal(pickle.loads(stored)(x), segment(x))
        assert torch.equal(copy.deepcopy(segment)(x), segment(x))
    assert held(module)["3.weight"].untyped_storage().nbytes() == 8 * own  # the module is as it was


def test_weights_that_overlap_within_a_segment() -> None:
    memory = torch.randn(3 * 64)
    module = linears(3, 8)
    module[1].register_parameter("weight", nn.Parameter(memory[64:128].view(8, 8)))
    module[1].register_parameter("bias", nn.Parameter(memory[120:128]))  # the last row of the weight
    net = TorchModel(module, example=torch.randn(2, 8))
    assert list(net.profile().array("parameters")) == [72, 64, 72]
    weight, bias = pickle.loads(pickle.dumps(net.segment(1, 2))).weights
    assert torch.equal(weight, module[1].weight) and torch.equal(bias, module[1].bias)
    assert weight.untyped_storage().nbytes() == 256 and bias.untyped_storage().nbytes() == 32


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        (lambda m: [m[:10], m[10:20]], 80),
        (lambda m: [m[:10], m[5:15]], 60),
        (lambda m: [m[5:15], m[:10], m[20:]], 60 + 4 * 76),
        (lambda m: [m, m[3:4], m.view(8, 12)], 4 * 96),
        (lambda m: [m.view(8, 12)[:, :4], m.view(8, 12)[:, 4:6]], 4 * 48),
        (lambda m: [m.view(8, 12).T, m.view(8, 12)], 4 * 96),
        (lambda m: [m[:1].expand(50), m[:4].expand(3, 4)], 16),
        (lambda m: [m.as_strided((10, 4), (2, 1))], 4 * 22),
        (lambda m: [m.view(torch.float64)[:2], m[:5]], 20),
        (lambda m: [m.view(2, 48)[:, ::2], m.view(2, 48)[:, 1::2]], 4 * 96),
        (lambda m: [m[:0]], 0),
        (lambda m: [torch.eye(4).to_sparse()], 2 * 4 * 8 + 4 * 4),
    ],
)
def test_ranges_of_memory(views, expected) -> None:
    tensors = views(torch.zeros(96))
    assert Memory(tensors).nbytes == Memory(tensors[::-1]).nbytes == expected
    known = Memory(tensors[:1])
    assert known.add(tensors[0]) == 0
    assert known.overlaps(tensors[0]) == bool(tensors[0].numel())


def test_ranges_against_every_byte() -> None:
    """Random views, against a count of the bytes that can be reached through them."""
    random = np.random.default_rng(0)
    for _ in range(300):
        memory = torch.zeros(200)
        tensors = []
        for _ in range(random.integers(1, 5)):
            sizes = tuple(int(n) for n in random.integers(1, 5, size=random.integers(1, 4)))
            strides = tuple(int(n) for n in random.integers(0, 12, size=len(sizes)))
            tensors.append(memory.as_strided(sizes, strides, int(random.integers(40))))
        reached = [
            set(
                (t.storage_offset() + sum(np.indices(t.shape)[i] * s for i, s in enumerate(t.stride())))
                .ravel()
                .tolist()
            )
            for t in tensors
        ]
        assert Memory(tensors).nbytes == 4 * len(set().union(*reached))
        assert Memory(tensors[:1]).overlaps(tensors[-1]) == bool(reached[0] & reached[-1])
        copies = compact(tensors)
        for tensor in tensors:
            made = copies.get(id(tensor), tensor)
            assert made.shape == tensor.shape and torch.equal(made, tensor)


def test_tensors_that_are_no_parameters_or_buffers_are_counted() -> None:
    class Scaled(nn.Linear):
        def __init__(self) -> None:
            super().__init__(8, 8)
            self.scale = torch.ones(8)
            self.more = {"a": [torch.ones(2), torch.ones(3, dtype=torch.int8)]}
            self.register_buffer("hidden", torch.ones(4, dtype=torch.complex64), persistent=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * self.scale

    profile = TorchModel(nn.Sequential(Scaled(), Scaled()).eval(), example=torch.ones(3, 8)).profile()
    assert list(profile.array("parameters")) == [72, 72]
    assert list(profile.array("weight_bytes")) == [4 * 72 + 4 * 8 + 8 + 3 + 32] * 2


def test_parameters_of_other_layouts() -> None:
    class Sparse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mask = nn.Parameter(torch.eye(8).to_sparse(), requires_grad=False)
            self.scale = nn.Parameter(torch.ones(8))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.scale

    profile = TorchModel(nn.Sequential(Sparse(), Sparse()).eval(), example=torch.ones(3, 8)).profile()
    assert list(profile.array("weight_bytes")) == [2 * 8 * 8 + 8 * 4 + 8 * 4] * 2


def test_memory_format_changes_nothing() -> None:
    module = nn.Sequential(*(nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))).eval()
    x = torch.randn(2, 4, 8, 8)
    plain = TorchModel(module, example=x).profile()
    module = module.to(memory_format=torch.channels_last)
    net = TorchModel(module, example=x.to(memory_format=torch.channels_last))
    for field in ("flop", "parameters", "weight_bytes", "output_bytes"):
        np.testing.assert_array_equal(net.profile().array(field), plain.array(field), err_msg=field)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("normed", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_weight_normalisation(normed) -> None:
    """Each block has a class of its own, or a weight that is no parameter and cannot be copied."""
    module = nn.Sequential(*(normed(nn.Linear(8, 8)) for _ in range(3))).eval()
    x = torch.randn(2, 8)
    net = TorchModel(module, example=x)
    assert net.paths == ("0", "1", "2")
    assert list(net.profile().array("parameters")) == [8 + 64 + 8] * 3
    with torch.no_grad():
        assert torch.equal(net.segment(1, 3)(net.segment(0, 1)(x)), module(x))


def test_bytes_of_numbers_of_all_kinds() -> None:
    sizes: dict[Any, int] = {torch.complex64: 8, torch.bool: 1, torch.int8: 1, torch.bfloat16: 2}
    for dtype, size in sizes.items():
        assert nbytes(torch.zeros(3, 5, dtype=dtype)) == 15 * size
    assert nbytes(torch.zeros(1).expand(7)) == 28  # all of them are sent
    with pytest.raises(ValueError, match="bytes of a torch._mkldnn tensor"):
        nbytes(torch.zeros(2, 2).to_mkldnn())


def test_several_outputs_are_counted() -> None:
    class Ends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = linears(3, 8)

        def forward(self, x: torch.Tensor) -> Any:
            y = self.layers(x)
            return {"y": y, "signs": y > 0, "parts": (y.to(torch.complex64), (y > 0).to(torch.int8))}

    profile = TorchModel(Ends().eval(), example=torch.ones(3, 8)).profile()
    assert list(profile.array("output_bytes")) == [96, 96, 24 * (4 + 1 + 8 + 1)]


def test_an_output_whose_bytes_cannot_be_seen_is_refused() -> None:
    class Result:
        def __init__(self, y: torch.Tensor) -> None:
            self.y = y

    class Wraps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = linears(3, 8)

        def forward(self, x: torch.Tensor) -> Any:
            return {"all": Result(self.layers(x)), "y": self.layers[2].bias + x}

    with pytest.raises(TypeError, match="output: the module returns a Result"):
        TorchModel(Wraps().eval(), example=torch.ones(3, 8))
