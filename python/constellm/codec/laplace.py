"""Relative L2 errors of quantising and selecting activations that follow a Laplace distribution.

That activations do is an assumption (a common one: Banner, Nahshan and Soudry, "Post training 4-bit
quantization of convolutional networks for rapid-deployment", NeurIPS 2019, arXiv 1810.05723). A user who
has measured errors gives them in a table instead. Under the assumption the formulas are exact, with the
scale of the distribution cancelled: let |x| be exponential with mean 1, so that the mean of x² is 2.
"""

from __future__ import annotations

import math

from .. import _core
from ..core.checks import count

MAX_BITS = 16


def quantisation_error(bits: int) -> float:
    """Relative L2 error of a uniform quantiser with 2^bits cells over [-α, α], clipped at the ends.

    ::

        α = W(3·4^b)                                              clipping point
        h = α / 2^b                                               half a cell
        D = [h² - 2h + 2 - e^(-2h)(h² + 2h + 2)] · (1 - e^(-α)) / (1 - e^(-2h))      cells within α
            + e^(-α)(h² + 2h + 2)                                                    clipped tail
        error = √(D / 2)

    Each value goes to the middle of its cell. W is the Lambert function: the α that minimises
    2e^(-α) + α²/(3·4^b), which is D to first order in small cells (Banner et al., section 3). D itself
    is the sum of ∫e^(-x)(x - middle)² dx over the cells, taken exactly.

    Parameters
    ----------
    bits : int
        1 to 16.

    Returns
    -------
    float
        Dimensionless, root of mean squared error ÷ mean square.

    Raises
    ------
    ValueError, TypeError
        For bits that are no integer in [1, 16].

    Examples
    --------
    >>> from constellm import codec
    >>> [round(codec.quantisation_error(bits), 3) for bits in (2, 4, 8)]
    [0.446, 0.16, 0.017]
    """
    return _core.codec.quantisation_error(count("bits", bits, most=MAX_BITS))


def selection_error(keep: float, bits: int | None = None) -> float:
    """Relative L2 error of keeping the largest magnitudes and dropping the rest.

    ::

        t = -ln ρ                                  threshold that a share ρ exceeds
        error² = 1 - ρ(t² + 2t + 2)/2 + ρ·q(b)²

    The first part is the energy ∫₀ᵗ x²e^(-x) dx / 2 of what falls below t. What a kept magnitude exceeds
    t by is again exponential with mean 1, so quantising it (sign, and the excess over t) costs what
    `quantisation_error` says, q(b), for the share ρ of all values.

    Parameters
    ----------
    keep : float
        Kept share ρ in (0, 1].
    bits : int, optional
        Of a kept value, its sign included; default: kept values are exact.

    Returns
    -------
    float
        Dimensionless, root of mean squared error ÷ mean square.

    Raises
    ------
    ValueError
        For a share that is not in (0, 1].

    Examples
    --------
    >>> from constellm import codec
    >>> round(codec.selection_error(0.2), 3)  # without the smallest four fifths
    0.468
    """
    if not 0.0 < keep <= 1.0:
        raise ValueError(f"keep: {keep} is not in (0, 1]")
    threshold = -math.log(keep)
    dropped = 1.0 - keep * (threshold * threshold + 2.0 * threshold + 2.0) / 2.0
    coarse = 0.0 if bits is None else keep * quantisation_error(bits) ** 2
    # Rounding may leave a negative zero where nothing is dropped.
    return math.sqrt(max(dropped, 0.0) + coarse)
