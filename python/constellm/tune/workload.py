"""What a federated round computes and sends for an image: sizes of messages and work, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from ..core.checks import count, instance, known_keywords, non_negative, positive, short
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from ..model import Profile, vit

_ELEMENT_BYTES = 4.0  # float32, of which all sizes here are


@dataclass(frozen=True, repr=False)
class Workload(Displayed):
    """A frozen encoder and a head that is tuned, by what an image costs.

    The encoder is a row of layers, the embedding first. A cut c puts the first c of them on the satellites
    and the others on the server: 0 sends the image itself, 1 what the embedding makes of it, all layers keep
    everything on board. After the encoder comes the feature, `width` numbers, and the head, a softmax
    regression to `classes`. Numbers are float32.

    Parameters
    ----------
    name : str
    image_bytes : float
        The raw image [B], > 0.
    layer_flop, layer_output_bytes, layer_weight_bytes : sequence of float
        Of each layer: forward work [FLOP], what it hands on [B], its weights [B], >= 0; as many each.
    width, classes : int
        Of the head.
    blocks : int
        Transformer blocks among the layers; LoRA adapts the queries and values of each.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import tune
    >>> spectral = tune.spectral_gpt()
    >>> spectral
    Workload('SpectralGPT': 13 layers, 85.1 M parameters after the embedding, 10 classes)
    >>> spectral.cut_bytes(1), spectral.cut_bytes(0), spectral.feature_bytes, spectral.head_bytes
    (3145728.0, 393216.0, 3072.0, 30760.0)
    """

    name: str
    image_bytes: float
    layer_flop: tuple[float, ...]
    layer_output_bytes: tuple[float, ...]
    layer_weight_bytes: tuple[float, ...]
    width: int
    classes: int
    blocks: int

    def __post_init__(self) -> None:
        instance("name", self.name, str)
        put: dict[str, Any] = {
            "image_bytes": positive("image_bytes", self.image_bytes),
            "width": count("width", self.width),
            "classes": count("classes", self.classes),
        }
        for field in ("layer_flop", "layer_output_bytes", "layer_weight_bytes"):
            put[field] = _numbers(field, getattr(self, field))
        layers = len(put["layer_flop"])
        for field in ("layer_output_bytes", "layer_weight_bytes"):
            if len(put[field]) != layers:
                raise ValueError(f"{field}: {len(put[field])} of them for {layers} layers")
        put["blocks"] = count("blocks", self.blocks, least=0, most=layers)
        for field, value in put.items():
            object.__setattr__(self, field, value)

    @property
    def layers(self) -> int:
        """Those before the head; the greatest cut."""
        return len(self.layer_flop)

    @property
    def feature_bytes(self) -> float:
        """Of an image [B]."""
        return self.width * _ELEMENT_BYTES

    @property
    def head_bytes(self) -> float:
        """Weights and biases of the head, and so its update [B]."""
        return (self.width + 1) * self.classes * _ELEMENT_BYTES

    @property
    def head_flop(self) -> float:
        """Forward work of the head on an image [FLOP]."""
        return 2.0 * self.width * self.classes

    @property
    def head_training_flop(self) -> float:
        """Of an image in an epoch: forward, and the gradient of the weights alone [FLOP]."""
        return 2.0 * self.head_flop

    def cut(self, cut: int) -> int:
        """`cut` where it is one; ValueError otherwise."""
        return count("cut", cut, least=0, most=self.layers)

    def cut_bytes(self, cut: int) -> float:
        """What an image sends over the cut, uncompressed; 0 where all is on board [B]."""
        if self.cut(cut) == self.layers:
            return 0.0
        return self.layer_output_bytes[cut - 1] if cut else self.image_bytes

    def board_flop(self, cut: int) -> float:
        """Forward work of an image on board [FLOP]."""
        return float(sum(self.layer_flop[: self.cut(cut)]))

    def server_flop(self, cut: int) -> float:
        """Forward work of an image on the server [FLOP]."""
        return float(sum(self.layer_flop[self.cut(cut) :]))

    def board_weight_bytes(self, cut: int) -> float:
        """Weights on every satellite, the head's included [B]."""
        return float(sum(self.layer_weight_bytes[: self.cut(cut)])) + self.head_bytes

    def lora_parameters(self, rank: int) -> int:
        """Of two matrices (width × rank) for the queries and two for the values of every block."""
        return self.blocks * 4 * self.width * count("rank", rank, least=0)

    def lora_bytes(self, rank: int) -> float:
        """An update of the adapters, and of the head [B]."""
        return self.lora_parameters(rank) * _ELEMENT_BYTES + self.head_bytes

    def lora_training_flop(self, rank: int) -> float:
        """Of an image in an epoch that tunes adapters and head, with all layers on board [FLOP].

        Forward, and back through every layer by its inputs alone, for its weights are frozen: twice the
        forward work. The adapters and the head, whose weights have gradients too: three times theirs.
        """
        tokens = self.layer_output_bytes[0] / _ELEMENT_BYTES / self.width
        adapters = 2.0 * self.lora_parameters(rank) * tokens
        return 2.0 * self.board_flop(self.layers) + 3.0 * (adapters + self.head_flop)

    def replace(self, **changes: Any) -> Workload:
        """A copy with some of the fields changed."""
        given = {of.name: getattr(self, of.name) for of in fields(self)}
        known_keywords("replace()", changes, given)
        return Workload(**{**given, **changes})

    def __repr__(self) -> str:
        parameters = sum(self.layer_weight_bytes[1:]) / _ELEMENT_BYTES
        return (
            f"Workload({self.name!r}: {self.layers} layers, {parameters / 1e6:.1f} M parameters after the "
            f"embedding, {self.classes} classes)"
        )

    def _display(self) -> Display:
        rows = [
            (
                cut,
                quantity(self.cut_bytes(cut), "B"),
                quantity(self.board_flop(cut), "FLOP"),
                quantity(self.server_flop(cut), "FLOP"),
                quantity(self.board_weight_bytes(cut), "B"),
            )
            for cut in range(self.layers + 1)
        ]
        lines = [
            repr(self),
            f"feature {quantity(self.feature_bytes, 'B')} an image, head {quantity(self.head_bytes, 'B')}",
        ]
        head = ("cut", "sent an image", "on board", "on the server", "weights on board")
        return Display(lines, [Table(head, rows)])


def workload(profile: Profile, *, width: int, classes: int) -> Workload:
    """The workload of a vision transformer by its profile.

    Parameters
    ----------
    profile : model.Profile
        In float32, its layers in order; the head may be part of the last one, or one by itself, or not in it.
    width, classes : int
        Of the head, whose own work and weights are taken off the profile's.

    Returns
    -------
    Workload
        A last layer that computes nothing but the head is joined with the one before.

    Raises
    ------
    TypeError, ValueError
        For a profile of other numbers, or one whose last layer hands on neither features nor logits of
        these sizes.

    Examples
    --------
    >>> from constellm import model, tune
    >>> profile = model.vit("vit-base/16", classes=10, pool="mean", ends="separate")
    >>> tune.workload(profile, width=768, classes=10)
    Workload('vit-base/16': 13 layers, 85.1 M parameters after the embedding, 10 classes)
    """
    instance("profile", profile, Profile)
    width, classes = count("width", width), count("classes", classes)
    if profile.dtype != "float32":
        raise ValueError(f"profile: numbers of {short(profile.dtype)} are not float32")
    batch = float(profile.batch)
    flop, output, weights = (
        (profile.array(field) / scale).tolist()
        for field, scale in (("flop", batch), ("output_bytes", batch), ("weight_bytes", 1.0))
    )
    if output[-1] == classes * _ELEMENT_BYTES:
        flop[-1] -= 2.0 * width * classes
        weights[-1] -= (width + 1) * classes * _ELEMENT_BYTES
    elif output[-1] != width * _ELEMENT_BYTES:
        raise ValueError(
            f"profile: its last layer hands on {output[-1]:g} B an image, which are neither {classes} logits "
            f"nor a feature of {width}"
        )
    if len(flop) > 1 and flop[-1] <= 1e-9 * flop[-2]:  # a norm, a mean over tokens
        weights[-2:] = [weights[-2] + weights[-1]]
        flop, output = flop[:-1], output[:-1]
    output[-1] = width * _ELEMENT_BYTES
    return Workload(
        name=profile.name,
        image_bytes=profile.input_bytes / batch,
        layer_flop=tuple(flop),
        layer_output_bytes=tuple(output),
        layer_weight_bytes=tuple(weights),
        width=width,
        classes=classes,
        blocks=sum(layer.name.startswith("block") for layer in profile.detail),
    )


def spectral_gpt(classes: int = 10) -> Workload:
    """SpectralGPT's base model, a vision transformer for images of many spectral bands.

    Images of 128 × 128 pixels and 12 bands of 16 bit become 16 × 16 × 4 = 1,024 tokens, patches of 8 × 8
    pixels and 3 bands: the work of a vision transformer over the four slices side by side. Twelve blocks of
    width 768; the feature is the mean of all tokens.

    Parameters
    ----------
    classes : int
        Of the head; EuroSAT has 10.

    Returns
    -------
    Workload

    Notes
    -----
    Hong et al., *SpectralGPT: Spectral Remote Sensing Foundation Model*, IEEE TPAMI 2024 (arXiv 2311.07113),
    and its published code. Sixteen bit a number of a raw image is an assumption, that of Sentinel-2's files.

    Examples
    --------
    >>> from constellm import tune
    >>> spectral = tune.spectral_gpt()
    >>> encoder = spectral.server_flop(1) / 2e9
    >>> round(encoder, 1), round(encoder + spectral.board_flop(1) / 2e9, 1)  # GMAC
    (106.3, 106.5)
    >>> sum(spectral.layer_weight_bytes[1:]) / 4e6  # million parameters of the encoder
    85.056
    """
    slices = {
        "model_type": "vit", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "image_size": 256, "patch_size": 8, "num_channels": 3,
    }  # fmt: skip
    raw_bytes = 128 * 128 * 12 * 2.0
    profile = vit(slices, classes=0, pool="mean", ends="separate", input_bytes=raw_bytes)
    return workload(profile.replace(name="SpectralGPT"), width=768, classes=classes)


def _numbers(field: str, values: Any) -> tuple[float, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{field}: expected numbers, got {short(values)}")
    numbers = tuple(non_negative(f"{field}[{i}]", value) for i, value in enumerate(values))
    if not numbers:
        raise ValueError(f"{field}: must not be empty")
    return numbers
