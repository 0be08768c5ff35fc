"""Model versions: which checkpoint answers whose clicks.

A version is chosen when a case is opened and stays with the window that works there, so that nobody's masks change their ways
under the hand. What is activated meanwhile answers in cases that are opened from then on.
"""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator import engine
from annotator.annotation import lease, sample
from annotator.annotation.lease import Window
from annotator.annotation.models import ModelVersion, Trial
from annotator.events import audit
from annotator.inference import requests

SHIPPED = "default"  # the path of the checkpoint that comes with the code
TRIALS = "annotator.trial"


class TrialRefused(ValueError):
    """One sentence why a trial does not begin or end."""


def active() -> ModelVersion:
    """The version that answers in cases that are opened now; the shipped one is registered where none is active.

    A shipped checkpoint that an upgrade has replaced gives way to its successor: its file is gone.
    """
    current = ModelVersion.objects.filter(active=True).first()
    if current and is_there(current):
        return current
    return register_shipped()


def of_window(window: Window, project_id: int) -> ModelVersion:
    """The version that answers in a window: the one that it took the case with, else what answers its person now."""
    kept = lease.version(window)
    return kept if kept and is_there(kept) else answering(project_id, window.person_id)


def answering(project_id: int, person_id: int) -> ModelVersion:
    """The version that answers the person where they open a case of the project now.

    The one that the project has chosen; else, for those whom a trial has drawn, the trial's; else the active one.
    """
    chosen = ModelVersion.objects.filter(projects=project_id).first() or _tried(person_id)
    return chosen if chosen and is_there(chosen) else active()


def _tried(person_id: int) -> ModelVersion | None:
    """The version that a trial gives the person: always the same people for the same version."""
    trial = running_trial()
    if trial and sample.drawn(f"{trial.version.sha256} {person_id}", TRIALS) < trial.share:
        return trial.version
    return None


def is_there(version: ModelVersion) -> bool:
    """Whether its checkpoint belongs to this site still: an upgrade replaces the shipped one."""
    return version.path != SHIPPED or version.sha256 == engine.default_checkpoint()[1]


def file_of(version: ModelVersion) -> Path:
    """Where its checkpoint lies on this machine, if it is there."""
    return engine.default_checkpoint()[0] if version.path == SHIPPED else Path(default_storage.path(version.path))


def has_file(version: ModelVersion) -> bool:
    """Whether its checkpoint can be read now."""
    return is_there(version) and file_of(version).exists()


def register_shipped() -> ModelVersion:
    """Make the shipped checkpoint the active version."""
    _path, sha256, header = engine.default_checkpoint()
    name = str(header.get("name") or f"shipped {sha256[:8]}")
    with transaction.atomic():
        version, _made = ModelVersion.objects.get_or_create(
            sha256=sha256, defaults={"name": name[:100], "path": SHIPPED, "header": header}
        )
        activate(version)
    return version


def register(file: Path, name: str) -> ModelVersion:
    """Copy a checkpoint into the default storage and register it; the same file again gives the same version.

    It answers nobody before it is activated. Raises ValueError with one sentence for a file that is no checkpoint.
    """
    sha256, header = engine.check_checkpoint(file)
    if known := ModelVersion.objects.filter(sha256=sha256).first():
        return known
    with file.open("rb") as content:
        path = default_storage.save(f"models/{sha256}.safetensors", File(content))
    return ModelVersion.objects.create(name=name, sha256=sha256, path=path, header=header)


@transaction.atomic
def activate(version: ModelVersion, by: User | None = None) -> None:
    """Let `version` answer in cases that are opened from now on, and no other; a trial of it has come to its end.

    The workers load it meanwhile. To go back is to activate the version before.
    """
    before = ModelVersion.objects.filter(active=True).first()
    ModelVersion.objects.filter(active=True).exclude(pk=version.pk).update(active=False)
    version.active = True
    version.save(update_fields=["active"])
    if before != version:
        audit.note(by, "activated", version, before=before.name if before else "")
        _end(Trial.objects.filter(version=version), by)
    requests.load_on_commit(version.path)


# ------------------------------------------------------------------------------------------------ trials


def running_trial() -> Trial | None:
    return Trial.objects.filter(ended_at=None).select_related("version").first()


def begin_trial(version: ModelVersion, share: float, by: User) -> Trial:
    """Let `version` answer a share of the people, who cannot tell, beside the active one. Raises TrialRefused."""
    if not 0 < share < 1:
        raise TrialRefused(_("A trial is for more than none and less than all of the people."))
    if version == active():
        raise TrialRefused(_("%(version)s answers everybody already.") % {"version": version})
    if not is_there(version):
        raise TrialRefused(_("The checkpoint of %(version)s is gone.") % {"version": version})
    try:
        with transaction.atomic():
            trial = Trial.objects.create(version=version, share=share, begun_by=by)
            audit.note(by, "began trial", version, share=share)
            requests.load_on_commit(version.path)
    except IntegrityError:
        raise TrialRefused(_("A trial is running; end it first.")) from None
    return trial


def end_trial(by: User) -> None:
    """Let the active version answer everybody again who opens a case from now on. Raises TrialRefused."""
    with transaction.atomic():
        if not _end(Trial.objects.all(), by):
            raise TrialRefused(_("No trial is running."))


def _end(trials: QuerySet[Trial], by: User | None) -> bool:
    """Ends the one among them that is running, if it is."""
    trial = trials.filter(ended_at=None).select_related("version").first()
    if trial is None or not trials.filter(pk=trial.pk, ended_at=None).update(ended_at=timezone.now()):
        return False
    audit.note(by, "ended trial", trial.version, share=trial.share)
    return True
