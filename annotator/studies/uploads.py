"""What is dropped on the upload page: taken in, imported by a job, followed, and cleared away."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotator import claims
from annotator.annotation import access, projects
from annotator.annotation.models import Project
from annotator.events import audit, language
from annotator.studies import imports, store
from annotator.studies.files import clean
from annotator.studies.models import Upload
from annotator.studies.outcomes import NO_SPACE, ImportRefused, Outcome, is_full, reason, refused, to_report

State = Upload.State
SILENCE = timedelta(minutes=5)
"""After so long without a sign of life, the job that runs an upload is taken for dead."""

STOPPED = gettext_noop(
    "The import stopped before it was done; what it had finished by then is kept. Upload the rest again."
)
GONE = gettext_noop("The project does not exist any more.")
_EVERY = 0.5  # seconds between two notes of progress
_ABANDONED = timedelta(days=1)  # no import takes as long


class UploadRefused(ValueError):
    """An upload that is not taken; the message is one sentence for the person who sent it."""


def why_not(error: Exception) -> str | None:
    """What to tell whoever sent an upload that could not be taken in; None for what is nobody's fault but ours."""
    if isinstance(error, UploadRefused):
        return str(error)
    if isinstance(error, TooManyFilesSent):
        most = number_format(settings.IMPORT_MAX_FILES, force_grouping=True)
        return _("An upload may have %(most)s files; zip them.") % {"most": most}
    if isinstance(error, TooManyFieldsSent | RequestDataTooBig):
        return _("The names of the files are too long altogether; zip them.")
    if isinstance(error, MultiPartParserError | UnreadablePostError):
        return _("The upload was cut short, so nothing was kept; try again.")
    return _(NO_SPACE) if isinstance(error, OSError) and is_full(error) else None


# ---------------------------------------------------------------------------------------------------- taking it in


class ReceivedFile(UploadedFile):
    """An uploaded file that lies, closed, at `path`."""

    def __init__(self, file: File, path: Path, name: str | None, size: int) -> None:
        super().__init__(file, name=name, size=size)
        self.path = path


class IntoFolder(FileUploadHandler):
    """Streams files into a folder and closes each; Django's own handler keeps all of a request's files open, and a
    study has more of them than a process may open."""

    def __init__(self, request: HttpRequest, folder: Path) -> None:
        super().__init__(request)
        self.folder, self.count = folder, 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.count += 1
        self.path = self.folder / str(self.count)
        self.file = self.path.open("wb")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> ReceivedFile:
        self.file.close()
        return ReceivedFile(File(self.file), self.path, self.file_name, file_size)

    def upload_interrupted(self) -> None:
        self.file.close()
        raise MultiPartParserError("The last file is cut short.")


class _Movable(File):
    """A file that a storage on the same disk may move instead of copying it; Django's storages ask for this method."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def receive(
    project: Project, person: User, assignee: str, files: Sequence[ReceivedFile], paths: Sequence[str]
) -> Upload:
    """Put the files into the upload's own folder and write its row.

    Args:
        assignee: the id of a member, or "".
        paths: of the files inside what was dropped; may be empty.

    Raises:
        UploadRefused: and like everything else that may be raised, nothing is kept then.
    """
    if rests := projects.archived(project.pk):
        raise UploadRefused(rests)
    if not files:
        raise UploadRefused(_("There is no file in this upload."))
    if paths and len(paths) != len(files):
        raise UploadRefused(_("The upload was cut short: it has fewer files than it announced."))
    upload = Upload(project_id=project.pk, person=person, assignee=_member(project, assignee))
    try:
        for number, file in enumerate(files):
            name = clean(paths[number] if paths else str(file.name)) or "file"
            _store(file.path, f"{upload.prefix}/{number:06d}/{name}")
        upload.save(force_insert=True)
        audit.note(person, "uploaded", upload, project.pk, files=len(files))
    except BaseException:
        store.delete(upload.prefix)
        raise
    return upload


def discard(upload: Upload) -> None:
    """As if it had never come."""
    store.delete(upload.prefix)
    upload.delete()


def _member(project: Project, assignee: str) -> User | None:
    if not assignee:
        return None
    found = User.objects.filter(memberships__project=project, pk=assignee).first() if assignee.isdecimal() else None
    if found is None:
        raise UploadRefused(_("The person to assign the cases to is no member of this project."))
    return found


def _store(path: Path, name: str) -> None:
    with path.open("rb") as file:
        default_storage.save(name, _Movable(file))


# ---------------------------------------------------------------------------------------------------- the job


def run(upload_id: UUID | str) -> None:
    """Import an upload. Of several deliveries of the same job, one does it: the row decides.

    The report is in the language of whoever brought it.
    """
    claimed = Upload.objects.filter(pk=upload_id, state=State.RECEIVED).update(
        state=State.RUNNING, heartbeat_at=timezone.now()
    )
    if not claimed:
        return
    upload = Upload.objects.select_related("person", "assignee").get(pk=upload_id)
    with language.reading(upload.person_id):
        try:
            state, outcomes = State.DONE, _import(upload)
        except Exception as error:
            state, outcomes = State.FAILED, [refused("Import", reason(error))]
    try:
        store.delete(upload.prefix)
    finally:
        _finish(upload, state, outcomes)


def _import(upload: Upload) -> list[Outcome]:
    project = Project.objects.filter(pk=upload.project_id).first()
    if project is None:
        raise ImportRefused(_(GONE))
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="fetched-") as folder:
        paths = sorted(_fetched(upload, Path(folder)).iterdir())
        return imports.import_paths(paths, project, upload.person, upload.assignee, _note_progress(upload))


def _finish(upload: Upload, state: State, outcomes: list[Outcome]) -> None:
    Upload.objects.filter(pk=upload.pk).update(state=state, progress=1.0, report=to_report(outcomes))


def _note_progress(upload: Upload) -> Callable[[float, str], None]:
    last = 0.0

    def note(share: float, name: str) -> None:
        nonlocal last
        if time.monotonic() - last < _EVERY:
            return
        last = time.monotonic()
        try:
            running = Upload.objects.filter(pk=upload.pk, state=State.RUNNING)
            running.update(progress=min(share, 1.0), heartbeat_at=timezone.now())
        except DatabaseError:  # a note that is lost must not cost a series
            pass

    return note


def _fetched(upload: Upload, folder: Path) -> Path:
    """Where the files lie on this machine; from an object store they are brought into `folder` first."""
    try:
        return Path(default_storage.path(upload.prefix))
    except NotImplementedError:
        _fetch(upload.prefix, folder)
        return folder


def _fetch(prefix: str, folder: Path) -> None:
    folders, files = default_storage.listdir(prefix)
    folder.mkdir(exist_ok=True)
    for name in files:
        with default_storage.open(f"{prefix}/{name}") as source, (folder / name).open("wb") as target:
            for chunk in source.chunks():
                target.write(chunk)
    for name in folders:
        _fetch(f"{prefix}/{name}", folder / name)


# ---------------------------------------------------------------------------------------------------- following it


def of(person: access.Person) -> QuerySet[Upload]:
    """The uploads that the person may follow: their own, and those into the projects that they manage."""
    managed = list(access.projects_managed_by(person).values_list("pk", flat=True))
    return Upload.objects.filter(Q(person=person.pk) | Q(project_id__in=managed))


def find(person: access.Person, upload_id: UUID) -> Upload | None:
    """The upload as it stands, or None where the person does not reach it or there is none."""
    upload = of(person).filter(pk=upload_id).first()
    if upload and upload.state == State.RUNNING and bury_the_dead():
        upload.refresh_from_db()
    return upload


def bury_the_dead() -> int:
    """Fail the uploads whose job has gone silent; the number of them."""
    silent = Upload.objects.filter(claims.silent(SILENCE))
    number = 0
    for pk, person_id in list(silent.values_list("pk", "person")):  # asked often, and writing locks others out
        with language.reading(person_id):
            report = to_report([refused("Import", _(STOPPED))])
        number += silent.filter(pk=pk).update(state=State.FAILED, report=report)
    return number


def waiting() -> list[UUID]:
    """The uploads that no job has claimed."""
    return list(Upload.objects.filter(state=State.RECEIVED).order_by("created_at").values_list("pk", flat=True))


def clear_away() -> None:
    """Delete what processes that died have left: files of uploads that are over, old temporary ones, half a volume."""
    try:
        folders, _files = default_storage.listdir("uploads")
    except FileNotFoundError:
        folders = []
    over = Upload.objects.filter(state__in=[State.DONE, State.FAILED])
    for pk in over.filter(pk__in=[name for name in folders if _is_uuid(name)]).values_list("pk", flat=True):
        store.delete(Upload(pk=pk).prefix)
    for folder in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir():
        if time.time() - folder.stat().st_mtime > _ABANDONED.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
    store.delete_unfinished(timezone.now() - _ABANDONED)


def _is_uuid(name: str) -> bool:
    try:
        return bool(UUID(name))
    except ValueError:
        return False
