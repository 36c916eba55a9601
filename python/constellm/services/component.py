"""Components of large models: what a service of a problem is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.checks import instance, known_keywords, non_negative, short
from ..core.display import Display, Displayed
from ..core.plain import as_object
from ..core.quantity import quantity
from ..core.table import Table
from ..model import Profile
from .tasks import Service

ROLES = ("encoder", "projector", "decoder", "head")
MODALITIES = ("image", "radar", "text", "any")


@dataclass(frozen=True)
class Component(Displayed):
    """A part of a large model that can stand by itself, and that tasks may share.

    Parameters
    ----------
    name : str
        Of the component, and of its service.
    role : {"encoder", "projector", "decoder", "head"}
        What it is in a model.
    modality : {"image", "radar", "text", "any"}
        Of what it reads; ``"any"`` where it reads what other components make.
    flop : float
        Computation of one request [FLOP], >= 0.
    memory_bytes : float
        Weights, caches and workspace of one replica [B], >= 0.
    input_bytes : float
        Raw data that a request brings from its source [B], >= 0; 0 where all comes from other components.
    outputs : mapping of str to float
        What it can send on, by name [B], >= 0: one encoder sends all its tokens to a decoder, and only an
        embedding to a head.
    standing : mapping of str to str
        Of each figure whether it is stated, derived or assumed, and from what.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import services
    >>> head = services.Component("head", "head", "any", flop=2e6, memory_bytes=2e6, outputs={"label": 4})
    >>> head.service(cost=1)
    Service(name='head', flop=2000000.0, memory_bytes=2000000.0, cost=1.0, nodes=None)
    """

    name: str
    role: str
    modality: str
    flop: float
    memory_bytes: float
    input_bytes: float = 0.0
    outputs: Mapping[str, float] = field(default_factory=dict)
    standing: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        instance("name", self.name, str)
        for of, known in (("role", ROLES), ("modality", MODALITIES)):
            if getattr(self, of) not in known:
                raise ValueError(f"{of}: {short(getattr(self, of))} is not one of {', '.join(known)}")
        for of in ("flop", "memory_bytes", "input_bytes"):
            object.__setattr__(self, of, non_negative(of, getattr(self, of)))
        outputs = as_object("outputs", self.outputs)
        sizes = {name: non_negative(f"outputs[{name!r}]", size) for name, size in outputs.items()}
        object.__setattr__(self, "outputs", sizes)
        standing = as_object("standing", self.standing)
        object.__setattr__(self, "standing", {of: instance("standing", x, str) for of, x in standing.items()})

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of_profile(
        cls,
        name: str,
        profile: Profile,
        *,
        role: str,
        modality: str,
        layers: slice = slice(None),
        output: str = "tokens",
        **more: Any,
    ) -> Component:
        """The layers of a profile, or some of them, as a component.

        FLOP and weights are sums, the workspace is that of the layer that needs most, and what is sent on is
        what the last of the layers sends. The profile is taken as it is: of a batch of one image, a request
        is an image.

        Parameters
        ----------
        name, role, modality
            As of the class.
        profile : model.Profile
            Of `model.vit`, `model.decoder`, `infer.InferenceModel.profile` or your own.
        layers : slice
            Which of its layers, in a row. The first one's raw input is the component's input.
        output : str
            What is sent on is called so.
        **more
            Other fields, in place of those of the profile.

        Returns
        -------
        Component

        Raises
        ------
        TypeError, ValueError
            For no layers, and as the class.

        Examples
        --------
        >>> from constellm import model, services
        >>> vit = model.vit("vit-base/16", dtype="float16")
        >>> front = services.Component.of_profile(
        ...     "front", vit, role="encoder", modality="image", layers=slice(0, 6)
        ... )
        >>> round(front.flop / vit.flop, 2), front.outputs
        (0.5, {'tokens': 302592.0})
        """
        part = instance("profile", profile, Profile).detail[layers]
        if not part:
            raise ValueError(f"layers: {layers} has none of the profile's {len(profile)}")
        first = part[0] is profile.detail[0]
        resident = sum(layer.weight_bytes + layer.kv_cache_bytes for layer in part)
        known_keywords("of_profile()", more, ("flop", "memory_bytes", "input_bytes", "outputs", "standing"))
        figures: dict[str, Any] = {
            "flop": sum(layer.flop for layer in part),
            "memory_bytes": resident + max(layer.workspace_bytes for layer in part),
            "input_bytes": profile.input_bytes if first else 0.0,
            "outputs": {output: part[-1].output_bytes},
            "standing": dict.fromkeys(("flop", "memory_bytes", "outputs"), f"derived: {profile.name}"),
        }
        return cls(name, role, modality, **{**figures, **more})

    def service(self, *, cost: float, nodes: Sequence[str] | None = None, name: str | None = None) -> Service:
        """The component as a service of a problem.

        Parameters
        ----------
        cost : float
            Of a replica, >= 0.
        nodes : sequence of str, optional
            Ids of the nodes that may host it; None: all.
        name : str, optional
            By default that of the component.

        Returns
        -------
        Service
        """
        return Service(
            self.name if name is None else name,
            flop=self.flop,
            memory_bytes=self.memory_bytes,
            cost=cost,
            nodes=nodes,
        )

    def output_bytes(self, output: str) -> float:
        """Size of what it sends on under a name [B].

        Parameters
        ----------
        output : str
            A key of `outputs`.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For another name.
        """
        if output not in self.outputs:
            raise ValueError(
                f"output: {short(output)} is not one of {', '.join(self.outputs)} of {self.name!r}"
            )
        return self.outputs[output]

    def __repr__(self) -> str:
        figures = f"{quantity(self.flop, 'FLOP')}, {quantity(self.memory_bytes, 'B')}"
        return f"Component({self.name!r}, {self.modality} {self.role}, {figures})"

    def _display(self) -> Display:
        sent = ", ".join(f"{name} {quantity(size, 'B')}" for name, size in self.outputs.items())
        rows = [
            ("flop", quantity(self.flop, "FLOP")),
            ("memory", quantity(self.memory_bytes, "B")),
            ("input", quantity(self.input_bytes, "B")),
            ("outputs", sent or "–"),
        ]
        told = [f"{of}: {words}" for of, words in self.standing.items()]
        return Display([repr(self), *told], [Table(("figure", "value"), rows)])
