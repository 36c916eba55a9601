# Generated from the compiled module by `make stubs`; do not edit.
"""
The compiled part of constellm; private: use the package's own modules.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
import typing_extensions
__all__: list[str] = ['AttentionShape', 'BlockShape', 'Codec', 'Field', 'Infeasibility', 'Layer', 'LayerProfile', 'Link', 'MlpShape', 'Network', 'Node', 'Pass', 'Plan', 'Problem', 'Scheme', 'Stage', 'TextEnds', 'VisionEnds', 'VisionStage', 'baseline_names', 'build', 'check_generation', 'codec_decode', 'codec_encode', 'codec_entropy_bound', 'codec_inspect', 'crossing_bytes', 'decoder', 'evaluate', 'evaluate_generation', 'k_best', 'optimal_gap', 'pareto_front', 'propose', 'quantisation_error', 'restored_plan', 'solve', 'solve_by', 'solve_generation', 'structural_faults', 'sweep_check_method', 'sweep_field', 'sweep_run', 'tensor_parallel', 'topological_order', 'version', 'vision_transformer']
class Field:
    """
    What is said of a field of a record; every record lists its `fields`.
    """
    @property
    def doc(self) -> str:
        ...
    @property
    def initial(self) -> typing.Any:
        """
        where an optional field is not given
        """
    @property
    def name(self) -> str:
        ...
    @property
    def range(self) -> str:
        """
        of a number; empty for what is none
        """
    @property
    def required(self) -> bool:
        ...
    @property
    def unit(self) -> str:
        """
        SI; empty for a pure number and for what is none
        """
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
    def __init__(self, *, name: str, flop: float, memory_bytes: float, output_bytes: float, error_gain: float = ...) -> None:
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
    def __init__(self, *, width: int, attention: typing.Any, mlp: typing.Any, parallel: bool = ...) -> None:
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
    def attention(self) -> typing.Any:
        """
        its attention
        """
    @property
    def mlp(self) -> typing.Any:
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
    def __init__(self, *, blocks: collections.abc.Sequence, tokens: float) -> None:
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
    def blocks(self) -> collections.abc.Sequence:
        """
        one after the other
        """
    @property
    def tokens(self) -> float:
        """
        of one image
        """
class Node:
    """
    A computer, in orbit or on the ground. With `flop_per_s` 0 and no `layer_time_s` it only relays.
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
    def __init__(self, *, id: str, flop_per_s: float, memory_bytes: float, power_w: float = ..., tx_power_w: float = ..., overhead_s: float = ..., codec_time_scale: float = ..., layer_time_s: collections.abc.Sequence | None = ..., group: str | None = ...) -> None:
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
    def codec_time_scale(self) -> float:
        """
        multiplies encode and decode times here
        """
    @property
    def flop_per_s(self) -> float:
        """
        effective computing speed [FLOP/s]
        """
    @property
    def group(self) -> str | None:
        """
        name for addressing several nodes at once
        """
    @property
    def id(self) -> str:
        """
        unique in its network
        """
    @property
    def layer_time_s(self) -> collections.abc.Sequence | None:
        """
        measured time of every layer per micro-batch, in place of flop / flop_per_s [layers] [s]
        """
    @property
    def memory_bytes(self) -> float:
        """
        room for layers [B]
        """
    @property
    def overhead_s(self) -> float:
        """
        fixed time per micro-batch of a hosting node [s]
        """
    @property
    def power_w(self) -> float:
        """
        while computing [W]
        """
    @property
    def tx_power_w(self) -> float:
        """
        while sending [W]
        """
class Link:
    """
    A directed link. `network.link` makes one without the reserved word `from`.
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
    def __init__(self, **fields: typing.Any) -> None:
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
    def from_(self) -> str:
        """
        id of the sender
        """
    @property
    def group(self) -> str | None:
        """
        name for addressing several links at once
        """
    @property
    def latency_s(self) -> float:
        """
        propagation; occupies nothing [s]
        """
    @property
    def overhead_s(self) -> float:
        """
        fixed per message; occupies the link [s]
        """
    @property
    def rate_bps(self) -> float:
        """
        bits that it carries in a second [bit/s]
        """
    @property
    def to(self) -> str:
        """
        id of the receiver
        """
class Network:
    """
    Nodes and directed links. `source` and `sink` are the endpoints of problems that name none themselves.
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
    def __init__(self, *, nodes: collections.abc.Sequence, links: collections.abc.Sequence, source: str | None = ..., sink: str | None = ...) -> None:
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
    def links(self) -> collections.abc.Sequence:
        """
        list of Link
        """
    @property
    def nodes(self) -> collections.abc.Sequence:
        """
        list of Node
        """
    @property
    def sink(self) -> str | None:
        """
        id of the node that wants the result, or None
        """
    @property
    def source(self) -> str | None:
        """
        id of the node that has the input, or None
        """
class Codec:
    """
    One way to send an activation over a cut.
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
    def __init__(self, *, name: str, ratio: float, error: float, encode_s_per_byte: float = ..., decode_s_per_byte: float = ..., layer_ratio: collections.abc.Sequence | None = ..., layer_error: collections.abc.Sequence | None = ...) -> None:
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
    def layer_error(self) -> collections.abc.Sequence | None:
        """
        one per layer, in place of error * error_gain at the cut after it
        """
    @property
    def layer_ratio(self) -> collections.abc.Sequence | None:
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
    How an activation is sparsified, quantised and entropy-coded.
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
    def __init__(self, *, sparsify: str = ..., keep: float = ..., block: int | None = ..., bits: int | None = ..., scale: str = ..., clip: str = ..., rounding: str = ..., seed: int = ..., entropy: str = ...) -> None:
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
    def bits(self) -> int | None:
        """
        of a kept value, 2 to 8; None or 0: values travel as they are
        """
    @property
    def block(self) -> int | None:
        """
        features of a block, 1 to 65536
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
        share of the features that top-k, block-top-k and slicer keep, in (0, 1]
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
        of stochastic rounding, >= 0
        """
    @property
    def sparsify(self) -> str:
        """
        'none'; 'mask': what is given; 'top-k': the largest of every token; 'block-top-k': of every block of features; 'slicer': of each sign by its energy
        """
class Problem:
    """
    What is to be run where, under which limits. Immutable and validated once; the values are those of
    the file format `constellm.split-problem`.
    """
    __hash__: typing.ClassVar[None] = None
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    @staticmethod
    def _repr_html_(problem: Problem) -> str:
        """
        The problem as HTML tables.
        """
    @staticmethod
    def summary(problem: Problem) -> str:
        """
        The problem as text: its size and limits, then layers, nodes, links and codecs as tables.
        """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, name: str = 'problem', model: typing.Any = None, layers: collections.abc.Sequence[Layer] | None = None, input_bytes: float | None = None, network: Network | None = None, nodes: collections.abc.Sequence[Node] | None = None, links: collections.abc.Sequence[Link] | None = None, source: str | None = None, sink: str | None = None, codecs: collections.abc.Sequence[Codec], micro_batches: int = 1, max_error: float | None = None, max_energy_j: float | None = None, error_rule: str = 'sum', objective: str = 'delay') -> None:
        """
        `model` is anything with `.layers` (Layer) and `.input_bytes`, or give these two; `network` a Network, or give
        its nodes and links. `source` and `sink` are ids; left out, they are the network's own. Wrong values raise ValueError or TypeError that names the field, the value and the range.
        """
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> Problem:
        """
        A copy with some of the constructor's keywords changed.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The content of a `constellm.split-problem` file.
        """
    @property
    def codecs(self) -> list[Codec]:
        """
        the menu
        """
    @property
    def error_rule(self) -> str:
        """
        'sum' or 'root_sum_square'
        """
    @property
    def input_bytes(self) -> float:
        """
        raw input per micro-batch, at the source [B]
        """
    @property
    def layers(self) -> list[Layer]:
        """
        in execution order
        """
    @property
    def links(self) -> list[Link]:
        """
        links of the network
        """
    @property
    def max_energy_j(self) -> float | None:
        """
        limit of the energy of all micro-batches [J], or None
        """
    @property
    def max_error(self) -> float | None:
        """
        limit of the accumulated error, or None
        """
    @property
    def micro_batches(self) -> int:
        """
        identical micro-batches that flow through the pipeline
        """
    @property
    def name(self) -> str:
        """
        [A-Za-z0-9._-]+
        """
    @property
    def network(self) -> Network:
        """
        nodes and links, and this problem's endpoints
        """
    @property
    def nodes(self) -> list[Node]:
        """
        nodes of the network
        """
    @property
    def objective(self) -> str:
        """
        'delay' or 'throughput'
        """
    @property
    def sink(self) -> str:
        """
        id of the node that wants the result
        """
    @property
    def source(self) -> str:
        """
        id of the node that has the input
        """
class Stage:
    """
    One hosting node's share of the layers.
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
    def __init__(self, *, node: str, first_layer: int, last_layer: int, codec: str | None = ...) -> None:
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
    def codec(self) -> str | None:
        """
        name of the codec of what it sends on; None after the last layer
        """
    @property
    def first_layer(self) -> int:
        """
        0-based
        """
    @property
    def last_layer(self) -> int:
        """
        0-based, inclusive
        """
    @property
    def node(self) -> str:
        """
        id of the host
        """
class Infeasibility:
    """
    Why a problem has no plan, and how much would do; None where nothing would.
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
    def __init__(self, *, reason: str, least_error: float | None = ..., least_energy_j: float | None = ..., least_memory_factor: float | None = ..., least_error_alone: float | None = ..., least_energy_alone_j: float | None = ..., stopped: str | None = ...) -> None:
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
    def least_energy_alone_j(self) -> float | None:
        """
        of any plan that fits the memory, whatever its error [J]
        """
    @property
    def least_energy_j(self) -> float | None:
        """
        max_energy_j that would do, every other limit kept [J]
        """
    @property
    def least_error(self) -> float | None:
        """
        max_error that would do, every other limit kept
        """
    @property
    def least_error_alone(self) -> float | None:
        """
        of any plan that fits the memory, whatever its energy
        """
    @property
    def least_memory_factor(self) -> float | None:
        """
        by which the memory of every node must grow, every other limit kept
        """
    @property
    def reason(self) -> str:
        """
        'no_route' from source to sink; 'no_host', no node on a route computes; 'memory', 'error' or 'energy', the first that no plan keeps even without the limits after it; 'limits', each can be kept, but not all at once; 'unknown', the time ran out
        """
    @property
    def stopped(self) -> str | None:
        """
        None, or 'time_limit' or 'interrupted' where not everything was worked out
        """
class Plan:
    """
    A solver's answer: what it found, and what it proved. Figures are the evaluator's; NaN where there is no plan.
    """
    __hash__: typing.ClassVar[None] = None
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    @staticmethod
    def _repr_html_(plan: Plan) -> str:
        """
        The plan as HTML tables with a picture of its pipeline.
        """
    @staticmethod
    def summary(plan: Plan) -> str:
        """
        The plan as text: what was found and proven, then stages and hops as tables.
        """
    def __eq__(self, other: typing.Any) -> bool:
        """
        Same problem, status, path and stages; counters and seconds do not count.
        """
    def __repr__(self) -> str:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The content of a `constellm.split-plan` file.
        """
    @property
    def bottleneck_s(self) -> float:
        """
        longest stage or hop per micro-batch [s]
        """
    @property
    def broken_limits(self) -> list[str]:
        """
        limits that the plan of a benchmark method breaks, for which it is none
        """
    @property
    def bytes(self) -> float:
        """
        over all hops and micro-batches [B]
        """
    @property
    def codecs(self) -> list[Codec]:
        """
        that the method brought along: used by the plan, and added to the menu of `problem`
        """
    @property
    def counters(self) -> dict[str, int]:
        """
        labels made, dominated, expanded; most waiting; backward passes; intervals
        """
    @property
    def delay_s(self) -> float:
        """
        from the start until the sink has the last result [s]
        """
    @property
    def energy_j(self) -> float:
        """
        of all micro-batches [J]
        """
    @property
    def error(self) -> float:
        """
        accumulated error
        """
    @property
    def gap(self) -> float:
        """
        (objective - lower bound) / objective
        """
    @property
    def infeasibility(self) -> Infeasibility | None:
        """
        why the problem has no plan, and how much would do; None where there is one, or it is not proven
        """
    @property
    def lower_bound_s(self) -> float:
        """
        no plan has a smaller objective [s]; NaN where nothing was proven, infinite where no plan exists
        """
    @property
    def method(self) -> str:
        """
        name of the method that made it
        """
    @property
    def path(self) -> list[str]:
        """
        ids of the nodes from source to sink
        """
    @property
    def problem(self) -> Problem:
        """
        the problem it answers
        """
    @property
    def seconds(self) -> float:
        """
        spent by the solver [s]
        """
    @property
    def stages(self) -> list[Stage]:
        """
        the hosting nodes' shares, in path order
        """
    @property
    def status(self) -> str:
        """
        'optimal', 'feasible', 'infeasible', 'no_plan_found', 'time_limit' or 'interrupted'
        """
def baseline_names() -> list[str]:
    """
    Benchmark methods that make a plan, without the family 'fixed:<codec>'.
    """
def check_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bps: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex) -> None:
    """
    Raises ValueError that names field, value and range.
    """
def codec_decode(data: typing_extensions.Buffer, max_bytes: typing.SupportsInt | typing.SupportsIndex) -> numpy.ndarray:
    """
    See `constellm.codec.decode`.
    """
def codec_encode(x: numpy.ndarray, scheme: Scheme, mask: numpy.ndarray | None) -> bytes:
    """
    See `constellm.codec.encode`.
    """
def codec_entropy_bound(x: numpy.ndarray, scheme: Scheme, mask: numpy.ndarray | None) -> dict:
    """
    See `constellm.codec.entropy_bound_bytes`.
    """
def codec_inspect(data: typing_extensions.Buffer) -> dict:
    """
    See `constellm.codec.inspect`.
    """
def crossing_bytes(operators: typing.SupportsInt | typing.SupportsIndex, tensors: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]]) -> list[float]:
    """
    Bytes across the cut after each operator; tensors are (bytes, produced at, last used at).
    """
def decoder(*, blocks: collections.abc.Sequence[BlockShape], ends: TextEnds, pass_: Pass, sub_blocks: bool, separate_ends: bool) -> list[LayerProfile]:
    """
    The layers of a whole decoder that yields one token per sequence.
    """
def evaluate(problem: Problem, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage]) -> dict[str, typing.Any]:
    """
    Every term of a plan; raises ValueError with what makes it no plan.
    """
def evaluate_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bps: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage]) -> dict:
    """
    See `constellm.split.GenerationProblem.evaluate`.
    """
def k_best(problem: Problem, k: typing.SupportsInt | typing.SupportsIndex, *, time_limit_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[list, bool]:
    """
    See `constellm.split.k_best`.
    """
def pareto_front(problem: Problem, criteria: collections.abc.Sequence[str], *, epsilon: typing.SupportsFloat | typing.SupportsIndex, time_limit_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[list, str]:
    """
    See `constellm.split.pareto_front`.
    """
def propose(problem: Problem, method: str, *, time_limit_s: float) -> dict[str, typing.Any]:
    """
    What a benchmark method decides, limits broken or not.
    """
def quantisation_error(bits: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    See `constellm.codec.quantisation_error`.
    """
def restored_plan(problem: Problem, *, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage], status: str, method: str, lower_bound_s: typing.SupportsFloat | typing.SupportsIndex, seconds: typing.SupportsFloat | typing.SupportsIndex, counters: collections.abc.Mapping[str, typing.SupportsInt | typing.SupportsIndex], added_codecs: typing.SupportsInt | typing.SupportsIndex, broken_limits: collections.abc.Sequence[str], infeasibility: Infeasibility | None) -> Plan:
    """
    See `constellm.split.plan_from_dict`.
    """
def solve(problem: Problem, *, time_limit_s: typing.SupportsFloat | typing.SupportsIndex, intervals: bool, heuristic: bool, dominance: bool, resource_bound: bool, unroll: bool) -> Plan:
    """
    The exact search; see `constellm.split.solve`.
    """
def solve_by(problem: Problem, method: str, *, time_limit_s: float) -> Plan:
    """
    The plan of a benchmark method; none where that would break a limit.
    """
def solve_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bps: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex, time_limit_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[Plan, str, float]:
    """
    See `constellm.split.solve_generation`.
    """
def structural_faults(problem: Problem, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage]) -> list[str]:
    """
    Why path and stages are no plan of the problem; empty for a plan.
    """
def sweep_check_method(method: str) -> None:
    """
    ValueError with the known names for a method that `sweep_run` does not know.
    """
def sweep_field(problem: Problem, address: str) -> tuple[str, bool]:
    """
    Unit of the numeric field that `address` names, and whether it is a count. ValueError says what exists instead.
    """
def sweep_run(*, problems: collections.abc.Sequence[Problem], addresses: collections.abc.Sequence[str], which: typing.Any, values: typing.Any, columns: dict[str, typing.Any], methods: collections.abc.Sequence[str], time_limit_s: float, threads: int, keep_plans: bool, on_finished: typing.Any) -> None:
    """
    Solves cell i, problems[which[i]] with the addressed fields set to values[i], into the columns, all of one length
    cells * methods. `on_finished(rows, messages, plans)` hears of finished rows now and then, in the calling thread.
    """
def tensor_parallel(problem: Problem) -> dict[str, typing.Any] | None:
    """
    Galaxy's tensor parallelism by its own delay model; None where it does not apply.
    """
def topological_order(count: typing.SupportsInt | typing.SupportsIndex, edges: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]]) -> list[int]:
    """
    An order of nodes in which every edge points forward; the smallest node first where free.
    """
def vision_transformer(*, stages: collections.abc.Sequence[VisionStage], ends: VisionEnds, pass_: Pass, sub_blocks: bool, separate_ends: bool) -> list[LayerProfile]:
    """
    The layers of a whole vision transformer.
    """
build: dict
optimal_gap: float = 1e-09
version: str = '0.2.0'
