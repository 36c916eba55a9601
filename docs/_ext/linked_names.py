"""Names of the package lead to their entries in the reference, and words that only look like names do not."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

NAME = re.compile(r"(?:clm\.|constellm\.)?((?:\w+\.)+\w+)(?:\(.*\))?", re.DOTALL)


class PlainWordsInTypes(SphinxPostTransform):
    """``array, shape (layers,)`` is no reference to the one attribute that is called so."""

    default_priority = 5  # before references are resolved

    def run(self, **kwargs: Any) -> None:
        for reference in list(self.document.findall(addnodes.pending_xref)):
            if reference.get("refspecific") and not reference["reftarget"].lstrip(".")[:1].isupper():
                reference.replace_self(reference.children)


# What names that several areas have mean on the pages of areas that have none of them.
ELSEWHERE = {
    "Layer": "constellm.model.Layer",
    "Plan": "constellm.split.Plan",
    "Problem": "constellm.split.Problem",
}


class NamesOfSeveralAreas(SphinxPostTransform):
    """A type that is no name of the page's own area is that of `ELSEWHERE`."""

    default_priority = 6

    def run(self, **kwargs: Any) -> None:
        objects = self.env.domains.python_domain.objects
        for reference in list(self.document.findall(addnodes.pending_xref)):
            name = reference["reftarget"].lstrip(".")
            if name in ELSEWHERE and f"{reference.get('py:module')}.{name}" not in objects:
                reference["reftarget"] = ELSEWHERE[name]


class LinkNames(SphinxPostTransform):
    """`split.solve`, `clm.split.solve(problem)` and `constellm.split.solve` in a text, alike."""

    default_priority = 20  # when they are

    def run(self, **kwargs: Any) -> None:
        objects = self.env.domains.python_domain.objects
        for literal in list(self.document.findall(nodes.literal)):
            found = NAME.fullmatch(literal.astext())
            entry = objects.get(f"constellm.{found[1]}") if found else None
            if entry is None or isinstance(literal.parent, (nodes.reference, nodes.title)):
                continue
            place = self.env.current_document.docname, entry.docname
            literal.replace_self(make_refnode(self.app.builder, *place, entry.node_id, literal.deepcopy()))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_post_transform(PlainWordsInTypes)
    app.add_post_transform(NamesOfSeveralAreas)
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": True}
