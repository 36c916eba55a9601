"""Counted costs of users' models against the closed forms of `constellm.model`."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from constellm import codec, model, network, split  # noqa: E402
from constellm.train import TorchModel, Vit, VitShape  # noqa: E402


def counted(module: nn.Module, example: object, **options: object) -> model.Profile:
    return TorchModel(module.eval(), example=example, **options).profile(4)


def assert_alike(profile: model.Profile, closed: model.Profile, *fields: str) -> None:
    assert len(profile) == len(closed)
    for field in fields:
        np.testing.assert_array_equal(profile.array(field), closed.array(field), err_msg=field)


def test_vision_transformer_of_hugging_face() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
        num_labels=7,
    )
    module = transformers.ViTForImageClassification(config)
    profile = counted(module, torch.zeros(2, 3, 32, 32), name="mine")
    closed = model.vit(config.to_dict(), batch=4)
    assert_alike(profile, closed, "flop", "parameters", "weight_bytes", "read_bytes", "output_bytes")
    assert profile.input_bytes == closed.input_bytes
    assert (profile.name, profile.batch, profile.dtype) == ("mine", 4, "float32")
    assert profile.parameters == sum(p.numel() for p in module.parameters())
    # Eager PyTorch keeps more alive than a planner of fused kernels need suppose.
    assert (profile.array("workspace_bytes") >= closed.array("workspace_bytes")).all()
    assert (profile.array("workspace_bytes") <= 2 * closed.array("workspace_bytes")).all()
    total = profile.array("weight_bytes") + profile.array("workspace_bytes")
    np.testing.assert_array_equal(profile.array("memory_bytes"), total)


def test_llama_of_hugging_face() -> None:
    transformers = pytest.importorskip("transformers")
    blocks, width, tokens, batch = 3, 64, 16, 4
    config = transformers.LlamaConfig(
        hidden_size=width,
        intermediate_size=96,
        num_hidden_layers=blocks,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
    )
    example = {"input_ids": torch.zeros(2, tokens, dtype=torch.long), "logits_to_keep": 1}
    profile = counted(transformers.LlamaForCausalLM(config), example, output="logits")
    closed = model.decoder(config.to_dict(), prompt_tokens=tokens, batch=batch, dtype="float32")
    assert_alike(profile, closed, "parameters")
    # PyTorch counts all pairs of causal attention, the closed form those that a token may see.
    unseen = 4.0 * width * batch * (tokens**2 - tokens * (tokens + 1) / 2)
    np.testing.assert_array_equal(profile.array("flop") - unseen, closed.array("flop"))
    np.testing.assert_array_equal(profile.array("output_bytes")[:-1], closed.array("output_bytes")[:-1])
    # Beside its weights the first segment holds the frequencies of the positions.
    extra = profile.array("weight_bytes") - closed.array("weight_bytes")
    np.testing.assert_array_equal(extra, [4.0 * width / 4 / 2, 0, 0])


def test_mixture_of_experts_of_hugging_face() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.MixtralConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
        num_local_experts=4,
        sliding_window=None,
    )
    example = {"input_ids": torch.zeros(2, 8, dtype=torch.long), "logits_to_keep": 1}
    profile = counted(transformers.MixtralForCausalLM(config), example, output="logits")
    closed = model.decoder(config.to_dict(), prompt_tokens=8, batch=4, dtype="float32")
    assert_alike(profile, closed, "parameters")
    unseen = 4.0 * 32 * 4 * (8**2 - 8 * 9 / 2)
    np.testing.assert_array_equal(profile.array("flop") - unseen, closed.array("flop"))


def test_tied_weights_are_stored_at_both_ends_and_counted_once() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        vocab_size=50,
        tie_word_embeddings=True,
    )
    module = transformers.LlamaForCausalLM(config)
    profile = counted(module, {"input_ids": torch.zeros(2, 5, dtype=torch.long)})
    assert profile.parameters == sum(p.numel() for p in module.parameters())
    frequencies = 4.0 * 32 / 4 / 2
    assert profile.weight_bytes == 4 * (profile.parameters + 50 * 32) + frequencies


def test_own_vision_transformer() -> None:
    shape = VitShape(blocks=3, width=64, heads=4, mlp_width=128, image_px=32)
    module = Vit(shape)
    profile = counted(module, torch.zeros(2, 3, 32, 32))
    config = {
        "model_type": "vit",
        "hidden_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "image_size": 32,
        "patch_size": 8,
        "pool": "mean",
    }
    closed = model.vit(config, batch=4, classes=10, ends="separate")
    _, *blocks, head = closed.array("flop")
    convolutions = 2 * 9 * (3 * 16 * 16**2 + 16 * 32 * 8**2 + 32 * 64 * 4**2) + 2 * 64**2 * 16
    expected = [blocks[0] + 4 * convolutions, blocks[1], blocks[2] + head]
    np.testing.assert_array_equal(profile.array("flop"), expected)
    assert profile.parameters == sum(p.numel() for p in module.parameters())


def test_attention_inside_fused_layers_is_counted() -> None:
    """In evaluation mode PyTorch runs such a layer as one operation, in which nothing can be counted."""
    width, mlp, tokens, batch = 32, 64, 7, 4
    layer = nn.TransformerEncoderLayer(width, 4, mlp, batch_first=True)
    module = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    before = torch.backends.mha.get_fastpath_enabled()
    profile = counted(module, torch.zeros(2, tokens, width))
    assert torch.backends.mha.get_fastpath_enabled() == before
    products = 2 * tokens * (4 * width**2 + 2 * width * mlp) + 4 * tokens**2 * width
    assert list(profile.array("flop")) == [batch * products] * 3


def test_a_mask_that_is_carried_counts_at_the_cuts() -> None:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    module = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    pad = torch.zeros(2, 7, dtype=torch.bool)
    pad[1, 4:] = True
    profile = counted(module, {"src": torch.zeros(2, 7, 32), "src_key_padding_mask": pad})
    activation, mask = 4 * 7 * 32 * 4, 4 * 7 * 4  # the module makes numbers of the mask
    assert list(profile.array("output_bytes")) == [activation + mask] * 2 + [activation]


def test_memory_in_use() -> None:
    """A product and its tanh: what is alive at once is the input and these two."""
    module = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8, bias=False), nn.Tanh()) for _ in range(2)))
    profile = counted(module, torch.zeros(4, 8))
    row = 4 * 8 * 4
    assert list(profile.array("workspace_bytes")) == [3 * row] * 2


def test_measured_seconds_go_into_the_planner() -> None:
    module = Vit(VitShape(blocks=3, width=32, heads=4, mlp_width=64, image_px=32)).eval()
    net = TorchModel(module, example=torch.zeros(2, 3, 32, 32))
    table = net.profile(2, measured=True, repeats=3)
    assert isinstance(table, model.Measured)
    assert table.profile == net.profile(2) == net.profile()
    times = table.device_times["here"]
    assert len(times) == 3 and min(times) > 0
    chain = network.chain(2, flop_per_s=1e9, memory_bytes=1e9, rate_bps=1e12)
    chain = chain.replace(nodes=[node.replace(layer_time_s=times) for node in chain.nodes])
    plan = split.solve(
        split.Problem(model=table.profile, network=chain, micro_batches=1, codecs=codec.none())
    )
    assert plan.delay_s == pytest.approx(sum(times), rel=1e-3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch": 0}, ValueError, r"batch: 0 is not in \[1, inf\)"),
        ({"batch": 2.0}, TypeError, "batch: expected an integer"),
        ({"measured": True, "repeats": 0}, ValueError, r"repeats: 0 is not in \[1, inf\)"),
    ],
)
def test_wrong_options(options, error, message) -> None:
    net = TorchModel(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)).eval(), example=torch.zeros(2, 4))
    with pytest.raises(error, match=message):
        net.profile(**options)
