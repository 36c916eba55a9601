"""Users' own PyTorch models: whatever is cut where, segments give what the module gives."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from constellm.infer import infer, measure  # noqa: E402
from constellm.train import TorchModel, Vit, VitShape  # noqa: E402
from constellm.train.nested import same, tensors_of  # noqa: E402

IDS = torch.tensor([[3, 14, 15, 9, 2, 6, 5], [35, 8, 9, 7, 9, 3, 2], [38, 4, 6, 2, 6, 4, 3]])
MASK = torch.tensor([[1] * 7, [1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 0]])
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def sequential() -> tuple[nn.Module, Any]:
    blocks = [nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.LayerNorm(8)) for _ in range(4)]
    return nn.Sequential(nn.Linear(4, 8), *blocks, nn.Linear(8, 2)), (numbers(5, 3, 4),)


def own_vit() -> tuple[nn.Module, Any]:
    shape = VitShape(blocks=4, width=32, heads=4, mlp_width=64, image_px=32)
    return Vit(shape), (numbers(5, 3, 32, 32),)


def encoder() -> tuple[nn.Module, Any]:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), (numbers(5, 7, 32),)


def masked_encoder() -> tuple[nn.Module, Any]:
    return encoder()[0], {"src": numbers(3, 7, 32), "src_key_padding_mask": MASK == 0}


def causal_encoder() -> tuple[nn.Module, Any]:
    mask = nn.Transformer.generate_square_subsequent_mask(7)
    return encoder()[0], {"src": numbers(5, 7, 32), "mask": mask, "is_causal": True}


def hf(model: str, config: str, **options: Any) -> nn.Module:
    transformers = pytest.importorskip("transformers")
    settings = getattr(transformers, config)(**{**SMALL, **options})
    return getattr(transformers, model)(settings)


def hf_vit() -> tuple[nn.Module, Any]:
    module = hf("ViTForImageClassification", "ViTConfig", image_size=32, patch_size=8)
    return module, {"pixel_values": numbers(5, 3, 32, 32)}


def hf_beit() -> tuple[nn.Module, Any]:
    """Its blocks read a ``torch.Size``."""
    return hf("BeitModel", "BeitConfig", image_size=32, patch_size=8), {"pixel_values": numbers(5, 3, 32, 32)}


def hf_bert() -> tuple[nn.Module, Any]:
    return hf("BertForSequenceClassification", "BertConfig", vocab_size=40), {"input_ids": IDS}


def hf_bert_masked() -> tuple[nn.Module, Any]:
    return hf_bert()[0], {"input_ids": IDS, "attention_mask": MASK}


def hf_bert_pooled() -> tuple[nn.Module, Any]:
    return hf("BertModel", "BertConfig", vocab_size=40), {"input_ids": IDS, "attention_mask": MASK}


def hf_llama() -> tuple[nn.Module, Any]:
    module = hf("LlamaForCausalLM", "LlamaConfig", vocab_size=40, num_key_value_heads=2)
    return module, {"input_ids": IDS, "use_cache": False}


def hf_llama_masked() -> tuple[nn.Module, Any]:
    return hf_llama()[0], {"input_ids": IDS, "attention_mask": MASK, "use_cache": False}


def hf_llama_tied() -> tuple[nn.Module, Any]:
    module = hf("LlamaForCausalLM", "LlamaConfig", vocab_size=40, tie_word_embeddings=True)
    return module, {"input_ids": IDS, "use_cache": False, "logits_to_keep": 1}


def hf_llama_classifier() -> tuple[nn.Module, Any]:
    """What follows the blocks looks for the last token that is no padding: it reads the inputs."""
    module = hf("LlamaForSequenceClassification", "LlamaConfig", vocab_size=40, pad_token_id=2)
    return module, {"input_ids": IDS, "use_cache": False}


def hf_gpt2() -> tuple[nn.Module, Any]:
    return hf("GPT2Model", "GPT2Config", vocab_size=40, n_embd=32, n_head=4, n_layer=3), {
        "input_ids": IDS,
        "attention_mask": MASK,
        "use_cache": False,
    }


FIXED = [sequential, own_vit, encoder, causal_encoder, hf_vit, hf_beit, hf_bert, hf_llama, hf_llama_tied]
CARRIED = [masked_encoder, hf_bert_masked, hf_bert_pooled, hf_llama_masked, hf_llama_classifier, hf_gpt2]


def called(function: Callable[..., Any], inputs: Any) -> Any:
    with torch.no_grad():
        return function(**inputs) if isinstance(inputs, dict) else function(*inputs)


def some(inputs: Any, rows: slice) -> Any:
    """Those rows of the inputs; a mask of tokens by tokens has none."""
    batch = len(next(iter(tensors_of(inputs))))
    if isinstance(inputs, dict):
        return {
            key: value[rows] if torch.is_tensor(value) and len(value) == batch else value
            for key, value in inputs.items()
        }
    return tuple(value[rows] for value in inputs)


@pytest.mark.parametrize("make", FIXED + CARRIED)
def test_segments_give_what_the_module_gives(make) -> None:
    """Bit for bit, at every pair of boundaries, for batches other than the example's."""
    module, inputs = make()
    module.eval()
    net = TorchModel(module, example=inputs)
    assert net.side_is_fixed == (make in FIXED)
    compared = 0
    for rows in (slice(0, 3), slice(1, 2)):
        part = some(inputs, rows)
        whole = called(module, part)
        for first in range(1, net.blocks):
            for last in range(first, net.blocks):
                x, side = called(net.segment(0, first).start, part)
                if last > first:
                    x = net.segment(first, last)(x, side=side)
                assert same(net.segment(last, net.blocks)(x, side=side.from_block(last)), whole)
                compared += 1
        assert same(called(net.segment(0, net.blocks), part), whole)
    assert compared == net.blocks * (net.blocks - 1)


@pytest.mark.parametrize("make", FIXED)
def test_nothing_need_be_carried_where_the_side_is_fixed(make) -> None:
    module, inputs = make()
    net = TorchModel(module.eval(), example=some(inputs, slice(0, 2)))
    whole = called(module, inputs)
    for cut in range(1, net.blocks):
        x = called(net.segment(0, cut), inputs)
        assert x.shape[0] == len(next(iter(tensors_of(inputs))))
        assert same(net.segment(cut, net.blocks)(x), whole)


@pytest.mark.parametrize("make", CARRIED)
def test_what_depends_on_the_input_is_asked_for(make) -> None:
    module, inputs = make()
    net = TorchModel(module.eval(), example=inputs)
    x, side = called(net.segment(0, 1).start, inputs)
    assert side.nbytes > 0
    with pytest.raises(ValueError, match=r"side: absent.*attention mask"):
        net.segment(1, 2)(x)


def test_an_input_that_later_segments_could_not_know_is_refused() -> None:
    """The example has no padding, so later segments take it that there is none."""
    module, inputs = hf_bert()
    net = TorchModel(module.eval(), example={"input_ids": IDS, "attention_mask": torch.ones_like(MASK)})
    assert net.side_is_fixed
    net.segment(0, 1)(input_ids=IDS)
    with pytest.raises(ValueError, match="start"):
        net.segment(0, 1)(input_ids=IDS, attention_mask=MASK)
    x, side = net.segment(0, 1).start(input_ids=IDS, attention_mask=MASK)
    assert same(net.segment(1, 3)(x, side=side), called(module, {"input_ids": IDS, "attention_mask": MASK}))


def test_other_lengths_with_their_own_positions() -> None:
    module, _ = hf_llama()
    net = TorchModel(module.eval(), example={"input_ids": IDS})
    longer = torch.cat([IDS, IDS], dim=1)
    with pytest.raises(ValueError, match="number of tokens"):
        net.segment(0, 1)(input_ids=longer)
    x, side = net.segment(0, 1).start(input_ids=longer)
    with pytest.raises(ValueError, match=r"activation: expected shape \(at least 1, 7, 32\).*\(3, 14, 32\)"):
        net.segment(1, 3)(x)
    whole = called(module, {"input_ids": longer, "use_cache": False})
    assert same(net.segment(1, 3)(x, side=side), whole)


def test_arrays_in_arrays_out() -> None:
    module, (pixels,) = own_vit()
    net = TorchModel(module.eval(), example=pixels.numpy(), name="mine")
    assert net.name == "mine" and net.blocks == 4
    assert repr(net) == "TorchModel('mine', 4 blocks, activations of (batch, 16, 32))"
    array = pixels.numpy()
    array.setflags(write=False)
    x = net.segment(0, 2)(array)
    assert isinstance(x, np.ndarray) and x.dtype == np.float32 and x.shape == (5, 16, 32)
    before = x.copy()
    logits = net.segment(2, 4)(x)
    assert np.array_equal(x, before)
    assert np.array_equal(logits, called(module, (pixels,)).numpy())
    assert isinstance(net.segment(2, 4)(torch.from_numpy(x)), torch.Tensor)


def test_a_part_of_the_output() -> None:
    module, inputs = hf_vit()
    net = TorchModel(module.eval(), example=inputs, output="logits")
    logits = net.segment(0, 3)(pixel_values=inputs["pixel_values"].numpy())
    assert np.array_equal(logits, called(module, inputs).logits.numpy())
    assert set(TorchModel(module, example=inputs).segment(0, 3)(**inputs)) == {"logits"}
    with pytest.raises(ValueError, match="output: no part 'scores'"):
        TorchModel(module, example=inputs, output="scores")


def test_half_precision() -> None:
    module = nn.Sequential(*(nn.Linear(8, 8) for _ in range(3))).to(torch.bfloat16).eval()
    x = numbers(4, 8).to(torch.bfloat16)
    net = TorchModel(module, example=x)
    y = net.segment(0, 1)(x)
    assert y.dtype == torch.bfloat16
    sent = y.float().numpy()  # numpy has no bfloat16
    assert np.array_equal(net.segment(1, 3)(sent), called(module, (x,)).float().numpy())


class Rounded:
    """A compressor with an error, to see that it goes through."""

    name = "rounded"

    def encode(self, x: np.ndarray) -> bytes:
        return pickle.dumps(np.round(x * 4).astype(np.int8))

    def decode(self, data: bytes) -> np.ndarray:
        return pickle.loads(data).astype(np.float32) / 4


@pytest.mark.parametrize("make", [own_vit, hf_vit])
def test_inference_with_compressors_at_the_cuts(make) -> None:
    module, inputs = make()
    pixels = next(iter(tensors_of(inputs))).numpy()
    net = TorchModel(module.eval(), example=pixels[:2], output=None if make is own_vit else "logits")
    plain = infer(net, pixels, batch=2)
    whole = called(module, inputs)
    np.testing.assert_allclose(plain.logits, tensors_of(whole)[0].numpy(), rtol=1e-5, atol=1e-6)
    cut = infer(net, pixels, cuts={1: Rounded(), 2: Rounded()}, batch=2)
    assert 0 < np.abs(cut.logits - plain.logits).max() < 1
    by_hand = pixels[4:]
    for first, last in ((0, 1), (1, 2), (2, net.blocks)):
        by_hand = net.segment(first, last)(by_hand)
        if last < net.blocks:
            by_hand = Rounded().decode(Rounded().encode(by_hand))
    assert np.array_equal(cut.logits[4:], by_hand)


def test_errors_at_the_cuts_are_measured() -> None:
    module, (x,) = own_vit()
    net = TorchModel(module.eval(), example=x)
    labels = np.arange(len(x))
    combinations = [{1: "rounded", 3: "rounded"}]
    found = measure(net, (x.numpy(), labels), {"rounded": Rounded()}, combinations=combinations)
    plain = infer(net, x.numpy(), cuts={1: Rounded(), 3: Rounded()})
    assert [row.plan for row in found.rows] == [*({k: "rounded"} for k in (1, 2, 3)), *combinations]
    np.testing.assert_array_equal(found.predicted[-1], plain.labels)
    assert found.rows[-1].accuracy == plain.accuracy(labels)


IN_ANOTHER_PROCESS = """
import pickle, sys
import numpy as np
import torch
torch.set_num_threads(1)
with open(sys.argv[1], "rb") as file:
    segment, side = pickle.load(file)
np.save(sys.argv[3], segment(np.load(sys.argv[2]), side=side))
"""


@pytest.mark.parametrize("make", [own_vit, masked_encoder])
def test_segments_in_processes_of_their_own(make, tmp_path) -> None:
    module, inputs = make()
    net = TorchModel(module.eval(), example=inputs)
    x, side = called(net.segment(0, 1).start, inputs)
    x = x.numpy()
    for first, last in ((1, 2), (2, net.blocks)):
        files = [tmp_path / name for name in ("segment", "in.npy", "out.npy")]
        files[0].write_bytes(pickle.dumps((net.segment(first, last), side.from_block(first))))
        np.save(files[1], x)
        subprocess.run(
            [sys.executable, "-W", "error", "-c", IN_ANOTHER_PROCESS, *map(str, files)], check=True
        )
        x = np.load(files[2])
    assert np.array_equal(x, tensors_of(called(module, inputs))[0].numpy())


@pytest.mark.parametrize("make", [sequential, own_vit])
def test_segments_in_threads(make) -> None:
    module, inputs = make()
    net = TorchModel(module.eval(), example=inputs)
    whole = net.segment(0, net.blocks)
    arrays = [np.tile(inputs[0].numpy(), (1 + i % 3, 1, 1, 1)[: inputs[0].ndim]) + i for i in range(60)]
    expected = [whole(x) for x in arrays]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(whole, arrays))
    assert all(np.array_equal(a, b) for a, b in zip(found, expected))


@pytest.mark.parametrize("copied", [lambda net: pickle.loads(pickle.dumps(net)), copy.deepcopy])
def test_models_are_pickled_and_copied(copied) -> None:
    module, inputs = own_vit()
    net = TorchModel(module.eval(), example=inputs, name="mine")
    other = copied(net)
    assert (repr(other), other.paths) == (repr(net), net.paths) and other.profile() == net.profile()
    assert same(other.segment(2, 4)(net.segment(0, 2)(*inputs)), called(module, inputs))


@pytest.mark.parametrize("make", [own_vit, encoder, hf_vit, hf_bert, hf_llama])
def test_a_segment_holds_its_own_weights_alone(make) -> None:
    module, inputs = make()
    net = TorchModel(module.eval(), example=inputs)
    every = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
    held = [{id(tensor) for tensor in net.segment(i, i + 1).weights} for i in range(net.blocks)]
    parameters = {id(tensor) for tensor in module.parameters()}
    assert set().union(*held) <= every
    assert set().union(*held) >= parameters - {id(p) for p in unused(module, inputs)}
    for i, mine in enumerate(held):
        assert not any(mine & other for other in held[i + 1 :])
    size = sum(tensor.nbytes for tensor in module.parameters())
    middle = net.segment(1, 2)
    assert len(pickle.dumps(middle)) < sum(t.nbytes for t in middle.weights) + 16_000 < size
    for first, last in ((0, 1), (net.blocks - 1, net.blocks)):
        mine = sum(tensor.nbytes for tensor in net.segment(first, last).weights)
        stored = len(pickle.dumps(net.segment(first, last)))
        assert stored < mine + 0.6 * size + 60_000  # its structure, hollow weights, and the example's inputs


def unused(module: nn.Module, inputs: Any) -> list[torch.Tensor]:
    """Parameters that no output depends on."""
    outputs = module(**inputs) if isinstance(inputs, dict) else module(*inputs)
    total = sum(tensor.sum() for tensor in tensors_of(outputs))
    names = list(module.parameters())
    return [p for p, g in zip(names, torch.autograd.grad(total, names, allow_unused=True)) if g is None]


def test_the_module_is_left_as_it_is_and_its_weights_are_shared() -> None:
    module, inputs = own_vit()
    module.eval()
    state = dict(vars(module.blocks[0]))
    net = TorchModel(module, example=inputs)
    assert vars(module.blocks[0]) == state and "forward" not in vars(module.stem)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.5)
    assert same(net.segment(2, 4)(net.segment(0, 2)(*inputs)), called(module, inputs))


def test_naming_the_blocks() -> None:
    module, inputs = sequential()
    module.eval()
    assert TorchModel(module, example=inputs).blocks == 4
    assert TorchModel(module, example=inputs, blocks="").blocks == 6
    assert TorchModel(module, example=inputs, blocks=["1", "2"]).blocks == 2
    vit, images = own_vit()
    assert TorchModel(vit.eval(), example=images, blocks="blocks").blocks == 4


def test_blocks_that_change_the_shape() -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3), nn.Linear(3, 5)).eval()
    x = numbers(6, 4)
    net = TorchModel(module, example=x)
    assert net.segment(0, 2)(x).shape == (6, 3)
    assert same(net.segment(2, 3)(net.segment(0, 2)(x)), called(module, (x,)))


def test_blocks_that_return_more_than_the_activation() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(8, 8)

        def forward(self, scale: float, hidden: torch.Tensor) -> Any:
            return self.linear(hidden).mean(), self.linear(hidden) * scale

    class Pairs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(Pair() for _ in range(3))

        def forward(self, x: torch.Tensor) -> Any:
            for i, layer in enumerate(self.layers):
                _, x = layer(0.5 + i, hidden=x)
            return {"sum": x.sum(dim=1), "x": x}

    module = Pairs().eval()
    x = numbers(4, 8)
    net = TorchModel(module, example=x)
    assert same(net.segment(1, 3)(net.segment(0, 1)(x)), called(module, (x,)))
    assert same(TorchModel(module, example=x, output="sum").segment(0, 3)(x), called(module, (x,))["sum"])


HIDDEN = """
import sys
sys.modules[sys.argv[1]] = None
from constellm import train
assert "TorchModel" in dir(train)
for name in sys.argv[2:] or train.__all__:
    try:
        getattr(train, name)
    except ImportError as error:
        assert f"needs {sys.argv[1]}" in str(error) and "constellm[train]" in str(error), error
    else:
        raise AssertionError(name)
try:
    train.nothing
except AttributeError:
    pass
else:
    raise AssertionError("nothing")
"""


@pytest.mark.parametrize("hidden", [["torch"], ["safetensors", "save", "load"]])
def test_without_what_the_area_needs(hidden) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", HIDDEN, *hidden], check=True)


def test_names_of_the_area_are_what_they_say() -> None:
    from constellm import train

    assert sorted(train.__all__) == train.__all__
    for name in train.__all__:
        assert getattr(train, name).__name__ == name
    assert set(train.__all__) <= set(dir(train))
