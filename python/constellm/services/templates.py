"""Kinds of tasks: which components serve a request, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from ..core.checks import count, instance
from .component import Component
from .tasks import Input, Stage, Task

From = Union[int, None]


@dataclass(frozen=True)
class TemplateStage:
    """A component of a template, and what it waits for.

    Parameters
    ----------
    component : str
        Its name.
    inputs : sequence of (int, str)
        Position of an earlier stage and the name of one of its outputs.
    raw : bool
        Whether it also waits for raw data of its own from the source: the component's `input_bytes`.

    Examples
    --------
    >>> from constellm import services
    >>> services.TEMPLATES["captioning"].stages[1]
    TemplateStage(component='projector', inputs=((0, 'tokens'),), raw=False)
    """

    component: str
    inputs: tuple[tuple[int, str], ...] = ()
    raw: bool = False

    def __post_init__(self) -> None:
        instance("component", self.component, str)
        put = object.__setattr__
        put(self, "inputs", tuple((count("inputs", k, least=0), instance("inputs", output, str))
                                  for k, output in self.inputs))  # fmt: skip
        if not self.inputs and not self.raw:
            raise ValueError(f"inputs: {self.component!r} waits for nothing, neither stages nor raw data")


@dataclass(frozen=True)
class Template:
    """A kind of task over components: a directed graph without cycles.

    Parameters
    ----------
    name : str
        Of the kind.
    stages : sequence of TemplateStage
        Each after those that it waits for; the last one answers.
    output : str
        Which output of the last component goes to the sink.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import services
    >>> kind = services.TEMPLATES["answering"]
    >>> kind.components, kind.modalities(services.components())
    (('image-encoder', 'projector', 'decoder'), ('image', 'text'))
    >>> task = kind.task(services.components(), "one", source="s0", sink="s1", rate_per_s=0.5)
    >>> task.stages[2].inputs
    (Input(from_=1, bytes=1032192.0), Input(from_=-1, bytes=128.0))
    """

    name: str
    stages: tuple[TemplateStage, ...]
    output: str

    def __post_init__(self) -> None:
        instance("name", self.name, str)
        stages = tuple(instance(f"stages[{i}]", x, TemplateStage) for i, x in enumerate(self.stages))
        if not stages:
            raise ValueError("stages: a template needs at least one, got none")
        for i, stage in enumerate(stages):
            for k, _ in stage.inputs:
                if k >= i:
                    raise ValueError(f"stages[{i}].inputs: {k} is not in [0, {i}), a stage before it")
        object.__setattr__(self, "stages", stages)
        instance("output", self.output, str)

    @property
    def components(self) -> tuple[str, ...]:
        """Names of its components, in the order of the stages."""
        return tuple(stage.component for stage in self.stages)

    def modalities(self, components: Mapping[str, Component]) -> tuple[str, ...]:
        """What raw data its requests bring, in the order of the stages.

        Parameters
        ----------
        components : mapping of str to Component

        Returns
        -------
        tuple of str
        """
        read = [component_of(components, stage.component).modality for stage in self.stages if stage.raw]
        return tuple(dict.fromkeys("text" if of == "any" else of for of in read))

    def task(
        self,
        components: Mapping[str, Component],
        name: str,
        *,
        source: str,
        sink: str,
        rate_per_s: float,
        **more: Any,
    ) -> Task:
        """A task of this kind.

        Parameters
        ----------
        components : mapping of str to Component
            By name; the sizes of what is sent are theirs.
        name : str
            Of the task.
        source, sink : str
            Ids of the nodes where requests come from and where answers go.
        rate_per_s : float
            Requests [1/s], > 0.
        **more
            Other fields of `Task`.

        Returns
        -------
        Task

        Raises
        ------
        ValueError, TypeError
            For a component or an output that is not there, and what `Task` refuses.
        """
        stages = []
        for stage in self.stages:
            inputs = [
                Input(k, component_of(components, self.stages[k].component).output_bytes(output))
                for k, output in stage.inputs
            ]
            if stage.raw:
                inputs.append(Input(-1, component_of(components, stage.component).input_bytes))
            stages.append(Stage(stage.component, tuple(inputs)))
        last = component_of(components, self.stages[-1].component)
        return Task(
            name,
            rate_per_s=rate_per_s,
            source=source,
            sink=sink,
            stages=tuple(stages),
            output_bytes=last.output_bytes(self.output),
            **more,
        )


def component_of(components: Mapping[str, Component], name: str) -> Component:
    """The one of that name; a ``ValueError`` names what there is."""
    if name not in components:
        raise ValueError(f"components: no {name!r} among {', '.join(components) or 'none'}")
    return components[name]


def _reads(component: str) -> TemplateStage:
    return TemplateStage(component, raw=True)


_IMAGE = TemplateStage("image-encoder", raw=True)
_TEXT = TemplateStage("text-encoder", raw=True)
_RADAR = TemplateStage("radar-encoder", raw=True)
_FUSED = (_IMAGE, _RADAR, TemplateStage("fusion-head", ((0, "tokens"), (1, "tokens"))))


def _told(after: int, *, asked: bool) -> tuple[TemplateStage, ...]:
    """An answer in words to the tokens of a stage, and to a question where one is asked."""
    projector = TemplateStage("projector", ((after, "tokens"),))
    return projector, TemplateStage("decoder", ((after + 1, "tokens"),), raw=asked)


_KINDS = (
    Template("classification", (_IMAGE, TemplateStage("class-head", ((0, "embedding"),))), "label"),
    Template(
        "retrieval",
        (_IMAGE, _TEXT, TemplateStage("match-head", ((0, "embedding"), (1, "embedding")))),
        "score",
    ),
    Template(
        "detection",
        (_IMAGE, _TEXT, TemplateStage("detection-head", ((0, "tokens"), (1, "embedding")))),
        "boxes",
    ),
    Template("captioning", (_IMAGE, *_told(0, asked=False)), "text"),
    Template("answering", (_IMAGE, *_told(0, asked=True)), "text"),
    Template(
        "segmentation",
        (TemplateStage("mask-encoder", raw=True), TemplateStage("mask-head", ((0, "tokens"),))),
        "mask",
    ),
    Template("fusion", _FUSED, "label"),
    Template("report", (*_FUSED, *_told(2, asked=True)), "text"),
    Template(
        "landuse",
        (TemplateStage("landuse-front", raw=True), TemplateStage("landuse-back", ((0, "tokens"),))),
        "label",
    ),
)

TEMPLATES: dict[str, Template] = {kind.name: kind for kind in _KINDS}
"""Kinds of tasks by name.

``classification``, ``retrieval`` and ``detection`` compare an image with labels or a text as CLIP and OWL-ViT
do; ``captioning`` is LLaVA's chain, ``answering`` the same with a question beside the image; ``segmentation``
is SAM's; ``fusion`` joins image and radar, and ``report`` answers a question on both; ``landuse`` is the ViT
that ships, cut in two.
"""
