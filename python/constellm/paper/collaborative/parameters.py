"""Every number of the collaborative-inference scenario, and where it comes from.

What the paper (Zhang et al., arXiv 2604.04654, 2026) fixes is known here from its abstract and from
summaries of its text; no equation of it was at hand.
"""

from __future__ import annotations

from ...codec import DEFAULT_KEEP, LOSSLESS_GAIN, MASK_WEIGHT, gumbel_mask
from ..report.study import ASSUMED, DERIVED, STATED, Parameter

FOOTPRINT_BYTES = {
    "vit-base/16": 2e9,
    "vit-large/16": 4e9,
    "vit-huge/14": 7e9,
    "vit-gigantic/14": 12e9,
}
"""Memory that the paper states for each of its models, at batch 64 [B]."""

PAPER_KEEP = 0.221
"""Kept share ρ of the paper's mask: 32/(b·ρ + 1) is 3.96 at b = 32 and 11.56 at b = 8, as measured there."""

MAX_ERROR = 4 * gumbel_mask(keep=[PAPER_KEEP])[0].error
"""The accumulated error that stands for one point of accuracy: four cuts (five stages) at the paper's own
ratio of 25.82. An assumption: the paper reports that 194 of 200 split configurations lose at most one
point, and no relation between the error of an activation and accuracy."""

PARAMETERS: tuple[Parameter, ...] = (
    Parameter("model", "vit-gigantic/14", "", STATED,
              "the paper's largest, ViT-G of 1.8 billion parameters: the gigantic one, not the giant"),
    Parameter("image", "1080p", "", STATED, "240p to 1080p in the delay figures; here the largest"),
    Parameter("bits_per_pixel", 24, "bit", ASSUMED,
              "raw images travel uncompressed, three channels of eight bits"),
    Parameter("input of the model", 224, "px", ASSUMED,
              "images are resized where the first layer runs, so that their size changes the raw bytes only"),
    Parameter("classes of the head", 45, "", ASSUMED, "as RESISC45 has, one of the paper's two data sets"),
    Parameter("type of activations", "float32", "", ASSUMED,
              "the paper's compression ratios fit a reference of 32 bits"),
    Parameter("batch", 64, "images", STATED, "one task is one batch"),
    Parameter("micro_batches", 8, "", ASSUMED, "sending overlaps computing; the number of parts is not told"),
    Parameter("satellites of the ring", 12, "", STATED,
              "one plane of a Walker Delta constellation, 53° inclination"),
    Parameter("altitude of the ring", 500e3, "m", STATED, "of a circular orbit"),
    Parameter("power_modes_w", (30, 50, 15, 30, 50), "W", ASSUMED,
              "five computing nodes and the modes 15, 30, 50 W of a Jetson AGX Orin are stated, their order "
              "is not; sources differ whether all five are satellites or one is the ground"),
    Parameter("relays", 7, "", DERIVED,
              "the other satellites of the ring; that they compute nothing is assumed"),
    Parameter("precision", "fp16-tensor", "", ASSUMED, "half precision on tensor cores; not told"),
    Parameter("utilisation", 0.2, "", ASSUMED, "share of the peak that a vision transformer gets; not told"),
    Parameter("clocks of the Orin at 15, 30, 50 W", (421e6, 625e6, 829e6), "Hz", STATED,
              "NVIDIA's mode table, with 3, 4 and 8 texture clusters; another one has 408, 612 and 816 MHz"),
    Parameter("peaks of the Orin at 15, 30, 50 W", (5.173248e12, 10.24e12, 27.164672e12), "FLOP/s", DERIVED,
              "clusters × 4096 FLOP a cycle on FP16 tensor cores × clock"),
    Parameter("peak of the ground's RTX 4070 Ti", 160.3584e12, "FLOP/s", DERIVED,
              "30 clusters × 2048 FLOP a cycle × 2.61 GHz; NVIDIA states 160, and 80 with FP32 sums"),
    Parameter("memory_bytes", 8e9, "B", STATED, "room for layers on a computing satellite"),
    Parameter("footprint_bytes", None, "B", STATED,
              "2, 4, 7 and 12 GB for ViT-B, L, H and G; that it spreads evenly over the layers is assumed"),
    Parameter("isl_rate_bps", 0.5e9, "bit/s", STATED, "free-space optical links, ideal and fixed"),
    Parameter("s2g_rate_bps", 0.8e9, "bit/s", STATED,
              "Ka band up to 6 Gbps, swept from 0.2 to 0.8 Gbps; the paper's 42 % are at 0.8 Gbps"),
    Parameter("propagation_s", 11.9e-3, "s", DERIVED,
              "2 (R + h) sin(π/12) / c between neighbours of the ring"),
    Parameter("s2g_propagation_s", 1.7e-3, "s", ASSUMED,
              "h / c, as if the satellite stood overhead; not told"),
    Parameter("place of the source", "s0", "", ASSUMED, "the sensing satellite is the first that computes"),
    Parameter("place of the ground link", "s4", "", ASSUMED, "at the fifth, the last that computes"),
    Parameter("ground_computes", False, "", ASSUMED,
              "the paper's scheme hosts no layer on the ground; sources differ"),
    Parameter("codecs", None, "", ASSUMED,
              f"Gumbel mask, 8 bits, entropy coder, at ten kept shares: {', '.join(map(str, DEFAULT_KEEP))}"),
    Parameter("kept share of the paper's mask", PAPER_KEEP, "", DERIVED,
              "fit of 32/(b·ρ + 1) to its ratios 3.96 (b = 32) and 11.56 (b = 8)"),
    Parameter("gain of the entropy coder", LOSSLESS_GAIN, "", DERIVED,
              "25.82 / 11.56; the same at every share is assumed"),
    Parameter("weight of the mask's error", MASK_WEIGHT, "", ASSUMED,
              "0.70 / 1.13 points that mask and Top-k cost ViT-L on RESISC45, as if losses followed errors"),
    Parameter("encode and decode time", 0.0, "s/B", ASSUMED, "not told"),
    Parameter("max_error", MAX_ERROR, "", ASSUMED,
              "stands for one point of accuracy: what four cuts at the paper's ratio of 25.82 add up to"),
    Parameter("transmit power", 0.0, "W", ASSUMED, "not told; touches the energy only"),
)  # fmt: skip
"""Every number that `problem` rests on."""
