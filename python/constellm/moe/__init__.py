"""Mixtures of experts over a constellation: how often each expert is activated, and with which others.

`Activations` are counts of a table or a trace, with the shares of experts; `sample_activations` has those of
five models. An `ActivationTrace` knows the experts of every token, from which come how they repeat from
token to token and which go together from layer to layer. `read_esft`, `read_vllm` and `read_megatron` read
other programs' traces; `lognormal_weights` and `zipf_weights` make up sampling weights, `draw_trace` a trace
of them.
"""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .activation_files import load_trace, read_esft, read_expert_counts, save_trace
from .activation_trace import ActivationTrace
from .activations import Activations
from .correlations import Coactivations, Repeats
from .random_activations import draw_trace, lognormal_weights, zipf_weights
from .routed_experts import from_routed_experts, read_megatron, read_vllm
from .sample_activations import SAMPLE_ACTIVATIONS, sample_activations

__all__ = [
    "SAMPLE_ACTIVATIONS",
    "ActivationTrace",
    "Activations",
    "Coactivations",
    "Repeats",
    "draw_trace",
    "from_routed_experts",
    "load_trace",
    "lognormal_weights",
    "read_esft",
    "read_expert_counts",
    "read_megatron",
    "read_vllm",
    "sample_activations",
    "save_trace",
    "zipf_weights",
]

_tell_of_slips(__name__)
