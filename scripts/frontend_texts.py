"""Writes the texts of the browser's side as JavaScript that xgettext reads; of TypeScript and JSX it misses some.

python scripts/frontend_texts.py annotator/frontend.js
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "frontend" / "src"
WORDS = SOURCES / "words.ts"
TEXT = r'"(?:[^"\\]|\\.)*"'
CALL = re.compile(rf"\b(?:gettext\(\s*{TEXT}|(?:ngettext|pgettext)\(\s*{TEXT},\s*{TEXT})(?=\s*[,)])")
BEGINNING = re.compile(r"\b[np]?gettext\(")


def calls(source: Path) -> Iterator[str]:
    """Each call of a file, with its texts alone. Raises ValueError where a text is no plain string."""
    code = source.read_text()
    for beginning in BEGINNING.finditer(code):
        call = CALL.match(code, beginning.start())
        if call is None:
            line = code.count("\n", 0, beginning.start()) + 1
            raise ValueError(f"{source}:{line}: write the text as one plain string in double quotes.")
        yield call.group() + (", 0)" if call.group().startswith("ngettext") else ")")


def write(target: Path) -> None:
    """All calls of the sources to a file. Raises ValueError where a text is no plain string."""
    sources = sorted(path for path in SOURCES.rglob("*.ts*") if path != WORDS)
    target.write_text("".join(f"{call};\n" for source in sources for call in calls(source)))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
