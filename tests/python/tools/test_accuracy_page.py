"""The tables of docs/accuracy.md are those of the stored results."""

from pathlib import Path

import numpy as np
import pytest

from constellm import images, infer

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("part", ["accuracy", "paired", "rivals", "curves", "ladder", "random"])
def test_table(tool, part):
    page = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    table = getattr(tool("accuracy_tables"), f"{part}_table")()
    assert table.count("\n") >= 5
    assert f"<!-- {part} -->\n{table}\n<!-- end of {part} -->" in page


def test_what_the_page_says_of_the_activations():
    """98 % of the variance in 16 directions, 90 % between images, 65 % of the energy in 26 features."""
    x = infer.load().activations(images.sample().pixels, [6])[6].astype(np.float64)
    tokens = x.reshape(-1, x.shape[-1])
    centred = tokens - tokens.mean(axis=0)
    spectrum = np.linalg.eigvalsh(centred.T @ centred)[::-1]
    assert spectrum[:16].sum() / spectrum.sum() == pytest.approx(0.98, abs=0.005)
    between = x.mean(axis=1) - tokens.mean(axis=0)
    assert (between**2).sum() * x.shape[1] / (centred**2).sum() == pytest.approx(0.9, abs=0.015)
    largest = np.sort(tokens**2, axis=1)[:, -26:]
    assert largest.sum() / (tokens**2).sum() == pytest.approx(0.65, abs=0.005)


def test_what_the_page_says_of_the_masks():
    """2,440 numbers a boundary, and magnitudes that end between 0.7 and 1.2."""
    networks = [masked.network for masked in infer.learned_compressors()["mask-0.2"].values()]
    assert {sum(value.size for value in vars(network).values()) for network in networks} == {2440}
    magnitudes = np.concatenate([network.magnitude for network in networks])
    assert (round(float(magnitudes.min()), 1), round(float(magnitudes.max()), 1)) == (0.7, 1.2)
