"""Energy of a profile's arithmetic: conventional against spiking layers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, instance, non_negative, real, short
from ..core.constants import Constant
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from ..model import Profile

_HOROWITZ = "Horowitz 2014, Computing's energy problem, ISSCC: 45 nm, 0.9 V, 32 bit floats"

ENERGIES: dict[str, Constant] = {
    "mac": Constant(4.6e-12, "J", f"{_HOROWITZ}: a product (3.7 pJ) and a sum (0.9 pJ)"),
    "ac": Constant(0.9e-12, "J", f"{_HOROWITZ}: a sum"),
    "sop": Constant(77e-15, "J", "Qiao et al. 2015, ROLLS, 180 nm: a synaptic operation"),
}
"""Energy of one operation, with its source: multiply-add, add, synaptic operation."""


@dataclass(frozen=True, eq=False, repr=False)
class Energy(Displayed):
    """Energy of one pass of a profile, layer by layer; what `energy` gives.

    Attributes
    ----------
    profile : model.Profile
    spike_rate : ndarray, shape (layers,)
        Spikes of a neuron in a step.
    steps : int
        In which the input is shown.
    conventional_j : ndarray, shape (layers,)
        FLOP / 2 multiply-adds [J].
    spiking_j : ndarray, shape (layers,)
        FLOP / 2 · rate · steps adds; where a layer is not spiking the same as `conventional_j` [J].
    neuromorphic_j : ndarray, shape (layers,)
        As many synaptic operations in place of adds [J].

    Examples
    --------
    See `constellm.services.energy`.
    """

    profile: Profile
    spike_rate: NDArray[np.float64]
    steps: int
    conventional_j: NDArray[np.float64]
    spiking_j: NDArray[np.float64]
    neuromorphic_j: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """Energy of conventional layers over that of spiking ones: above 1 spiking takes less."""
        spiking = float(self.spiking_j.sum())
        return float(self.conventional_j.sum()) / spiking if spiking else math.inf

    def __repr__(self) -> str:
        parts = (self.conventional_j, self.spiking_j, self.neuromorphic_j)
        sums = [quantity(float(part.sum()), "J") for part in parts]
        told = f"{sums[0]} conventional, {sums[1]} spiking, {sums[2]} neuromorphic"
        return f"Energy({self.profile.name!r}: {told})"

    def _display(self) -> Display:
        rows = list(
            zip(
                (layer.name for layer in self.profile.detail),
                self.spike_rate.tolist(),
                self.conventional_j.tolist(),
                self.spiking_j.tolist(),
                self.neuromorphic_j.tolist(),
            )
        )
        columns = ("layer", "spike_rate", "conventional_j", "spiking_j", "neuromorphic_j")
        sources = [f"{name}: {quantity(of.value, of.unit)}, {of.source}" for name, of in ENERGIES.items()]
        return Display([repr(self), *sources], [Table(columns, rows)])


def energy(
    profile: Profile, *, spike_rate: ArrayLike, steps: int, conventional: Iterable[int] = (0,)
) -> Energy:
    """What the arithmetic of a model takes, and what it would take if its layers were spiking.

    ::

        conventional = FLOP / 2 · 4.6 pJ        spiking = FLOP / 2 · rate · steps · 0.9 pJ

    and of a neuromorphic chip 77 fJ in place of 0.9 pJ. Spiking takes less where rate · steps is below
    `break_even`.

    Parameters
    ----------
    profile : model.Profile
    spike_rate : array_like, scalar or shape (layers,)
        Spikes of a neuron in a step, in [0, 1]. Assumed, unless it was measured.
    steps : int
        In which the input is shown, >= 1. Assumed.
    conventional : iterable of int
        Layers that stay multiply-adds in every case, once and not in every step: the first, which reads
        numbers and no spikes. Assumed, as most of the literature does.

    Returns
    -------
    Energy

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and the range.

    Notes
    -----
    The figures are of arithmetic alone. Reading weights and moving data takes more than that on most
    computers (64 bit from a cache 10 to 100 pJ, from DRAM 1.3 to 2.6 nJ, by the same source), and is left out
    for both. Rates of spikes are assumed. The accuracy is not the same: a spiking model is another model,
    trained as such. Constants of 45 nm and of 180 nm stand side by side: a newer process needs less of each.
    So a ratio from here is no forecast of a device's.

    Examples
    --------
    >>> from constellm import model, services
    >>> services.energy(model.vit("vit-base/16"), spike_rate=0.2, steps=4)
    Energy('vit-base/16': 80.8 mJ conventional, 18.7 mJ spiking, 8.21 mJ neuromorphic)
    """
    instance("profile", profile, Profile)
    rates = np.asarray(spike_rate)
    if rates.dtype.kind not in "iuf":
        raise TypeError(f"spike_rate: expected numbers, got {short(spike_rate)}")
    if rates.shape not in ((), (len(profile),)):
        raise ValueError(f"spike_rate: shape {rates.shape} is neither () nor ({len(profile)},)")
    rates = np.broadcast_to(rates.astype(np.float64), (len(profile),)).copy()
    if not ((rates >= 0) & (rates <= 1)).all():
        raise ValueError(f"spike_rate: {rates.min():g} to {rates.max():g} is not in [0, 1]")
    steps = count("steps", steps)
    macs = profile.array("flop") / 2.0
    usual = macs * ENERGIES["mac"].value
    stay = np.zeros(len(profile), dtype=bool)
    if not isinstance(conventional, Iterable):
        raise TypeError(f"conventional: expected numbers of layers, got {short(conventional)}")
    for i in conventional:
        stay[count("conventional", i, least=0, most=len(profile) - 1)] = True
    spikes = macs * rates * steps
    return Energy(
        profile=profile,
        spike_rate=rates,
        steps=steps,
        conventional_j=usual,
        spiking_j=np.where(stay, usual, spikes * ENERGIES["ac"].value),
        neuromorphic_j=np.where(stay, usual, spikes * ENERGIES["sop"].value),
    )


def break_even(operation: str = "ac") -> float:
    """Spikes of a neuron over all steps at which a spiking layer takes as much as a conventional one.

    Parameters
    ----------
    operation : {"ac", "sop"}
        Of the spiking layer.

    Returns
    -------
    float
        rate · steps.

    Raises
    ------
    ValueError
        For another operation.

    Examples
    --------
    >>> from constellm import services
    >>> round(services.break_even(), 2)
    5.11
    """
    if operation not in ("ac", "sop"):
        raise ValueError(f"operation: {short(operation)} is not one of 'ac', 'sop'")
    return ENERGIES["mac"].value / ENERGIES[operation].value


def work_j(flop: float, *, operation: str = "mac", spikes: float = 1.0) -> float:
    """Energy of some work, such as that of a service's request.

    Parameters
    ----------
    flop : float
        >= 0; two for each operation [FLOP].
    operation : {"mac", "ac", "sop"}
        A key of `ENERGIES`.
    spikes : float
        How often each operation is done: rate · steps of a spiking layer, 1 of a conventional one.

    Returns
    -------
    float
        [J]

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and the range.

    Examples
    --------
    >>> from constellm import services
    >>> services.work_j(2e12), services.work_j(2e12, operation="ac", spikes=0.8)
    (4.6, 0.72)
    """
    if not isinstance(operation, str) or operation not in ENERGIES:
        raise ValueError(f"operation: {short(operation)} is not one of {', '.join(map(repr, ENERGIES))}")
    often = real("spikes", spikes, least=0.0, most=1e9)
    return non_negative("flop", flop) / 2.0 * often * ENERGIES[operation].value
