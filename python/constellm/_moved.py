"""Modules, and lists of records' keys, under the names of 0.1.0 until the next version."""

from __future__ import annotations

from typing import Any

from . import _core
from .core.deprecation import moved_modules, warn_moved

# Old module to the one that has its names now, both without the package's name.
MODULES = {
    "paper.claims": "paper.collaborative.claims",
    "paper.contenders": "paper.collaborative.contenders",
    "paper.experiments": "paper.collaborative.experiments",
    "paper.experiments.algorithms": "paper.collaborative.experiments.algorithms",
    "paper.experiments.communication": "paper.collaborative.experiments.communication",
    "paper.experiments.compression": "paper.collaborative.experiments.compression",
    "paper.experiments.delay": "paper.collaborative.experiments.delay",
    "paper.experiments.draw": "paper.report.draw",
    "paper.experiments.experiment": "paper.report.study",
    "paper.experiments.search": "paper.collaborative.experiments.search",
    "paper.experiments.sensitivity": "paper.collaborative.experiments.sensitivity",
    "paper.notebooks": "paper.report.notebooks",
    "paper.page": "paper.report.page",
    "paper.parameters": "paper.collaborative.parameters",
    "paper.reproduction": "paper.report.reproduction",
    "paper.rows": "core.table",
    "paper.scenario": "paper.collaborative.scenario",
    "plot.measured": "plot.accuracy",
    "run.graph": "infer.graph",
    "run.infer": "infer.infer",
    "run.learned": "infer.shipped_cuts",
    "run.measurement": "infer.measurement",
    "run.onnx_model": "infer.onnx_model",
    "run.profile": "infer.vit_profile",
    "run.shipped_cuts": "infer.shipped_cuts",
    "run.weights": "infer.weights",
    "sweep.run": "sweep.running",
    "train.joint": "codesign.loop",
    "train.joint_result": "codesign.result",
    "train.rows": "train.nested",
}

# Names that went elsewhere than the rest of their module, or are called otherwise.
NAMES = {
    "paper.contenders.measure": "paper.collaborative.contenders.solved",
    "paper.claims.verdict": "paper.report.claims.verdict",
    "paper.parameters.ASSUMED": "paper.report.study.ASSUMED",
    "paper.parameters.DERIVED": "paper.report.study.DERIVED",
    "paper.parameters.Parameter": "paper.report.study.Parameter",
    "paper.parameters.STATED": "paper.report.study.STATED",
    "paper.parameters.parameters_markdown": "paper.collaborative.parameters_markdown",
    "paper.reproduction.reproduce": "paper.reproduce",
    "paper.scenario.collaborative": "paper.collaborative.problem",
    "run.infer.Compressors": "codec.compressor.Compressors",
    "run.infer.compressor_at": "codec.compressor.compressor_at",
    "run.infer.cuts_of": "split.compressors_at_cuts",
    "sweep.run.sweep": "sweep.run",
    "train.joint.Compressors": "codec.compressor.Compressors",
    "train.joint.IDEAL": "codesign.planner.IDEAL",
    "train.joint.Order": "codesign.campaign.Order",
    "train.joint.ProblemOf": "codesign.planner.ProblemOf",
    "train.joint.Trainer": "codesign.campaign.Trainer",
    "train.joint_result.cuts_of": "split.codecs_at_cuts",
}


class _Keys:
    """Names of the fields of a record that are required, or that are not; `fields` says it now."""

    def __init__(self, name: str, required: bool) -> None:
        self.name, self.required = name, required

    def __get__(self, record: Any, kind: Any) -> tuple[str, ...]:
        warn_moved(f"{kind.__name__}.{self.name}", f"{kind.__name__}.fields")
        return tuple(field.name for field in kind.fields if field.required == self.required)


def old_modules(area: str) -> None:
    """Let the old modules of an area, by its ``__name__``, be imported; its last line calls this."""
    _, _, name = area.partition(".")
    mine = {old: new for old, new in MODULES.items() if old.startswith(f"{name}.")}
    moved_modules(__package__, mine, NAMES)


for _area in (_core.model, _core.network, _core.codec, _core.split):
    for _kind in vars(_area).values():
        if isinstance(_kind, type) and hasattr(_kind, "fields"):
            _kind.required_keys = _Keys("required_keys", True)  # type: ignore[attr-defined]
            _kind.optional_keys = _Keys("optional_keys", False)  # type: ignore[attr-defined]
