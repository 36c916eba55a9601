# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import numpy
import typing
import typing_extensions
__all__: list[str] = ['Codec', 'Scheme', 'decode', 'encode', 'entropy_bound', 'inspect', 'quantisation_error']
class Codec:
    """
    One way to send an activation over a cut.
    
    Parameters
    ----------
    name : str
        unique in its menu
    ratio : float
        uncompressed / compressed bytes, in (0, inf)
    error : float
        relative L2 error of the activation (a fraction), in [0, inf)
    encode_s_per_byte : float, default 0.0
        per uncompressed byte [s/B], in [0, inf)
    decode_s_per_byte : float, default 0.0
        per uncompressed byte [s/B], in [0, inf)
    layer_ratio : Sequence[float] | None, default None
        one per layer, in place of `ratio` at the cut after it, in (0, inf)
    layer_error : Sequence[float] | None, default None
        one per layer, in place of error * error_gain at the cut after it, in [0, inf)
    group : str | None, default None
        name for addressing several codecs at once, such as a family
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.codec.Codec(name='half', ratio=2.0, error=0.001)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, name: str, ratio: float, error: float, encode_s_per_byte: float = ..., decode_s_per_byte: float = ..., layer_ratio: collections.abc.Sequence[float] | None = ..., layer_error: collections.abc.Sequence[float] | None = ..., group: str | None = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def decode_s_per_byte(self) -> float:
        """
        per uncompressed byte [s/B]
        """
    @property
    def encode_s_per_byte(self) -> float:
        """
        per uncompressed byte [s/B]
        """
    @property
    def error(self) -> float:
        """
        relative L2 error of the activation (a fraction)
        """
    @property
    def group(self) -> str | None:
        """
        name for addressing several codecs at once, such as a family
        """
    @property
    def layer_error(self) -> list[float] | None:
        """
        one per layer, in place of error * error_gain at the cut after it
        """
    @property
    def layer_ratio(self) -> list[float] | None:
        """
        one per layer, in place of `ratio` at the cut after it
        """
    @property
    def name(self) -> str:
        """
        unique in its menu
        """
    @property
    def ratio(self) -> float:
        """
        uncompressed / compressed bytes
        """
class Scheme:
    """
    Coding of an activation: sparsification, quantisation and entropy coding.
    
    Parameters
    ----------
    sparsify : str, default 'none'
        'none'; 'mask': what is given; 'top-k': the largest of every token; 'block-top-k': of every block of features; 'slicer': of each sign by its energy
    keep : float, default 1.0
        share of the features that top-k, block-top-k and slicer keep, in (0, 1]
    block : int | None, default None
        features of a block, in [1, 65536]
    bits : int | None, default 8
        of a kept value, 2 to 8; None or 0: values travel as they are
    scale : str, default 'tensor'
        what shares a scale: 'tensor', 'token', 'block'
    clip : str, default 'none'
        'none'; 'laplace': where a Laplace distribution is best clipped
    rounding : str, default 'nearest'
        'nearest', 'stochastic'
    seed : int, default 0
        of stochastic rounding, in [0, 2^63)
    entropy : str, default 'context'
        'none', 'zero-order', 'context'
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.codec.Scheme(sparsify='top-k', keep=0.1, bits=4)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, sparsify: str = ..., keep: float = ..., block: int | None = ..., bits: int | None = ..., scale: str = ..., clip: str = ..., rounding: str = ..., seed: int = ..., entropy: str = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def bits(self) -> int | None:
        """
        of a kept value, 2 to 8; None or 0: values travel as they are
        """
    @property
    def block(self) -> int | None:
        """
        features of a block
        """
    @property
    def clip(self) -> str:
        """
        'none'; 'laplace': where a Laplace distribution is best clipped
        """
    @property
    def entropy(self) -> str:
        """
        'none', 'zero-order', 'context'
        """
    @property
    def keep(self) -> float:
        """
        share of the features that top-k, block-top-k and slicer keep
        """
    @property
    def rounding(self) -> str:
        """
        'nearest', 'stochastic'
        """
    @property
    def scale(self) -> str:
        """
        what shares a scale: 'tensor', 'token', 'block'
        """
    @property
    def seed(self) -> int:
        """
        of stochastic rounding
        """
    @property
    def sparsify(self) -> str:
        """
        'none'; 'mask': what is given; 'top-k': the largest of every token; 'block-top-k': of every block of features; 'slicer': of each sign by its energy
        """
def decode(data: typing_extensions.Buffer, max_bytes: typing.SupportsInt | typing.SupportsIndex) -> numpy.ndarray:
    """
    See `constellm.codec.decode`.
    """
def encode(x: numpy.ndarray, scheme: Scheme, mask: numpy.ndarray | None) -> bytes:
    """
    See `constellm.codec.encode`.
    """
def entropy_bound(x: numpy.ndarray, scheme: Scheme, mask: numpy.ndarray | None) -> dict:
    """
    See `constellm.codec.entropy_bound_bytes`.
    """
def inspect(data: typing_extensions.Buffer) -> dict:
    """
    See `constellm.codec.inspect`.
    """
def quantisation_error(bits: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    See `constellm.codec.quantisation_error`.
    """
