"""From single slices to a stack: their order, the geometry they span, and what is odd about it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segmodel.volumes.dicom_headers import Frame
from segmodel.volumes.volume import Geometry, VolumeError

_RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SAME_PLACE = 1e-3  # mm; two slices nearer than this lie at one position
_EVEN = 0.02  # of the usual step; what scanners round away
_EVEN_MM = 0.02
_TILT = np.tan(np.radians(0.5))


def stack(frames: list[Frame]) -> tuple[list[Frame], Geometry, list[str]]:
    """Sort frames along their common normal and derive the geometry of the stack.

    The source index is (column, row, slice sorted along the normal), the normal being row direction × column
    direction (PS3.3 C.7.6.2.1.1). The slice step is the mean one, so that first and last slice lie exactly
    where the headers put them.

    Returns:
        the sorted frames, their geometry, and warnings about repeated, missing, uneven or sheared slices.

    Raises:
        VolumeError: the frames differ in size, orientation or pixel spacing, or share positions.
    """
    _check_alike(frames)
    frames, warnings = _without_copies(frames)
    first = frames[0]
    normal = np.cross(first.orientation[0], first.orientation[1])
    frames = sorted(frames, key=lambda frame: float(frame.position @ normal))
    positions = np.array([frame.position for frame in frames])
    heights = positions @ normal
    _check_distinct(frames, heights)
    if len(frames) == 1:
        step, more = _single_step(first, normal)
    else:
        step = (positions[-1] - positions[0]) / (len(frames) - 1)
        more = _gap_warnings(heights) + _shear_warnings(positions, step, normal)
    notes = list(dict.fromkeys(note for frame in frames for note in frame.notes))
    return frames, _geometry(frames, step), warnings + more + notes


def _check_alike(frames: list[Frame]) -> None:
    first = frames[0]
    for frame in frames[1:]:
        if frame.shape != first.shape:
            raise VolumeError(
                f"The series mixes image sizes: {_size(first)} in {first.path.name}, "
                f"{_size(frame)} in {frame.path.name}."
            )
        if not np.allclose(frame.orientation, first.orientation, atol=1e-3):
            names = f"{first.path.name} and {frame.path.name}"
            raise VolumeError(f"The series mixes image orientations: {names} are not parallel.")
        if not np.allclose(frame.pixel_spacing, first.pixel_spacing, rtol=1e-3):
            raise VolumeError(
                f"The series mixes pixel spacings: {_spacing(first)} in {first.path.name}, "
                f"{_spacing(frame)} in {frame.path.name}."
            )


def _size(frame: Frame) -> str:
    return f"{frame.shape[1]}×{frame.shape[0]}"


def _spacing(frame: Frame) -> str:
    return f"{frame.pixel_spacing[0]:.4g}×{frame.pixel_spacing[1]:.4g} mm"


def _without_copies(frames: list[Frame]) -> tuple[list[Frame], list[str]]:
    """Drop files that are the same instance sent twice; that is a slip of copying, not of scanning."""
    kept: dict[tuple[object, ...], Frame] = {}
    for number, frame in enumerate(frames):
        kept.setdefault((frame.sop_uid or number, frame.index, frame.position.tobytes()), frame)
    dropped = len(frames) - len(kept)
    if not dropped:
        return frames, []
    were = "slice was" if dropped == 1 else "slices were"
    return list(kept.values()), [f"{dropped} {were} there twice (same SOP Instance UID) and left out once."]


def _check_distinct(frames: list[Frame], heights: NDArray[np.float64]) -> None:
    for index in np.flatnonzero(np.diff(heights) < _SAME_PLACE)[:1]:
        one, other = sorted(frame.path.name for frame in frames[index : index + 2])
        where = f"{one} and {other}" if one != other else f"two frames of {one}"
        raise VolumeError(
            f"The series has several slices at the same position ({where}); it mixes several acquisitions."
        )


def _single_step(frame: Frame, normal: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    if frame.thickness is not None and np.isfinite(frame.thickness) and frame.thickness > 0:
        return normal * frame.thickness, []
    return normal, ["The only slice has no thickness; 1 mm was assumed."]


def _gap_warnings(heights: NDArray[np.float64]) -> list[str]:
    gaps = np.diff(heights)
    usual = float(np.percentile(gaps, 50, method="lower"))
    tolerance = max(_EVEN * usual, _EVEN_MM)
    odd = np.flatnonzero(np.abs(gaps - usual) > tolerance)
    if not len(odd):
        return []
    multiples = np.rint(gaps[odd] / usual)
    if (multiples >= 2).all() and (np.abs(gaps[odd] - multiples * usual) <= tolerance * multiples).all():
        return [_missing(heights, odd, multiples, usual)]
    return [
        f"The slice spacing is uneven: {gaps.min():.3g} to {gaps.max():.3g} mm, mostly {usual:.3g} mm; "
        "distances and volumes across slices are approximate."
    ]


def _missing(heights: NDArray[np.float64], odd: NDArray[np.intp], multiples: NDArray[np.float64], usual: float) -> str:
    count = int((multiples - 1).sum())
    places = [f"between {heights[at]:.1f} and {heights[at + 1]:.1f} mm" for at in odd[:3]]
    more = f" and {len(odd) - 3} more gaps" if len(odd) > 3 else ""
    return (
        f"{count} {'slice seems' if count == 1 else 'slices seem'} to be missing: "
        f"{', '.join(places)}{more} (slices are {usual:.3g} mm apart elsewhere)."
    )


def _shear_warnings(
    positions: NDArray[np.float64], step: NDArray[np.float64], normal: NDArray[np.float64]
) -> list[str]:
    warnings = []
    along = float(step @ normal)
    aside = float(np.linalg.norm(step - along * normal))
    if aside > _TILT * along:
        angle = np.degrees(np.arctan2(aside, along))
        warnings.append(
            f"The slices are stacked {angle:.1f}° off their normal (tilted gantry); views across slices look sheared."
        )
    jumps = [later - earlier for earlier, later in pairwise(positions)]
    strays = [jump - step * (jump @ normal) / along for jump in jumps]
    if max(float(np.linalg.norm(stray)) for stray in strays) > 1:
        warnings.append("The slices do not lie on one straight line; they shift sideways against each other.")
    return warnings


def _geometry(frames: list[Frame], step: NDArray[np.float64]) -> Geometry:
    first = frames[0]
    between_rows, between_columns = first.pixel_spacing
    affine = np.eye(4)
    affine[:3, 0] = first.orientation[0] * between_columns
    affine[:3, 1] = first.orientation[1] * between_rows
    affine[:3, 2] = step
    affine[:3, 3] = first.position
    rows, columns = first.shape
    return Geometry(_RAS_FROM_LPS @ affine, (columns, rows, len(frames)))
