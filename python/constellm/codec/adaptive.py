"""Compression that follows the content: every image gets its own rung of a ladder of compressors."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.checks import instance, real
from .calibration import Curve
from .compressor import Compressor

_MAGIC = b"CLMA"
_VERSION = 1
_HEAD = struct.Struct("<4sBBII")  # magic, version, rungs, images, checksum of what follows
_LENGTH = struct.Struct("<I")


class AdaptiveCompressor:
    """Sends every image of a batch by one of several compressors.

    The images of one rung are encoded together, and the bytes say which image took which rung, so that
    `decode` needs the ladder alone.

    Parameters
    ----------
    ladder : sequence of Compressor
        From the fewest bytes to the most, 1 to 255. Each gives an activation back in the shape and type
        that it was given.
    choose : callable
        Activation of shape (images, tokens, features) → rung of every image, integers of shape (images,):
        `ByDifficulty`, `ByError`, or any other.
    name : str
        For tables and menus.

    Raises
    ------
    TypeError, ValueError
        If the ladder is empty, too long, or holds something else.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> ladder = [codec.Direct(codec.Scheme(bits=bits)) for bits in (2, 8)]
    >>> x = np.random.default_rng(0).normal(size=(3, 4, 16)).astype(np.float32)
    >>> coder = codec.AdaptiveCompressor(ladder, codec.ByError(ladder, 0.3), name="by-error")
    >>> coder.decode(coder.encode(x)).shape
    (3, 4, 16)
    """

    def __init__(
        self, ladder: Sequence[Compressor], choose: Callable[[np.ndarray], np.ndarray], *, name: str
    ) -> None:
        self.ladder = _checked(ladder)
        self.choose = choose
        self.name = name

    def __repr__(self) -> str:
        return f"AdaptiveCompressor({[rung.name for rung in self.ladder]}, name={self.name!r})"

    def encode(self, x: np.ndarray) -> bytes:
        """Bytes of an activation, the images of a rung together; ValueError where it holds no image."""
        if x.ndim == 0 or len(x) == 0:
            raise ValueError(f"x: expected shape (images, …) with at least one image, got {x.shape}")
        rungs = np.asarray(self.choose(x))
        if rungs.shape != x.shape[:1] or not np.issubdtype(rungs.dtype, np.integer):
            raise ValueError(
                f"{self.name}: choose returned {rungs.dtype} of shape {rungs.shape}, "
                f"expected integers of shape {x.shape[:1]}"
            )
        wrong = np.flatnonzero((rungs < 0) | (rungs >= len(self.ladder)))
        if wrong.size:
            raise ValueError(
                f"{self.name}: rung {rungs[wrong[0]]} of image {wrong[0]} "
                f"is not in [0, {len(self.ladder) - 1}]"
            )
        body = [_pack(rungs, len(self.ladder))]
        for rung, compressor in enumerate(self.ladder):
            here = np.flatnonzero(rungs == rung)
            if here.size:
                data = compressor.encode(x[here])
                body += [_LENGTH.pack(len(data)), data]
        rest = b"".join(body)
        return _HEAD.pack(_MAGIC, _VERSION, len(self.ladder), len(rungs), zlib.crc32(rest)) + rest

    def decode(self, data: bytes) -> np.ndarray:
        """The activation; ValueError where the bytes are damaged or of another ladder."""
        rungs, parts = self._parts(data)
        found: np.ndarray | None = None
        for rung, part in parts.items():
            here = np.flatnonzero(rungs == rung)
            y = self.ladder[rung].decode(part)
            if y.shape[:1] != here.shape or (found is not None and y.shape[1:] != found.shape[1:]):
                raise ValueError(f"data: rung {rung} holds shape {y.shape} for {here.size} images")
            if found is None:
                found = np.empty((len(rungs), *y.shape[1:]), dtype=y.dtype)
            found[here] = y
        if found is None:
            raise ValueError("data: no image in it")
        return found

    def _parts(self, data: bytes) -> tuple[np.ndarray, dict[int, bytes]]:
        if len(data) < _HEAD.size:
            raise ValueError(f"data: {len(data)} bytes are fewer than the {_HEAD.size} of a header")
        magic, version, rungs, images, checksum = _HEAD.unpack_from(data)
        if magic != _MAGIC or version != _VERSION:
            raise ValueError("data: not an adaptive activation of version 1")
        if rungs != len(self.ladder):
            raise ValueError(f"data: of a ladder of {rungs} rungs, this one has {len(self.ladder)}")
        at = _HEAD.size
        packed = (images * _bits(rungs) + 7) // 8
        if zlib.crc32(data[at:]) != checksum or len(data) < at + packed:
            raise ValueError("data: damaged, its checksum or length is wrong")
        chosen = _unpack(data[at : at + packed], images, rungs)
        if images and int(chosen.max()) >= rungs:
            raise ValueError(f"data: rung {int(chosen.max())} is not in [0, {rungs - 1}]")
        at += packed
        parts = {}
        for rung in np.unique(chosen).tolist():
            if len(data) < at + _LENGTH.size:
                raise ValueError(f"data: ends before rung {rung}")
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            if len(data) < at + length:
                raise ValueError(f"data: ends within rung {rung}")
            parts[rung] = data[at : at + length]
            at += length
        if at != len(data):
            raise ValueError(f"data: {len(data) - at} bytes too many")
        return chosen, parts


@dataclass(frozen=True, eq=False)
class Probe:
    """What a classifier at the cut, one matrix on the mean token, makes of an image.

    Attributes
    ----------
    weights : ndarray, shape (features + 1, classes)
        The last row is the bias.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).normal(size=(200, 4, 2))
    >>> mean = x.mean(axis=1)
    >>> probe = codec.Probe.fit(x, logits=np.c_[mean[:, 0], -mean[:, 0]])
    >>> bool(probe(x).argmax() == abs(mean[:, 0]).argmin())  # the image between both classes is the hardest
    True
    """

    weights: np.ndarray

    @classmethod
    def fit(cls, activations: np.ndarray, logits: np.ndarray, *, ridge: float = 1e-2) -> Probe:
        """Imitate the network's own logits by ridge regression, in which features count by their spread.

        Parameters
        ----------
        activations : ndarray, shape (images, tokens, features)
            Uncompressed, at the cut.
        logits : ndarray, shape (images, classes)
            Of the network; the mean over the classes does not count.
        ridge : float
            Weight of the penalty, a share of the variance of a feature.
        """
        mean = activations.mean(axis=1, dtype=np.float64)
        target = logits - logits.mean(axis=1, keepdims=True)
        if target.shape[:1] != mean.shape[:1]:
            raise ValueError(f"logits: {len(target)} images, activations have {len(mean)}")
        centre, spread = mean.mean(axis=0), mean.std(axis=0) + 1e-12
        unit = (mean - centre) / spread
        penalty = real("ridge", ridge, least=0.0) * len(unit) * np.eye(unit.shape[1])
        slope = np.linalg.solve(unit.T @ unit + penalty, unit.T @ (target - target.mean(axis=0)))
        slope /= spread[:, None]
        return cls(np.vstack([slope, target.mean(axis=0) - centre @ slope]))

    def __call__(self, x: np.ndarray) -> NDArray[np.float64]:
        """Difficulty of every image, shape (images,): minus the lead of the first class over the second."""
        return difficulty(x.mean(axis=1, dtype=np.float64) @ self.weights[:-1] + self.weights[-1])


def difficulty(logits: np.ndarray) -> NDArray[np.float64]:
    """Difficulty of every image, shape (images,): minus the lead of the first class over the second.

    Parameters
    ----------
    logits : ndarray, shape (images, classes)
        Of two or more classes.

    Returns
    -------
    ndarray of float64, shape (images,)
        At most 0; 0 where two classes are level.

    Raises
    ------
    ValueError
        For another shape.

    Examples
    --------
    >>> from constellm import codec
    >>> codec.difficulty([[1.0, 4.0, 0.0], [2.0, 2.5, 1.0]])
    array([-3. , -0.5])
    """
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"logits: expected shape (images, classes) of two or more, got {logits.shape}")
    top = np.partition(logits, -2, axis=1)
    return top[:, -2] - top[:, -1]


@dataclass(frozen=True)
class ByDifficulty:
    """Rungs by a score: an image takes as many steps up as thresholds lie below its difficulty.

    Parameters
    ----------
    difficulty : callable
        Activation → score of every image, shape (images,); larger is harder. See `Probe` and `difficulty`.
    thresholds : tuple of float
        Not falling, one fewer than rungs; see `fit_thresholds`.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> spread = lambda x: x.std(axis=(1, 2))
    >>> x = np.array([[[0.0, 1.0]], [[0.0, 9.0]]])
    >>> codec.ByDifficulty(spread, thresholds=(2.0,))(x)
    array([0, 1])
    """

    difficulty: Callable[[np.ndarray], np.ndarray]
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        if list(self.thresholds) != sorted(self.thresholds):
            raise ValueError(f"thresholds: {self.thresholds} fall")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.thresholds, self.difficulty(x), side="left")


class ByError:
    """Rungs by quality: every image takes the first rung whose relative L2 error is at most `target`.

    The ladder is tried on the images, so that encoding takes up to twice the ladder's time.

    Parameters
    ----------
    ladder : sequence of Compressor
        As of `AdaptiveCompressor`.
    target : float
        Relative L2 error of one image; the last rung is taken where none keeps it. See `fit_error_target`.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> ladder = [codec.Direct(codec.Scheme(bits=bits)) for bits in (2, 8)]
    >>> x = np.random.default_rng(0).normal(size=(3, 4, 16)).astype(np.float32)
    >>> codec.ByError(ladder, 0.1)(x), codec.ByError(ladder, 0.9)(x)
    (array([1, 1, 1]), array([0, 0, 0]))
    """

    def __init__(self, ladder: Sequence[Compressor], target: float) -> None:
        self.ladder = _checked(ladder)
        self.target = real("target", target, least=0.0)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        rungs = np.full(len(x), len(self.ladder) - 1)
        left = np.arange(len(x))
        for rung, compressor in enumerate(self.ladder[:-1]):
            if not left.size:
                break
            here = x[left]
            difference = compressor.decode(compressor.encode(here)) - here
            good = _energy(difference) <= self.target**2 * _energy(here)
            rungs[left[good]] = rung
            left = left[~good]
        return rungs


def image_errors(x: np.ndarray, ladder: Sequence[Compressor]) -> NDArray[np.float64]:
    """Relative L2 error of every image on every rung, shape (rungs, images).

    Parameters
    ----------
    x : ndarray of float32, shape (images, tokens, features)
        Activation.
    ladder : sequence of Compressor
        As of `AdaptiveCompressor`.

    Returns
    -------
    ndarray of float64, shape (rungs, images)
        0 for an image of zeros that stays one.

    Raises
    ------
    TypeError, ValueError
        For a ladder without rungs, or what is no compressor.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> ladder = [codec.Direct(codec.Scheme(bits=bits)) for bits in (2, 8)]
    >>> x = np.random.default_rng(0).normal(size=(3, 4, 16)).astype(np.float32)
    >>> errors = codec.image_errors(x, ladder)
    >>> errors.shape, bool((errors[0] > errors[1]).all())
    ((2, 3), True)
    """
    energy = _energy(x)
    removed = np.array([_energy(rung.decode(rung.encode(x)) - x) for rung in _checked(ladder)])
    return np.sqrt(np.divide(removed, energy, out=np.zeros_like(removed), where=removed > 0.0))


def fit_error_target(errors: np.ndarray, rung_bytes: Sequence[float], budget_bytes: float) -> float:
    """Target of `ByError`: the least error that all images can keep within a mean size.

    Parameters
    ----------
    errors : ndarray, shape (rungs, images)
        See `image_errors`.
    rung_bytes : sequence of float
        Mean size of an image on every rung when all images take it, rising [B].
    budget_bytes : float
        Mean size allowed [B], at least that of the first rung.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, sizes do not rise or the budget is below the first.

    Examples
    --------
    >>> from constellm import codec
    >>> errors = [[0.3, 0.1], [0.0, 0.0]]
    >>> target = codec.fit_error_target(errors, rung_bytes=[100.0, 200.0], budget_bytes=150.0)
    >>> round(target, 6)
    0.1
    """
    errors, sizes = _on_rungs("errors", errors, rung_bytes, budget_bytes)
    last = len(sizes) - 1

    def mean_bytes(target: float) -> float:
        kept = errors[:-1] <= target
        return (
            float(sizes[np.where(kept.any(axis=0), kept.argmax(axis=0), last)].mean()) if last else sizes[0]
        )

    targets = np.unique(np.append(errors, 0.0))  # between two of them nothing changes
    low, high = 0, len(targets) - 1
    while low < high:
        middle = (low + high) // 2
        if mean_bytes(targets[middle]) <= budget_bytes:
            high = middle
        else:
            low = middle + 1
    return float(targets[high]) * (1.0 + 1e-9)  # so that rounding takes the image that sets it along


def fit_thresholds(
    difficulty: np.ndarray, loss: np.ndarray, rung_bytes: Sequence[float], budget_bytes: float
) -> tuple[float, ...]:
    """Thresholds for the least expected loss within a mean size.

    The loss on every rung is fitted as a function of difficulty that does not fall; then each image takes
    the rung with the least loss + λ·bytes, harder images no lower one, and λ is the least price at which
    the mean size keeps the budget.

    Parameters
    ----------
    difficulty : ndarray, shape (images,)
        Scores, see `ByDifficulty`.
    loss : ndarray, shape (rungs, images)
        Of every image on every rung, see `expected_losses`.
    rung_bytes : sequence of float
        Mean size of an image on every rung when all images take it, rising [B]. In the smaller groups of
        an `AdaptiveCompressor` they code a few per cent worse.
    budget_bytes : float
        Mean size allowed [B], at least that of the first rung.

    Returns
    -------
    tuple of float
        One fewer than rungs.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, sizes do not rise or the budget is below the first.

    Examples
    --------
    >>> from constellm import codec
    >>> loss = [[0.0, 0.0, 0.4], [0.0, 0.0, 0.0]]
    >>> codec.fit_thresholds([-9.0, -3.0, -1.0], loss, rung_bytes=[100.0, 400.0], budget_bytes=200.0)
    (-3.0,)
    """
    difficulty = np.asarray(difficulty, dtype=np.float64)
    if difficulty.ndim != 1 or len(difficulty) == 0:
        raise ValueError(f"difficulty: expected shape (images,) with images, got {difficulty.shape}")
    _finite("difficulty", difficulty)
    loss, sizes = _on_rungs("loss", loss, rung_bytes, budget_bytes, images=len(difficulty))
    more_bytes, spare_bytes = sizes - sizes[0], budget_bytes - sizes[0]
    scores = np.sort(difficulty)
    mean_loss = np.array([Curve.fit(difficulty, one)(scores) for one in loss])

    def rungs(price: float) -> np.ndarray:
        return np.maximum.accumulate((mean_loss + price * more_bytes[:, None]).argmin(axis=0))

    if more_bytes[rungs(0.0)].mean() > spare_bytes:
        # At the high price not even the smallest step up is worth the largest loss: all take the first rung.
        low, high = 0.0, 2.0 * np.ptp(mean_loss) / np.diff(sizes).min()
        for _ in range(100):
            middle = (low + high) / 2.0
            if more_bytes[rungs(middle)].mean() > spare_bytes:
                low = middle
            else:
                high = middle
        chosen = rungs(high)
    else:
        chosen = rungs(0.0)
    return tuple(_between(scores, int(np.searchsorted(chosen, rung))) for rung in range(1, len(sizes)))


def _on_rungs(
    field: str,
    values: np.ndarray,
    rung_bytes: Sequence[float],
    budget_bytes: float,
    *,
    images: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of shape (rungs, images) and the rungs' sizes, checked."""
    values, sizes = np.asarray(values, dtype=np.float64), np.asarray(rung_bytes, dtype=np.float64)
    if images is None:
        images = values.shape[-1] if values.ndim else 0
    if sizes.ndim != 1 or not images or values.shape != (len(sizes), images):
        raise ValueError(f"{field}: expected shape ({sizes.size}, {images or 'images'}), got {values.shape}")
    _finite(field, values)
    _finite("rung_bytes", sizes)
    if len(sizes) == 0 or np.any(np.diff(sizes) <= 0.0):
        raise ValueError(f"rung_bytes: {list(rung_bytes)} do not rise")
    if not budget_bytes >= sizes[0]:
        raise ValueError(f"budget_bytes: {budget_bytes} is less than {sizes[0]}, the size of the first rung")
    return values, sizes


def _finite(field: str, values: NDArray[np.float64]) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"{field}: {values[~np.isfinite(values)][0]} is not finite")


def _between(scores: np.ndarray, first: int) -> float:
    """A threshold that the scores from `first` on exceed, and no other."""
    if first == 0:
        return -np.inf
    return float(scores[first - 1]) if first < len(scores) else np.inf


def _checked(ladder: Sequence[Compressor]) -> tuple[Compressor, ...]:
    rungs = tuple(
        instance(f"ladder[{i}]", rung, Compressor)  # type: ignore[type-abstract]
        for i, rung in enumerate(ladder)
    )
    if not 1 <= len(rungs) <= 255:
        raise ValueError(f"ladder: {len(rungs)} rungs, expected 1 to 255")
    return rungs


def _energy(x: np.ndarray) -> NDArray[np.float64]:
    flat = x.reshape(len(x), -1)
    return np.einsum("ij,ij->i", flat, flat, dtype=np.float64)


def _bits(rungs: int) -> int:
    return max((rungs - 1).bit_length(), 1)


def _pack(chosen: np.ndarray, rungs: int) -> bytes:
    places = np.arange(_bits(rungs))
    return np.packbits((chosen[:, None] >> places & 1).astype(np.uint8)).tobytes()


def _unpack(data: bytes, images: int, rungs: int) -> NDArray[np.int64]:
    bits = _bits(rungs)
    values = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=images * bits)
    return values.reshape(images, bits).astype(np.int64) @ (1 << np.arange(bits))
