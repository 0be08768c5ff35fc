"""Plain functions that make rows, and the fixed cast: Alice annotates, Rob reviews, Maria manages, Eve is elsewhere."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from annotator import masks
from annotator.annotation.models import Assignment, Label, Membership, ModelVersion, Project, SliceMask, Task
from annotator.studies import store
from annotator.studies.models import Series, Study

_numbers = itertools.count(1)
SHAPE = (4, 6, 8)


def make_series(shape: tuple[int, int, int] = SHAPE, stored: bool = False, **fields: Any) -> Series:
    """A series in DICOM's axial order with 3 × 0.8 × 0.8 mm voxels; `stored` puts `volume(shape)` into the storage."""
    uid = f"1.2.3.{next(_numbers)}"
    study, _ = Study.objects.get_or_create(uid=f"{uid}.0", defaults={"patient": "PATIENT"})
    affine = [[-0.8, 0, 0, 10], [0, -0.8, 0, 20], [0, 0, 3, 30], [0, 0, 0, 1]]
    series = Series.objects.create(
        study=study,
        uid=uid,
        description=fields.pop("description", "Abdomen"),
        depth=shape[0],
        height=shape[1],
        width=shape[2],
        spacing=[3, 0.8, 0.8],
        geometry={"source_affine": affine, "source_shape": list(shape[::-1]), "nifti": None, "affine": affine},
        sha256="0" * 64,
        **fields,
    )
    if stored:
        store.write(series.prefix, iter(volume(shape)), shape)
    return series


def volume(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Hounsfield units that differ everywhere, below and above zero."""
    return (np.arange(np.prod(shape)).reshape(shape) * 7 - 1000).astype(np.int16)


def make_person(name: str, **fields: Any) -> User:
    return User.objects.create_user(name, password="secret", **fields)


def make_project(name: str, members: dict[User, str] | None = None) -> Project:
    """A project with the labels liver (1) and spleen (2)."""
    project = Project.objects.create(name=name, guidelines="Outline the organs.")
    for person, role in (members or {}).items():
        Membership.objects.create(project=project, person=person, role=role)
    Label.objects.create(project=project, name="liver", value=1, colour="#c0504d")
    Label.objects.create(project=project, name="spleen", value=2, colour="#8064a2")
    return project


def assign(project: Project, person: User, series: Series | None = None) -> Assignment:
    task, _ = Task.objects.get_or_create(project=project, series=series or make_series())
    return Assignment.objects.create(task=task, person=person)


def make_double(project: Project, *readers: User, **series: Any) -> list[Assignment]:
    """A task with as many readings as there are readers: theirs, in this order."""
    task = Task.objects.create(project=project, series=make_series(**series), readings=len(readers))
    return [Assignment.objects.create(task=task, person=one, reading=n) for n, one in enumerate(readers, 1)]


def outline(assignment: Assignment, label: Label, volume: np.ndarray) -> None:
    """Kept masks of a label, as if a model had answered: those of the slices of a bool volume [z, y, x] that have any."""
    first = assignment.masks.count() + 1
    for sequence, z in enumerate(np.flatnonzero(volume.any(axis=(1, 2))), first):
        SliceMask.objects.create(
            assignment=assignment,
            label=label,
            z=int(z),
            sequence=sequence,
            since=sequence,
            mask=masks.encode(volume[z]),
            pixels=int(volume[z].sum()),
            person=assignment.person,
        )


def box(z: tuple[int, int], y: tuple[int, int], x: tuple[int, int]) -> np.ndarray:
    """A bool volume of SHAPE that is true in a box."""
    volume = np.zeros(SHAPE, bool)
    volume[slice(*z), slice(*y), slice(*x)] = True
    return volume


def make_version(name: str = "tests", **fields: Any) -> ModelVersion:
    return ModelVersion.objects.create(name=name, sha256=f"{next(_numbers):064x}", path="default", **fields)


@dataclass(frozen=True)
class Cast:
    """Everybody, and what belongs to whom: `project` has all but Eve, `elsewhere` has only Eve."""

    alice: User
    bob: User  # annotates as well
    rob: User
    maria: User
    eve: User
    staff: User
    project: Project
    elsewhere: Project
    alices: Assignment
    bobs: Assignment
    eves: Assignment
    liver: Label
    spleen: Label


def make_cast() -> Cast:
    alice, bob, rob, maria, eve = (make_person(name) for name in ("alice", "bob", "rob", "maria", "eve"))
    staff = make_person("staff", is_staff=True, is_superuser=True)
    roles = {alice: "annotator", bob: "annotator", rob: "reviewer", maria: "manager"}
    project, elsewhere = make_project("Abdomen", roles), make_project("Elsewhere", {eve: "manager"})
    return Cast(
        alice, bob, rob, maria, eve, staff, project, elsewhere,
        assign(project, alice), assign(project, bob), assign(elsewhere, eve),
        project.labels.get(name="liver"), project.labels.get(name="spleen"),
    )  # fmt: skip
