"""Model versions as files and as things that others refer to: bring one, take one away, say something of it, delete it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from annotator.annotation import versions
from annotator.annotation.models import ModelVersion, Project, Trial
from annotator.events import audit
from annotator.learning.models import EvaluationRun, Lineage, Promotion, Verdict

MOST_BYTES = 1 << 30  # of an uploaded checkpoint
REFERENCES: dict[type[Model], Any] = {
    Project: ngettext_lazy("%(n)d project", "%(n)d projects", "n"),
    Trial: ngettext_lazy("%(n)d trial", "%(n)d trials", "n"),
    EvaluationRun: ngettext_lazy("%(n)d evaluation run", "%(n)d evaluation runs", "n"),
    Lineage: ngettext_lazy("%(n)d lineage", "%(n)d lineages", "n"),
    Verdict: ngettext_lazy("%(n)d verdict", "%(n)d verdicts", "n"),
    Promotion: ngettext_lazy("%(n)d promotion", "%(n)d promotions", "n"),
}
"""What may refer to a version."""


class RegistryRefused(ValueError):
    """One sentence why a file is no version, or a version is not deleted."""


def upload(file: Path, name: str, person: User) -> ModelVersion:
    """Register a checkpoint that was made elsewhere; loading it runs no code. Raises RegistryRefused."""
    try:
        version = versions.register(file, name.strip()[:100] or file.stem[:100])
    except ValueError as error:
        raise RegistryRefused(str(error)) from None
    _line, is_new = Lineage.objects.get_or_create(version=version, defaults={"person": person})
    if is_new:
        audit.note(person, "uploaded", version)
    return version


def file_of(version: ModelVersion) -> Path:
    """The checkpoint's file on this machine. Raises RegistryRefused where it is gone."""
    if not versions.has_file(version):
        raise RegistryRefused(_("The checkpoint of %(version)s is gone.") % {"version": version})
    return versions.file_of(version)


def lineage(version: ModelVersion) -> Lineage:
    """Where a version comes from; an empty line for one that was registered without."""
    return Lineage.objects.select_related("parent", "manifest", "run", "person").filter(
        version=version
    ).first() or Lineage(version=version)


def ancestors(version: ModelVersion) -> Iterator[ModelVersion]:
    """The version's parent, the parent's parent, and so on."""
    seen = {version.pk}
    here = lineage(version).parent
    while here and here.pk not in seen:
        yield here
        seen.add(here.pk)
        here = lineage(here).parent


def say(version: ModelVersion, notes: str, person: User) -> None:
    """Keep what people say of a version."""
    Lineage.objects.update_or_create(version=version, defaults={"notes": notes.strip()})
    audit.note(person, "changed", version, notes=notes.strip()[:200])


def references(version: ModelVersion) -> list[str]:
    """What refers to a version, in words; its own line of lineage does not count."""
    found: Counter[type[Model]] = Counter()
    for relation in ModelVersion._meta.related_objects:
        model: type[Model] = relation.related_model
        rows: Any = model._base_manager.filter(**{relation.field.name: version})
        if model is not Lineage or relation.field.name != "version":
            found[model] += rows.count()
    return [REFERENCES[model] % {"n": count} for model, count in found.items() if count]


def delete(version: ModelVersion, person: User) -> None:
    """Delete a version and its file, where nothing refers to it. Raises RegistryRefused."""
    if version == versions.active():
        raise RegistryRefused(_("%(version)s answers clicks; it cannot be deleted.") % {"version": version})
    if version.path == versions.SHIPPED:
        raise RegistryRefused(_("%(version)s comes with the program; it cannot be deleted.") % {"version": version})
    if found := references(version):
        sentence = _("%(version)s cannot be deleted; it is referred to by %(what)s.")
        raise RegistryRefused(sentence % {"version": version, "what": ", ".join(found)})
    with transaction.atomic():
        audit.note(person, "deleted", version, sha256=version.sha256)
        path = version.path
        version.delete()
        transaction.on_commit(lambda: default_storage.delete(path))
