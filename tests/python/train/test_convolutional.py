"""Blocks of convolutional networks: look-alikes of well-known ones, small."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from constellm.train import TorchModel  # noqa: E402


class AlexNet(nn.Module):
    """No two neighbours alike."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 12, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(12, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(32, 16), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(16, 5)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Vgg(AlexNet):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for wanted in (8, 8, 0, 12, 12, 0):
            if wanted:
                layers += [
                    nn.Conv2d(width, wanted, 3, padding=1),
                    nn.BatchNorm2d(wanted),
                    nn.ReLU(inplace=True),
                ]
            else:
                layers.append(nn.MaxPool2d(2))
            width = wanted or width
        self.features = nn.Sequential(*layers)
        self.classifier[1] = nn.Linear(48, 16)


class DenseLayer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.relu1 = nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(width, 4, 1, bias=False)

    def forward(self, every: list[torch.Tensor]) -> torch.Tensor:
        return self.conv1(self.relu1(self.norm1(torch.cat(every, 1))))


class DenseBlock(nn.ModuleDict):
    def __init__(self, layers: int, width: int) -> None:
        super().__init__()
        for i in range(layers):
            self.add_module(f"denselayer{i + 1}", DenseLayer(width + 4 * i))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        every = [x]
        for layer in self.values():
            every.append(layer(every))
        return torch.cat(every, 1)


class Transition(nn.Sequential):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.relu = nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        self.conv, self.pool = nn.Conv2d(width, width // 2, 1, bias=False), nn.AvgPool2d(2, 2)


class DenseNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first = [
            ("conv0", nn.Conv2d(3, 8, 3, padding=1)),
            ("norm0", nn.BatchNorm2d(8)),
            ("relu0", nn.ReLU(inplace=True)),
        ]
        self.features = nn.Sequential(OrderedDict([*first, ("pool0", nn.MaxPool2d(2))]))
        self.features.add_module("denseblock1", DenseBlock(2, 8))
        self.features.add_module("transition1", Transition(16))
        self.features.add_module("denseblock2", DenseBlock(3, 8))
        self.features.add_module("norm5", nn.BatchNorm2d(20))
        self.classifier = nn.Linear(20, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.relu(self.features(x), inplace=True)
        return self.classifier(torch.flatten(nn.functional.adaptive_avg_pool2d(x, (1, 1)), 1))


class BasicBlock(nn.Module):
    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(out), nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = None
        if stride != 1 or width != out:
            self.downsample = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, layers: list[int]) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(2)
        width = 8
        for i, blocks in enumerate(layers):
            out = 8 * 2**i
            row = [BasicBlock(width if j == 0 else out, out, 1 + (i > 0 and j == 0)) for j in range(blocks)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*row))
            width = out
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(width, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def of_features(module: Any) -> list[str]:
    return [f"features.{name}" for name in module.features._modules]


def of_stages(module: Any) -> list[str]:
    return [f"layer{i}.{name}" for i in range(1, 5) for name in getattr(module, f"layer{i}")._modules]


@pytest.mark.parametrize(
    ("make", "expected", "blocks"),
    [
        (AlexNet, of_features, 8),
        (Vgg, of_features, 14),
        (DenseNet, of_features, 8),
        (lambda: ResNet([2, 2, 2, 2]), of_stages, 8),
        (lambda: ResNet([3, 4, 6, 3]), of_stages, 16),
        (lambda: ResNet([1, 1, 1, 1]), of_stages, 4),
    ],
)
def test_convolutional_networks(make, expected, blocks) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = make().eval()
        x = torch.randn(3, 3, 16, 16)
    net = TorchModel(module, example=x[:2])
    assert list(net.paths) == expected(module) and net.blocks == blocks
    with torch.no_grad():
        whole = module(x)
    for cut in range(1, blocks):
        assert torch.equal(net.segment(cut, blocks)(net.segment(0, cut)(x)), whole)
    profile = net.profile()
    assert profile.parameters == sum(p.numel() for p in module.parameters())
    held = sum(t.nbytes for t in (*module.parameters(), *module.buffers()))
    unread = 8 * sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())  # counters of batches
    assert held - unread <= profile.weight_bytes <= held


def test_the_reason_where_there_is_no_split() -> None:
    class Skips(AlexNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = self.features[0](x)
            return self.features[3](self.features[1](first) + first)

    with pytest.raises(ValueError, match=r"blocks: 'features.3' is called where 'features.2' was expected"):
        TorchModel(Skips().eval(), example=torch.randn(2, 3, 16, 16))
