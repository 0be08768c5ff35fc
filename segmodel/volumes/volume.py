"""The one form in which a CT volume lives here, and its way back to the file it came from.

Stored volumes are int16 Hounsfield units indexed ``[z, y, x]`` with x towards the patient's Left, y towards
Posterior and z towards Superior. Import only permutes and flips axes to the nearest such order; it never
resamples, so an oblique acquisition stays oblique and every voxel keeps its value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nibabel import orientations
from numpy.typing import ArrayLike, NDArray

MAX_VOXELS = 512 * 512 * 2048
"""Largest volume that readers accept unless told otherwise: 1 GiB of int16."""

STORED_AXES = ("L", "P", "S")
"""Where the x, y and z index of a stored volume grow, as nibabel axis codes."""

_STORED_ORIENTATION = orientations.axcodes2ornt(STORED_AXES)
_INT16 = np.iinfo(np.int16)


class VolumeError(ValueError):
    """A volume that cannot be read or written; the message is one sentence for the person who sent it."""


@dataclass(frozen=True)
class NiftiForm:
    """The header fields by which a NIfTI file states its geometry, kept so that an export repeats them.

    ``quatern`` is (b, c, d), ``offset`` is (x, y, z) in the file's unit, ``pixdim`` the first four entries
    (qfac, i, j, k) and ``units`` the ``xyzt_units`` byte.
    """

    sform_code: int
    qform_code: int
    quatern: tuple[float, float, float]
    offset: tuple[float, float, float]
    pixdim: tuple[float, float, float, float]
    units: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` turns back into an equal object."""
        return {
            "sform_code": self.sform_code,
            "qform_code": self.qform_code,
            "quatern": list(self.quatern),
            "offset": list(self.offset),
            "pixdim": list(self.pixdim),
            "units": self.units,
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> NiftiForm:
        """Rebuild the fields from what ``to_json`` returned."""
        tuples = {name: tuple(plain[name]) for name in ("quatern", "offset", "pixdim")}
        return cls(**{**plain, **tuples})


@dataclass(frozen=True, eq=False)
class Geometry:
    """How a stored volume lies in the patient and how it relates to the file it came from.

    Attributes:
        source_affine: 4×4 float64, source index (i, j, k) to patient RAS millimetres. For NIfTI the image's
            own affine; for DICOM (i, j, k) is (column, row, slice sorted along the normal), from the Image
            Plane attributes (PS3.3 C.7.6.2.1.1) with x and y negated, because DICOM's patient axes are LPS.
        source_shape: voxels along (i, j, k).
        nifti: the source's NIfTI form fields, or None for DICOM.
        affine: 4×4 float64, stored index (x, y, z) to patient RAS millimetres, as nibabel uses it.
    """

    source_affine: NDArray[np.float64]
    source_shape: tuple[int, int, int]
    nifti: NiftiForm | None = None
    affine: NDArray[np.float64] = field(init=False)
    _to_stored: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        source_affine = _checked_affine(self.source_affine)
        shape = tuple(int(size) for size in self.source_shape)
        if len(shape) != 3 or min(shape) < 1:
            raise VolumeError(f"A volume needs three sizes of at least one voxel, not {shape}.")
        to_stored = orientations.ornt_transform(orientations.io_orientation(source_affine), _STORED_ORIENTATION)
        affine = source_affine @ orientations.inv_ornt_aff(to_stored, shape)
        for name, value in (("source_affine", source_affine), ("affine", affine), ("_to_stored", to_stored)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "source_shape", shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x) of the stored volume."""
        x, y, z = (self.source_shape[axis] for axis in np.argsort(self._to_stored[:, 0]))
        return z, y, x

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres from one voxel to the next along (z, y, x) of the stored volume."""
        x, y, z = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return float(z), float(y), float(x)

    def to_stored(self, source: NDArray[Any]) -> NDArray[Any]:
        """Return the view ``[z, y, x]`` of an array in source order ``[i, j, k]``."""
        return orientations.apply_orientation(source, self._to_stored).transpose(2, 1, 0)

    def to_source(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Return the view in source order ``[i, j, k]`` of a stored array ``[z, y, x]``.

        It is a view, so that readers fill a stored volume by writing source slices into it.
        """
        if stored.shape != self.shape:
            raise VolumeError(f"The array has shape {stored.shape}, its geometry {self.shape} (z, y, x).")
        to_source = orientations.ornt_transform(_STORED_ORIENTATION, orientations.io_orientation(self.source_affine))
        return orientations.apply_orientation(stored.transpose(2, 1, 0), to_source)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, fit for ``json.dumps`` or a JSON column; numbers survive exactly."""
        return {
            "source_affine": self.source_affine.tolist(),
            "source_shape": list(self.source_shape),
            "nifti": self.nifti.to_json() if self.nifti else None,
            "affine": self.affine.tolist(),
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Geometry:
        """Rebuild the geometry from what ``to_json`` returned; the stored affine is derived again."""
        nifti = plain.get("nifti")
        return cls(
            np.array(plain["source_affine"], dtype=np.float64),
            tuple(plain["source_shape"]),
            NiftiForm.from_json(nifti) if nifti else None,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Geometry) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.source_affine.tobytes(), self.source_shape))


@dataclass(frozen=True)
class Identifiers:
    """What the source says about whose volume it is; empty text where it says nothing.

    From DICOM: Patient ID (0010,0020), Study and Series Instance UID (0020,000D, 0020,000E), Study and Series
    Description (0008,1030, 0008,103E) and the study's, else the series', date as YYYY-MM-DD.
    """

    patient_id: str = ""
    study_uid: str = ""
    series_uid: str = ""
    study_description: str = ""
    series_description: str = ""
    date: str = ""


@dataclass(frozen=True, eq=False)
class Volume:
    """One CT volume.

    Attributes:
        voxels: int16 ``[z, y, x]``, Hounsfield units, rounded and clipped to int16.
        geometry: where the voxels lie and how they go back to the source.
        warnings: sentences about what is odd in the source but did not stop the import.
        modality: DICOM's Modality (0008,0060), or "" where the source has none.
        description: one line that names the volume for a reader.
        identifiers: patient, study and series as far as the source names them.
    """

    voxels: NDArray[np.int16]
    geometry: Geometry
    warnings: tuple[str, ...] = ()
    modality: str = ""
    description: str = ""
    identifiers: Identifiers = Identifiers()

    def __post_init__(self) -> None:
        if self.voxels.dtype != np.int16 or self.voxels.shape != self.geometry.shape:
            found = f"{self.voxels.dtype} {self.voxels.shape}"
            raise VolumeError(f"The voxels are {found}, not int16 {self.geometry.shape} (z, y, x).")

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres from one voxel to the next along (z, y, x)."""
        return self.geometry.spacing


def check_size(shape: tuple[int, ...], max_voxels: int) -> None:
    """Refuse a volume of more than ``max_voxels`` voxels before any memory is spent on it."""
    voxels = int(np.prod([int(size) for size in shape], dtype=object))
    if voxels > max_voxels:
        sizes = "×".join(str(size) for size in shape)
        raise VolumeError(f"The volume has {sizes} voxels, more than the limit of {max_voxels:,}.")


def to_int16(values: NDArray[Any], slope: float, intercept: float) -> tuple[NDArray[np.int16], int]:
    """Return ``values * slope + intercept`` rounded and clipped to int16, and how many had to be clipped.

    Whole-number rescaling, which is nearly every CT, stays in integers: it is exact and several times faster.

    Raises:
        VolumeError: some value is NaN or infinite.
    """
    small = values.dtype.kind in "iu" and values.dtype.itemsize <= 2
    if small and slope == 1 and abs(intercept) < 2**30 and intercept == int(intercept):
        return _clip(values.astype(np.int32) + np.int32(intercept))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = values.astype(np.float64) * slope + intercept
    if not np.isfinite(scaled).all():
        raise VolumeError("The volume holds values that are not numbers (NaN or infinite).")
    return _clip(np.rint(scaled, out=scaled))


def _clip(values: NDArray[Any]) -> tuple[NDArray[np.int16], int]:
    if values.min() >= _INT16.min and values.max() <= _INT16.max:
        return values.astype(np.int16), 0
    clipped = int(np.count_nonzero((values < _INT16.min) | (values > _INT16.max)))
    return np.clip(values, _INT16.min, _INT16.max).astype(np.int16), clipped


def clip_warnings(clipped: int) -> Iterator[str]:
    """Yield the warning that ``clipped`` voxels deserve, if any."""
    if clipped:
        yield f"{clipped:,} voxels lay outside {_INT16.min} to {_INT16.max} and were clipped."


def _checked_affine(affine: ArrayLike) -> NDArray[np.float64]:
    matrix = np.array(affine, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise VolumeError("The voxel-to-patient matrix is not a 4×4 matrix of finite numbers.")
    steps = np.sqrt((matrix[:3, :3] ** 2).sum(axis=0))
    # Relative to the voxel's own size: the determinant alone would call tiny voxels flat.
    if steps.min() < 1e-6 or abs(np.linalg.det(matrix[:3, :3] / steps)) < 1e-3:
        raise VolumeError("The voxel spacing is zero or the axes do not span space (singular matrix).")
    return matrix
