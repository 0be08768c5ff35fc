"""Files to import, under the names by which the person who brought them knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_CLUTTER = re.compile(r"(^|/)((\.[^/]*|__MACOSX)(/|$)|(Thumbs\.db|desktop\.ini|DICOMDIR)$)", re.IGNORECASE)
_NAME_BYTES = 200  # file systems take 255 of a name; the rest is for what they put around it
_DEPTH = 8


@dataclass(frozen=True)
class NamedFile:
    """A file, and its path inside the folder or archive that was given."""

    path: Path
    name: str


def collect(paths: Iterable[str | Path]) -> list[NamedFile]:
    """The files given, and all files below the folders given but for clutter."""
    return [file for path in paths for file in _below(Path(path))]


def is_clutter(name: str) -> bool:
    """Left behind by operating systems or repeating what the images say; never part of a study."""
    return bool(_CLUTTER.search(name))


def clean(name: str) -> str:
    """A relative path without anything that leads elsewhere or that a file system refuses; "" where nothing is left."""
    parts = ("".join(c for c in part if c.isprintable()) for part in re.split(r"[/\\]", name))
    return "/".join([_shortened(part) for part in parts if part.strip(" .")][-_DEPTH:])


def _below(path: Path) -> Iterator[NamedFile]:
    if not path.is_dir():
        yield NamedFile(path, path.name)
        return
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and not is_clutter(name):
            yield NamedFile(file, name)


def _shortened(part: str) -> str:
    """The end of a name is kept, as it says what kind of file it is."""
    return part.encode()[-_NAME_BYTES:].decode(errors="ignore")
