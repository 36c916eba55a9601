"""From a configuration to the architecture that its class would build, or a refusal by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Union

from ..core.checks import short
from .config import Config, read_config, stored_dtype
from .families import FAMILIES, Decoder, EncoderDecoder, Family, Image, VisionTower
from .families.inert import is_inert
from .families.vision import OWN_VIT_FIELDS
from .fields import Fields

Architecture = Union[Decoder, EncoderDecoder, VisionTower]

#: Fields that change figures in whichever code reads them, and the values that stand for "not used".
ONLY_EVERYWHERE = {
    "add_cross_attention": (None, False),
    "pruned_heads": (None, {}),
    "layer_types": (None,),
    "attention_chunk_size": (None,),
    "use_bidirectional_attention": (None, False),
    "is_causal": (True,),
    "n_special": (None, 0),
    "learned_embeddings": (None, True),
    "full_attn_mod": (None, 1),
}
#: Where a configuration of several models keeps each.
_PARTS = {False: "text_config", True: "vision_config"}
_ABOUT_ONE_MODEL = ("quantization_config", "generation_config")
#: Activation functions of transformers, but those with parameters (prelu, xielu).
ACTIVATIONS = (
    *("gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python", "gelu_python_tanh"),
    *("gelu_pytorch_tanh", "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu"),
    *("relu2", "relu6", "sigmoid", "silu", "sqrtsoftplus", "swish", "tanh"),
)
_DOORS = {False: "model.decoder(config)", True: "model.vit(config)"}


class Described(NamedTuple):
    """A configuration that was found and understood."""

    name: str
    family: Family
    values: dict[str, Any]
    note: str

    def build(self, image: Image | None = None) -> Architecture:
        """The architecture; `image` for vision towers."""
        fields = _fields(self.family, self.values)
        return (
            self.family.build(fields, image or Image()) if self.family.vision else self.family.build(fields)
        )


def architecture(config: Config) -> Architecture:
    """Blocks and ends of a model, layer by layer, as its configuration's class builds them.

    Parameters
    ----------
    config : str, path, mapping or object with ``to_dict``
        A name from `available`, a Hugging Face ``config.json`` or its folder, its content, or a
        configuration of transformers.

    Returns
    -------
    Decoder, EncoderDecoder or VisionTower

    Raises
    ------
    TypeError, ValueError
        Naming the field that is wrong, or that changes the figures and is not understood.

    Examples
    --------
    >>> from constellm import model
    >>> mixtral = model.architecture("mixtral-8x7b")
    >>> mixtral.blocks[0].mlp.experts, mixtral.blocks[0].mlp.experts_per_token
    (8, 2)
    """
    return describe(config, encoder=True).build()


def describe(config: Config, *, vision: bool | None = None, encoder: bool = False) -> Described:
    """Find the family of a configuration.

    Of a configuration that nests several models, `vision` says which is meant: the tower, or the text
    model; None leaves it to the configuration. `encoder`: a decoder may have one before it.
    """
    name, values = read_config(config)
    kind = values.get("model_type")
    if isinstance(kind, str) and kind in FAMILIES:
        family, note = FAMILIES[kind], ""
    else:
        family, values, note = _nested(values, vision)
    if family.encoder and not encoder:
        raise ValueError(
            f"config.model_type: {family.model_type!r} has an encoder before its decoder; "
            "that is model.mixture(config, stack=...)"
        )
    if vision is not None and family.vision is not vision:
        raise ValueError(
            f"config.model_type: {family.model_type!r} is not one of {_known(vision)}; "
            f"that is {_DOORS[family.vision]}"
        )
    return Described(name, family, values, note)


def _known(vision: bool | None = None) -> str:
    """The known model types, in a sentence; of vision towers or of decoders alone."""
    meant = (
        name
        for name, family in FAMILIES.items()
        if vision is None or (family.vision is vision and not family.encoder)
    )
    return ", ".join(sorted(meant))


def _nested(values: Mapping[str, Any], vision: bool | None) -> tuple[Family, dict[str, Any], str]:
    """The text model or the vision tower of a configuration that holds both."""
    kind = short(values.get("model_type"))
    models = [key for key, value in values.items() if key.endswith("_config") and isinstance(value, Mapping)]
    models = [key for key in models if key not in _ABOUT_ONE_MODEL]
    if not set(models) & set(_PARTS.values()):
        raise ValueError(f"config.model_type: {kind} is not one of {_known()}")
    if vision is None:
        if models != [_PARTS[False]]:
            doors = " or ".join(door for side, door in _DOORS.items() if _PARTS[side] in models)
            raise ValueError(f"config.model_type: {kind} holds {' and '.join(models)}; take {doors}")
        vision = False
    key = _PARTS[vision]
    if key not in models:
        raise ValueError(f"config.{key}: missing, and {kind} is not one of {_known()}")
    inner = dict(values[key])
    inner_kind = inner.get("model_type")
    if not isinstance(inner_kind, str) or inner_kind not in FAMILIES:
        raise ValueError(f"config.{key}.model_type: {short(inner_kind)} is not one of {_known()}")
    # The output matrix and how weights are stored belong to the whole, and so do the words on them.
    for field in ("tie_word_embeddings", "quantization_config"):
        if field in values:
            inner[field] = values[field]
    if stored := stored_dtype(values):
        inner["dtype"] = stored
    return FAMILIES[inner_kind], inner, f"The {key} of {kind}, alone."


def _fields(family: Family, values: Mapping[str, Any]) -> Fields:
    """The fields of `values` under the names that the family's class gives them, all of them known."""
    named: dict[str, Any] = {}
    for key, value in values.items():
        name = family.aliases.get(key, key)
        if name != key and value is None:
            continue
        if name in named and named[name] != value:
            raise ValueError(f"config.{key}: {short(value)} is not {short(named[name])}, as {name} says")
        named[name] = value
    only = {
        **{key: allowed for key, allowed in ONLY_EVERYWHERE.items() if key not in family.defaults},
        **family.only,
    }
    for name, value in named.items():
        if name in only:
            if value not in only[name]:
                raise ValueError(
                    f"config.{name}: {short(value)} is not {' or '.join(map(repr, only[name]))}, all that is "
                    f"understood of {family.model_type}"
                )
        elif not (name in family.defaults or is_inert(name) or name in _ELSEWHERE or _switched_off(value)):
            raise ValueError(
                f"config.{name}: {short(value)} is not known of {family.model_type}; leave it out if it "
                "changes neither weights nor computation"
            )
    fields = Fields(named, family.defaults, _class_name(family, values))
    for name in family.activations:
        if name in named:
            fields.choice(name, ACTIVATIONS)
    return fields


def _switched_off(value: Any) -> bool:
    """Whether a field that the class does not read asks for nothing.

    Every field that the class reads is known here, so an unknown one is of other code than the class: its
    number or true may build what the class does not, and is refused; false and null build nothing.
    """
    return value is None or value is False


def _class_name(family: Family, values: Mapping[str, Any]) -> str:
    names = values.get("architectures")
    if not names:
        return family.classes[0]
    name = names[0] if isinstance(names, (list, tuple)) and len(names) == 1 else names
    if name not in family.classes:
        raise ValueError(
            f"config.architectures: {short(name)} is not one of {', '.join(family.classes)}; "
            f"leave it out for {family.classes[0]}"
        )
    return str(name)


#: Fields that some architecture reads: a class without the field does not look at it. How weights are
#: stored changes no architecture.
_ELSEWHERE = frozenset(
    {"quantization_config", "dtype", "torch_dtype"}.union(
        *([*family.defaults, *family.aliases] for family in FAMILIES.values())
    )
    - OWN_VIT_FIELDS.keys()
)
