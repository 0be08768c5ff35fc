"""Tables as comma-separated values that a spreadsheet shows and never computes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from annotator import downloads

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would compute rather than show
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def to_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows below a line of names; an empty cell for None. A text that begins like a formula, and is no number, gets an
    apostrophe in front.
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([_cell(name) for name in head])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def download(text: str, name: str) -> HttpResponse:
    """The text of `to_csv` as a file of this name to save."""
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=downloads.headers(name))


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) and not NUMBER.fullmatch(text) else text
