"""Measuring what codecs at the cuts do to activations, logits and accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..codec.compressor import Compressor, Compressors, compressor_at, round_trip
from ..codec.flip import fit_temperature, flips
from ..codec.measured_cuts import MeasuredCuts
from ..core.checks import count, short
from ..core.progress import bar
from ..images import ImageSet
from .infer import Segmented, item_bytes

Cuts = Mapping[int, str]


@dataclass(frozen=True)
class Measurement:
    """Rows, and the predictions that they summarise.

    Attributes
    ----------
    rows : list of MeasuredCuts
        One for every set of cuts, in the order asked for.
    predicted : ndarray of uint16, shape (rows, images)
        Classes with the cuts.
    logits : ndarray of float32, shape (images, classes)
        Without any.
    labels : ndarray of int64, shape (images,)
        The true classes.
    temperature : float
        That made probabilities of the logits, see `codec.flips`.

    Examples
    --------
    >>> from constellm import images, infer
    >>> coders = {"quantise-4": infer.direct_compressors()["quantise-4"]}
    >>> found = infer.measure(infer.load(), images.sample().per_class(1), coders, boundaries=[4, 8])
    >>> [row.cuts for row in found.rows], found.logits.shape
    ([(4,), (8,)], (10, 10))
    """

    rows: list[MeasuredCuts]
    predicted: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    temperature: float


def measure(
    net: Segmented,
    images: ImageSet | tuple[np.ndarray, np.ndarray],
    compressors: Compressors,
    *,
    boundaries: Iterable[int] | None = None,
    combinations: Iterable[Cuts] = (),
    batch: int = 64,
    temperature: float | None = None,
    progress: bool | None = None,
) -> Measurement:
    """Run every compressor at every boundary alone, and the combinations, on the same images.

    Sets of cuts that begin alike share what they have in common, and nothing is computed before the first
    cut twice: time goes with the blocks behind the last common cut.

    Parameters
    ----------
    net : Segmented
        The network: one array in, logits of shape (images, classes) out, and nothing but the activation
        from block to block (no `Side` that has to be carried).
    images : ImageSet, or pair of arrays
        Measured on, with their labels: what the network takes, shape (images, …), and integers, shape
        (images,).
    compressors : mapping of name to Compressor, or to a mapping of boundary to Compressor
        The latter for codecs that are trained for their cut.
    boundaries : iterable of int, optional
        Where each compressor is measured alone; default: every one that it is given for.
    combinations : iterable of mappings of boundary to name
        Further sets of cuts.
    batch : int
        Images that are encoded together.
    temperature : float, optional
        Of `codec.flips`; default: fitted to these images.
    progress : bool, optional
        Show a bar (needs tqdm). Default: at a prompt and in notebooks.

    Returns
    -------
    Measurement

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, a boundary is not in [1, blocks - 1], or a set of cuts is asked for twice.

    Examples
    --------
    >>> from constellm import images, infer
    >>> coders = {"quantise-2": infer.direct_compressors()["quantise-2"]}
    >>> found = infer.measure(infer.load(), images.sample().per_class(1), coders, boundaries=[6])
    >>> found.rows[0].plan, found.predicted.shape
    ({6: 'quantise-2'}, (1, 10))
    """
    inputs, labels = _arrays(images)
    batch = count("batch", batch)
    blocks = count("net.blocks", net.blocks, least=2)
    inside = range(1, blocks)
    alone = (
        list(inside) if boundaries is None else [count("boundaries", k, most=blocks - 1) for k in boundaries]
    )
    wanted: list[dict[int, str]] = [
        {k: name}
        for name, one in compressors.items()
        for k in alone
        if not isinstance(one, Mapping) or k in one
    ]
    wanted += [dict(sorted(cuts.items())) for cuts in combinations]
    tallies = [_Tally(cuts, blocks, len(labels)) for cuts in wanted]
    root = _tree(tallies, compressors, blocks)
    logits: list[np.ndarray] = []
    energy = np.zeros(blocks + 1)
    with bar(len(labels), unit="images", progress=progress) as move_on:
        for start in range(0, len(labels), batch):
            exact = _exact(net, inputs[start : start + batch])
            logits.append(exact[-1].astype(np.float32, copy=False))
            exact[-1] = _centred(exact[-1])
            energy += [_energy(x) for x in exact]
            _Walk(net, exact, slice(start, start + batch)).go(root, exact[1], 0, [], [])
            move_on(len(exact[-1]))
    before = np.concatenate(logits)
    if temperature is None:
        temperature = fit_temperature(before, labels)
    return Measurement(
        rows=[tally.row(energy, before, labels, temperature) for tally in tallies],
        predicted=np.array([tally.predicted for tally in tallies]),
        logits=before,
        labels=labels,
        temperature=temperature,
    )


def random_combinations(
    names: Sequence[str], blocks: int, sets: int, *, cuts: Sequence[int] = (2, 3, 4), seed: int = 0
) -> list[dict[int, str]]:
    """Distinct random sets of cuts: how many, where and which codec, each drawn uniformly.

    Parameters
    ----------
    names : sequence of str
        Codecs to draw from.
    blocks : int
        Of the network.
    sets : int
        How many to draw.
    cuts : sequence of int
        Numbers of cuts to draw from.
    seed : int
        Of the drawing.

    Returns
    -------
    list of dict of int to str
        Name by boundary, for `measure`.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw from, a number is out of range, or there are not so many distinct sets.

    Examples
    --------
    >>> from constellm import infer
    >>> sets = infer.random_combinations(["a", "b"], blocks=12, sets=5, seed=0)
    >>> len(sets), {len(cuts) for cuts in sets} <= {2, 3, 4}
    (5, True)
    """
    if isinstance(names, str) or not len(names):
        raise ValueError(f"names: expected at least one codec, got {names!r}")
    blocks = count("blocks", blocks, least=2)
    sizes = [count("cuts", size, most=blocks - 1) for size in cuts]
    if not sizes:
        raise ValueError("cuts: there is none")
    random = np.random.Generator(np.random.PCG64(seed))
    found: dict[tuple[tuple[int, str], ...], None] = {}
    for _ in range(100 * count("sets", sets)):
        places = np.sort(random.choice(np.arange(1, blocks), size=int(random.choice(sizes)), replace=False))
        found[tuple((int(k), names[int(random.integers(len(names)))]) for k in places)] = None
        if len(found) == sets:
            return [dict(chosen) for chosen in found]
    raise ValueError(f"sets: {sets} distinct sets were not found, there are few more than {len(found)}")


@dataclass
class _Passage:
    """One codec at one cut, on one batch."""

    removed: float
    energy: float
    raw_bytes: int
    sent_bytes: int
    encode_s: float
    decode_s: float

    def sums(self) -> list[float]:
        return [self.removed, self.energy, self.raw_bytes, self.sent_bytes]

    def s_per_byte(self) -> list[float]:
        return [self.encode_s / self.raw_bytes, self.decode_s / self.raw_bytes]


class _Tally:
    """Sums over the batches, for one set of cuts."""

    def __init__(self, cuts: dict[int, str], blocks: int, images: int) -> None:
        self.cuts, self.blocks = cuts, blocks
        self.predicted = np.zeros(images, dtype=np.uint16)
        self._passages = np.zeros((len(cuts), 4))
        self._s_per_byte = np.full((len(cuts), 2), np.inf)
        self._reached = np.zeros(blocks - min(cuts, default=1) + 1)

    def add(self, passages: list[_Passage], reached: list[float], where: slice, logits: np.ndarray) -> None:
        self._passages += [passage.sums() for passage in passages]
        # Of the fastest batch: whatever else the machine does only adds.
        self._s_per_byte = np.minimum(self._s_per_byte, [passage.s_per_byte() for passage in passages])
        self._reached += reached
        self.predicted[where] = logits.argmax(axis=1)

    def row(
        self, energy: np.ndarray, logits: np.ndarray, labels: np.ndarray, temperature: float
    ) -> MeasuredCuts:
        removed, given, raw, sent = self._passages.T
        encode_s_per_byte, decode_s_per_byte = self._s_per_byte.T
        found = flips(logits, labels, self.predicted, temperature=temperature)
        return MeasuredCuts(
            cuts=tuple(self.cuts),
            codecs=tuple(self.cuts.values()),
            blocks=self.blocks,
            images=len(labels),
            error=_several(np.sqrt(_share(removed, given))),
            reached=_several(np.sqrt(_share(self._reached, energy[min(self.cuts) :]))),
            ratio=_several(np.divide(raw, sent, out=np.full_like(raw, np.inf), where=sent > 0)),
            encode_s_per_byte=_several(encode_s_per_byte),
            decode_s_per_byte=_several(decode_s_per_byte),
            accuracy=float(np.mean(self.predicted == labels)),
            agreement=found.agreement,
            loss=found.loss,
            loss_se=found.loss_se,
            expected_loss=found.expected_loss,
            expected_loss_se=found.expected_loss_se,
        )


@dataclass
class _Node:
    """Sets of cuts that are alike up to here."""

    tally: _Tally | None = None
    next: dict[int, dict[str, _Node]] = field(default_factory=dict)
    compressor: Compressor | None = None


def _tree(tallies: list[_Tally], compressors: Compressors, blocks: int) -> _Node:
    root = _Node()
    for tally in tallies:
        if not tally.cuts:
            raise ValueError("combinations: a set without cuts")
        node = root
        for k, name in tally.cuts.items():
            count("combinations", k, most=blocks - 1)
            compressor = compressor_at("combinations", compressors, name, k)
            node = node.next.setdefault(k, {}).setdefault(name, _Node(compressor=compressor))
        if node.tally is not None:
            raise ValueError(f"combinations: {tally.cuts} is asked for twice")
        node.tally = tally
    return root


class _Walk:
    """One batch through the tree, depth first, so that an activation is held for each cut of one set only."""

    def __init__(self, net: Segmented, exact: list[np.ndarray], where: slice) -> None:
        self._net, self._exact, self._where = net, exact, where
        self._blocks = len(exact) - 1

    def go(self, node: _Node, x: np.ndarray, k: int, passages: list[_Passage], reached: list[float]) -> None:
        """From behind boundary k, where the activation is x, to the end or the last cut asked for."""
        last = self._blocks if node.tally is not None else max(node.next)
        reached = list(reached)
        for b in range(k + 1, last + 1):
            # Before the first cut all is exact.
            x = self._net.segment(b - 1, b)(x) if passages else self._exact[b]
            for child in node.next.get(b, {}).values():
                y, passage = _pass(child.compressor, x, item_bytes(self._net, b, x))
                self.go(child, y, b, [*passages, passage], [*reached, _energy(y - self._exact[b])])
            reached += [_energy(x - self._exact[b])] if passages else []
        if node.tally is not None:
            difference = _centred(x) - self._exact[-1]
            reached[-1] = _energy(difference)
            node.tally.add(passages, reached, self._where, x)


def _pass(compressor: Compressor | None, x: np.ndarray, item_bytes: int) -> tuple[np.ndarray, _Passage]:
    assert compressor is not None
    passed = round_trip(f"compressors[{compressor.name!r}]", compressor, x)
    passage = _Passage(
        removed=_energy(passed.restored - x),
        energy=_energy(x),
        raw_bytes=x.size * item_bytes,
        sent_bytes=passed.sent_bytes,
        encode_s=passed.encode_s,
        decode_s=passed.decode_s,
    )
    return passed.restored, passage


def _arrays(images: Any) -> tuple[np.ndarray, np.ndarray]:
    """What the network takes, and labels."""
    if isinstance(images, ImageSet):
        inputs, labels = images.pixels, images.labels
    elif isinstance(images, tuple) and len(images) == 2:
        inputs, labels = np.asarray(images[0]), np.asarray(images[1])
    else:
        raise TypeError(f"images: expected an ImageSet or a pair (inputs, labels), got {short(images)}")
    if inputs.ndim == 0 or labels.shape != inputs.shape[:1]:
        raise ValueError(f"images: inputs of shape {inputs.shape}, but labels of shape {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"images: expected integers as labels, the places of classes, got {labels.dtype}")
    if not len(labels):
        raise ValueError("images: none to measure on")
    return inputs, labels.astype(np.int64)


def _exact(net: Segmented, inputs: np.ndarray) -> list[np.ndarray]:
    """Inputs, the activation at every boundary, and the logits."""
    exact = [inputs]
    for k in range(net.blocks):
        exact.append(net.segment(k, k + 1)(exact[-1]))
    return exact


def _centred(logits: np.ndarray) -> np.ndarray:
    """What tells classes apart: a number added to all logits changes no probability."""
    return logits - logits.mean(axis=1, keepdims=True)


def _energy(x: np.ndarray) -> float:
    # float16 overflows at the energy of a few hundred numbers.
    exact = x.size < 4096 or x.dtype == np.float16
    flat = x.ravel().astype(np.float64, copy=False) if exact else x.ravel()
    return float(np.dot(flat, flat))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where nothing is missing of nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=part > 0.0)


def _several(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
