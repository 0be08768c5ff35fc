"""A project's guidelines: Markdown that managers write and everybody of the project reads."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token

# HTML in the text is shown as text, and no picture is fetched from elsewhere; `javascript:` links are left as text.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_HEADINGS = {"h1": "h3", "h2": "h4"}
"""Those of the page itself stand above; whatever is deeper becomes the deepest of these."""


def html(text: str) -> str:
    """The guidelines as HTML that any page may contain. Links open in a window of their own, which knows nothing of ours."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _HEADINGS.get(token.tag, "h5")
        for child in token.children or ():
            _guard(child)
    return str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})).strip()


def _guard(token: Token) -> None:
    if token.type == "link_open":
        token.attrs |= {"rel": "noopener noreferrer", "target": "_blank"}
