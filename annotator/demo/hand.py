"""A hand that outlines as people do: a click, here and there a stroke, and a result near the truth but never on it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from annotator import masks
from annotator.annotation import history, progress, slicemasks, versions
from annotator.annotation.models import Assignment, Interaction, Label
from annotator.demo import past
from annotator.protocol import AddClick, Paint, PlacedClick

Mask = NDArray[np.bool_]
SECONDS = (3, 25)  # between two interactions
STROKES = 0.2  # the share of masks that are finished by brush


class Hand:
    """Works on a case from `begun` on; `slip` is how far its outlines stray, 0 not at all, 1 badly."""

    def __init__(self, case: Assignment, begun: datetime, slip: float) -> None:
        self.case, self.clock, self.slip = case, begun, slip
        self.random = np.random.default_rng(case.pk)
        self.log, self.times = history.Log(), dict[int, datetime]()
        self.version = versions.answering(case.task.project_id, case.person_id)

    def outline(self, truth: NDArray[np.uint8], labels: Iterable[Label]) -> datetime:
        """Outline the labels, whose values the truth [z, y, x] has; when the last of it was done."""
        with past.at(self.clock):
            progress.start(self.case.person, self.case)
        for label in labels:
            for z, wanted in _slices(truth == label.value):
                self._outline_slice(label, z, wanted)
        self._date()
        return self.clock

    def _outline_slice(self, label: Label, z: int, wanted: Mask) -> None:
        y, x = innermost(wanted)
        sequence = self._record(AddClick(self._next, label.pk, z, y, x, True))
        click = PlacedClick(sequence, y, x, True)
        mask = near(wanted, self.slip, self.random)
        mask[y, x] = True  # clicks are obeyed
        estimate = float(np.clip(0.95 - self.slip / 4 + self.random.normal(0, 0.03), 0.5, 0.99))
        self._keep(label, z, mask, (click,), estimate)
        if self.random.random() < STROKES:
            mask = near(wanted, self.slip / 2, self.random)
            painted = base64.b64encode(masks.encode(mask)).decode()
            self._record(Paint(self._next, label.pk, z, "brush", painted, sequence))
            self._keep(label, z, mask)

    def _keep(
        self, label: Label, z: int, mask: Mask, clicks: tuple[PlacedClick, ...] = (), estimate: float | None = None
    ) -> None:
        """The mask of the newest interaction: the model's where it is of clicks."""
        made_by, newest = self.version.pk if clicks else None, self.log.last_sequence
        case = self.case
        slicemasks.save(
            case.pk, label.pk, z, newest, newest, masks.encode(mask), made_by, clicks, case.person_id, estimate
        )

    @property
    def _next(self) -> int:
        return self.log.last_sequence + 1

    def _record(self, message: AddClick | Paint) -> int:
        recorded = history.record(self.case.pk, self.case.person_id, message, log=self.log)
        self.clock += timedelta(seconds=float(self.random.uniform(*SECONDS)))
        self.times[recorded.interaction] = self.clock
        return recorded.sequence

    def _date(self) -> None:
        rows = list(Interaction.objects.filter(pk__in=self.times))
        for row in rows:
            row.created_at = self.times[row.pk]
        Interaction.objects.bulk_update(rows, ["created_at"], batch_size=100)


def near(wanted: Mask, slip: float, random: np.random.Generator) -> Mask:
    """A mask [y, x] whose outline wanders about that of the wanted one, mostly by up to 6 · `slip` pixels."""
    around = _around(wanted)
    part = wanted[around]
    inside = distance_transform_edt(part) - distance_transform_edt(~part)
    wander = gaussian_filter(random.normal(size=part.shape), 6)
    mask = np.zeros_like(wanted)
    mask[around] = inside + 3 * slip * wander / wander.std() > 0
    return mask


def innermost(mask: Mask) -> tuple[int, int]:
    """The voxel (y, x) that lies deepest inside."""
    around = _around(mask)
    part = np.pad(mask[around], 1)
    y, x = np.unravel_index(distance_transform_edt(part).argmax(), part.shape)
    return int(y) - 1 + around[0].start, int(x) - 1 + around[1].start


def _around(mask: Mask, margin: int = 12) -> tuple[slice, slice]:
    """The box of a mask, and somewhat more."""
    rows, columns = (_span(np.flatnonzero(mask.any(axis=axis)), margin) for axis in (1, 0))
    return rows, columns


def _span(at: NDArray[np.intp], margin: int) -> slice:
    return slice(max(int(at[0]) - margin, 0), int(at[-1]) + margin + 1)


def _slices(volume: NDArray[np.bool_]) -> Iterator[tuple[int, Mask]]:
    for z in np.flatnonzero(volume.any(axis=(1, 2))):
        yield int(z), volume[z]
