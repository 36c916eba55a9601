"""The documentation site: ``make docs`` builds it into build/docs, without a network."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import constellm

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
os.environ["CONSTELLM_QUICK"] = "0"  # the notebooks' full grids
os.environ["TQDM_DISABLE"] = "1"  # nobody waits for what a page shows
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # whatever the caller draws with

project = "constellm"
author = "The constellm developers"
copyright = author
version = release = constellm.__version__

extensions = [
    "myst_nb",  # pages in Markdown; their cells, and the notebooks, are executed
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "linked_names",
    "notebook_links",
    "reference_entries",
]
exclude_patterns = ["**.ipynb_checkpoints", "_ext"]
nitpicky = True

# ---- pages and notebooks ----------------------------------------------------------------------

myst_enable_extensions = ["dollarmath", "substitution"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # nothing shown is older than the package
nb_execution_timeout = 300
nb_merge_streams = True

# ---- reference --------------------------------------------------------------------------------

default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types stand in the docstrings, where shapes and units are
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# Of what docstrings name in words, only the package's own full names must lead somewhere.
nitpick_ignore_regex = [(r"py:.*", r"(?!constellm\.).*|constellm\.(split|moe|transfer)-(problem|plan)")]
if importlib.util.find_spec("torch") is None:
    autodoc_mock_imports = ["torch"]

# ---- look -------------------------------------------------------------------------------------

html_theme = "furo"
html_title = f"constellm {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
copybutton_exclude = ".linenos, .gp, .go"
pygments_style = "friendly"
pygments_dark_style = "monokai"
