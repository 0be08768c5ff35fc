"""Label sets as files: 3D Slicer's colour tables and ITK-SNAP's label descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from annotator.annotation.labelsets import Entry, LabelRefused

LARGEST_FILE = 256 * 1024  # bytes; a thousand labels need a fifth of it
LONGEST_LINE = 500  # characters

_NUMBER = r"(\d{1,9})"
_SLICER = re.compile(rf"{_NUMBER}\s+(\S+)\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}(?:\s+{_NUMBER})?")
_ITKSNAP = re.compile(rf'{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+[\d.]+\s+[01]\s+[01]\s+"([^"]*)"')


def parse(content: bytes) -> list[Entry]:
    """The labels of a file of either kind; value 0 is the background and left out. Raises LabelRefused."""
    if len(content) > LARGEST_FILE:
        sentence = _("The file is larger than %(most)d KiB, which no label set is.")
        raise LabelRefused(sentence % {"most": LARGEST_FILE // 1024})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelRefused(_("The file is no text in UTF-8.")) from error
    entries = [entry for entry in _entries(text) if entry.value]
    if not entries:
        raise LabelRefused(_("There is no label in this file."))
    return entries


def write_slicer(entries: Iterable[Entry]) -> str:
    """A 3D Slicer colour table (.ctbl). Its names have underscores for blanks, so that an underscore comes back as one."""
    rows = [f"{entry.value} {'_'.join(entry.name.split())} {_rgb(entry.colour)} 255" for entry in entries]
    return "\n".join(["# Color table file: value name red green blue alpha", "0 background 0 0 0 0", *rows, ""])


def write_itksnap(entries: Iterable[Entry]) -> str:
    """An ITK-SNAP label description (.label). Its names have no double quotes; single ones stand for them."""
    rows = [_itksnap_row(entry.value, _rgb(entry.colour), 1, entry.name.replace('"', "'")) for entry in entries]
    head = ["# ITK-SnAP Label Description File", "# IDX -R- -G- -B- -A-- VIS MSH LABEL"]
    return "\n".join([*head, _itksnap_row(0, "0 0 0", 0, "Clear Label"), *rows, ""])


def _itksnap_row(value: int, rgb: str, shown: int, name: str) -> str:
    return f'{value:>5} {rgb} {shown} {shown} {shown} "{name}"'


def _entries(text: str) -> Iterator[Entry]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        row = line.strip()
        if not row or row.startswith("#"):
            continue
        entry = _entry(row) if len(row) <= LONGEST_LINE else None
        if entry is None:
            sentence = _(
                "Line %(number)d is neither of a 3D Slicer colour table (value name red green blue alpha) nor of an "
                "ITK-SNAP label description (value red green blue alpha visible mesh name in quotes)."
            )
            raise LabelRefused(sentence % {"number": number})
        yield entry


def _entry(row: str) -> Entry | None:
    if found := _ITKSNAP.fullmatch(row):
        value, red, green, blue, name = found.groups()
    elif found := _SLICER.fullmatch(row):
        value, name, red, green, blue, _alpha = found.groups()
        name = name.replace("_", " ")
    else:
        return None
    channels = [int(channel) for channel in (red, green, blue)]
    if not name.strip() or max(channels) > 255:
        return None
    return Entry(int(value), name.strip(), "#" + "".join(f"{channel:02x}" for channel in channels))


def _rgb(colour: str) -> str:
    return " ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
