"""Notebooks and pages lead to each other.

The notebooks lie beside the documentation's folder, which has them by a symbolic link.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode

LINK = re.compile(r"\[([^\[\]]+)\]\((?:(?:\.\./)+notebooks/)?([\w-]+)\.ipynb\)")


def link_notebooks(app: Sphinx, name: str, content: list[str]) -> None:
    """Links that hold in the repository hold on the site."""
    content[0] = LINK.sub(r"{doc}`\1 </notebooks/\2>`", content[0])


def pages_by_notebook(folder: Path) -> dict[str, list[str]]:
    """Names of the pages that link to a notebook, by the name of its own page."""
    pages: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("*.md")):
        for notebook in dict.fromkeys(found[2] for found in LINK.finditer(file.read_text(encoding="utf-8"))):
            page = file.relative_to(folder).with_suffix("").as_posix()
            pages.setdefault(f"notebooks/{notebook}", []).append(page)
    return pages


def link_back(app: Sphinx, document: nodes.document, name: str) -> None:
    """Below the title of a notebook, the pages that tell of it."""
    if not name.startswith("notebooks/"):
        return
    line = nodes.paragraph(classes=["back"])
    for i, page in enumerate(["notebooks", *pages_by_notebook(Path(app.srcdir)).get(name, [])]):
        title = app.env.titles[page].astext() if i else "← Notebooks"
        line += [nodes.Text(" · "), make_refnode(app.builder, name, page, None, nodes.Text(title))][i == 0 :]
    heading = next(document.findall(nodes.title))
    heading.parent.insert(heading.parent.index(heading) + 1, line)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", link_notebooks)
    app.connect("doctree-resolved", link_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
