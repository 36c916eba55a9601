"""Models that transformers builds from configurations: parameters, caches and FLOP, for the tests.

python tools/architecture_reference.py    write tests/data/architectures.json anew (needs torch, transformers)

``published`` are the configurations of known models, with the fields that their files have; their parameters
are counted on the meta device. ``small`` are models that run: elements of the cache of each layer after a
prompt, and the FLOP of matrix products and convolutions that PyTorch counts, token by token for decoders
(masked pairs are computed in a prompt, never in a single token), one text for encoders, one image for vision
towers.
"""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "tests" / "data" / "architectures.json"
TOKENS = 11
"""Length of the text that small decoders read: longer than their windows."""


def model_class(config: dict[str, Any], default: str) -> str:
    """The class of transformers whose weights are meant."""
    return (config.get("architectures") or [default])[0]


def build(config: dict[str, Any], default: str, device: str = "cpu") -> Any:
    """The model of `config`, with random weights; none on the meta device."""
    import torch
    import transformers

    fields = {name: value for name, value in config.items() if name != "architectures"}
    settings = transformers.AutoConfig.for_model(**fields)
    settings._attn_implementation = "eager"
    if hasattr(settings, "_experts_implementation"):
        settings._experts_implementation = "eager"
    torch.manual_seed(1)
    with torch.device(device):
        return getattr(transformers, model_class(config, default))(settings).eval()


def parameters(config: dict[str, Any], default: str) -> int:
    """Parameters of the model that transformers builds, shared ones once."""
    return sum(parameter.numel() for parameter in build(config, default, "meta").parameters())


def _counted(model: Any, **inputs: Any) -> tuple[Any, int]:
    """Output of a pass and its FLOP, without those that make the angles of rotary positions."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = model(**inputs)
    by_module = counter.get_flop_counts()
    angles = sum(
        sum(counts.values())
        for name, counts in by_module.items()
        if name.rsplit(".", 1)[-1].startswith("rotary_emb")
    )
    return output, counter.get_total_flops() - angles


def _cache_name(model: Any) -> str:
    """What a model's forward calls its cache; the name changed in 5.x."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def _flop_by_token(model: Any, ids: Any, ids_name: str, **inputs: Any) -> list[int]:
    """FLOP of each token on its own, behind those before it."""
    name, flop = _cache_name(model), []
    more: dict[str, Any] = {}
    for index in range(ids.shape[1]):
        token = {ids_name: ids[:, index : index + 1]}
        output, count = _counted(model, **token, use_cache=True, **inputs, **more)
        more = {name: output[name]}
        flop.append(count)
    return flop


def decoder_figures(config: dict[str, Any], default: str, tokens: int = TOKENS) -> dict[str, Any]:
    """Cache elements by layer after a prompt of `tokens`, and FLOP of each token on its own."""
    import torch

    model = build(config, default)
    ids = torch.arange(tokens)[None] % model.config.vocab_size
    with torch.no_grad():
        cache = model(input_ids=ids, use_cache=True)[_cache_name(model)]
    layers = [layer.keys.numel() + layer.values.numel() for layer in cache.layers]
    return {"cache_elements": layers, "flop_by_token": _flop_by_token(model, ids, "input_ids")}


def encoder_figures(config: dict[str, Any], default: str, tokens: int = TOKENS) -> dict[str, Any]:
    """FLOP of the encoder's pass over `tokens`, and of each token of the decoder behind them."""
    import torch

    model = build(config, default)
    ids = torch.arange(tokens)[None] % model.config.vocab_size
    encoded, flop = _counted(model.get_encoder(), input_ids=ids)
    by_token = _flop_by_token(model, ids, "decoder_input_ids", encoder_outputs=encoded)
    return {"encoder_flop": flop, "flop_by_token": by_token}


def vision_figures(config: dict[str, Any], default: str) -> dict[str, Any]:
    """FLOP of one image."""
    import torch

    model = build(config, default)
    side = config.get("image_size", 224)
    image = torch.zeros(1, config.get("num_channels", 3), side, side)
    return {"flop": _counted(model, pixel_values=image)[1]}


def figures(config: dict[str, Any], family: Any) -> dict[str, Any]:
    """All that is recorded of a small model."""
    made = vision_figures if family.vision else encoder_figures if family.encoder else decoder_figures
    count = parameters(config, family.classes[0])
    return {"parameters": count, **made(config, family.classes[0])}


def main(command: Sequence[str] | None = None) -> None:
    """Count everything again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.parse_args(command)
    import transformers

    from constellm.model.families import FAMILIES

    recorded = json.loads(DATA.read_text(encoding="utf-8"))
    recorded["transformers"] = transformers.__version__
    for row in recorded["published"]:
        row["parameters"] = parameters(row["config"], FAMILIES[row["config"]["model_type"]].classes[0])
    for row in recorded["small"]:
        row.update(figures(row["config"], FAMILIES[row["config"]["model_type"]]))
    lines = [f' "transformers": {json.dumps(recorded["transformers"])}']
    for part in ("published", "small"):
        rows = ",\n".join("  " + json.dumps(row) for row in recorded[part])
        lines.append(f' "{part}": [\n{rows}\n ]')
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
