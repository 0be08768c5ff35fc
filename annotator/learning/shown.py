"""What a page shows of a training run while it goes on."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotator.learning.models import TrainingRun

STAGES = {
    "": "",
    "freeze": _("The accepted masks are frozen."),
    "material": _("The frozen masks are written for the training."),
    "prepare": _("The images are brought onto the network's grid."),
    "train": _("The network learns."),
    "validate": _("It is tried on validation patients."),
    "calibrate": _("Its estimate of its own quality is fitted."),
    "register": _("The candidate is registered."),
    "evaluate": _("The candidate and the version in use are clicked on by a simulated user."),
    "report": _("The report is written."),
    "gate": _("The gate judges."),
}
"""What goes on in each stage."""


def as_json(run: TrainingRun) -> dict[str, Any]:
    """Plain values; of the curves the rows of their tables: [step, loss] and [step, Dice@1, Dice@5]."""
    return {
        "state": run.state,
        "is_open": run.is_open,
        "stage": run.stage,
        "progress": run.progress,
        "step": run.step,
        "eta": duration(run.eta_s) if run.is_open else "",
        "losses": losses(run),
        "looks": looks(run),
        "notes": run.notes,
        "preview": preview_url(run),
    }


def losses(run: TrainingRun) -> list[list[float]]:
    return [[point["step"], round(point["loss"], 4)] for point in run.curve if "loss" in point]


def looks(run: TrainingRun) -> list[list[float]]:
    """On validation patients."""
    found = [point for point in run.curve if "dice" in point]
    return [[point["step"], *(round(dice, 4) for dice in point["dice"].values())] for point in found]


def preview_url(run: TrainingRun) -> str:
    """Another one for every picture, so that no old one is shown."""
    if not run.preview:
        return ""
    return f"{reverse('training_preview', args=[run.pk])}?of={PurePosixPath(run.preview).stem}"


def duration(seconds: float | None) -> str:
    """1:05 or 2:10:00; nothing where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
