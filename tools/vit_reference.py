"""Compare computed vision transformers with the tables of timm and OpenCLIP.

python tools/vit_reference.py extract DATA   write tests/data/vit_reference.csv from DATA/flops_reference
python tools/vit_reference.py table          write the comparison into docs/models.md
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from constellm import model

ROOT = Path(__file__).resolve().parent.parent
EXTRACT = ROOT / "tests" / "data" / "vit_reference.csv"
DOCUMENT = ROOT / "docs" / "models.md"
BEGIN, END = "<!-- comparison: begin -->", "<!-- comparison: end -->"
TOLERANCE = 0.005

# Width, blocks, heads, MLP width by the size in a timm name (timm, vision_transformer.py; Apache-2.0).
SIZES = {
    "tiny": (192, 12, 3, 768),
    "wee": (256, 14, 4, 1280),
    "xsmall": (256, 10, 4, 1024),
    "little": (320, 14, 5, 1792),
    "small": (384, 12, 6, 1536),
    "medium": (512, 12, 8, 2048),
    "mediumd": (512, 20, 8, 2048),
    "betwixt": (640, 12, 10, 2560),
    "base": (768, 12, 12, 3072),
    "base_plus": (896, 12, 14, 3584),
    "so150m": (896, 18, 14, 2304),
    "so150m2": (832, 21, 13, 2176),
    "large": (1024, 24, 16, 4096),
    "intern300m": (1024, 24, 16, 4096),
    "so400m": (1152, 27, 16, 4304),
    "huge": (1280, 32, 16, 5120),
    "giant": (1408, 40, 16, 6144),
    "giantopt": (1536, 40, 16, 6144),
    "gigantic": (1664, 48, 16, 8192),
    "enormous": (1792, 64, 16, 15360),
}
FAMILIES = r"(?:vit|deit3|deit|flexivit|beitv2|beit3|beit|eva02|eva|naflexvit|samvit)_"
NOT_PLAIN = {
    r"_r\d+_|resnet|_r_s16|_mci_": "convolutional stem",
    r"_(pwee|dwee|dpwee|dlittle)_": "parallel or differential attention",
    r"samvit_\w+_patch16$": "attention in windows",
    r"_pe_core_": "class token and attention pool at once",
    r"_pe_lang_": "last block removed",
    r"coca": "pools into 256 tokens",
    r"_par_|_parfac_": "parallel blocks",
}
# Tokens beside patches and class token: registers that the name does not tell, a distillation token, and
# a class token that is not read out.
EXTRA_TOKENS = {
    "dinov3": 4,
    "distilled|_clsgap": 1,
    r"naflexvit_base_\w+_gap": 4,
    r"naflexvit_base_\w+_map": 1,
}


class Row(NamedTuple):
    """One line of the extract: what a table says of a model, and the model's architecture."""

    table: str
    name: str
    image_px: int
    gmacs: float
    mparams: float
    width: int
    blocks: int
    heads: int
    mlp_width: int
    gated_mlp: int
    patch_px: int
    pool: str
    registers: int
    classes: int


class Comparison(NamedTuple):
    """Computed against reported; shares are signed."""

    row: Row
    gmacs: float
    share: float
    share_with_norms: float
    parameter_share: float
    explanation: str

    @property
    def agrees(self) -> bool:
        """Within the tolerance, or so once norms are counted as the table does."""
        return abs(self.share) <= TOLERANCE or bool(self.explanation)


def timm_architecture(name: str) -> dict[str, object] | None:
    """Architecture of a plain vision transformer from its name in timm; None for what is not plain."""
    if not re.match(FAMILIES, name) or any(re.search(rule, name) for rule in NOT_PLAIN):
        return None
    size = re.sub(FAMILIES + "(?:pe_spatial_|relpos_|srelpos_)?", "", name).split("_")[0]
    found_patch = re.search(r"_patch(\d+)", name)
    if size not in SIZES or not (found_patch or name.startswith("flexivit")):
        return None
    patch = int(found_patch[1]) if found_patch else 16
    if size == "base" and "_plus" in name:
        size = "base_plus"
    width, blocks, heads, mlp = SIZES[size]
    gated = False
    if "giant_patch14" in name and "dinov2" in name:
        width, blocks, heads, mlp, gated = 1536, 40, 24, 4096, True
    elif "_plus_patch16_dinov3" in name:
        gated = True
    elif re.search("36x1|18x2", name):
        blocks = 36  # 18 pairs of parallel blocks do the work of 36
    found_registers = re.search(r"_reg(\d)_", name)
    registers = int(found_registers[1]) if found_registers else 0
    registers += next((count for rule, count in EXTRA_TOKENS.items() if re.search(rule, name)), 0)
    without_class = re.search(r"gap|relpos_(?!.*_cls)|_rpn_", name)
    pool = "mean" if without_class else "attention" if re.search("siglip|_map", name) else "token"
    return {
        "width": width,
        "blocks": blocks,
        "heads": heads,
        "mlp_width": mlp,
        "gated_mlp": int(gated),
        "patch_px": patch,
        "pool": pool,
        "registers": registers,
        "classes": 0 if re.search("siglip|dino", name) else 1000,
    }


def read_timm(folder: Path) -> list[Row]:
    """Every plain vision transformer of the benchmark tables; one row per model and image size."""
    rows: dict[tuple[str, int], Row] = {}
    for path in sorted(folder.glob("benchmark-infer-*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                architecture = timm_architecture(line["model"])
                if architecture is None or not line.get("infer_gmacs"):
                    continue
                px = int(line["infer_img_size"])
                rows[line["model"], px] = Row(
                    table="timm",
                    name=line["model"],
                    image_px=px,
                    gmacs=float(line["infer_gmacs"]),
                    mparams=float(line["param_count"]),
                    **architecture,  # type: ignore[arg-type]
                )
    return [rows[key] for key in sorted(rows)]


def read_open_clip(folder: Path) -> list[Row]:
    """Image towers of the OpenCLIP profile that are plain vision transformers."""
    rows = []
    with (folder / "model_profile.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if re.match("coca_(?!roberta)", line["model"]):
                continue
            config = json.loads(
                (folder / "model_configs" / f"{line['model']}.json").read_text(encoding="utf-8")
            )
            vision = config["vision_cfg"]
            if "timm_model_name" in vision:
                architecture = timm_architecture(vision["timm_model_name"])
            elif isinstance(vision["layers"], int):
                width = vision["width"]
                architecture = {
                    "width": width,
                    "blocks": vision["layers"],
                    "heads": width // vision.get("head_width", 64),
                    "mlp_width": int(width * vision.get("mlp_ratio", 4.0)),
                    "gated_mlp": 0,
                    "patch_px": vision["patch_size"],
                    "pool": "token",
                    "registers": 0,
                }
            else:
                architecture = None
            if architecture is None:
                continue
            architecture["classes"] = 0 if architecture["pool"] == "attention" else int(line["embed_dim"])
            rows.append(
                Row(
                    table="OpenCLIP",
                    name=line["model"],
                    image_px=int(line["image_size"]),
                    gmacs=float(line["image_gflops"]) / 2,
                    mparams=float(line["image_mparams"]),
                    **architecture,  # type: ignore[arg-type]
                )
            )
    return sorted(rows, key=lambda row: row.name)


def read_extract(path: Path = EXTRACT) -> list[Row]:
    """The rows that travel with the project."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(line for line in file if not line.startswith("#"))
        next(lines)
        return [Row(*(kind(text) for kind, text in zip(KINDS, line))) for line in lines]


KINDS = (str, str, int, float, float, int, int, int, int, int, int, str, int, int)


def write_extract(rows: list[Row], path: Path = EXTRACT) -> None:
    """Write `rows` with their source."""
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(
            "# gmacs, mparams: timm, results/benchmark-infer-*.csv at aa4b5850c154 (Apache-2.0); OpenCLIP,\n"
            "# docs/model_profile.csv at 89fb801f1e60 (MIT), image tower, GFLOPs / 2. Rest: architecture.\n"
        )
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(rows)


def compare(row: Row) -> Comparison:
    """Compute the model of `row` and set it beside the table."""
    profile = model.vit(
        {
            "model_type": "vit",
            "hidden_size": row.width,
            "num_hidden_layers": row.blocks,
            "num_attention_heads": row.heads,
            "intermediate_size": row.mlp_width,
            "gated_mlp": bool(row.gated_mlp),
            "patch_size": row.patch_px,
            "image_size": row.image_px,
        },
        pool=row.pool,
        registers=row.registers,
        classes=row.classes,
    )
    gmacs = profile.flop / 2e9
    share = gmacs / row.gmacs - 1
    # fvcore, which timm counts with, adds 5 per number for each norm: two a block and a last one.
    tokens = (row.image_px // row.patch_px) ** 2 + row.registers + (row.pool == "token")
    norms = 5e-9 * (2 * row.blocks + 1) * tokens * row.width if row.table == "timm" else 0.0
    share_with_norms = (gmacs + norms) / row.gmacs - 1
    explanation = ""
    if abs(share) > TOLERANCE >= abs(share_with_norms):
        explanation = f"the table counts norms, and rounds to ±{0.005 / row.gmacs:.1%}"
    parameter_share = profile.parameters / 1e6 / row.mparams - 1
    return Comparison(row, gmacs, share, share_with_norms, parameter_share, explanation)


def markdown(comparisons: list[Comparison]) -> str:
    """The comparison as text and one table."""
    lines = []
    for table in ("timm", "OpenCLIP"):
        part = [c for c in comparisons if c.row.table == table]
        within = [c for c in part if abs(c.share) <= TOLERANCE]
        norms = [c for c in part if abs(c.share_with_norms) <= 0.001]
        lines.append(
            f"* {table}: {len(part)} models and image sizes, {len(within)} within 0.5 %, the other "
            f"{len(part) - len(within)} explained below; counted as the table counts, "
            f"{len(norms)} within 0.1 %."
        )
    outliers = [c for c in comparisons if abs(c.share) > TOLERANCE]
    lines += [
        "",
        "| outlier | image | table | here | difference | why |",
        "| --- | --: | --: | --: | --: | --- |",
    ]
    lines += [
        f"| {c.row.name} | {c.row.image_px} | {c.row.gmacs:.2f} | {c.gmacs:.3f} | {c.share:+.2%} | "
        f"{c.explanation or '**unexplained**'} |"
        for c in outliers
    ]
    lines += [
        "",
        "All of them (GMAC of one image; *as counted*: with norms where the table has them):",
        "",
        "| table | model | image | table | here | difference | as counted | parameters |",
        "| --- | --- | --: | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {c.row.table} | {c.row.name} | {c.row.image_px} | {c.row.gmacs:.2f} | {c.gmacs:.3f} | "
        f"{c.share:+.2%} | {c.share_with_norms:+.2%} | {c.parameter_share:+.2%} |"
        for c in comparisons
    ]
    return "\n".join(lines)


def document(text: str, comparisons: list[Comparison]) -> str:
    """`text` with the part between the two marks replaced."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{markdown(comparisons)}\n{END}{after}"


def main(command: Sequence[str] | None = None) -> None:
    """Run one of the two commands of the module's heading."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("extract").add_argument("data", type=Path)
    steps.add_parser("table")
    asked = parser.parse_args(command)
    if asked.step == "extract":
        reference = asked.data / "flops_reference"
        write_extract(read_timm(reference / "timm") + read_open_clip(reference / "open_clip"))
    else:
        comparisons = [compare(row) for row in read_extract()]
        DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8"), comparisons), encoding="utf-8")


if __name__ == "__main__":
    main()
