"""Every number of the study of satellite federated fine-tuning, and where it comes from.

What the review (Shi, Zhu, Jiang, Kuang, Letaief, arXiv 2504.01676, 2025) and its companion (arXiv 2504.10403)
say is known here from abstracts and summaries; of their text only the formulas for who sees whom, and the
test setting of the same group, were at hand.
"""

from __future__ import annotations

from ...services import ENERGIES, components
from ...tune import spectral_gpt
from ..report.study import ASSUMED, DERIVED, STATED, Parameter
from .experiments.over_time import START_COST_PER_BYTE
from .experiments.robustness import RISK
from .placements import BOX, REQUESTS_PER_S
from .scenario import CUT_CODEC, DECODERS, POWERS, Scenario, embedding_codec

_MODEL, _HERE, _CODEC = spectral_gpt(), Scenario(), embedding_codec()
_PARTS = components()

PARAMETERS: tuple[Parameter, ...] = (
    Parameter("planes", (_HERE.planes, 5), "", ASSUMED,
              "with 11 satellites each the size of Iridium; and 5 × 10, a Walker star, in the same group's "
              "tests"),
    Parameter("satellites_per_plane", (_HERE.satellites_per_plane, 10), "", ASSUMED, "see planes"),
    Parameter("altitude_m", _HERE.altitude_m, "m", ASSUMED, "not told; that of Iridium, of both"),
    Parameter("inclination_deg", _HERE.inclination_deg, "°", ASSUMED, "not told; that of Iridium, of both"),
    Parameter("phase between planes", None, "", ASSUMED, "half a spacing; not told"),
    Parameter("max_latitude_deg", _HERE.max_latitude_deg, "°", ASSUMED,
              "links between planes, unstable in the paper's words, are cut above; none over the seam"),
    Parameter("stations", None, "", ASSUMED,
              "not told; KSAT's in Svalbard, Troll, Inuvik, Punta Arenas; one of them; and twelve"),
    Parameter("min_elevation_deg", _HERE.min_elevation_deg, "°", ASSUMED, "not told"),
    Parameter("isl_bps", (_HERE.isl_bps, 0.1e9), "bit/s", ASSUMED,
              "not told; the second where links are slow"),
    Parameter("ground_bps", (_HERE.ground_bps, 0.1e9, 1e9), "bit/s", ASSUMED,
              "not told; the second with one station, the third with twelve; all satellites in view at once"),
    Parameter("uplink_bps", _HERE.uplink_bps, "bit/s", ASSUMED, "not told"),
    Parameter("images", _HERE.images, "", ASSUMED, "of each satellite; not told"),
    Parameter("board_flop_per_s", _HERE.board_flop_per_s, "FLOP/s", ASSUMED,
              "effective; not told, and what the claim stands or falls with: 0.5 to 8 TFLOP/s there"),
    Parameter("server_flop_per_s", _HERE.server_flop_per_s, "FLOP/s", ASSUMED, "effective; not told"),
    Parameter("rounds", _HERE.rounds, "", ASSUMED, "not told"),
    Parameter("model", None, "", STATED, "SpectralGPT; embedding and head on board, encoder on the ground"),
    Parameter("raw image", _MODEL.image_bytes, "B", DERIVED,
              "128 × 128 pixels, 12 bands; two bytes each are assumed"),
    Parameter("embedding", _MODEL.cut_bytes(1), "B", DERIVED, "1,024 tokens × 768 numbers × 4 bytes"),
    Parameter("feature", _MODEL.feature_bytes, "B", DERIVED, "768 numbers, the mean of the tokens"),
    Parameter("head", _MODEL.head_bytes, "B", DERIVED, "769 × 10 numbers"),
    Parameter("work on an image", _MODEL.board_flop(_MODEL.layers), "FLOP", DERIVED, "from the architecture"),
    Parameter("exchange within orbits", None, "", STATED,
              "embeddings by ring all-gather, heads by ring all-reduce; in every round"),
    Parameter("schedule", None, "", STATED, "a maximum flow in every slot; the length of a slot is not told"),
    Parameter("antennas", None, "", ASSUMED, "as many as satellites in view; not told"),
    Parameter("codec", _CODEC.ratio, "", ASSUMED,
              f"times smaller; {CUT_CODEC} on the shipped network's first cut stands for what one does to "
              f"SpectralGPT's embeddings; encoded by one core on board, decoded by {DECODERS} on the ground"),
    Parameter("powers",
              (POWERS.board_w, POWERS.isl_w, POWERS.down_w, POWERS.up_w, POWERS.server_w), "W", ASSUMED,
              "computer on board; transmitter between satellites, to the ground, from a station; server"),
    Parameter("data", None, "", STATED,
              "EuroSAT, Dirichlet(0.1), in the same group's tests; here its shipped sample"),
    Parameter("α of gossip", 0.5, "", ASSUMED, "not told"),
    Parameter("light time", None, "", ASSUMED,
              "within planes and in sums between them, not in transfers of data"),
    Parameter("components", None, "", DERIVED,
              "work and memory of CLIP-, SAM- and LLaVA-like parts and the shipped network, from "
              "architectures"),
    Parameter("image encoder", _PARTS["image-encoder"].flop, "FLOP", DERIVED, "a request; float16"),
    Parameter("decoder", _PARTS["decoder"].flop, "FLOP", DERIVED, "an answer of 32 tokens; float16"),
    Parameter("tasks", None, "", ASSUMED,
              "kinds in turn, regions drawn by their people; source and sink the satellite overhead"),
    Parameter("requests", REQUESTS_PER_S, "1/s", ASSUMED, "of all tasks together; not told"),
    Parameter("box", BOX, "", ASSUMED, "a rate may rise by so much of itself; a box is stated, its size not"),
    Parameter("risk", RISK, "", ASSUMED, "of a placement by samples"),
    Parameter("satellites of placements", None, "", ASSUMED,
              "Iridium NEXT, links of 0.5 Gbit/s, Jetson AGX Orin at 30 % of its peak, 1.5 to 4 GB for "
              "services"),
    Parameter("cost of a replica", 100e6, "B", ASSUMED, "1 for each started so many bytes of memory"),
    Parameter("max_utilisation", 0.9, "", ASSUMED, "of nodes and links, unless it is what is varied"),
    Parameter("deadlines", None, "", ASSUMED,
              "1.5 to 3 times what a request alone takes at best, 200 ms at least; over time 1.2 to 1.8 "
              "times"),
    Parameter("start of a replica", 1e9 * START_COST_PER_BYTE, "", ASSUMED, "for each GB of its memory"),
    Parameter("energies", tuple(of.value for of in ENERGIES.values()), "J", STATED,
              "a multiply-add and a sum in 45 nm (Horowitz 2014), a synaptic operation (77 fJ)"),
)  # fmt: skip
"""Every number that `Scenario` rests on."""
