"""Model versions as files and as things that others refer to: bring one, take one away, say something of it, delete it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from annotator.annotation import versions
from annotator.annotation.models import ModelVersion
from annotator.events import audit
from annotator.learning.models import Lineage

MOST_BYTES = 1 << 30  # of an uploaded checkpoint


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


def references(version: ModelVersion) -> dict[str, int]:
    """What refers to a version, by the name of the rows; its own line of lineage does not count."""
    found: dict[str, int] = {}
    for relation in ModelVersion._meta.related_objects:
        model: type[Model] = relation.related_model
        rows: Any = model._base_manager.filter(**{relation.field.name: version})
        count = 0 if model is Lineage and relation.field.name == "version" else rows.count()
        if count:
            name = str(model._meta.verbose_name_plural)
            found[name] = found.get(name, 0) + count
    return found


def delete(version: ModelVersion, person: User) -> None:
    """Delete a version and its file, where nothing refers to it. Raises RegistryRefused."""
    if version == versions.active():
        raise RegistryRefused(_("%(version)s answers clicks; it cannot be deleted.") % {"version": version})
    if version.path == versions.SHIPPED:
        raise RegistryRefused(_("%(version)s comes with the program; it cannot be deleted.") % {"version": version})
    if found := references(version):
        what = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
        sentence = _("%(version)s cannot be deleted; it is referred to by %(what)s.")
        raise RegistryRefused(sentence % {"version": version, "what": what})
    with transaction.atomic():
        audit.note(person, "deleted", version, sha256=version.sha256)
        path = version.path
        version.delete()
        transaction.on_commit(lambda: default_storage.delete(path))
