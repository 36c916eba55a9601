"""Every number of the Space-XNet study, and where it comes from.

What the paper (Wang, Yang, Sheng, Letaief, Huang, arXiv 2605.00515, 2026) fixes is known here from its
abstract and from summaries of its text; no equation of it was at hand.
"""

from __future__ import annotations

from ..report.study import ASSUMED, DERIVED, STATED, Parameter
from .scenario import CUT_OFF_S, MESSAGE_S, RATE_BPS

PAPER_S = {
    "sorted": (1.02, 1.07),
    "rand-intra-cg": (3.34, 3.37),
    "rand-intra": (4.13, 4.16),
    "rand-place": (5.28, 5.30),
}
"""What the paper reports, least and most over eight data sets [s/token]."""

FLOP_PER_S = 7.28e9
"""Of a satellite: a Frontgrade SBC-2A72 at 70 %, as the paper says."""

HIDDEN, EXPERT_HIDDEN, TOKENS, LAYERS, TOP_K = 4096, 1376, 4096, 32, 2
"""Of LLaMA-MoE-3.5B, and the tokens of the paper's 36.3 TFLOP."""

EXPERT_FLOP = 2 * 3 * HIDDEN * EXPERT_HIDDEN
"""Of one expert for a token: three matrices, a multiplication and an addition for each of their numbers."""

GATEWAY_FLOP = 2 * 4 * HIDDEN**2 + 4 * TOKENS * HIDDEN
"""Of the attention of a layer for a token: four matrices, then scores and mixing over all tokens."""

HEAD_FLOP = 2 * 32_000 * HIDDEN
"""Of the output layer for a token, over 32,000 words."""

EXPERT_BYTES = 2 * 3 * HIDDEN * EXPERT_HIDDEN
"""Of an expert's weights, two bytes each."""

TOKEN_FLOP = LAYERS * (GATEWAY_FLOP + TOP_K * EXPERT_FLOP) + HEAD_FLOP
"""Of the whole model for a token; times 4,096 it is the paper's 36.3 TFLOP."""

PARAMETERS: tuple[Parameter, ...] = (
    Parameter("planes", 33, "", STATED, "a polar constellation of 1,056 satellites"),
    Parameter("satellites_per_plane", 32, "", STATED, "33 × 32 = 1,056"),
    Parameter("altitude_m", 550e3, "m", STATED, "circular orbits; swept in the paper"),
    Parameter("inclination_deg", 87.0, "°", STATED, "polar orbits"),
    Parameter("raan_spread_deg", 360.0, "°", ASSUMED,
              "not told; of the geometries tried this one comes closest to the reported latencies"),
    Parameter("phase", 0.5, "", ASSUMED,
              "spacings that the next plane is ahead; not told, fitted as the RAAN spread is"),
    Parameter("seam", "open", "", ASSUMED, "not told, fitted"),
    Parameter("max_turn_deg_per_s", 0.12, "", ASSUMED,
              "the paper says 0.12 rad/s, which cuts no link; read as degrees it cuts some, and the "
              "latencies come out as reported"),
    Parameter("survival", 0.95, "", STATED,
              "probability that a link works; that it is drawn anew in every slot is assumed"),
    Parameter("links of a satellite", 4, "", STATED,
              "at most four; to both neighbours in the plane and to the same index of both next planes is "
              "assumed"),
    Parameter("rate of a link", RATE_BPS, "bit/s", STATED, "at least"),
    Parameter("time of a message on a link", MESSAGE_S, "s", DERIVED,
              "8,192 bytes, a hidden state of 4,096 numbers of two bytes, at 100 Gbit/s"),
    Parameter("hop_s", 0.0, "s", ASSUMED, "processing on a link; not told"),
    Parameter("slots", 200, "", STATED, "time slots; links, positions and outages stand still within one"),
    Parameter("slot_s", None, "s", ASSUMED, "not told; all slots together are one orbit"),
    Parameter("layers", LAYERS, "", STATED, "LLaMA-MoE-3.5B"),
    Parameter("experts", 8, "", STATED, "of a layer, one on a satellite"),
    Parameter("top_k", TOP_K, "", STATED, "experts activated for a token in a layer"),
    Parameter("sigma", 0.13, "", ASSUMED,
              "of the logarithms of the experts' weights; measured shares of Mixtral-8x7B have 0.12 to 0.14"),
    Parameter("expert_s", 0.0, "s", ASSUMED,
              f"no compute is charged: all of it, {TOKEN_FLOP / FLOP_PER_S:.3f} s a token at 7.28 GFLOP/s, "
              "is more than the proposal's latency as reported"),
    Parameter("gateway_s", 0.0, "s", ASSUMED, "as expert_s"),
    Parameter("speed of a satellite", FLOP_PER_S, "FLOP/s", STATED, "a Frontgrade SBC-2A72 at 70 %"),
    Parameter("subnets", None, "", DERIVED,
              "layer l on the satellites of index l of every plane, one layer each, as the words of the "
              "paper are read here"),
    Parameter("gateways", None, "", STATED,
              "in the centre of each subnet: plane 16 of 33; they host no expert, which is assumed"),
    Parameter("paths that are cut", None, "", ASSUMED,
              "slots in which an expert of a layer is not reached are left out of that layer's mean; "
              f"satellites are ranked with {CUT_OFF_S:g} s for them"),
)  # fmt: skip
"""Every number that `Scenario` rests on."""
