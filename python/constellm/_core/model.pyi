# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import typing
__all__: list[str] = ['AttentionShape', 'BlockShape', 'Layer', 'LayerProfile', 'MlpShape', 'Pass', 'TextEnds', 'VisionEnds', 'VisionStage', 'crossing_bytes', 'decoder', 'topological_order', 'vision_transformer']
class Layer:
    """
    One layer as the planner sees it; all figures for one micro-batch.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
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
    What a layer is made of; all figures for one micro-batch.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
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
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
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
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
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
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
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
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    What feeds a decoder and what reads it out.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    What feeds a vision transformer and what reads it out.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
