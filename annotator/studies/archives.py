"""Zip files, unpacked without trusting anything that they say of themselves."""

from __future__ import annotations

import errno
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from annotator.studies.files import NamedFile, clean, is_clutter

_CHUNK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, UnicodeDecodeError)
_DAMAGED_ERRNO = (None, errno.EINVAL)  # of bz2, whose errors are OSErrors, and of places before the file's beginning
_ENCRYPTED = 0x1  # general purpose bit 0 (APPNOTE 4.4.4)


class ArchiveRefused(ValueError):
    """An archive that is not unpacked; the message is one sentence for the person who brought it."""


@dataclass
class Unpacked:
    """What was in an archive: its files, and the names of zip files inside it, which stay closed."""

    files: list[NamedFile] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)


def is_archive(name: str) -> bool:
    return name.lower().endswith(".zip")


def unpack(archive: NamedFile, folder: Path) -> Unpacked:
    """Unpack into `folder`, each file in a numbered folder of its own, so that no name can meet or leave another.

    Raises ArchiveRefused, or OSError where the disk is full; `folder` may then hold files.
    """
    name = Path(archive.name).name
    try:
        with zipfile.ZipFile(archive.path) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            _check(entries, name)
            return _extract(opened, entries, folder, name)
    except (NotImplementedError, RuntimeError) as error:
        sentence = _("%(name)s is packed in an unusual way; pack it as a plain zip.")
        raise ArchiveRefused(sentence % {"name": name}) from error
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _DAMAGED_ERRNO:
            raise
        raise ArchiveRefused(_("%(name)s is truncated, damaged or no zip file.") % {"name": name}) from error


def _check(entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > settings.IMPORT_MAX_FILES:
        held, most = (number_format(n, force_grouping=True) for n in (len(entries), settings.IMPORT_MAX_FILES))
        sentence = _("%(name)s holds %(n)s files, more than the limit of %(most)s.")
        raise ArchiveRefused(sentence % {"name": name, "n": held, "most": most})
    for entry in entries:
        if _leads_outside(entry.filename):
            sentence = _("%(name)s holds a path that leads out of it (%(path)s).")
            raise ArchiveRefused(sentence % {"name": name, "path": clean(entry.filename) or ".."})
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            sentence = _("%(name)s holds a link or another special file (%(path)s).")
            raise ArchiveRefused(sentence % {"name": name, "path": entry.filename})
        if entry.flag_bits & _ENCRYPTED:
            sentence = _("%(name)s is encrypted; unpack it and import what is inside.")
            raise ArchiveRefused(sentence % {"name": name})
    if sum(entry.file_size for entry in entries) > settings.IMPORT_MAX_ZIP_BYTES:
        raise _too_large(name)


def _leads_outside(path: str) -> bool:
    parts = path.replace("\\", "/").split("/")
    return ".." in parts or not parts[0] or parts[0].endswith(":")


def _extract(opened: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, name: str) -> Unpacked:
    found = Unpacked()
    left = settings.IMPORT_MAX_ZIP_BYTES
    for number, entry in enumerate(entries):
        inside = entry.filename.replace("\\", "/")
        if is_clutter(inside):
            continue
        if is_archive(inside):
            found.nested.append(inside)
            continue
        target = folder / f"{number:06d}" / (Path(clean(inside)).name or "file")
        target.parent.mkdir(parents=True)
        with target.open("wb") as file:
            for chunk in _chunks(opened, entry):
                left -= len(chunk)  # what really comes out, whatever the headers promise
                if left < 0:
                    raise _too_large(name)
                file.write(chunk)
        found.files.append(NamedFile(target, inside))
    return found


def _chunks(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with opened.open(entry) as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _too_large(name: str) -> ArchiveRefused:
    sentence = _("%(name)s unpacks to more than the limit of %(limit)s GB.")
    return ArchiveRefused(sentence % {"name": name, "limit": f"{settings.IMPORT_MAX_ZIP_BYTES / 1e9:.3g}"})
