"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes to a temporary name first and then renames; what stood there stays until then. An OSError names the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except OSError as error:
        error.filename = str(path)  # a full disk is found out by a write, which knows no name
        raise
    finally:
        temporary.unlink(missing_ok=True)
