"""Sphinx: the documentation as HTML (``make docs``).  Warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402
from pygments.lexers import TextLexer  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

from personae.core import __version__, conform  # noqa: E402

project = "personae"
author = "the personae authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "**/README.md"]
html_theme = "furo"
html_title = f"personae {version}"
html_copy_source = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

for name in conform.__all__:  # names that are loaded on first use
    setattr(conform, name, getattr(conform, name))

generate.write(HERE)


def literal_blocks(app: Sphinx, what: str, name: str, obj: object, options: object,
                   lines: list[str]) -> None:  # fmt: skip
    """What a module's docstring indents is an example, not a quotation."""
    if what != "module":
        return
    out: list[str] = []
    for line in lines:
        begins = line.startswith("    ") and len(out) > 1 and not out[-1]
        last = out[-2] if begins else ""
        if last and not last.startswith((" ", "* ", ".. ")) and last[-2:] != "::":
            out += ["::", ""]
        out.append(line)
    lines[:] = out


def setup(app: Sphinx) -> None:
    """Diagrams are shown as their text; the hosts that draw them do it themselves."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("autodoc-process-docstring", literal_blocks)
