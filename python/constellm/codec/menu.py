"""Menus of codecs by family.

Ratios count against uncompressed activations of `reference_bits` an element, FP32 unless said otherwise:
give the width of the numbers that `Layer.output_bytes` counts. Errors are those of `laplace`, under the
assumption stated there. Encode and decode times are per uncompressed byte and 0 by default: no paper that
the families come from reports them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from typing import Any

from .._core.codec import Codec
from ..core.checks import known_keywords, meant
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from .laplace import quantisation_error, selection_error

LOSSLESS_GAIN = 25.82 / 11.56
"""What the entropy coder gains on the masked and quantised stream, 2.23: the measured steps for ViT-G of
arXiv 2604.04654. That it is the same at every kept share is an assumption."""

MASK_WEIGHT = 0.70 / 1.13
"""How much of the error of dropping reaches the task when a mask is learned instead of taken by magnitude,
0.62: the accuracy losses of ViT-L on RESISC45 with mask and with Top-k at equal sparsity, in arXiv
2604.04654. That losses are proportional to errors is an assumption; 1 gives Top-k's error."""

DEFAULT_KEEP = (0.05, 0.08, 0.12, 0.17, 0.221, 0.3, 0.4, 0.55, 0.75, 1.0)
"""Ten kept shares. 0.221 is the one that explains both ratios of arXiv 2604.04654, 3.96 and 11.56, as
32/(b·ρ + 1) with b = 32 and b = 8; the others are assumptions."""


class Menu(list[Codec], Displayed):
    """A list of codecs that shows itself as a table; ``+`` joins it with another, or with any list of codecs.

    Examples
    --------
    >>> from constellm import codec
    >>> codec.none() + codec.quantise(bits=[4, 8])
    Menu(3: none, quantise-4, quantise-8)
    """

    def __add__(self, other: Iterable[Codec]) -> Menu:  # type: ignore[override]
        return Menu([*self, *other]) if isinstance(other, list) else NotImplemented

    def __radd__(self, other: Iterable[Codec]) -> Menu:
        return Menu([*other, *self]) if isinstance(other, list) else NotImplemented

    def __repr__(self) -> str:
        names = [option.name for option in self]
        return f"Menu({len(self)}: {', '.join(names if len(names) < 4 else [*names[:2], '…', names[-1]])})"

    def _display(self) -> Display:
        return Display([f"Menu: {len(self)} {'codec' if len(self) == 1 else 'codecs'}"], [menu_table(self)])


def menu_table(codecs: Iterable[Codec], title: str = "") -> Table:
    """Codecs as rows; of values per layer their range."""
    rows = [
        (
            option.name,
            _range(option.ratio, option.layer_ratio, digits=3),
            _range(option.error, option.layer_error, digits=3),
            quantity(option.encode_s_per_byte, "s/B"),
            quantity(option.decode_s_per_byte, "s/B"),
        )
        for option in codecs
    ]
    return Table(("codec", "ratio", "error", "encode", "decode"), rows, title)


def none() -> Menu:
    """One option: the activation as it is.

    Returns
    -------
    Menu
        A list of `Codec`.
        Named ``none``: ratio 1, no error, no time.

    Examples
    --------
    >>> from constellm import codec
    >>> [option.name for option in codec.none() + codec.quantise(bits=[8])]
    ['none', 'quantise-8']
    """
    return Menu([Codec(name="none", ratio=1.0, error=0.0)])


def quantise(
    *,
    bits: Iterable[int] = (2, 3, 4, 5, 6, 7, 8),
    reference_bits: float = 32,
    encode_s_per_byte: float = 0.0,
    decode_s_per_byte: float = 0.0,
) -> Menu:
    """Uniform quantisation: ratio `reference_bits` / b, error of `quantisation_error`.

    Parameters
    ----------
    bits : iterable of int
        b, 1 to 16: one option each.
    reference_bits : float
        Of an uncompressed element.
    encode_s_per_byte, decode_s_per_byte : float
        Per uncompressed byte [s/B].

    Returns
    -------
    Menu
        A list of `Codec`.
        Named ``quantise-<bits>``, of group ``quantise``.

    Raises
    ------
    ValueError, TypeError
        For bits that are no integers in [1, 16], or a negative time.

    Examples
    --------
    >>> from constellm import codec
    >>> [(option.name, option.ratio) for option in codec.quantise(bits=[4, 8])]
    [('quantise-4', 8.0), ('quantise-8', 4.0)]
    """
    return Menu(
        Codec(
            name=f"quantise-{b}",
            group="quantise",
            error=quantisation_error(b),
            ratio=reference_bits / b,
            encode_s_per_byte=encode_s_per_byte,
            decode_s_per_byte=decode_s_per_byte,
        )
        for b in _several("bits", bits)
    )


def top_k(
    *,
    keep: Iterable[float] = DEFAULT_KEEP[:-2],
    index_bits: float = 16,
    value_bits: int | None = None,
    reference_bits: float = 32,
    encode_s_per_byte: float = 0.0,
    decode_s_per_byte: float = 0.0,
) -> Menu:
    """The largest magnitudes with their positions: ratio r / (ρ(v + i)), error of `selection_error`.

    r, v and i are the bits of an uncompressed element, of a kept value and of its position.

    Parameters
    ----------
    keep : iterable of float
        Kept share ρ in (0, 1]: one option each.
    index_bits : float
        i: 16 addresses a token's features whatever the model (an assumption; ⌈log₂ d⌉ is the least).
    value_bits : int, optional
        v, 1 to 16 for quantised values; default: values travel as they are, v = r.
    reference_bits : float
        r.
    encode_s_per_byte, decode_s_per_byte : float
        Per uncompressed byte [s/B].

    Returns
    -------
    Menu
        A list of `Codec`.
        Named ``top-k-<keep>``, with ``-b<bits>`` where values are quantised; of group ``top-k``.

    Raises
    ------
    ValueError, TypeError
        For a share that is not in (0, 1], bits that are no integers in [1, 16], or a negative time.

    Examples
    --------
    >>> from constellm import codec
    >>> (option,) = codec.top_k(keep=[0.1])
    >>> option.name, round(option.ratio, 2), round(option.error, 2)
    ('top-k-0.1', 6.67, 0.64)
    """
    sent_bits = reference_bits if value_bits is None else value_bits
    return Menu(
        Codec(
            name=f"top-k-{share:g}" + ("" if value_bits is None else f"-b{value_bits}"),
            group="top-k",
            error=selection_error(share, value_bits),
            ratio=reference_bits / (share * (sent_bits + index_bits)),
            encode_s_per_byte=encode_s_per_byte,
            decode_s_per_byte=decode_s_per_byte,
        )
        for share in _several("keep", keep)
    )


def gumbel_mask(
    *,
    keep: Iterable[float] = DEFAULT_KEEP,
    bits: int = 8,
    lossless_gain: float = LOSSLESS_GAIN,
    mask_weight: float = MASK_WEIGHT,
    reference_bits: float = 32,
    encode_s_per_byte: float = 0.0,
    decode_s_per_byte: float = 0.0,
) -> Menu:
    """Learned mask, quantisation of what it keeps, entropy coding (arXiv 2604.04654).

    ::

        ratio  = r / (b·ρ + 1) · lossless_gain
        error² = (mask_weight · s(ρ))² + ρ·q(b)²

    r / (b·ρ + 1): one bitmap bit an element and b bits a kept value against r bits; a fit to the paper's
    3.96 and 11.56, not stated there. s is `selection_error`, q `quantisation_error`.

    Parameters
    ----------
    keep : iterable of float
        Kept share ρ in (0, 1]: one option each.
    bits : int
        b of a kept value, 1 to 16.
    lossless_gain : float
        Of the entropy coder, >= 1.
    mask_weight : float
        In [0, 1]: see `MASK_WEIGHT`.
    reference_bits : float
        r.
    encode_s_per_byte, decode_s_per_byte : float
        Per uncompressed byte [s/B].

    Returns
    -------
    Menu
        A list of `Codec`.
        Named ``gumbel-mask-<keep>-b<bits>``, of group ``gumbel-mask``.

    Raises
    ------
    ValueError, TypeError
        For a share that is not in (0, 1], bits that are no integers in [1, 16], or a negative time.

    Examples
    --------
    >>> from constellm import codec
    >>> round(codec.gumbel_mask(keep=[0.221], lossless_gain=1)[0].ratio, 2)
    11.56
    >>> round(codec.gumbel_mask(keep=[0.221])[0].ratio, 2)
    25.82
    """
    if not 1.0 <= lossless_gain < float("inf"):
        raise ValueError(f"lossless_gain: {lossless_gain} is not in [1, inf)")
    if not 0.0 <= mask_weight <= 1.0:
        raise ValueError(f"mask_weight: {mask_weight} is not in [0, 1]")
    coarse = quantisation_error(bits) ** 2
    return Menu(
        Codec(
            name=f"gumbel-mask-{share:g}-b{bits}",
            group="gumbel-mask",
            error=((mask_weight * selection_error(share)) ** 2 + share * coarse) ** 0.5,
            ratio=reference_bits / (bits * share + 1.0) * lossless_gain,
            encode_s_per_byte=encode_s_per_byte,
            decode_s_per_byte=decode_s_per_byte,
        )
        for share in _several("keep", keep)
    )


_FAMILIES: dict[str, Callable[..., Menu]] = {
    "none": none,
    "quantise": quantise,
    "top-k": top_k,
    "gumbel-mask": gumbel_mask,
}


def menu(family: str, **options: Any) -> Menu:
    """The menu of a family by name; `options` are those of the function of that name.

    Parameters
    ----------
    family : str
        ``"none"``, ``"quantise"``, ``"top-k"`` or ``"gumbel-mask"``.
    **options
        Keywords of `none`, `quantise`, `top_k`, `gumbel_mask`.

    Returns
    -------
    Menu
        A list of `Codec`.

    Raises
    ------
    ValueError, TypeError
        For an unknown family or keyword, or a value out of range; the message lists what is known.

    Examples
    --------
    >>> from constellm import codec
    >>> [option.name for option in codec.menu("none") + codec.menu("quantise", bits=(4, 8))]
    ['none', 'quantise-4', 'quantise-8']
    """
    if family not in _FAMILIES:
        raise ValueError(
            f"menu: {family!r} is not one of {', '.join(map(repr, _FAMILIES))}{meant(family, _FAMILIES)}"
        )
    make = _FAMILIES[family]
    known_keywords(f"menu({family!r})", options, signature(make).parameters)
    return make(**options)


def describe(menu: Iterable[Codec]) -> str:
    """A menu as a table: name, ratio, error, encode and decode time per gigabyte.

    Options with values per layer show their range over the layers.

    Parameters
    ----------
    menu : iterable of Codec
        Rows, in their order.

    Returns
    -------
    str
        Lines of equal width.

    Examples
    --------
    >>> from constellm import codec
    >>> print(codec.describe(codec.menu("quantise", bits=[4, 8])))
    codec       ratio    error  encode s/GB  decode s/GB
    quantise-4      8   0.1597            0            0
    quantise-8      4  0.01736            0            0
    """
    rows = [("codec", "ratio", "error", "encode s/GB", "decode s/GB")]
    for option in menu:
        rows.append(
            (
                option.name,
                _range(option.ratio, option.layer_ratio),
                _range(option.error, option.layer_error),
                f"{option.encode_s_per_byte * 1e9:.3g}",
                f"{option.decode_s_per_byte * 1e9:.3g}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        row[0].ljust(widths[0]) + "".join("  " + cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))
        for row in rows
    )


def _range(value: float, by_layer: Sequence[float] | None, digits: int = 4) -> str:
    ends = (value,) if by_layer is None or not by_layer else (min(by_layer), max(by_layer))
    return " to ".join(f"{end:.{digits}g}" for end in ends)


def _several(name: str, values: Iterable[Any]) -> list[Any]:
    """The options' parameters as plain numbers; numpy's are welcome."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name}: expected several numbers, got {values!r}")
    several = [value.item() if hasattr(value, "item") else value for value in values]
    if not several:
        raise ValueError(f"{name}: expected at least one number, got none")
    return several
