# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import typing
__all__: list[str] = ['AttentionShape', 'BlockShape', 'Layer', 'LayerProfile', 'MlpShape', 'Pass', 'TextEnds', 'VisionEnds', 'VisionStage', 'crossing_bytes', 'decoder', 'topological_order', 'vision_transformer']
class Layer:
    """
    One layer as the planner sees it; all figures for one micro-batch.
    
    Parameters
    ----------
    name : str
        label
    flop : float
        computation [FLOP], in [0, inf)
    memory_bytes : float
        resident on the host: weights, state, workspace [B], in [0, inf)
    output_bytes : float
        uncompressed activation after the layer [B], in [0, inf)
    error_gain : float, default 1.0
        weight of a codec's error at the cut after the layer, in [0, inf)
    group : str | None, default None
        name for addressing several layers at once
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.model.Layer(name='block', flop=1e9, memory_bytes=4e6, output_bytes=2e6)
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
    def __init__(self, *, name: str, flop: float, memory_bytes: float, output_bytes: float, error_gain: float = ..., group: str | None = ...) -> None:
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
    def error_gain(self) -> float:
        """
        weight of a codec's error at the cut after the layer
        """
    @property
    def flop(self) -> float:
        """
        computation [FLOP]
        """
    @property
    def group(self) -> str | None:
        """
        name for addressing several layers at once
        """
    @property
    def memory_bytes(self) -> float:
        """
        resident on the host: weights, state, workspace [B]
        """
    @property
    def name(self) -> str:
        """
        label
        """
    @property
    def output_bytes(self) -> float:
        """
        uncompressed activation after the layer [B]
        """
class LayerProfile:
    """
    A layer with its parts; all figures for one micro-batch.
    
    Parameters
    ----------
    name : str
        label
    flop : float
        computation, a multiply-add counts 2 [FLOP], in [0, inf)
    memory_bytes : float
        resident on the host: weights + KV cache + workspace where computed, else as measured or stated [B], in [0, inf)
    output_bytes : float
        everything that crosses a cut after the layer [B], in [0, inf)
    parameters : float, default 0.0
        shared ones count once, where they are first used, in [0, inf)
    weight_bytes : float, default 0.0
        weights stored at this layer [B], in [0, inf)
    kv_cache_bytes : float, default 0.0
        keys and values kept for later tokens [B], in [0, inf)
    workspace_bytes : float, default 0.0
        largest set of activations alive at once [B], in [0, inf)
    read_bytes : float, default 0.0
        weights and cache read from memory per pass, the floor of a bandwidth-bound one [B], in [0, inf)
    error_gain : float, default 1.0
        weight of a codec's error at the cut after the layer, in [0, inf)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.model.LayerProfile(name='block', flop=1e9, memory_bytes=4e6, output_bytes=2e6)
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
    def __init__(self, *, name: str, flop: float, memory_bytes: float, output_bytes: float, parameters: float = ..., weight_bytes: float = ..., kv_cache_bytes: float = ..., workspace_bytes: float = ..., read_bytes: float = ..., error_gain: float = ...) -> None:
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
    def error_gain(self) -> float:
        """
        weight of a codec's error at the cut after the layer
        """
    @property
    def flop(self) -> float:
        """
        computation, a multiply-add counts 2 [FLOP]
        """
    @property
    def kv_cache_bytes(self) -> float:
        """
        keys and values kept for later tokens [B]
        """
    @property
    def layer(self) -> Layer:
        """
        The part that a planner reads.
        """
    @property
    def memory_bytes(self) -> float:
        """
        resident on the host: weights + KV cache + workspace where computed, else as measured or stated [B]
        """
    @property
    def name(self) -> str:
        """
        label
        """
    @property
    def output_bytes(self) -> float:
        """
        everything that crosses a cut after the layer [B]
        """
    @property
    def parameters(self) -> float:
        """
        shared ones count once, where they are first used
        """
    @property
    def read_bytes(self) -> float:
        """
        weights and cache read from memory per pass, the floor of a bandwidth-bound one [B]
        """
    @property
    def weight_bytes(self) -> float:
        """
        weights stored at this layer [B]
        """
    @property
    def workspace_bytes(self) -> float:
        """
        largest set of activations alive at once [B]
        """
class AttentionShape:
    """
    Attention of one block.
    
    Parameters
    ----------
    heads : int
        query heads, in [1, inf)
    kv_heads : int
        key and value heads; fewer than heads: grouped queries, in [1, inf)
    head_width : int
        numbers per query and key, in [1, inf)
    value_width : int
        numbers per value, in [1, inf)
    query_rank : int, default 0
        queries made through so many numbers; 0: at once, in [0, inf)
    kv_rank : int, default 0
        latent attention: numbers that stand for all keys and values; 0: none, in [0, inf)
    rope_width : int, default 0
        latent attention: the part of a key that carries the position, shared by the heads, in [0, inf)
    cached_heads : int, default 0
        heads whose keys and values are kept; 0: kv_heads, in [0, inf)
    window : int, default 0
        newest tokens that a query sees; 0: all, in [0, inf)
    chunked : bool, default False
        the window does not slide: tokens see their own chunk of so many
    vectors : int, default 0
        parameters beside the matrices: norms, biases, sinks, position tables, in [0, inf)
    out_vectors : int, default 0
        the same of the output matrix: bias, scale, in [0, inf)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.model.AttentionShape(heads=12, kv_heads=12, head_width=64, value_width=64)
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
    def __init__(self, *, heads: int, kv_heads: int, head_width: int, value_width: int, query_rank: int = ..., kv_rank: int = ..., rope_width: int = ..., cached_heads: int = ..., window: int = ..., chunked: bool = ..., vectors: int = ..., out_vectors: int = ...) -> None:
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
    def cached_heads(self) -> int:
        """
        heads whose keys and values are kept; 0: kv_heads
        """
    @property
    def chunked(self) -> bool:
        """
        the window does not slide: tokens see their own chunk of so many
        """
    @property
    def head_width(self) -> int:
        """
        numbers per query and key
        """
    @property
    def heads(self) -> int:
        """
        query heads
        """
    @property
    def kv_heads(self) -> int:
        """
        key and value heads; fewer than heads: grouped queries
        """
    @property
    def kv_rank(self) -> int:
        """
        latent attention: numbers that stand for all keys and values; 0: none
        """
    @property
    def out_vectors(self) -> int:
        """
        the same of the output matrix: bias, scale
        """
    @property
    def query_rank(self) -> int:
        """
        queries made through so many numbers; 0: at once
        """
    @property
    def rope_width(self) -> int:
        """
        latent attention: the part of a key that carries the position, shared by the heads
        """
    @property
    def value_width(self) -> int:
        """
        numbers per value
        """
    @property
    def vectors(self) -> int:
        """
        parameters beside the matrices: norms, biases, sinks, position tables
        """
    @property
    def window(self) -> int:
        """
        newest tokens that a query sees; 0: all
        """
class MlpShape:
    """
    Multilayer perceptron of one block, or its mixture of experts.
    
    Parameters
    ----------
    width : int
        hidden width, of one expert, in [1, inf)
    gated : bool, default False
        two matrices up, their outputs multiplied, one down
    bias : bool, default False
        of the matrices, of every expert
    experts : int, default 0
        chosen by a router; 0: dense, in [0, inf)
    experts_per_token : int, default 0
        chosen for each token, in [0, inf)
    shared_width : int, default 0
        hidden width of all the experts that every token takes, in [0, inf)
    shared_gate : bool, default False
        the shared ones' output is weighed by the token
    vectors : int, default 0
        parameters beside the matrices: norms, router bias, scales, in [0, inf)
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.model.MlpShape(width=3072)
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
    def __init__(self, *, width: int, gated: bool = ..., bias: bool = ..., experts: int = ..., experts_per_token: int = ..., shared_width: int = ..., shared_gate: bool = ..., vectors: int = ...) -> None:
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
    def bias(self) -> bool:
        """
        of the matrices, of every expert
        """
    @property
    def experts(self) -> int:
        """
        chosen by a router; 0: dense
        """
    @property
    def experts_per_token(self) -> int:
        """
        chosen for each token
        """
    @property
    def gated(self) -> bool:
        """
        two matrices up, their outputs multiplied, one down
        """
    @property
    def shared_gate(self) -> bool:
        """
        the shared ones' output is weighed by the token
        """
    @property
    def shared_width(self) -> int:
        """
        hidden width of all the experts that every token takes
        """
    @property
    def vectors(self) -> int:
        """
        parameters beside the matrices: norms, router bias, scales
        """
    @property
    def width(self) -> int:
        """
        hidden width, of one expert
        """
class BlockShape:
    """
    One block of a transformer: attention and MLP.
    
    Parameters
    ----------
    width : int
        numbers per token in the residual stream, in [1, inf)
    attention : AttentionShape
        its attention
    mlp : MlpShape
        its multilayer perceptron, or experts
    parallel : bool, default False
        both read the block's input, so a cut between them carries two streams
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.model.BlockShape(width=768, mlp=clm.model.MlpShape(width=3072), attention=clm.model.AttentionShape(heads=12, kv_heads=12, head_width=64, value_width=64))
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
    def __init__(self, *, width: int, attention: AttentionShape, mlp: MlpShape, parallel: bool = ...) -> None:
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
    def attention(self) -> AttentionShape:
        """
        its attention
        """
    @property
    def mlp(self) -> MlpShape:
        """
        its multilayer perceptron, or experts
        """
    @property
    def parallel(self) -> bool:
        """
        both read the block's input, so a cut between them carries two streams
        """
    @property
    def width(self) -> int:
        """
        numbers per token in the residual stream
        """
class Pass:
    """
    One pass over a micro-batch. Counts of tokens may be means, hence fractions.
    
    Parameters
    ----------
    batch : int
        images or sequences in the micro-batch, in [1, inf)
    tokens : float
        new tokens per sequence, over all chunks, in (0, inf)
    past_tokens : float, default 0.0
        already in the cache when the pass begins, in [0, inf)
    cache_tokens : float, default 0.0
        room kept in the cache per sequence; 0: no cache, in [0, inf)
    chunks : int, default 1
        parts in which the tokens pass; figures are the mean of a part, in [1, inf)
    causal : bool, default False
        a token sees itself and those before it
    weight_element_bytes : float, default 4.0
        of a weight [B], in (0, inf)
    activation_element_bytes : float, default 4.0
        of an activation [B], in (0, inf)
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
    def __init__(self, *, batch: int, tokens: float, past_tokens: float = ..., cache_tokens: float = ..., chunks: int = ..., causal: bool = ..., weight_element_bytes: float = ..., activation_element_bytes: float = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def activation_element_bytes(self) -> float:
        """
        of an activation [B]
        """
    @property
    def batch(self) -> int:
        """
        images or sequences in the micro-batch
        """
    @property
    def cache_tokens(self) -> float:
        """
        room kept in the cache per sequence; 0: no cache
        """
    @property
    def causal(self) -> bool:
        """
        a token sees itself and those before it
        """
    @property
    def chunks(self) -> int:
        """
        parts in which the tokens pass; figures are the mean of a part
        """
    @property
    def past_tokens(self) -> float:
        """
        already in the cache when the pass begins
        """
    @property
    def tokens(self) -> float:
        """
        new tokens per sequence, over all chunks
        """
    @property
    def weight_element_bytes(self) -> float:
        """
        of a weight [B]
        """
class TextEnds:
    """
    Input and output layers of a decoder.
    
    Parameters
    ----------
    vocabulary : int
        tokens known, in [1, inf)
    embed_width : int, default 0
        numbers per token embedding, projected to the width; 0: the width, in [0, inf)
    positions : int, default 0
        learned position embeddings; 0: none (rotary), in [0, inf)
    embed_vectors : int, default 0
        parameters of a norm behind the embedding, in [0, inf)
    norm_vectors : int, default 0
        parameters of the final norm, in [0, inf)
    tied : bool, default False
        the output matrix is the token embedding
    head_bias : bool, default False
        of the output matrix
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
    def __init__(self, *, vocabulary: int, embed_width: int = ..., positions: int = ..., embed_vectors: int = ..., norm_vectors: int = ..., tied: bool = ..., head_bias: bool = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def embed_vectors(self) -> int:
        """
        parameters of a norm behind the embedding
        """
    @property
    def embed_width(self) -> int:
        """
        numbers per token embedding, projected to the width; 0: the width
        """
    @property
    def head_bias(self) -> bool:
        """
        of the output matrix
        """
    @property
    def norm_vectors(self) -> int:
        """
        parameters of the final norm
        """
    @property
    def positions(self) -> int:
        """
        learned position embeddings; 0: none (rotary)
        """
    @property
    def tied(self) -> bool:
        """
        the output matrix is the token embedding
        """
    @property
    def vocabulary(self) -> int:
        """
        tokens known
        """
class VisionEnds:
    """
    Input and output layers of a vision transformer.
    
    Parameters
    ----------
    image_px : int
        side of the square image [px], in [1, inf)
    patch_px : int
        side of a patch [px], in [1, inf)
    channels : int, default 3
        of the image, in [1, inf)
    extra_tokens : int, default 1
        without a place in the image: class, distillation, registers, in [0, inf)
    positions : int, default 0
        learned position embeddings, in [0, inf)
    embed_vectors : int, default 0
        other parameters of the embedding: bias, learned tokens, norms, in [0, inf)
    head_vectors : int, default 0
        parameters of the norms behind the last block, in [0, inf)
    pool_mlp_width : int, default 0
        one learned query attends to all tokens, then an MLP of this width; 0: none, in [0, inf)
    pooler_width : int, default 0
        a dense layer over what is read out; 0: none, in [0, inf)
    feature_tokens : int, default 1
        pooled vectors read out side by side, in [1, inf)
    classes : int, default 1000
        0: the pooled features are the output, in [0, inf)
    classifiers : int, default 1
        whose results are averaged, in [1, inf)
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
    def __init__(self, *, image_px: int, patch_px: int, channels: int = ..., extra_tokens: int = ..., positions: int = ..., embed_vectors: int = ..., head_vectors: int = ..., pool_mlp_width: int = ..., pooler_width: int = ..., feature_tokens: int = ..., classes: int = ..., classifiers: int = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def channels(self) -> int:
        """
        of the image
        """
    @property
    def classes(self) -> int:
        """
        0: the pooled features are the output
        """
    @property
    def classifiers(self) -> int:
        """
        whose results are averaged
        """
    @property
    def embed_vectors(self) -> int:
        """
        other parameters of the embedding: bias, learned tokens, norms
        """
    @property
    def extra_tokens(self) -> int:
        """
        without a place in the image: class, distillation, registers
        """
    @property
    def feature_tokens(self) -> int:
        """
        pooled vectors read out side by side
        """
    @property
    def head_vectors(self) -> int:
        """
        parameters of the norms behind the last block
        """
    @property
    def image_px(self) -> int:
        """
        side of the square image [px]
        """
    @property
    def patch_px(self) -> int:
        """
        side of a patch [px]
        """
    @property
    def pool_mlp_width(self) -> int:
        """
        one learned query attends to all tokens, then an MLP of this width; 0: none
        """
    @property
    def pooler_width(self) -> int:
        """
        a dense layer over what is read out; 0: none
        """
    @property
    def positions(self) -> int:
        """
        learned position embeddings
        """
    @property
    def tokens(self) -> float:
        """
        Patches and extra tokens of one image.
        """
class VisionStage:
    """
    Blocks that see the same number of tokens.
    
    Parameters
    ----------
    blocks : Sequence[BlockShape]
        one after the other
    tokens : float
        of one image, in (0, inf)
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
    def __init__(self, *, blocks: collections.abc.Sequence[BlockShape], tokens: float) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def blocks(self) -> tuple[BlockShape, ...]:
        """
        one after the other
        """
    @property
    def tokens(self) -> float:
        """
        of one image
        """
def crossing_bytes(operators: typing.SupportsInt | typing.SupportsIndex, tensors: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]]) -> list[float]:
    """
    Bytes across the cut after each operator; tensors are (bytes, produced at, last used at).
    """
def decoder(*, blocks: collections.abc.Sequence[BlockShape], ends: TextEnds, pass_: Pass, sub_blocks: bool, separate_ends: bool) -> list[LayerProfile]:
    """
    The layers of a whole decoder that yields one token per sequence.
    """
def topological_order(count: typing.SupportsInt | typing.SupportsIndex, edges: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]]) -> list[int]:
    """
    An order of nodes in which every edge points forward; the smallest node first where free.
    """
def vision_transformer(*, stages: collections.abc.Sequence[VisionStage], ends: VisionEnds, pass_: Pass, sub_blocks: bool, separate_ends: bool) -> list[LayerProfile]:
    """
    The layers of a whole vision transformer.
    """
