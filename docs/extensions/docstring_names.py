"""What is a link in docstrings and signatures.

Names of attributes and parameters, and the words of their types, are no links; names of classes are. Types are written
for people: "metrics or names". Sphinx takes each word for a name, looks for anything in the package that is called so,
finds several such things or another one than is meant, and warns of the first.

Aliases of types keep their names in signatures, also within unions, where Sphinx shows its stand-in for the alias. What
is said of attributes and constants is a sentence, though it may have a colon, before which napoleon would see a type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinx import addnodes

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def _unlink(app: Sphinx, doctree: nodes.document) -> None:
    for reference in list(doctree.findall(addnodes.pending_xref)):
        if reference.get("refspecific") and reference["reftarget"].rpartition(".")[2][:1].islower():
            reference.replace_self(reference.children)


def _name_aliases(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, result: str | None
) -> tuple[str | None, str | None]:
    return _named(signature), _named(result)


def _named(text: str | None) -> str | None:
    return text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text)


def _keep_sentences(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    typed = next((line for line in lines if line.startswith(":type: ")), None)
    if typed and what in ("attribute", "data", "property"):
        lines.remove(typed)
        lines[0] = f"{typed.removeprefix(':type: ')}: {lines[0]}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("doctree-read", _unlink)
    app.connect("autodoc-process-signature", _name_aliases)
    app.connect("autodoc-process-docstring", _keep_sentences, priority=600)  # after napoleon
    return {"parallel_read_safe": True}
