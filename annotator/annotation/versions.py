"""Model versions: which checkpoint answers new clicks."""

from __future__ import annotations

from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from annotator import engine
from annotator.annotation.models import ModelVersion

SHIPPED = "default"  # the path of the checkpoint that comes with the code


def active() -> ModelVersion:
    """The version that answers new clicks; the shipped one is registered where none is.

    A shipped checkpoint that an upgrade has replaced gives way to its successor: its file is gone.
    """
    current = ModelVersion.objects.filter(active=True).first()
    if current and _is_there(current):
        return current
    return register_shipped()


def answering(project_id: int) -> ModelVersion:
    """The version that answers clicks in the project: the one it has chosen, else the active one."""
    chosen = ModelVersion.objects.filter(projects=project_id).first()
    return chosen if chosen and _is_there(chosen) else active()


def _is_there(version: ModelVersion) -> bool:
    """Whether its checkpoint can still be read: an upgrade replaces the shipped one."""
    return version.path != SHIPPED or version.sha256 == engine.default_checkpoint()[1]


def register_shipped() -> ModelVersion:
    """Make the shipped checkpoint the active version."""
    _, sha256, header = engine.default_checkpoint()
    name = str(header.get("name") or f"shipped {sha256[:8]}")
    with transaction.atomic():
        version, _ = ModelVersion.objects.get_or_create(
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
def activate(version: ModelVersion) -> None:
    """Let `version` answer new clicks, and no other."""
    ModelVersion.objects.filter(active=True).exclude(pk=version.pk).update(active=False)
    version.active = True
    version.save(update_fields=["active"])
