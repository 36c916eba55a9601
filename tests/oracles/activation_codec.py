"""The activation codec written once more: slowly, in numpy, as docs/codec.md describes it.

`reconstruct` says what decoding must give, to the last bit; `symbols_and_mask` what is entropy-coded, and
`entropy_bytes` how few bytes a coder without context could take for it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLIP = {
    2: 2.8306829893702337,
    3: 3.8972294649451027,
    4: 5.028640136236213,
    5: 6.204766334013321,
    6: 7.4131262138435705,
    7: 8.645619984034424,
    8: 9.896759770017528,
}
"""W(3·4^b), Lambert's function."""

F32 = np.float32


def kept_of(keep: float, features: int) -> int:
    """ceil(keep·features), unless a rounding error away from a whole number."""
    return min(math.ceil(keep * features * (1 - 1e-9)), features)


def largest(magnitude: NDArray[Any], k: int) -> NDArray[np.bool_]:
    """The k largest, of equal ones the first."""
    kept = np.zeros(magnitude.size, dtype=bool)
    kept[np.argsort(-magnitude.astype(np.float64), kind="stable")[:k]] = True
    return kept


def select(rows: NDArray[np.float32], scheme: Any, mask: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """What is kept, shape (tokens, features)."""
    kept = np.ones(rows.shape, dtype=bool)
    features = rows.shape[1]
    if mask is not None:
        return mask.reshape(rows.shape).copy()
    for row, out in zip(rows, kept):
        if scheme.sparsify == "top-k":
            out[:] = largest(np.abs(row), kept_of(scheme.keep, features))
        elif scheme.sparsify == "block-top-k":
            for begin in range(0, features, scheme.block):
                block = np.abs(row[begin : begin + scheme.block])
                out[begin : begin + scheme.block] = largest(block, kept_of(scheme.keep, block.size))
        elif scheme.sparsify == "slicer":
            out[:] = _slicer(row, kept_of(scheme.keep, features))
    return kept


def _slicer(row: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    negative = row < 0
    square = row.astype(np.float64) ** 2
    down = sum(square[negative].tolist())
    up = sum(square[~negative].tolist())
    share = up / (up + down) if up + down > 0 else 1.0
    wanted = math.floor(share * k + 0.5)
    wanted = min(max(wanted, k - int(negative.sum())), k, int((~negative).sum()))
    kept = np.zeros(row.size, dtype=bool)
    for sign, n in ((~negative, wanted), (negative, k - wanted)):
        kept |= largest(np.where(sign, np.abs(row), -1), n)
    return kept


def clip_at(values: NDArray[np.float32], bits: int) -> np.float32:
    """t + W(3·4^bits)·√(mean (|x| - t)² / 2), at most the largest |x|."""
    magnitude = np.abs(values)
    least = magnitude.min()
    excess = (magnitude.astype(np.float64) - least) ** 2
    total = 0.0
    for lane in range(8):  # in the order of the core's sums
        part = 0.0
        for term in excess[lane::8].tolist():
            part += term
        total += part
    width = CLIP[bits] * math.sqrt(total / values.size / 2.0)
    return F32(min(least.astype(np.float64) + width, float(magnitude.max())))


def pieces_of(values: NDArray[np.float32], scheme: Any) -> list[list[Any]]:
    """[low, high, cells] of each range, from the lowest values up."""
    bits = scheme.bits
    fewest = 2 if scheme.rounding == "stochastic" else 1
    clip = np.finfo(F32).max
    if scheme.clip == "laplace" and scheme.scale == "tensor":
        clip = clip_at(values, bits)
    below = np.signbit(values)
    magnitude = np.abs(values)
    pieces: list[list[Any]] = []
    weights = []

    def add(group: NDArray[np.float32], negative: bool) -> None:
        low, high = group.min(), group.max()
        if negative:
            low = min(max(low, min(-clip, high)), high)
        else:
            high = max(low, min(high, max(clip, low)))
        pieces.append([low, high, 0])
        weights.append(group.size)

    if scheme.sparsify == "slicer":
        ends = _class_ends(magnitude, min(4, 2**bits // 4))
        of = np.searchsorted(ends, magnitude.view(np.uint32), side="right")
        for c in range(3, -1, -1):
            if np.any(below & (of == c)):
                add(values[below & (of == c)], True)
        for c in range(4):
            if np.any(~below & (of == c)):
                add(values[~below & (of == c)], False)
        _share_bits(pieces, weights, 2**bits, fewest)
    else:
        if below.any():
            add(values[below], True)
        if not below.all():
            add(values[~below], False)
        _share_cells(pieces, 2**bits, fewest)
    for piece in pieces:
        if piece[0] == piece[1]:
            piece[2] = 1
    return pieces


def is_narrow(piece: list[Any]) -> bool:
    """Whether the density of its cells is beyond the largest float: they are then computed in doubles."""
    low, high, cells = piece
    with np.errstate(over="ignore", divide="ignore"):
        return cells > 1 and not np.isfinite(F32(cells) / F32(high - low))


def _class_ends(magnitude: NDArray[np.float32], classes: int) -> NDArray[np.uint32]:
    count = np.bincount(magnitude.view(np.uint32) >> 15, minlength=65536).cumsum()
    ends = np.full(4, 0x80000000, dtype=np.uint32)
    for c in range(1, classes):
        ends[c - 1] = (int(np.argmax(count * classes >= c * magnitude.size)) + 1) << 15
    return ends


def _share_cells(pieces: list[list[Any]], cells: int, fewest: int) -> None:
    if len(pieces) == 1:
        pieces[0][2] = cells
        return
    first, second = (float(high) - float(low) for low, high, _ in pieces)
    spare = fewest - 1  # of m levels of stochastic rounding m - 1 are steps

    def widest(below: int) -> float:
        return max(first / (below - spare), second / (cells - below - spare))

    pieces[0][2] = min(range(fewest, cells - fewest + 1), key=widest)  # of equal ones the fewest
    pieces[1][2] = cells - pieces[0][2]


def _share_bits(pieces: list[list[Any]], weights: list[int], cells: int, fewest: int) -> None:
    for piece in pieces:
        piece[2] = fewest
    while True:
        used = sum(piece[2] for piece in pieces)
        best, most = None, 0.0
        for piece, weight in zip(pieces, weights):
            width = float(piece[1]) - float(piece[0])
            gain = weight * width * width / float(piece[2] * piece[2] * piece[2])
            if used + piece[2] <= cells and gain > most:
                best, most = piece, gain
        if best is None:
            return
        best[2] *= 2


def mix32(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def mix64(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % 2**64
    return x ^ (x >> 31)


def draws(seed: int, tokens: int, features: int) -> NDArray[np.float32]:
    """Uniform in [0, 1) for every element."""
    out = np.empty((tokens, features), dtype=F32)
    index = np.arange(features, dtype=np.uint32)
    for token in range(tokens):
        key = mix64((mix64((seed + 0x9E3779B97F4A7C15) % 2**64) + token) % 2**64)
        hashed = mix32(mix32(index ^ np.uint32(key % 2**32)) ^ np.uint32(key >> 32))
        out[token] = (hashed >> np.uint32(8)).astype(F32) * F32(2.0**-24)
    return out


def quantise(
    values: NDArray[np.float32], draw: NDArray[np.float32] | None, pieces: list[list[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Symbols, and the value of each of the cells."""
    levels: list[np.float32] = []
    symbols = np.zeros(values.size, dtype=np.int64)
    which = np.zeros(values.size, dtype=np.int64)
    if len(pieces) == 2:
        which[:] = ~np.signbit(values)
    for p in range(1, len(pieces) if len(pieces) > 2 else 0):
        which[values >= pieces[p][0]] = p
    in_doubles = any(map(is_narrow, pieces))
    for p, (low, high, cells) in enumerate(pieces):
        first = len(levels)
        ends = draw is not None and cells > 1
        steps = cells - 1 if ends else cells
        real: Any = np.float64 if in_doubles else F32
        density = real(0) if cells == 1 else real(steps) / (real(high) - real(low))
        mine = which == p
        cell = (values[mine].astype(real) - real(low)) * density
        if draw is not None:
            cell = cell + draw[mine]
        symbols[mine] = first + np.clip(cell, real(0), real(cells - 1)).astype(np.int64)
        real = np.float64 if is_narrow(pieces[p]) else F32
        step = (real(high) - real(low)) / real(steps)
        begin = real(0.0 if ends else 0.5)
        with np.errstate(over="ignore"):
            levels += [min(F32(real(low) + (real(c) + begin) * step), F32(high)) for c in range(cells)]
    return symbols, np.array(levels, dtype=F32)


def scale_code(largest_magnitude: np.float32) -> int:
    bits = int(F32(largest_magnitude).view(np.uint32))
    return min((bits + (1 << 18) - 1) >> 18, (0x7F800000 >> 18) - 1)


def run(
    x: NDArray[Any], scheme: Any, mask: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.bool_], list[NDArray[np.int64]], NDArray[Any]]:
    """What is kept, the streams of symbols, and what decoding gives."""
    features = x.shape[-1] if x.ndim else 1
    tokens = x.size // features if features else math.prod(x.shape[:-1])
    rows = x.reshape(tokens, features).astype(F32)
    kept = select(rows, scheme, mask)
    out = np.zeros(rows.shape, dtype=F32)
    if not scheme.bits:
        exact = np.where(kept, x.reshape(rows.shape), x.dtype.type(0))
        raw = x.reshape(rows.shape)[kept]
        planes = raw.view(np.uint8).reshape(raw.size, x.itemsize)
        return kept, [planes[:, p].astype(np.int64) for p in range(x.itemsize)], exact.reshape(x.shape)
    scale = np.ones(rows.shape, dtype=F32)
    scaled = rows.copy()
    if scheme.scale != "tensor":
        width = min(scheme.block, features) if scheme.scale == "block" else features
        for token in range(tokens):
            for begin in range(0, features, max(width, 1)):
                part = (token, slice(begin, begin + width))
                group = rows[part][kept[part]]
                if group.size == 0:
                    continue
                reach = clip_at(group, scheme.bits) if scheme.clip == "laplace" else np.abs(group).max()
                scale[part] = np.uint32(scale_code(reach) << 18).view(F32)
                with np.errstate(all="ignore"):
                    scaled[part] = rows[part] / scale[part] if scale[part].flat[0] > 0 else F32(0)
                if (
                    scheme.clip == "laplace"
                ):  # whatever is beyond the scale, if that is exact, counts as the scale
                    stored = scale[part].flat[0]
                    most = F32(1) if stored >= np.finfo(F32).tiny or stored == 0 else reach / stored
                    scaled[part] = np.clip(scaled[part], -most, most)
    values = scaled[kept]
    if values.size == 0:
        return kept, [np.zeros(0, dtype=np.int64)], np.zeros(x.shape, dtype=x.dtype)
    draw = draws(scheme.seed, tokens, features)[kept] if scheme.rounding == "stochastic" else None
    symbols, levels = quantise(values, draw, pieces_of(values, scheme))
    with np.errstate(over="ignore"):
        out[kept] = levels[symbols] * scale[kept] if scheme.scale != "tensor" else levels[symbols]
        if x.dtype == np.float16:
            out = np.clip(out, F32(-65504), F32(65504)).astype(np.float16)
    return kept, [symbols], out.reshape(x.shape)


def reconstruct(x: NDArray[Any], scheme: Any, mask: NDArray[np.bool_] | None = None) -> NDArray[Any]:
    """What decoding the encoded array gives."""
    return run(x, scheme, mask)[2]


def entropy_bytes(counts: NDArray[np.int64]) -> float:
    """n·H of a histogram, in bytes."""
    present = counts[counts > 0].astype(np.float64)
    return float(-(present * np.log2(present / present.sum())).sum() / 8) if present.size else 0.0


def bound_bytes(x: NDArray[Any], scheme: Any, mask: NDArray[np.bool_] | None = None) -> tuple[float, float]:
    """Zero-order entropy of mask and symbols, in bytes."""
    kept, streams, _ = run(x, scheme, mask)
    ones = int(kept.sum())
    of_mask = 0.0 if scheme.sparsify == "none" else entropy_bytes(np.array([ones, kept.size - ones]))
    return of_mask, sum(entropy_bytes(np.bincount(stream)) if stream.size else 0.0 for stream in streams)
