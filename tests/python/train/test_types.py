"""Types of numbers: nothing is narrowed in silence, and bytes are those that the model computes in."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from constellm import codec, infer  # noqa: E402
from constellm.train import TorchModel  # noqa: E402

DIRECT = codec.Direct(codec.Scheme(bits=8, entropy="none"))


class Casts(nn.Module):
    """Layers in a type of their own, whatever comes in."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(4))
        self.to(dtype)
        self.dtype = dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.to(self.dtype)
        for layer in self.layers:
            x = layer(x)
        return x


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)


@pytest.mark.parametrize(
    ("dtype", "array"),
    [
        (torch.float32, np.float32),
        (torch.bfloat16, np.float32),
        (torch.float16, np.float16),
    ],
)
def test_a_profile_and_inference_agree_on_the_bytes(x, dtype, array) -> None:
    net = TorchModel(Casts(dtype).eval(), example=x[:4])
    size = torch.empty(0, dtype=dtype).element_size()
    assert [net.item_bytes(k) for k in (1, 2, 3)] == [size] * 3
    assert net.segment(0, 2)(x).dtype == array
    result = infer.infer(net, x, cuts={2: DIRECT})
    assert result.cuts[2].raw_bytes == net.profile(64).detail[1].output_bytes == 64 * 64 * size
    assert result.ratio == pytest.approx(64 * 64 * size / result.cuts[2].sent_bytes)
    if dtype == torch.bfloat16:
        assert result.ratio == pytest.approx(1.98, abs=0.01)


def test_what_is_measured_has_those_bytes_too(x) -> None:
    net = TorchModel(Casts(torch.bfloat16).eval(), example=x[:4])
    found = infer.measure(net, (x, np.zeros(64, int)), {"direct": DIRECT}, boundaries=[2])
    assert found.rows[0].ratio == (infer.infer(net, x, cuts={2: DIRECT}).ratio,)


def test_the_energy_of_half_precision_does_not_overflow() -> None:
    class Large(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Identity() for _ in range(3))
            self.bias = nn.Parameter(torch.zeros(1, dtype=torch.float16))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = layer(x)
            return x + self.bias

    x = np.full((16, 512), 100, np.float16)
    net = TorchModel(Large().eval(), example=x[:2], blocks="layers")
    found = infer.measure(
        net, (x, np.zeros(16, int)), {"d": codec.Direct(codec.Scheme(bits=8))}, boundaries=[1]
    )
    assert found.rows[0].error[0] < 0.01


@pytest.mark.parametrize("given", [np.float64, np.float16, np.int64, np.complex64])
def test_other_numbers_are_refused_by_type(x, given) -> None:
    net = TorchModel(Casts(torch.float32).eval(), example=x[:4])
    name = np.dtype(given).name
    for wrong in (x.astype(given), torch.from_numpy(x.astype(given))):
        with pytest.raises(
            TypeError, match=rf"x: expected torch.float32 as in the example, got torch.{name}"
        ):
            net.segment(0, 2)(wrong)
        with pytest.raises(
            TypeError, match=rf"activation: expected torch.float32 at boundary 2, got torch.{name}"
        ):
            net.segment(2, 4)(wrong)
    with pytest.raises(TypeError, match=rf"x: expected torch.float32.*torch.{name}"):
        infer.infer(net, x.astype(given), cuts={2: DIRECT})


def test_an_example_of_another_type_than_the_weights() -> None:
    module = nn.Sequential(*(nn.Linear(8, 8) for _ in range(3))).eval()
    message = r"example: its numbers are torch.float64, the module's torch.float32"
    for example in (np.ones((2, 8)), torch.ones(2, 8, dtype=torch.float64)):
        with pytest.raises(TypeError, match=message):
            TorchModel(module, example=example)


def test_bfloat16_from_end_to_end(x) -> None:
    module = nn.Sequential(*(nn.Linear(64, 64) for _ in range(3))).to(torch.bfloat16).eval()
    given = torch.from_numpy(x).to(torch.bfloat16)
    net = TorchModel(module, example=given[:4])
    with pytest.raises(TypeError, match=r"x: expected an array, got a Tensor: .*BFloat16.*give float32"):
        infer.infer(net, given)
    with torch.no_grad():
        whole = module(given).float().numpy()
    assert np.array_equal(infer.infer(net, given.float().numpy()).logits, whole)
    with pytest.raises(
        TypeError, match="activation: expected torch.bfloat16 at boundary 1, got torch.float32"
    ):
        net.segment(1, 3)(given.float())  # a tensor has bfloat16


def test_masks_of_integers_and_of_bools_are_alike() -> None:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).eval()
    pad = torch.zeros(2, 7, dtype=torch.bool)
    net = TorchModel(encoder, example={"src": torch.randn(2, 7, 32), "src_key_padding_mask": pad})
    with pytest.raises(TypeError, match="src: expected torch.float32 as in the example"):
        net.segment(0, 1).start(src=torch.zeros(2, 7, 32, dtype=torch.float64), src_key_padding_mask=pad)
    with pytest.raises(
        TypeError, match="src_key_padding_mask: expected torch.bool as in the example, got torch.float32"
    ):
        net.segment(0, 1).start(src=torch.zeros(2, 7, 32), src_key_padding_mask=pad.float())


def test_activations_that_are_no_real_numbers() -> None:
    """They cross a cut as they are."""

    class Turns(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.phase = nn.Parameter(torch.ones(8, dtype=torch.complex64))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.phase

    module = nn.Sequential(Turns(), Turns(), Turns()).eval()
    x = torch.randn(2, 8, dtype=torch.complex64)
    net = TorchModel(module, example=x)
    with torch.no_grad():
        assert torch.equal(net.segment(1, 3)(net.segment(0, 1)(x)), module(x))
    assert list(net.profile().array("output_bytes")) == [128] * 3


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.to_sparse(), "takes a torch.sparse_coo tensor"),
        (lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8), "takes a torch.quint8 tensor"),
    ],
)
def test_only_dense_tensors_cross_a_cut(change, message) -> None:
    def dense(x: torch.Tensor) -> torch.Tensor:
        return x.to_dense() if x.is_sparse else x.dequantize() if x.is_quantized else x

    class There(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return change(super().forward(dense(x)))

    class Back(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(There(8, 8) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = layer(x)
            return dense(x)

    with pytest.raises(ValueError, match=message):
        TorchModel(Back().eval(), example=torch.ones(2, 8))
