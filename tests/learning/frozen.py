"""Small patients with accepted masks, to be frozen: a bright disk and a dark square in noise on every slice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from django.contrib.auth.models import User as Person

from annotator.annotation import progress, versions
from annotator.annotation.models import Assignment, Label, ModelVersion, Project
from annotator.learning import split
from annotator.learning.models import Part
from annotator.studies import store
from annotator.studies.models import Series, Study
from tests.annotator import factories
from tests.segmodel import toys

SIDE = 64
LABELS = ("Disk", "Square")


def make_project(name: str = "Toys") -> Project:
    """A project with two labels, whose cases tim outlines and rita accepts."""
    tim, rita = (Person.objects.get_or_create(username=one)[0] for one in ("tim", "rita"))
    project = Project.objects.create(name=name)
    for person, role in ((tim, "annotator"), (rita, "reviewer")):
        project.memberships.create(person=person, role=role)
    for value, (label, colour) in enumerate(zip(LABELS, ("#f0a020", "#4080f0"), strict=True), 1):
        Label.objects.create(project=project, name=label, value=value, colour=colour)
    return project


def make_stored(patient: str, voxels: np.ndarray, **fields: object) -> Series:
    """A series of the patient in the storage, with its hash."""
    study = Study.objects.create(uid=f"1.2.4.{Study.objects.count()}", patient=patient)
    series = factories.make_series(voxels.shape, **fields)
    Series.objects.filter(pk=series.pk).update(
        study=study, sha256=hashlib.sha256(voxels.astype("<i2").data).hexdigest()
    )
    store.write(series.prefix, iter(voxels), voxels.shape)
    return Series.objects.get(pk=series.pk)


def make_truth(project: Project, patient: str, slices: int = 2, seed: int = 0, accepted: bool = True) -> Assignment:
    """A case of the patient with masks of both labels on all slices but the lowest, and clicks on them."""
    images, labels = toys.ct_slices(slices + 1, SIDE, seed)
    labels[0] = 0
    case = factories.assign(project, Person.objects.get(username="tim"), make_stored(patient, images))
    for label in project.labels.all():
        factories.outline(case, label, labels == label.value)
        for mask in case.masks.filter(label=label):
            y, x = np.argwhere(labels[mask.z] == label.value)[0].tolist()
            case.masks.filter(pk=mask.pk).update(clicks=[{"sequence": 1, "y": y, "x": x, "positive": True}])
    return accept(case) if accepted else case


def accept(case: Assignment) -> Assignment:
    progress.make("submit", case.person, case)
    progress.make("accept", Person.objects.get(username="rita"), case)
    return case


def make_gold(project: Project, patients: int = 2, slices: int = 2) -> list[Assignment]:
    """A truth of each of so many gold patients."""
    for number in range(patients):
        split.enter(f"gold {number}", Part.GOLD)
    return [make_truth(project, f"gold {number}", slices, seed=number) for number in range(patients)]


def make_version(folder: Path, seed: int = 0) -> ModelVersion:
    """An untrained network, registered."""
    folder.mkdir(exist_ok=True)
    file = folder / f"toy{seed}.safetensors"
    toys.checkpoint(seed=seed).save(file)
    return versions.register(file, f"toy {seed}")
