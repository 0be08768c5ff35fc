"""Import: volumes from files into the store and the database, whole or not at all, one sentence for whatever is refused."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from annotator import engine
from annotator.annotation import assign, projects
from annotator.annotation.models import Project, Task
from annotator.events import audit
from annotator.studies import archives, store
from annotator.studies.files import NamedFile, collect
from annotator.studies.models import Series, Study
from annotator.studies.outcomes import ImportRefused, Outcome, Result, left_out, reason, refused

if TYPE_CHECKING:
    from annotator.engine import Volume

Progress = Callable[[float, str], None]
"""Told how much is done, 0 to 1, and the name of what is being worked on."""

_READING = 0.6  # of the time that a series takes; the rest is storing
KNOWN = gettext_noop("This series was imported before; it is not stored a second time.")
ADDED = gettext_noop("It is a case of this project too now.")


def keep(volume: Volume, synthetic: bool = False, person: User | None = None) -> Series:
    """Store a volume, or find it where it is stored already. Raises ImportRefused, and what the storage raises."""
    return _keep(volume, person, synthetic)[0]


def import_paths(
    paths: Iterable[str | Path],
    project: Project,
    person: User | None = None,
    assignee: User | None = None,
    progress: Progress | None = None,
    patient: str = "",
) -> list[Outcome]:
    """Import every CT series in files, folders and zip archives, each with its task in the project.

    Args:
        person: who brought them.
        assignee: a member of the project, who is given every one of these tasks.
        patient: whose they are, where the files name nobody.

    Returns:
        what became of each series, and of each file that belongs to none. One that is refused never stops the others.

    Raises:
        ImportRefused: the project is archived.
        AssignRefused: the assignee is no member.
    """
    if rests := projects.archived(project.pk):
        raise ImportRefused(rests)
    if assignee:
        assign.check_member(assignee, project)
    desk = _Desk(project, person, assignee, patient)
    report = progress or (lambda share, name: None)
    outcomes: list[Outcome] = []
    for batch, part in _shares(_batches(collect(paths)), report):
        if archives.is_archive(batch[0].name):
            outcomes += desk.import_archive(batch[0], part)
        else:
            outcomes += desk.import_files(batch, part)
    return outcomes or [refused("Import", _("There is no file in it that could be imported."))]


@dataclass(frozen=True)
class _Desk:
    """Where one import goes to."""

    project: Project
    person: User | None
    assignee: User | None
    patient: str = ""

    def import_archive(self, archive: NamedFile, progress: Progress) -> list[Outcome]:
        try:
            with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="unpacked-") as folder:
                unpacked = archives.unpack(archive, Path(folder))
                outcomes = self.import_files(unpacked.files, progress)
        except Exception as error:
            return [refused(archive.name, reason(error))]
        nested = _("%(name)s lies inside another zip file; unpack it and import it by itself.")
        outcomes += [refused(name, nested % {"name": name}) for name in unpacked.nested]
        return outcomes or [refused(archive.name, _("%(name)s holds no files.") % {"name": archive.name})]

    def import_files(self, files: list[NamedFile], progress: Progress) -> list[Outcome]:
        names = {file.path: file.name for file in files}
        volumes, others = engine.find_volumes(names)
        batches = [[NamedFile(path, volume.name) for path in volume.paths] for volume in volumes]
        outcomes = [
            self.import_volume(volume, volume.name or names[volume.paths[0]], part)
            for volume, (_batch, part) in zip(volumes, _shares(batches, progress), strict=True)
        ]
        return outcomes + left_out([(names[path], sentence) for path, sentence in others])

    def import_volume(self, found: engine.FoundVolume, name: str, progress: Progress) -> Outcome:
        def reading(done: int, total: int) -> None:
            progress(_READING * done / total, name)

        def storing(done: int, total: int) -> None:
            progress(_READING + (1 - _READING) * done / total, name)

        progress(0, name)
        try:
            volume = engine.read_volume(found, settings.IMPORT_MAX_VOXELS, reading)
            series, known = _keep(volume, self.person, progress=storing, patient=self.patient)
            audit.note(self.person, "imported", series, self.project.pk, known=known)
            task, is_new = assign.add(self.project, series)
            not_given = self.give_out(task)
        except Exception as error:
            return refused(name, reason(error))
        sentences = _known_sentences(known, is_new) + not_given + tuple(_(one) for one in series.warnings)
        return Outcome(name, series, Result.KNOWN if known else Result.IMPORTED, sentences)

    def give_out(self, task: Task) -> tuple[str, ...]:
        """The sentence why the assignee does not get the task, where that is so."""
        try:
            if self.assignee:
                assign.give(task, self.assignee, self.person or self.assignee)
        except assign.AssignRefused as why_not:
            return (str(why_not),)
        return ()


def _known_sentences(known: bool, is_new: bool) -> tuple[str, ...]:
    """What is said of a series that was there before, perhaps in another project only."""
    return ((_(KNOWN), _(ADDED)) if is_new else (_(KNOWN),)) if known else ()


# ---------------------------------------------------------------------------------------------------- one volume


def _keep(
    volume: Volume,
    person: User | None,
    synthetic: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    patient: str = "",
) -> tuple[Series, bool]:
    """The series, and whether it was there before."""
    series = _series(volume, person, synthetic)
    if known := _known(series):
        return known, True
    try:
        store.write(series.prefix, _counted(volume.voxels, progress), series.shape)
        with transaction.atomic():
            series.study = _study(volume, series.study.uid, patient)
            series.save(force_insert=True)
    except IntegrityError:
        store.delete(series.prefix)
        if known := _known(series):  # somebody else imported it meanwhile
            return known, True
        raise
    except BaseException:
        store.delete(series.prefix)
        raise
    return series, False


def _series(volume: Volume, person: User | None, synthetic: bool) -> Series:
    """The row, not saved. What the source does not name gets a UID of its content (2.25, PS3.5 B.2)."""
    names = volume.identifiers
    digest = hashlib.sha256(np.ascontiguousarray(volume.voxels, "<i2").data).hexdigest()
    geometry = volume.geometry.to_json()
    content = digest + json.dumps(geometry, sort_keys=True)
    depth, height, width = volume.voxels.shape
    return Series(
        study=Study(uid=_checked_uid(names.study_uid or _made_uid(f"study {content}"))),
        uid=_checked_uid(names.series_uid or _made_uid(content)),
        description=volume.description[:255],
        modality=volume.modality[:16] or "CT",
        depth=depth,
        height=height,
        width=width,
        spacing=list(volume.spacing),
        geometry=geometry,
        warnings=[*volume.warnings, *_doubts(volume)],
        synthetic=synthetic,
        sha256=digest,
        imported_by=person,
    )


def _known(series: Series) -> Series | None:
    """The stored series with this UID, if any. Raises ImportRefused where that one has other content."""
    stored = Series.objects.filter(uid=series.uid).first()
    if stored and not _is_same(stored, series):
        sentence = _(
            "Another series with the same Series Instance UID but other content was imported before; it is left as it is."
        )
        raise ImportRefused(sentence)
    return stored


def _is_same(stored: Series, series: Series) -> bool:
    """The same voxels at the same place in the patient; headers are rounded differently by what they went through."""
    there, here = (np.array(one.geometry["source_affine"]) for one in (stored, series))
    same_voxels = stored.sha256 == series.sha256 and stored.shape == series.shape
    return same_voxels and np.allclose(there, here, atol=1e-3)


def _study(volume: Volume, uid: str, patient: str) -> Study:
    names = volume.identifiers
    defaults = {
        "patient": (names.patient_id or patient)[:64],
        "description": names.study_description[:255],
        "date": _date(names.date),
    }
    return Study.objects.get_or_create(uid=uid, defaults=defaults)[0]


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:  # some scanners write days that no calendar has
        return None


def _made_uid(content: str) -> str:
    return f"2.25.{int(hashlib.sha256(content.encode()).hexdigest()[:32], 16)}"


def _checked_uid(uid: str) -> str:
    if len(uid) > 64:
        raise ImportRefused(_("The series has a UID of %(n)d characters; DICOM allows 64.") % {"n": len(uid)})
    return uid


def _doubts(volume: Volume) -> Iterator[str]:
    if volume.voxels.min() >= 0:
        yield gettext_noop("No value lies below 0, though air has about -1000 Hounsfield units; is this a CT?")


def _counted(voxels: NDArray[np.int16], progress: Callable[[int, int], None]) -> Iterator[NDArray[np.int16]]:
    for z, pixels in enumerate(voxels):
        yield pixels
        progress(z + 1, len(voxels))


# ---------------------------------------------------------------------------------------------------- order, progress


def _batches(files: list[NamedFile]) -> list[list[NamedFile]]:
    """Loose files together, as one series may lie in many folders; then each archive alone, to need little disk."""
    loose = [file for file in files if not archives.is_archive(file.name)]
    zips = [[file] for file in files if archives.is_archive(file.name)]
    return [loose, *zips] if loose else zips


def _shares(batches: list[list[NamedFile]], progress: Progress) -> Iterator[tuple[list[NamedFile], Progress]]:
    """Each batch with its own share of the progress, by the bytes that it has on disk."""
    sizes = [1 + sum(_size(file.path) for file in batch) for batch in batches]
    start = 0.0
    for batch, size in zip(batches, sizes, strict=True):
        share = size / sum(sizes)
        yield batch, _part(progress, start, share)
        start += share


def _part(progress: Progress, start: float, share: float) -> Progress:
    return lambda done, name: progress(start + share * done, name)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
