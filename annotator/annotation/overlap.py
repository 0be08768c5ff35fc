"""Which label has a voxel that several masks claim: the project's rule, and labels that are locked.

A stored mask is never changed by another label's. Where the newest mask has the voxel, that shows when masks are put
together (`visible`), so that an undo gives back what a mask had covered. A mask is cut when it is made where it must not
go (`barred`): into a locked label, or into any other where only the background may be taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from annotator import masks
from annotator.annotation.models import Assignment, Project, SliceMask

Mask = NDArray[np.bool_]


def visible(rows: Iterable[SliceMask], rule: str) -> dict[int, Mask]:
    """By label id, what each label has of one slice [y, x] by a `Project.Overlap`; `rows` are the masks of that slice."""
    oldest_first = sorted((row for row in rows if row.pixels), key=lambda row: row.since)
    shown: dict[int, Mask] = {}
    for row in oldest_first:
        mask = masks.decode(bytes(row.mask))
        if rule != Project.Overlap.ALLOWED:
            for covered in shown.values():
                np.logical_and(covered, ~mask, out=covered)
        shown[row.label_id] = mask
    return shown


def barred(assignment: Assignment, locked: Collection[int], label_id: int, z: int) -> Mask | None:
    """The voxels [y, x] of a slice that a label's mask may not take; None where it may take all."""
    rule = assignment.task.project.overlap
    if not locked and rule != Project.Overlap.BACKGROUND:
        return None
    others = visible(assignment.masks.filter(z=z), rule)
    others.pop(label_id, None)
    taken = [mask for other, mask in others.items() if other in locked or rule == Project.Overlap.BACKGROUND]
    return np.logical_or.reduce(taken) if taken else None


def cut(mask: bytes, barred: Mask | None) -> bytes:
    """The mask (bytes of `annotator.masks`) without what it may not take."""
    return mask if barred is None else masks.encode(masks.decode(mask) & ~barred)
