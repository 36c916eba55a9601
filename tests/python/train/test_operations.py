"""Every operation of a user's module is counted by formula, known to be none, or refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.ao.nn.quantized as nq  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from constellm import model  # noqa: E402
from constellm.train import TorchModel  # noqa: E402


class Does(nn.Module):
    """A block that computes what it is told, with a parameter of its own, which is added."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x) + self.bias


def profiled(*blocks: nn.Module, example: Any) -> model.Profile:
    return TorchModel(nn.Sequential(*blocks).eval(), example=example).profile()


def flop_of(function: Callable[[torch.Tensor], torch.Tensor], *shape: int) -> float:
    """Of one block of two that do the same."""
    first, second = profiled(Does(function), Does(function), example=torch.ones(shape)).array("flop")
    assert first == second
    return float(first)


class First(nn.Module):
    """A recurrent layer's outputs without its last state."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


BATCH, STEPS, WIDTH = 2, 6, 16


@pytest.mark.parametrize(
    ("make", "matrices"),
    [
        (lambda: nn.LSTM(WIDTH, WIDTH, batch_first=True), 2 * 4 * WIDTH**2),
        (lambda: nn.LSTM(WIDTH, WIDTH, 3, batch_first=True), 3 * 2 * 4 * WIDTH**2),
        (lambda: nn.GRU(WIDTH, WIDTH, batch_first=True), 2 * 3 * WIDTH**2),
        (lambda: nn.RNN(WIDTH, WIDTH, batch_first=True), 2 * WIDTH**2),
        (lambda: nn.LSTM(WIDTH, WIDTH // 2, batch_first=True, bidirectional=True), 4 * WIDTH * (WIDTH + 8)),
        (
            lambda: nn.LSTM(WIDTH, 32, batch_first=True, proj_size=WIDTH),
            4 * 32 * (WIDTH + WIDTH) + 32 * WIDTH,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("inference", [False, True])
def test_recurrent_layers(make, matrices, inference) -> None:
    """Every step meets every matrix; on a CPU an LSTM is one operation."""
    with torch.inference_mode(inference):
        profile = profiled(*(First(make()) for _ in range(3)), example=torch.randn(BATCH, STEPS, WIDTH))
    assert list(profile.array("flop")) == [2 * BATCH * STEPS * matrices] * 3


def test_three_lstms() -> None:
    blocks = (First(nn.LSTM(16, 16, batch_first=True)) for _ in range(3))
    assert profiled(*blocks, example=torch.randn(2, 6, 16)).flop == 147456


def test_packed_sequences_count_their_own_steps() -> None:
    lengths = [6, 4]

    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.LSTM(8, 8, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths[: len(x)], batch_first=True)
            return nn.utils.rnn.pad_packed_sequence(self.layer(packed)[0], batch_first=True, total_length=6)[
                0
            ]

    net = TorchModel(nn.Sequential(Packed(), Packed()).eval(), example=torch.ones(1, 6, 8))
    assert list(net.profile(1).array("flop")) == [2 * 6 * 2 * 4 * 8**2] * 2


def x_(x: torch.Tensor) -> torch.Tensor:
    return x


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda x: torch.einsum("bij,bkj->bik", x, x), (3, 5, 5), 2 * 3 * 5**3),
        (lambda x: torch.bmm(x, x), (3, 5, 5), 2 * 3 * 5**3),
        (lambda x: torch.baddbmm(x, x, x), (3, 5, 5), 2 * 3 * 5**3),
        (lambda x: x @ x.mT, (3, 2, 5, 5), 2 * 6 * 5**3),
        (lambda x: torch.stack([torch.mv(row, row[0]) + row for row in x]), (3, 5, 5), 2 * 3 * 5**2),
        (lambda x: torch.stack([torch.addmv(r[0], r, r[0]) + r for r in x]), (3, 5, 5), 2 * 3 * 5**2),
        (lambda x: torch.stack([torch.dot(row, row) * row for row in x]), (3, 5), 2 * 3 * 5),
        (lambda x: functional.linear(x, torch.ones(5, 5)), (3, 2, 5), 2 * 6 * 5**2),
        (lambda x: functional.conv1d(x, torch.ones(4, 2, 3), padding=1, groups=2), (3, 4, 8), 2 * 96 * 6),
        (lambda x: functional.conv2d(x, torch.ones(4, 4, 3, 3), padding=1), (3, 4, 8, 8), 2 * 768 * 36),
        (
            lambda x: functional.conv2d(x, torch.ones(4, 1, 3, 3), padding=1, groups=4),
            (3, 4, 8, 8),
            2 * 768 * 9,
        ),
        (lambda x: functional.conv3d(x, torch.ones(2, 2, 1, 1, 1)), (3, 2, 4, 4, 4), 2 * 384 * 2),
        (
            lambda x: functional.conv_transpose1d(x, torch.ones(4, 2, 3), padding=1, groups=2),
            (3, 4, 8),
            2 * 96 * 6,
        ),
        (lambda x: functional.scaled_dot_product_attention(x, x, x), (3, 2, 5, 8), 4 * 6 * 5**2 * 8),
        (
            lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True),
            (3, 2, 5, 8),
            4 * 6 * 5**2 * 8,
        ),
        (lambda x: torch.softmax(functional.layer_norm(x, (5,)), -1).cumsum(-1), (3, 5), 0),
        (lambda x: functional.interpolate(functional.max_pool1d(x, 2), 8), (3, 4, 8), 0),
        (lambda x: x.sort(-1).values[:, torch.tensor([1, 0, 2])], (3, 3), 0),
        (lambda x: x.mul_(2).add_(1).clamp_(0, 5), (3, 3), 0),
    ],
)
def test_products_by_formula(function, shape, expected) -> None:
    assert flop_of(function, *shape) == expected


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda x: x @ x, (3, 5, 5), 8 * 3 * 5**3),
        (lambda x: torch.einsum("bij,bkj->bik", x, x.conj()), (3, 5, 5), 8 * 3 * 5**3),
        (lambda x: torch.stack([torch.vdot(row, row) * row for row in x]), (3, 5), 8 * 3 * 5),
        (lambda x: x * x + x.abs(), (3, 5), 0),
        # PyTorch makes three real convolutions of it.
        (
            lambda x: functional.conv1d(x, torch.ones(4, 4, 3, dtype=x.dtype), padding=1),
            (3, 4, 8),
            3 * 2 * 96 * 12,
        ),
    ],
)
def test_complex_products_are_four_of_real_numbers(function, shape, expected) -> None:
    example = torch.ones(shape, dtype=torch.complex64)
    profile = profiled(Does(function), Does(function), example=example)
    assert list(profile.array("flop")) == [expected] * 2


def test_complex_layers() -> None:
    layers = (nn.Linear(64, 64, dtype=torch.complex64) for _ in range(3))
    assert profiled(*layers, example=torch.ones(2, 64, dtype=torch.complex64)).flop == 196608


def test_attention_of_grouped_queries() -> None:
    def attend(x: torch.Tensor) -> torch.Tensor:
        return functional.scaled_dot_product_attention(x, x[:, :2], x[:, :2], enable_gqa=True)

    assert flop_of(attend, 3, 4, 5, 8) == 4 * 12 * 5**2 * 8


class SelfAttention(nn.MultiheadAttention):
    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(x, x, x, need_weights=False)[0]


def test_multi_head_attention_is_not_hidden_in_its_fast_path() -> None:
    blocks = [SelfAttention(8, 2, batch_first=True) for _ in range(2)]
    profile = profiled(*blocks, example=torch.randn(3, 5, 8))
    assert list(profile.array("flop")) == [2 * 15 * 4 * 8**2 + 4 * 3 * 5**2 * 8] * 2


class Bag(nn.Module):
    """Sums of looked-up rows, weighted or not."""

    def __init__(self, weighted: bool) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(10, 4, mode="sum")
        self.weighted = weighted

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.abs().long().clamp(0, 9)
        return self.bag(rows, per_sample_weights=x if self.weighted else None)


@pytest.mark.parametrize("weighted", [False, True])
def test_looked_up_rows(weighted) -> None:
    profile = profiled(Bag(weighted), Bag(weighted), example=torch.ones(3, 4))
    assert list(profile.array("flop")) == [2 * 3 * 4 * 4 * weighted] * 2


def test_a_module_called_twice_counts_twice_and_is_stored_once() -> None:
    class Twice(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(super().forward(x))

    profile = profiled(Twice(8, 8), Twice(8, 8), example=torch.ones(3, 8))
    assert list(profile.array("flop")) == [2 * 2 * 3 * 8**2] * 2
    assert list(profile.array("parameters")) == [72, 72]


def test_what_the_start_computes_is_counted_once() -> None:
    """The end of a module is its own program too, which begins with the start's."""

    class Ends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.after = (nn.Parameter(torch.randn(8, 8)) for _ in range(2))
            self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x @ self.before
            for layer in self.layers:
                x = layer(x)
            return x @ self.after

    profile = TorchModel(Ends().eval(), example=torch.randn(3, 8)).profile()
    product = 2 * 3 * 8**2
    assert list(profile.array("flop")) == [2 * product, product, 2 * product]
    assert list(profile.array("parameters")) == [64 + 72, 72, 72 + 64]


def test_own_functions_with_gradients_are_seen_through() -> None:
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x @ x.mT

    assert flop_of(Product.apply, 3, 5, 5) == 2 * 3 * 5**3


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: torch.fft.fft(x).real, "aten._fft_r2c"),
        (lambda x: torch.linalg.inv(x + 2 * torch.eye(5)), "aten.linalg_inv_ex"),
        (lambda x: torch.linalg.solve(x + 2 * torch.eye(5), x), "aten._linalg_solve_ex"),
        (lambda x: torch.linalg.svdvals(x)[..., None] * x, "aten._linalg_svd"),
        (lambda x: torch.cdist(x, x), "aten._cdist_forward"),
        (lambda x: functional.bilinear(x, x, torch.ones(5, 5, 5)), "aten._trilinear"),
        (lambda x: torch.stack([torch.eye(5).to_sparse() @ row for row in x]), "aten.mm"),
    ],
)
def test_what_has_no_formula_is_refused_by_name(function, name) -> None:
    net = TorchModel(nn.Sequential(Does(function), Does(function)).eval(), example=torch.ones(3, 5, 5))
    net.segment(0, 1)(torch.ones(3, 5, 5))  # it can be run
    with pytest.raises(ValueError, match=rf"block '0': the FLOP of {name}.* in '0' \(Does\) are not known"):
        net.profile()


def test_an_operation_of_ones_own_is_refused_until_it_has_a_formula() -> None:
    from torch.utils import flop_counter

    @torch.library.custom_op("constellm_tests::triple", mutates_args=())
    def triple(x: torch.Tensor) -> torch.Tensor:
        return 3 * x @ torch.eye(5)

    net = TorchModel(
        nn.Sequential(*(Does(lambda x: triple(x)) for _ in range(2))).eval(), example=torch.ones(3, 5)
    )
    with pytest.raises(
        ValueError, match=r"constellm_tests.triple.default in '0' \(Does\).*register_flop_formula"
    ):
        net.profile()
    packet = torch.ops.constellm_tests.triple
    flop_counter.register_flop_formula(packet)(lambda x, *_, **__: 7 * x[0])
    try:
        assert list(net.profile().array("flop")) == [21, 21]
    finally:
        del flop_counter.flop_registry[packet]


def test_tensors_that_no_module_holds_are_refused() -> None:
    """Their bytes would be missing."""
    outside = torch.ones(5, 5)
    net = TorchModel(
        nn.Sequential(*(Does(lambda x: x @ outside) for _ in range(2))).eval(), example=torch.ones(3, 5)
    )
    with pytest.raises(ValueError, match=r"aten.mm.default in '0' \(Does\) reads a tensor of shape \(5, 5\)"):
        net.profile()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.from_numpy(x.numpy() @ np.eye(5, dtype=np.float32)),
        lambda x: torch.tensor(np.asarray(x)),
    ],
)
def test_other_libraries_are_refused(function) -> None:
    net = TorchModel(nn.Sequential(*(Does(function) for _ in range(2))).eval(), example=torch.ones(3, 5))
    with pytest.raises(
        ValueError, match=r"block '0': Tensor.(numpy|__array__) in '0' \(Does\) hands numbers to another"
    ):
        net.profile()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: torch.tensor([[2 * number for number in row] for row in x.tolist()]), "tolist"),
        (lambda x: torch.stack([row * row[0].item() for row in x]), "item"),
        (lambda x: torch.stack([row * math.sqrt(row[0]) for row in x]), "__float__"),
        (lambda x: torch.stack([row * int(row[0]) for row in x]), "__int__"),
        (lambda x: torch.stack([(row * complex(row[0])).real for row in x]), "__complex__"),
        (lambda x: torch.stack([row * x.new_empty(5).copy_(row)[0].item() for row in x]), "item"),
    ],
)
def test_numbers_that_go_to_python_are_refused(function, name) -> None:
    net = TorchModel(nn.Sequential(Does(function), Does(function)).eval(), example=torch.ones(3, 5))
    with pytest.raises(
        ValueError, match=rf"block '0': Tensor.{name} in '0' \(Does\) hands numbers to Python, where"
    ):
        net.profile()


def test_what_steers_the_program_may_go_to_python() -> None:
    """Integers and truth values, and what weights alone say."""

    class Steers(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            sizes = (x > -100).sum(-1).tolist()
            x = x[:, : int(sizes[0])].roll(x.argmax().item() * 0, -1)
            return super().forward(x) * self.bias[0].item() if (x.abs().sum() > 0) or x[0, 0] else x

    assert list(profiled(Steers(8, 8), Steers(8, 8), example=torch.ones(3, 8)).array("flop")) == [384, 384]


class InAThread(nn.Module):
    """A layer that another thread runs: as a module, or by its weights; after tensors that are gone."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(64, 64)])
        self.how = how

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layer = self.layers[0]
        for _ in range(3):
            x = x + 1
        with ThreadPoolExecutor(1) as pool:
            if self.how == "module":
                return pool.submit(layer, x).result()
            if self.how == "numbers":
                return torch.tensor(pool.submit(lambda: layer(x).tolist()).result())
            result = pool.submit(torch.mm, x, layer.weight).result()
        return result + 1 if self.how == "goes on" else result


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("module", r"'0.layers.0' \(Linear\) is called in another thread during the pass"),
        ("numbers", r"'0.layers.0' \(Linear\) is called in another thread during the pass"),
        (
            "weights",
            r"a tensor of shape \(2, 64\) that it returns was made outside of PyTorch, or in another",
        ),
        ("goes on", r"aten.add.Tensor in '0' \(InAThread\) reads a tensor .* not made .* in this thread"),
    ],
)
def test_other_threads_are_refused(how, message) -> None:
    module = nn.Sequential(*(InAThread(how) for _ in range(3))).eval()
    net = TorchModel(module, example=torch.randn(2, 64), blocks=list("012"))
    hooks = len(nn.modules.module._global_forward_pre_hooks)
    for _ in range(5):  # memory is given out again
        with pytest.raises(ValueError, match=f"block '0': {message}"):
            net.profile()
    assert len(nn.modules.module._global_forward_pre_hooks) == hooks


def test_threads_that_run_something_else_are_left_alone() -> None:
    with ThreadPoolExecutor(1) as pool:
        other = nn.Linear(8, 8)
        done = [pool.submit(other, torch.ones(2, 8)) for _ in range(100)]
        assert profiled(*(nn.Linear(8, 8) for _ in range(3)), example=torch.ones(2, 8)).flop == 768
        assert all(each.result().shape == (2, 8) for each in done)


def test_marks_for_a_profiler_count_nothing() -> None:
    class Marked(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with torch.profiler.record_function("product"):
                return super().forward(x)

    assert list(profiled(Marked(8, 8), Marked(8, 8), example=torch.ones(2, 8)).array("flop")) == [256, 256]


@pytest.mark.skipif(torch.cuda.is_available(), reason="it would ask for the module on a device")
@pytest.mark.parametrize("inside", [False, True])
def test_data_parallel_without_devices(inside) -> None:
    layers = [nn.Linear(8, 8) for _ in range(2)]
    blocks = nn.Sequential(*(nn.DataParallel(layer) if inside else layer for layer in layers))
    module = blocks if inside else nn.DataParallel(blocks)
    assert TorchModel(module.eval(), example=torch.ones(2, 8)).profile().flop == 512


def test_operations_of_higher_order_are_refused() -> None:
    def either(x: torch.Tensor) -> torch.Tensor:
        return torch.cond(torch.tensor(True), lambda y: y @ y.mT, lambda y: y, (x,))

    with pytest.raises(ValueError, match="module: cond runs operations where they cannot be watched"):
        TorchModel(nn.Sequential(Does(either), Does(either)).eval(), example=torch.ones(3, 5, 5))


def test_a_graph_module() -> None:
    from torch import fx

    blocks = [fx.symbolic_trace(nn.Sequential(nn.Linear(8, 8), nn.ReLU())) for _ in range(3)]
    net = TorchModel(nn.Sequential(*blocks).eval(), example=torch.ones(2, 8))
    assert net.paths == ("0", "1", "2") and net.profile().flop == 3 * 2 * 2 * 8**2


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
class TestQuantised:
    """Weights that PyTorch packs, so that they are neither parameters nor buffers."""

    @staticmethod
    def quantised(module: nn.Module, dtype: Any = torch.qint8) -> nn.Module:
        kinds = {nn.Linear, nn.LSTM, nn.GRU}
        return torch.ao.quantization.quantize_dynamic(module.eval(), kinds, dtype=dtype)

    @pytest.mark.parametrize("blocks", [None, list("0123")])
    def test_linear_layers(self, blocks) -> None:
        module = self.quantised(nn.Sequential(*(nn.Linear(64, 64) for _ in range(4))))
        profile = TorchModel(module, example=torch.randn(1, 64), blocks=blocks).profile()
        assert (profile.flop, profile.parameters) == (32768, 4 * (64**2 + 64))
        assert profile.weight_bytes == 4 * (64**2 + 4 * 64)

    def test_half_precision(self) -> None:
        module = self.quantised(nn.Sequential(*(nn.Linear(64, 64) for _ in range(2))), torch.float16)
        assert TorchModel(module, example=torch.randn(1, 64)).profile().flop == 2 * 2 * 64**2

    @pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3)])
    def test_recurrent_layers(self, kind, gates) -> None:
        module = self.quantised(nn.Sequential(*(First(kind(16, 16, batch_first=True)) for _ in range(2))))
        net = TorchModel(module, example=torch.randn(1, 6, 16))
        profile = net.profile(2)
        assert list(profile.array("flop")) == [2 * 12 * 2 * gates * 16**2] * 2
        assert profile.parameters == 2 * (2 * gates * 16**2 + 2 * gates * 16)

    def test_segments_carry_their_own_weights_alone(self) -> None:
        import pickle

        module = self.quantised(nn.Sequential(nn.Linear(8, 256), *(nn.Linear(256, 256) for _ in range(4))))
        net = TorchModel(module, example=torch.randn(1, 8), blocks=list("1234"))
        sizes = [len(pickle.dumps(net.segment(i, i + 1))) for i in range(4)]
        one = 256**2 + 4 * 256
        assert all(one < size < one + 20_000 for size in sizes)
        x = torch.randn(3, 8)
        segment = pickle.loads(pickle.dumps(net.segment(0, 4)))
        assert np.array_equal(segment(x), module(x).detach())

    @pytest.mark.parametrize(
        ("kind", "shape", "product"),
        [
            (lambda: nq.Linear(8, 8), (2, 8), 2 * 8**2),
            (lambda: nq.Conv2d(4, 4, 3, padding=1), (2, 4, 8, 8), 2 * 64 * 4 * 4 * 9),
            (lambda: nq.ConvTranspose2d(4, 4, 3, padding=1), (2, 4, 8, 8), 2 * 64 * 4 * 4 * 9),
        ],
    )
    def test_layers_of_integers(self, kind, shape, product) -> None:
        import pickle

        blocks = [nn.Sequential(nq.Quantize(0.1, 0, torch.quint8), kind(), nq.DeQuantize()) for _ in range(3)]
        net = TorchModel(nn.Sequential(*blocks).eval(), example=torch.randn(shape))
        assert list(net.profile().array("flop")) == [2 * product] * 3
        own = len(pickle.dumps(blocks[1]))
        assert all(len(pickle.dumps(net.segment(i, i + 1))) < own + 8_000 for i in range(3))

    def test_scales_of_channels_are_counted(self) -> None:
        class Scaled(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                one = torch.quantize_per_channel(
                    torch.randn(8, 8), torch.ones(8), torch.zeros(8, dtype=torch.long), 0, torch.qint8
                )
                self.register_buffer("weight", one)
                self.bias = nn.Parameter(torch.zeros(8))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x @ self.weight.dequantize() + self.bias

        profile = profiled(Scaled(), Scaled(), example=torch.randn(2, 8))
        assert list(profile.array("weight_bytes")) == [64 + 8 * 8 + 8 * 8 + 4 * 8] * 2
        assert list(profile.array("flop")) == [2 * 2 * 8**2] * 2

    def test_a_head_that_is_no_block_is_in_the_last_segment_alone(self) -> None:
        module = self.quantised(nn.Sequential(*(nn.Linear(8, 8) for _ in range(3)), nn.Linear(8, 100)))
        profile = TorchModel(module, example=torch.randn(1, 8), blocks=list("012")).profile(2)
        assert list(profile.array("parameters")) == [72, 72, 72 + 900]
        assert list(profile.array("flop")) == [256, 256, 256 + 3200]
