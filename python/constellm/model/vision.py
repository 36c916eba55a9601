"""Vision transformers, and the size of the images that they are given."""

from __future__ import annotations

from .. import _core
from .._core.model import Pass
from ..core.checks import count, real
from .config import Config, choose, chosen_dtype, element_bytes, weight_element_bytes
from .described import describe
from .families import Image, VisionTower
from .profile import Profile

#: Width and height of the usual video sizes [px]. 240p and 480p are the 16:9 ones, rounded to even.
IMAGE_SIZES_PX = {
    "240p": (426, 240),
    "360p": (640, 360),
    "480p": (854, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
}


def image_bytes(size: str | tuple[int, int], *, batch: int = 1, bits_per_pixel: float = 24) -> float:
    """Bytes of raw images.

    Parameters
    ----------
    size : str or (int, int)
        One of 240p, 360p, 480p, 720p, 1080p, or width and height [px].
    batch : int
        Number of images.
    bits_per_pixel : float
        24 for three channels of eight bits.

    Returns
    -------
    float
        [B]

    Raises
    ------
    ValueError, TypeError
        For a size that is not known, or a batch that is not > 0.

    Examples
    --------
    >>> from constellm import model
    >>> model.image_bytes("1080p", batch=8)
    49766400.0
    """
    if isinstance(size, str):
        choose("size", size, tuple(IMAGE_SIZES_PX))
        width, height = IMAGE_SIZES_PX[size]
    else:
        width, height = size
    factors = {"width": width, "height": height, "batch": batch, "bits_per_pixel": bits_per_pixel}
    for field, value in factors.items():
        if real(field, value) <= 0 or value == float("inf"):
            raise ValueError(f"{field}: {value!r} is not in (0, inf)")
    return width * height * bits_per_pixel / 8 * batch


def vit(
    config: Config,
    *,
    image_px: int | None = None,
    batch: int = 1,
    dtype: str | None = None,
    weight_dtype: str | float | None = None,
    granularity: str = "block",
    ends: str = "folded",
    classes: int | None = None,
    pool: str | None = None,
    registers: int | None = None,
    input_bytes: float | None = None,
) -> Profile:
    """Profile of a vision transformer.

    Parameters
    ----------
    config : str, path, mapping or object with ``to_dict``
        A name from `available` such as ``"vit-gigantic/14"`` (size and patch side), or a Hugging Face
        configuration of a known ``model_type`` (docs/models.md lists them); of one that nests several
        models, the vision tower.
    image_px : int
        Side of the square image that the model sees [px]; default from the configuration, else 224.
        Where the configuration has a size of its own, its learned positions stay and are resampled.
    batch : int
        Images in a micro-batch.
    dtype : str
        Element type of the activations; default: the configuration's ``dtype`` (``torch_dtype``), else
        ``"float32"``.
    weight_dtype : str or float
        Element type of the weights, or bytes of one; default: `dtype`. Must be given where the
        configuration has a ``quantization_config``.
    granularity : {"block", "sub-block"}
        Cuts after every block, or at four places in each: after the attention's weighted values, its
        output matrix, the MLP's way up and down, as PipeEdge cuts. There the residual stream
        crosses beside the inner tensor.
    ends : {"folded", "separate"}
        Patch embedding and head as part of the first and last layer (so a model of 48 blocks has 48
        layers), or as layers of their own.
    classes : int
        Width of the classifier; 0 for none. Default: the configuration's labels (two where it names
        none, as its class has it), 1000 for a name from `available`.
    pool : {"token", "mean", "attention"}
        Of ``vit`` alone: what is read out, a class token, the mean of all tokens, or a learned query over
        them. The latter two have no class token. Default ``"token"``.
    registers : int
        Of ``vit`` alone: learned tokens without a place in the image. Default 0.
    input_bytes : float
        Raw input of a micro-batch [B], for instance from `image_bytes`; default: the image as the model
        takes it, three numbers a pixel of `dtype`.

    Returns
    -------
    Profile

    Raises
    ------
    TypeError, ValueError
        Naming the option; or the field of the configuration that is wrong, or that changes the figures
        and is not understood.

    Notes
    -----
    FLOP are matrix products only, two per multiply-add: 2n(4d² + 2·d·d_ff) + 4n²d a block and image for n
    tokens, width d and MLP width d_ff, plus 2·(patches)·(3·patch²)·d for the embedding. Attention scores
    are not counted as memory (fused kernels).

    Examples
    --------
    >>> from constellm import model
    >>> model.vit("vit-gigantic/14", batch=8)
    Profile('vit-gigantic/14', 48 layers, 1,844.4 M parameters, 7,740.0 GFLOP and 11.93 GB for a batch of 8)
    """
    found = describe(config, vision=True)
    given = {"pool": pool, "registers": registers}
    for field, value in given.items():
        if value is None:
            continue
        if found.family.model_type != "vit":
            raise TypeError(f"{field}: not used by {found.family.model_type}, got {value!r}")
        found.values[field] = value
    image = Image(
        image_px=None if image_px is None else count("image_px", image_px),
        classes=None if classes is None else count("classes", classes, least=0),
    )
    tower = found.build(image)
    assert isinstance(tower, VisionTower)
    dtype = chosen_dtype(dtype, found.values, "float32")
    element = element_bytes("dtype", dtype)
    one_pass = Pass(
        batch=batch,
        tokens=tower.ends.tokens,
        weight_element_bytes=weight_element_bytes(weight_dtype, dtype, found.values),
        activation_element_bytes=element,
    )
    detail = _core.model.vision_transformer(
        stages=tower.stages,
        ends=tower.ends,
        pass_=one_pass,
        sub_blocks=choose("granularity", granularity, ("block", "sub-block")) == "sub-block",
        separate_ends=choose("ends", ends, ("folded", "separate")) == "separate",
    )
    if input_bytes is None:
        input_bytes = batch * tower.ends.channels * tower.ends.image_px**2 * element
    notes = [found.note]
    side, patch = tower.ends.image_px, tower.ends.patch_px
    if side % patch:
        notes.append(f"Patches of {patch} px leave out {side % patch} of {side} px.")
    return Profile(
        name=found.name,
        detail=tuple(detail),
        input_bytes=input_bytes,
        batch=batch,
        dtype=dtype,
        note=" ".join(filter(None, notes)),
    )
