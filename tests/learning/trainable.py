"""A site that can be trained on in seconds: a toy network that says how it was made, and patients on all sides of the split."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from annotator.annotation import versions
from annotator.annotation.models import ModelVersion, Project
from annotator.learning import split
from annotator.learning.models import Part
from segmodel.recipe import Recipe
from tests.learning import frozen
from tests.segmodel import toys

STEPS = 12
QUICK = {"images": 2, "micro_batch": 2, "passes": 1, "structures": 1, "lesions": 0.0, "regions": 0.0}


def make_start(folder: Path, seed: int = 0) -> ModelVersion:
    """An untrained network, which answers clicks and can be trained on."""
    folder.mkdir(exist_ok=True, parents=True)
    small = {"architecture": toys.ENCODE_ONCE, "size": 64, "crop": (64, 64), "spacing": 1.6, "window": (-125.0, 275.0)}
    untrained = toys.checkpoint(seed=seed)
    described = {"steps": 0, "recipe": dataclasses.asdict(Recipe(**small))}
    file = folder / f"start{seed}.safetensors"
    dataclasses.replace(untrained, provenance=described).save(file)
    version = versions.register(file, f"start {seed}")
    versions.activate(version)
    return version


def make_patients(project: Project, validation: int = 1, gold: int = 2) -> None:
    """Two training patients with six slices of each label, and others with two; by name they are on their sides."""
    for part, count, slices in ((Part.TRAINING, 2, 6), (Part.VALIDATION, validation, 2), (Part.GOLD, gold, 2)):
        for number in range(count):
            split.enter(f"{part} {number}", part)
            frozen.make_truth(project, f"{part} {number}", slices, seed=number)


def make_site(folder: Path) -> Project:
    """All of it."""
    make_start(folder)
    project = frozen.make_project()
    make_patients(project)
    return project
