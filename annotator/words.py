"""Words that several modules make in the same way."""

from __future__ import annotations

import re


def as_file_name(text: str, most: int) -> str:
    """The text with nothing in it that a file system minds, of at most so many characters."""
    return re.sub(r"[^\w.]+", "-", text, flags=re.ASCII).strip("-.")[:most]
