"""An assignment's masks as files: one label volume in the source's own geometry, and a JSON that says what made it."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from annotator import engine, masks, words
from annotator.annotation.models import Assignment, Label, Project, SliceMask

OVERLAP = {
    Project.Overlap.NEWEST: "Where masks overlap, a voxel has the label whose mask is the newest.",
    Project.Overlap.BACKGROUND: "A mask takes only voxels that no other has; where some do overlap, the newest has them.",
    Project.Overlap.ALLOWED: "Masks may overlap; in this file a voxel has the label whose mask is the newest.",
}
COORDINATES = (
    "z, y, x are zero-based voxel indices of the volume as Annotator shows it: x towards the patient's left, "
    "y towards posterior, z towards superior; 'affine' maps (x, y, z, 1) to RAS millimetres."
)


class ExportError(ValueError):
    """An export that cannot be made; the message is one sentence."""


def write(assignment: Assignment, path: Path) -> Path:
    """Write `path` (.nii.gz or .nii) and the JSON beside it, each whole or not at all; returns the JSON's path."""
    suffix = next((s for s in (".nii.gz", ".nii") if path.name.endswith(s)), None)
    if suffix is None:
        raise ExportError(f"{path.name} does not end in .nii.gz or .nii.")
    if not path.parent.is_dir():
        raise ExportError(f"There is no folder {path.parent}.")
    kept = _kept(assignment)
    beside = path.with_name(path.name.removesuffix(suffix) + ".json")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        partial, partial_json = Path(folder, "labels" + suffix), Path(folder, "labels.json")
        engine.write_labels(partial, label_volume(assignment, kept), assignment.task.series.geometry)
        partial_json.write_text(json.dumps(describe(assignment, kept, path.name), indent=2, ensure_ascii=False) + "\n")
        os.replace(partial, path)
        os.replace(partial_json, beside)
    return beside


def archive(assignment: Assignment) -> bytes:
    """A zip file with both, for the download button."""
    with tempfile.TemporaryDirectory(prefix="annotator-export-") as folder:
        path = Path(folder, f"{file_stem(assignment)}.nii.gz")
        files = [path, write(assignment, path)]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
            for file in files:
                packed.write(file, file.name)
        return buffer.getvalue()


def file_stem(assignment: Assignment) -> str:
    """A file name that says whose work on what this is, with nothing in it that a file system minds."""
    task = assignment.task
    whose = f"{task.project.name}-{task.series}-{assignment.person.get_username()}"
    return f"{words.as_file_name(whose, 100)}-{assignment.pk}"


def label_volume(assignment: Assignment, kept: Iterable[SliceMask]) -> NDArray[np.unsignedinteger[Any]]:
    """Label values [z, y, x]; later masks over earlier ones."""
    values = [label.value for label in assignment.task.project.labels.all()]
    volume = np.zeros(assignment.task.series.shape, np.uint8 if max(values, default=0) < 256 else np.uint16)
    for row in kept:
        volume[row.z][masks.decode(bytes(row.mask))] = row.label.value
    return volume


def describe(assignment: Assignment, kept: list[SliceMask], file_name: str) -> dict[str, Any]:
    """The JSON beside the volume."""
    series, project = assignment.task.series, assignment.task.project
    return {
        "format": "annotator-masks-1",
        "file": file_name,
        "exported_at": timezone.now().isoformat(),
        "assignment": assignment.pk,
        "project": project.name,
        "person": assignment.person.get_username(),
        "series": {
            "uid": series.uid,
            "study_uid": series.study.uid,
            "description": series.description,
            "modality": series.modality,
            "synthetic": series.synthetic,
            "shape": list(series.shape),
            "spacing": series.spacing,
            "affine": series.geometry["affine"],
        },
        "coordinates": COORDINATES,
        "overlap": OVERLAP[Project.Overlap(project.overlap)],
        "labels": [_describe_label(label, kept) for label in project.labels.all()],
        "model_versions": _describe_versions(kept),
        "masks": [_describe_mask(row) for row in sorted(kept, key=lambda row: (row.label.value, row.z))],
    }


def _kept(assignment: Assignment) -> list[SliceMask]:
    """The masks, the newest last."""
    rows = assignment.masks.select_related("label", "model_version", "person")
    return list(rows.order_by("since"))


def _describe_label(label: Label, kept: list[SliceMask]) -> dict[str, Any]:
    slices = sorted(row.z for row in kept if row.label_id == label.pk and row.pixels)
    return {"name": label.name, "value": label.value, "colour": label.colour, "slices": slices}


def _describe_versions(kept: list[SliceMask]) -> list[dict[str, str]]:
    versions = {row.model_version for row in kept if row.model_version}
    return [{"name": v.name, "sha256": v.sha256} for v in sorted(versions, key=lambda v: v.pk)]


def _describe_mask(row: SliceMask) -> dict[str, Any]:
    return {
        "label": row.label.name,
        "z": row.z,
        "pixels": row.pixels,
        "clicks": [{key: click[key] for key in ("y", "x", "positive")} for click in row.clicks],
        "quality": row.quality,
        "model_version": row.model_version.name if row.model_version else None,
        "person": row.person.get_username(),
        "interaction": row.sequence,
        "saved_at": row.saved_at.isoformat(),
    }
