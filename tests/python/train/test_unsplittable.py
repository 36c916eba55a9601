"""Modules that cannot be split, and wrong calls: refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from constellm.train import TorchModel  # noqa: E402

IDS = torch.tensor([[3, 14, 15, 9, 2, 6, 5], [35, 8, 9, 7, 9, 3, 2]])
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


class Stack(nn.Module):
    """Blocks between an embedding and a head, with what a test wants in place of the plain loop."""

    def __init__(self, through: Callable[[Any, Any], Any] | None = None, blocks: int = 3) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 8)
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(blocks))
        self.head = nn.Linear(8, 2)
        self.through = through

    def forward(self, x: torch.Tensor) -> Any:
        x = self.embed(x)
        if self.through is not None:
            return self.through(self, x)
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def residual_between(stack, x):
    for layer in stack.layers:
        x = x + layer(x)
    return stack.head(x)


def long_skip(stack, x):
    first = x = stack.layers[0](x)
    x = stack.layers[1](x)
    return stack.head(stack.layers[2](x) + first)


def decides(stack, x):
    for layer in stack.layers:
        x = layer(x)
        if x.mean() > 100:
            break
    return stack.head(x)


def skips(stack, x):
    return stack.head(stack.layers[2](stack.layers[0](x)))


def stops(stack, x):
    return stack.head(stack.layers[1](stack.layers[0](x)))


def twice(stack, x):
    for layer in stack.layers:
        x = layer(layer(x))
    return stack.head(x)


def nested(stack, x):
    return stack.head(stack.layers[2](stack.layers[1](stack.layers[0](x)))) + stack.layers[1](x).mean()


def in_place(stack, x):
    for layer in stack.layers:
        x = layer(x)
        x.mul_(2)
    return stack.head(x)


def collects(stack, x):
    every = []
    for layer in stack.layers:
        x = layer(x)
        every.append(x)
    return stack.head(x), every


def mixes_rows(stack, x):
    for layer in stack.layers:
        x = layer(x)
    return stack.head(x - x.mean(dim=0))


def random_numbers(stack, x):
    for layer in stack.layers:
        x = layer(x)
    return stack.head(x) + torch.rand(2)


@pytest.mark.parametrize(
    ("through", "message"),
    [
        (residual_between, r"'layers.1' reads the result of aten.add.Tensor on the output of 'layers.0'"),
        (long_skip, r"aten.add.Tensor after the last block reads the output of 'layers.0'"),
        (decides, r"after 'layers.0' the program depends on .*data-dependent control flow"),
        (skips, r"'layers.2' is called where 'layers.1' was expected"),
        (stops, r"'layers.2' is not called in a pass \(2 of 3"),
        (twice, r"'layers.0' is called more than once"),
        (nested, r"'layers.1' is called more than once"),
        (in_place, "run one by one they do not give"),
        (collects, "run one by one they do not give"),
        (random_numbers, "run one by one they do not give"),
        (mixes_rows, "example: the first row alone gives another output"),
    ],
)
def test_what_cannot_be_split_is_refused_with_the_reason(through, message) -> None:
    with pytest.raises(ValueError, match=message):
        TorchModel(Stack(through).eval(), example=numbers(4, 4))


def test_two_tensors_between_blocks_are_refused() -> None:
    class Two(nn.Linear):
        def forward(self, x: torch.Tensor, residual: torch.Tensor) -> Any:
            return super().forward(x), residual + x

    def through(stack: Any, x: torch.Tensor) -> torch.Tensor:
        residual = torch.zeros_like(x)
        for layer in stack.layers:
            x, residual = layer(x, residual)
        return stack.head(x + residual)

    module = Stack(through)
    module.layers = nn.ModuleList(Two(8, 8) for _ in range(3))
    with pytest.raises(ValueError, match=r"'layers.1' reads 2 tensors that 'layers.0' returned"):
        TorchModel(module.eval(), example=numbers(4, 4))


def test_shared_weights_are_refused() -> None:
    block = nn.Linear(8, 8)
    with pytest.raises(ValueError, match="'0' and '1' are one module"):
        TorchModel(nn.Sequential(block, block).eval(), example=numbers(2, 8))
    transformers = pytest.importorskip("transformers")
    config = transformers.AlbertConfig(**SMALL, vocab_size=40, embedding_size=16)
    albert = transformers.AlbertModel(config).eval()
    with pytest.raises(ValueError, match=r"called more than once .* as in ALBERT"):
        TorchModel(albert, example={"input_ids": IDS})


def test_encoder_and_decoder_that_share_positions_are_refused() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.T5Config(vocab_size=40, d_model=32, d_kv=8, d_ff=64, num_layers=3, num_heads=4)
    module = transformers.T5Model(config).eval()
    example = {"input_ids": IDS, "decoder_input_ids": IDS}
    with pytest.raises(ValueError, match="more than one row of 3 blocks, name one of 'encoder.block'"):
        TorchModel(module, example=example)
    with pytest.raises(ValueError, match=r"'encoder.block.1' reads 2 tensors"):
        TorchModel(module, example=example, blocks="encoder.block")


def test_a_cache_is_refused() -> None:
    transformers = pytest.importorskip("transformers")
    module = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL, vocab_size=40))
    with pytest.raises(ValueError, match=r"'(cache|past_key_values)', a DynamicCache.*use_cache=False"):
        TorchModel(module.eval(), example={"input_ids": IDS, "use_cache": True})


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_refused() -> None:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    module = nn.TransformerEncoder(layer, 3).eval()
    pad = torch.zeros(3, 7, dtype=torch.bool)
    pad[1, 4:] = True
    with pytest.raises(ValueError, match="enable_nested_tensor=False"):
        TorchModel(module, example={"src": numbers(3, 7, 32), "src_key_padding_mask": pad})


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ("encoder.layer", r"no module at 'encoder.layer' in Stack; candidates are 'layers' \(3 × Linear\)"),
        ("embed", r"'embed' has no children; candidates are 'layers'"),
        (["layers.0", "layers.0"], "'layers.0' and 'layers.0' are one module"),
        (["layers.1"], "'layers.1' alone"),
        ([3], "expected paths as text, got 3"),
        ([], "none named; candidates are 'layers'"),
    ],
)
def test_wrong_names_of_blocks(blocks, message) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        TorchModel(Stack().eval(), example=numbers(4, 4), blocks=blocks)


class PlainList(nn.Module):
    """PyTorch does not see its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(8, 8) for _ in range(3)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def test_blocks_without_parameters() -> None:
    module = nn.Sequential(nn.ReLU(), nn.ReLU()).eval()
    message = (
        "blocks: Sequential has no module with parameters in a ModuleList or Sequential; name the blocks$"
    )
    with pytest.raises(ValueError, match=message):
        TorchModel(module, example=numbers(2, 8))
    assert TorchModel(module, example=numbers(2, 8), blocks=["0", "1"]).blocks == 2


@pytest.mark.parametrize(
    ("module", "blocks", "lack", "place"),
    [
        (PlainList(), None, "PlainList has no ModuleList or Sequential", "layers"),
        (PlainList(), "layers", "no module at 'layers' in PlainList", "layers"),
        (
            nn.Sequential(PlainList(), PlainList()),
            None,
            "Sequential has no module with parameters in a ModuleList or Sequential",
            "0.layers",
        ),
    ],
)
def test_modules_in_a_plain_list_are_named(module, blocks, lack, place) -> None:
    message = f"blocks: {lack}; .*'{place}' is a plain list of modules, .*make it a ModuleList"
    with pytest.raises(ValueError, match=message):
        TorchModel(module.eval(), example=numbers(2, 8), blocks=blocks)


@pytest.mark.parametrize(
    ("rows", "dtype", "what"),
    [
        (2, torch.float32, "its first row alone"),
        (2, torch.float64, "its first row alone"),
        (1, torch.float32, "two rows, its first one twice"),
    ],
)
def test_a_module_that_takes_no_other_batch(rows, dtype, what) -> None:
    """The size is at fault there, whatever the type of its numbers."""

    def of_fixed_batch(stack: Any, x: torch.Tensor) -> torch.Tensor:
        x = x.view(rows, 8)
        for layer in stack.layers:
            x = layer(x)
        return x

    stack = Stack(of_fixed_batch)
    stack.embed = nn.Identity()
    message = rf"^example: the module fails on {what}: shape '\[{rows}, 8\]' is invalid"
    with pytest.raises(ValueError, match=message):
        TorchModel(stack.eval(), example=numbers(rows, 8).to(dtype))


def test_modules_where_blocks_must_be_named() -> None:
    with pytest.raises(ValueError, match="Linear has no ModuleList or Sequential"):
        TorchModel(nn.Linear(4, 4).eval(), example=numbers(4, 4))
    module = Stack()
    module.more = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
    with pytest.raises(ValueError, match=r"name one of 'layers' \(3 × Linear\), 'more' \(3 × Linear\)"):
        TorchModel(module.eval(), example=numbers(4, 4))


def test_wrong_calls() -> None:
    with pytest.raises(TypeError, match="module: expected a Module"):
        TorchModel("vit", example=numbers(4, 4))
    with pytest.raises(ValueError, match="module: in training mode"):
        TorchModel(Stack(), example=numbers(4, 4))
    with pytest.raises(ValueError, match="example: expected at least one array"):
        TorchModel(Stack().eval(), example={})
    net = TorchModel(Stack().eval(), example=numbers(4, 4))
    for first, last, message in (
        (1, 1, r"first: 1 is not in \[0, 0\]"),
        (0, 4, r"last: 4 is not in \[1, 3\]"),
        (-1, 2, r"first: -1 is not in \[0, 1\]"),
    ):
        with pytest.raises(ValueError, match=message):
            net.segment(first, last)
    with pytest.raises(TypeError, match="last: expected an integer"):
        net.segment(0, 2.0)
    later = net.segment(1, 3)
    with pytest.raises(ValueError, match=r"activation: expected shape \(at least 1, 8\).*\(4, 9\)"):
        later(numbers(4, 9))
    with pytest.raises(ValueError, match=r"activation: .*\(0, 8\)"):
        later(numbers(0, 8))
    with pytest.raises(TypeError, match="activation: expected one array or tensor at boundary 1"):
        later(numbers(4, 8), numbers(4, 8))
    with pytest.raises(TypeError, match=r"activation: expected torch.float32 .* got torch.int64"):
        later(torch.ones(4, 8, dtype=torch.int64))
    with pytest.raises(ValueError, match="start: the segment begins at boundary 1"):
        later.start(numbers(4, 8))
    x, side = net.segment(0, 1).start(numbers(4, 4))
    with pytest.raises(TypeError, match="side: it is made from the inputs"):
        net.segment(0, 1)(numbers(4, 4), side=side)
    with pytest.raises(ValueError, match="side: expected a Side from block 1 or before"):
        later(x, side=side.from_block(2))
    with pytest.raises(ValueError, match="side: expected a Side"):
        later(x, side=3)
