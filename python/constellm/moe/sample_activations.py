"""Measured counts of activations that the package brings."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .activation_files import chosen, load_trace, read_expert_counts
from .activation_trace import ActivationTrace
from .activations import Activations

_DATA = Path(__file__).parent / "data"


class _Sample(NamedTuple):
    file: str
    model: str  # its name there
    top_k: int
    domains: tuple[str, ...]


_TEXTS = ("arxiv", "book", "c4", "github", "wikipedia")
_SAMPLES = {
    "mixtral-8x7b": _Sample("olmoe/counts.json", "Mixtral-8x7B-v0.1", 2, _TEXTS),
    "olmoe-1b-7b": _Sample("olmoe/counts.json", "OLMoE-1B-7B-0924", 8, (*_TEXTS, "tulu")),
    "olmoe-1b-7b-sft": _Sample("olmoe/counts.json", "OLMoE-1B-7B-0924-SFT", 8, ("tulu",)),
    "olmoe-1b-7b-instruct": _Sample("olmoe/counts.json", "OLMoE-1B-7B-0924-Instruct", 8, ("tulu",)),
    "deepseek-v2-lite": _Sample("esft/counts.json", "ESFT-vanilla-lite", 6, ("intent", "law")),
}

SAMPLE_ACTIVATIONS: dict[str, tuple[str, ...]] = {name: one.domains for name, one in _SAMPLES.items()}
"""Models of `sample_activations` → domains of the texts on which they were counted."""


def sample_activations(model: str, *, domain: str | None = None) -> Activations:
    """Measured counts by layer and expert, which the package brings.

    Of OLMoE-1B-7B and its two fine-tuned versions (64 experts, 8 a token) and of Mixtral-8x7B (8, 2 a token)
    in layers 0, 7 and 15, some 200,000 tokens a domain, from the authors of OLMoE (Apache-2.0); of a model of
    DeepSeek-V2-Lite's make (64, 6 a token) in layers 1 to 26, some 8,000 tokens a domain, from the authors of
    ESFT (MIT).

    Parameters
    ----------
    model : str
        Of `SAMPLE_ACTIVATIONS`.
    domain : str, optional
        Of the text, as there; default: all of the model's added up.

    Returns
    -------
    Activations

    Raises
    ------
    ValueError
        For an unknown model, or a domain that it has not.

    Examples
    --------
    >>> from constellm import moe
    >>> found = moe.sample_activations("olmoe-1b-7b", domain="c4")
    >>> print(found.summary(), end="")
    Activations of experts: 'olmoe-1b-7b, c4', 3 layers of 64 experts, 8 a token
    <BLANKLINE>
      layer  tokens  top ÷ uniform  Zipf exponent  sd of ln share
      0      208896  3.017          0.2655         0.2736
      7      208896  2.658          0.3467         0.4109
      15     208896  2.499          0.4226         0.5765
    """
    sample: _Sample = chosen("model", model, _SAMPLES)
    if domain is not None:
        chosen("domain", domain, dict.fromkeys(sample.domains))
    name = model if domain is None else f"{model}, {domain}"
    path = _DATA / sample.file
    found = read_expert_counts(path, model=sample.model, top_k=sample.top_k, domain=domain)
    return Activations(found.counts, top_k=found.top_k, layer_numbers=found.layer_numbers, name=name)


def sample_trace(domain: str) -> ActivationTrace:
    """The first choice of every token in every layer, measured, which the package brings.

    Of the six experts that a token activates the one of the largest gate weight, the first of equal ones, in
    the 26 layers of 64 experts of a model of DeepSeek-V2-Lite's make: what a model of one expert a token
    might do, and what `Chain` is made from. By the authors of ESFT (MIT).

    Parameters
    ----------
    domain : {'intent', 'law'}
        Of the text: 8,222 tokens in 127 sequences, or 8,327 in 33.

    Returns
    -------
    ActivationTrace

    Raises
    ------
    ValueError
        For an unknown domain.

    Examples
    --------
    >>> from constellm import moe
    >>> trace = moe.sample_trace("law")
    >>> trace
    ActivationTrace('deepseek-v2-lite, law', 8327 tokens in 33 sequences, 26 layers of 64 experts, 1 a token)
    >>> round(trace.coactivations(0, 1).mutual_information_bits, 2)
    2.49
    """
    chosen("domain", domain, dict.fromkeys(_SAMPLES["deepseek-v2-lite"].domains))
    return load_trace(_DATA / "esft" / f"{domain}.npz")
