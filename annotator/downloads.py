"""Files that are answered to be saved rather than shown."""

from __future__ import annotations


def headers(name: str) -> dict[str, str]:
    """What makes an answer a file of this name, of which no copy is kept on the way."""
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
