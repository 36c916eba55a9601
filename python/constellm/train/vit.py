"""The project's own vision transformer: small, with a convolutional stem and mean pooling."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.checks import count


@dataclass(frozen=True)
class VitShape:
    """Architecture of a `Vit`.

    Parameters
    ----------
    blocks : int
        Transformer blocks.
    width : int
        Features of a token, a multiple of `heads`.
    heads : int
        Attention heads.
    mlp_width : int
        Features inside a block's MLP.
    image_px : int
        Side of the square image [px], a multiple of `patch_px`.
    patch_px : int
        Side of the square that becomes one token [px]; the stem halves the image log₂ `patch_px` times, so
        it is a power of two.
    classes : int
        Logits.

    Examples
    --------
    >>> from constellm import train
    >>> train.VitShape(blocks=2, width=16, heads=2).tokens
    64
    """

    blocks: int = 12
    width: int = 128
    heads: int = 4
    mlp_width: int = 512
    image_px: int = 64
    patch_px: int = 8
    classes: int = 10

    def __post_init__(self) -> None:
        for field, value in asdict(self).items():
            object.__setattr__(self, field, count(field, value))
        if self.width % self.heads:
            raise ValueError(f"width: {self.width} is not a multiple of heads, {self.heads}")
        if self.patch_px < 2 or self.patch_px & (self.patch_px - 1):
            raise ValueError(f"patch_px: {self.patch_px} is not one of 2, 4, 8, …")
        if self.image_px % self.patch_px:
            raise ValueError(f"image_px: {self.image_px} is not a multiple of patch_px, {self.patch_px}")

    @property
    def tokens(self) -> int:
        """Tokens of an image."""
        return (self.image_px // self.patch_px) ** 2

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain numbers."""
        return asdict(self)


class Attention(nn.Module):
    """Multi-head self-attention with one matrix for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    """Pre-norm transformer block: attention, then an MLP, each added to the stream.

    `drop_path` is the share of images for which a branch is left out in training (stochastic depth,
    arXiv 1603.09382).
    """

    def __init__(self, width: int, heads: int, mlp_width: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, mlp_width)
        self.down = nn.Linear(mlp_width, width)
        self.drop_path = drop_path

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._sometimes(self.attention(self.norm1(x)))
        return x + self._sometimes(self.down(functional.gelu(self.up(self.norm2(x)))))

    def _sometimes(self, branch: Tensor) -> Tensor:
        if not self.training or self.drop_path == 0.0:
            return branch
        keep = 1.0 - self.drop_path
        return branch * (torch.rand(branch.shape[0], 1, 1, device=branch.device) < keep) / keep


class Stem(nn.Module):
    """Strided 3 × 3 convolutions in place of one patch matrix: easier to train on few images
    (arXiv 2106.14881). Images come as (batch, 3, height, width), standardised."""

    def __init__(self, shape: VitShape) -> None:
        super().__init__()
        steps = shape.patch_px.bit_length() - 1
        widths = [3] + [max(shape.width >> (steps - 1 - i), 16) for i in range(steps - 1)] + [shape.width]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False) for a, b in zip(widths, widths[1:])
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in widths[1:])
        self.mix = nn.Conv2d(shape.width, shape.width, 1)
        self.position = nn.Parameter(torch.zeros(shape.tokens, shape.width))
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        x = images
        for conv, norm in zip(self.convs, self.norms):
            x = functional.gelu(norm(conv(x)))
        return self.mix(x).flatten(2).transpose(1, 2) + self.position


class Head(nn.Module):
    """Mean over the tokens, then a linear classifier."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.classify = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.norm(x).mean(dim=1))


class Vit(nn.Module):
    """Stem, blocks, head.

    Parameters
    ----------
    shape : VitShape
        Architecture.
    drop_path : float
        Stochastic depth of the last block in training, rising linearly from 0 at the first.

    Examples
    --------
    >>> import torch
    >>> from constellm import train
    >>> net = train.Vit(train.VitShape(blocks=2, width=16, heads=2)).eval()
    >>> net(torch.zeros(3, 3, 64, 64)).shape
    torch.Size([3, 10])
    """

    def __init__(self, shape: VitShape, *, drop_path: float = 0.0) -> None:
        super().__init__()
        if not 0.0 <= drop_path < 1.0:
            raise ValueError(f"drop_path: {drop_path} is not in [0, 1)")
        self.shape = shape
        self.stem = Stem(shape)
        self.blocks = nn.ModuleList(
            Block(shape.width, shape.heads, shape.mlp_width, drop_path * i / max(shape.blocks - 1, 1))
            for i in range(shape.blocks)
        )
        self.head = Head(shape.width, shape.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of standardised images, shape (batch, 3, height, width)."""
        x = self.stem(images)
        for block in self.blocks:
            x = block(x)
        return self.head(x)
