"""A module is taken as it is, with its hooks, and left as it was."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from constellm.train import TorchModel  # noqa: E402


def linears(count: int = 3) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(8, 8) for _ in range(count))).eval()


def assert_alike(net: TorchModel, module: nn.Module, x: torch.Tensor) -> None:
    with torch.no_grad():
        whole = module(x.clone())
    for cut in range(1, net.blocks):
        assert torch.equal(net.segment(cut, net.blocks)(net.segment(0, cut)(x.clone())), whole)


def test_hooks_of_a_block_belong_to_it() -> None:
    module = linears()
    module[0].register_forward_pre_hook(lambda block, args: (args[0] + 1,))
    module[1].register_forward_hook(lambda block, args, output: output * 2)
    module[1].register_forward_pre_hook(lambda block, args: (args[0] @ torch.ones(8, 8),))
    module[2].register_forward_pre_hook(lambda block, args: (args[0] * 3,))
    module[2].register_forward_hook(lambda block, args, kwargs, output: output - 1, with_kwargs=True)
    net = TorchModel(module, example=torch.randn(2, 8))
    assert_alike(net, module, torch.randn(3, 8))
    product = 2 * 2 * 8**2
    assert list(net.profile().array("flop")) == [product, 2 * product, product]


def test_hooks_inside_a_block_and_around_all() -> None:
    module = nn.Sequential(
        nn.Linear(4, 8), nn.Sequential(*(nn.Sequential(nn.Linear(8, 8)) for _ in range(3)))
    )
    module[0].register_forward_hook(lambda part, args, output: output.relu())
    module[1].register_forward_pre_hook(lambda part, args: (args[0] + 1,))
    module[1].register_forward_hook(lambda part, args, output: output * 3)
    module[1][1][0].register_forward_hook(lambda part, args, output: output.tanh())
    net = TorchModel(module.eval(), example=torch.randn(2, 4))
    assert net.paths == ("1.0", "1.1", "1.2")
    assert_alike(net, module, torch.randn(3, 4))


def test_a_hook_put_on_later_is_seen() -> None:
    module = linears()
    net = TorchModel(module, example=torch.randn(2, 8))
    module[1].register_forward_hook(lambda block, args, output: output * 2)
    assert_alike(net, module, torch.randn(3, 8))


def test_a_forward_pass_of_ones_own_on_a_block() -> None:
    module = linears()
    module[1].forward = lambda x: 2 * nn.functional.linear(x, module[1].weight)
    assert_alike(TorchModel(module, example=torch.randn(2, 8)), module, torch.randn(3, 8))


def normalised() -> nn.Sequential:
    return nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)) for _ in range(3))).eval()


def test_a_part_in_training_mode_is_named_and_nothing_is_changed() -> None:
    module = normalised()
    module[1].train()
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(ValueError, match=r"module: '1.1' \(BatchNorm1d\) in training mode"):
        TorchModel(module, example=torch.randn(4, 8))
    assert module[1][1].num_batches_tracked == 0
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert module[1].training and not module[0].training


def test_what_does_the_same_in_either_mode_may_be_in_any() -> None:
    module = linears()
    module[1].train()
    TorchModel(module, example=torch.randn(4, 8))

    class Own(nn.Linear):
        pass

    module[1] = Own(8, 8)
    with pytest.raises(ValueError, match=r"'1' \(Own\) in training mode"):
        TorchModel(module, example=torch.randn(4, 8))
    module[1] = nn.Sequential(nn.Linear(8, 8), nn.Dropout())
    with pytest.raises(ValueError, match=r"'1.1' \(Dropout\) in training mode"):
        TorchModel(module, example=torch.randn(4, 8))


class Counts(nn.Linear):
    """Counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__(8, 8)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return super().forward(x)


class Keeps(nn.Linear):
    """Writes into a part of a cache."""

    def __init__(self) -> None:
        super().__init__(8, 8)
        self.cache = torch.zeros(100, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.cache[: len(x)] = x
        return super().forward(x)


@pytest.mark.parametrize(("kind", "name"), [(Counts, "1.calls"), (Keeps, "1.cache")])
def test_a_state_between_calls_is_refused_before_it_is_changed(kind, name) -> None:
    module = linears()
    module[1] = kind().eval()
    before = getattr(module[1], name[2:]).clone()
    with pytest.raises(ValueError, match=rf"writes into '{name}' in a pass"):
        TorchModel(module, example=torch.randn(4, 8))
    assert torch.equal(getattr(module[1], name[2:]), before)


def test_random_numbers_gradients_and_statistics_stay() -> None:
    module = normalised()
    module[0][0].weight.requires_grad_(False)
    module[1][0].weight.grad = torch.ones(8, 8)
    before = copy.deepcopy(module)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    net = TorchModel(module, example=torch.randn(4, 8, generator=torch.Generator().manual_seed(1)))
    net.profile(5, measured=True, repeats=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    for (name, is_), (_, was) in zip(module.named_parameters(), before.named_parameters()):
        assert torch.equal(is_, was) and is_.requires_grad == was.requires_grad, name
        assert (is_.grad is None) == (name != "1.0.weight"), name
    assert all(torch.equal(a, b) for a, b in zip(module.buffers(), before.buffers()))
    assert [part.training for part in module.modules()] == [part.training for part in before.modules()]
    assert [list(vars(part)) for part in module.modules()] == [list(vars(part)) for part in before.modules()]


def test_a_module_that_is_random_in_evaluation_leaves_the_random_numbers() -> None:
    class Noisy(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + torch.rand(8)

    state = torch.get_rng_state()
    module = nn.Sequential(Noisy(8, 8), Noisy(8, 8)).eval()
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match="be random"):
        TorchModel(module, example=torch.ones(2, 8))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_example_is_left_as_it_was_by_operations_in_place() -> None:
    module = nn.Sequential(*(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(8, 8)) for _ in range(3))).eval()
    x = torch.randn(2, 8)
    before = x.clone()
    net = TorchModel(module, example=x)
    net.profile()
    assert torch.equal(x, before)
    assert_alike(net, module, torch.randn(3, 8))


def test_blocks_that_write_into_what_they_are_given() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU(inplace=True), nn.Linear(8, 8), nn.Sigmoid()).eval()
    net = TorchModel(module, example=torch.randn(2, 8), blocks="")
    assert_alike(net, module, torch.randn(3, 8))
    activation = net.segment(0, 1)(torch.randn(3, 8))
    before = activation.clone()
    net.segment(1, 4)(activation)
    assert torch.equal(activation, before)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_under_any_mode_of_gradients(mode) -> None:
    with mode():
        module = linears()
        x = torch.randn(2, 8)
        net = TorchModel(module, example=x)
        assert net.profile().flop == 3 * 2 * 2 * 8**2
        y = net.segment(1, 3)(net.segment(0, 1)(x))
    assert np.array_equal(y.numpy(), net.segment(0, 3)(x.numpy()))


def test_within_autocast() -> None:
    """Where it was on for the example and is off for a later segment, the types of numbers tell."""
    module = linears()
    x = torch.randn(2, 8)
    with torch.autocast("cpu", torch.bfloat16):
        net = TorchModel(module, example=x)
        assert net.dtype == torch.bfloat16
        assert net.profile().detail[0].output_bytes == 2 * 8 * 2
    with pytest.raises(
        TypeError, match="activation: expected torch.bfloat16 at boundary 1, got torch.float32"
    ):
        net.segment(1, 3)(net.segment(0, 1)(x))


def without_values() -> nn.Module:
    return nn.Sequential(*(nn.Linear(8, 8, device="meta") for _ in range(3))).eval()


def lazy() -> nn.Module:
    return nn.Sequential(*(nn.LazyLinear(8) for _ in range(3))).eval()


def scripted() -> nn.Module:
    return nn.Sequential(*(torch.jit.script(nn.Linear(8, 8)) for _ in range(3))).eval()


def compiled() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 8), torch.compile(nn.Linear(8, 8))).eval()


def compiled_in_place() -> nn.Module:
    module = linears()
    module.compile()
    return module


def locked() -> nn.Module:
    module = linears()
    module[1].lock = threading.Lock()
    return module


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (without_values, r"module: '0.weight' is on the meta device.*from_config"),
        (lazy, r"module: '0.weight' is lazy"),
        (scripted, r"module: '0' is compiled by TorchScript"),
        (compiled, r"module: '1' is compiled by torch.compile"),
        (compiled_in_place, r"module: all of it is compiled by torch.compile"),
        (locked, "module: it holds what cannot be copied.*lock"),
    ],
)
def test_modules_that_cannot_be_watched(make, message) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        TorchModel(make(), example=torch.randn(2, 8))


def test_threads_share_a_model() -> None:
    """Taking apart and counting at once, as a server would."""
    module, x = linears(), torch.randn(2, 8)
    found: list[Any] = []

    def work() -> None:
        net = TorchModel(module, example=x)
        found.append((net.profile().flop, net.segment(1, 3)(net.segment(0, 1)(x))))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with torch.no_grad():
        whole = module(x)
    assert len(found) == 4 and all(flop == 768 and torch.equal(y, whole) for flop, y in found)
