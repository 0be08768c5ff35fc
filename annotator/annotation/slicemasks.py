"""Slice masks: kept so that the answer to the newest interaction wins, whatever order answers come in."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterable, Mapping

from django.utils import timezone

from annotator import masks
from annotator.annotation.models import SliceMask
from annotator.protocol import MaskFrame, PlacedClick


def save(
    assignment_id: int,
    label_id: int,
    z: int,
    sequence: int,
    since: int,
    mask: bytes,
    model_version_id: int | None,
    clicks: Iterable[PlacedClick],
    person_id: int,
    quality: float | None = None,
) -> bool:
    """Keep a mask (bytes of `annotator.masks`) that comes from interaction `since` as the answer to `sequence`.

    False where the answer to a later interaction is already kept. Each statement carries the condition, so writers on
    any number of processes leave the newest.
    """
    values = {
        "sequence": sequence,
        "since": since,
        "mask": mask,
        "pixels": masks.area(mask),
        "quality": quality,
        "clicks": [dataclasses.asdict(click) for click in clicks],
        "model_version_id": model_version_id,
        "person_id": person_id,
        "saved_at": timezone.now(),
    }
    kept = SliceMask.objects.filter(assignment=assignment_id, label=label_id, z=z)
    if kept.filter(sequence__lte=sequence).update(**values):
        return True
    _, created = SliceMask.objects.get_or_create(assignment_id=assignment_id, label_id=label_id, z=z, defaults=values)
    # Somebody else's first row may have come between the two statements above.
    return created or bool(kept.filter(sequence__lte=sequence).update(**values))


def frames(assignment_id: int) -> bytes:
    """Every kept mask of an assignment: repeated u32le length and `MaskFrame` of kind SAVED."""
    kept = SliceMask.objects.filter(assignment=assignment_id).order_by("label", "z")
    rows = kept.values_list("label_id", "z", "sequence", "model_version_id", "quality", "mask")
    return b"".join(_with_length(_frame(*row)) for row in rows)


def behind(assignment_id: int, newest: Mapping[tuple[int, int], int]) -> list[tuple[int, int, int]]:
    """(label id, z, sequence) of the slices whose `newest` interaction has no mask yet, e.g. after a crash."""
    kept = SliceMask.objects.filter(assignment=assignment_id).values_list("label_id", "z", "sequence")
    answered = {(label_id, z): sequence for label_id, z, sequence in kept}
    return [(*place, sequence) for place, sequence in sorted(newest.items()) if answered.get(place, 0) < sequence]


def _frame(
    label_id: int, z: int, sequence: int, version_id: int | None, quality: float | None, mask: bytes | memoryview
) -> bytes:
    estimate = MaskFrame.NO_ESTIMATE if quality is None else quality
    return MaskFrame(
        MaskFrame.SAVED, z, sequence, label_id, version_id or 0, 0.0, 0.0, estimate, bytes(mask)
    ).to_bytes()


def _with_length(frame: bytes) -> bytes:
    return struct.pack("<I", len(frame)) + frame
