"""What a DICOM header says: whether the file is a CT image at all, and where each of its frames lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from segmodel.volumes.volume import Identifiers, VolumeError

_DIRECTORY = "1.2.840.10008.1.3.10"

_TAGS = [
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "SeriesDate",
    "Modality", "StudyDescription", "SeriesDescription", "PatientID", "SliceThickness", "StudyInstanceUID",
    "SeriesInstanceUID", "SeriesNumber", "ImagePositionPatient", "ImageOrientationPatient",
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPresentation",
    "RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip

_BARE_STARTS = (b"\2\0\0\0", b"\2\0\x10\0", b"\x08\0\0\0", b"\x08\0\5\0", b"\x08\0\x08\0")
"""First elements, little endian, of old files without the preamble of PS3.10 7.1."""


@dataclass(frozen=True)
class Frame:
    """One slice as its header describes it.

    Attributes:
        path, index: the file and the zero-based frame inside it.
        sop_uid: SOP Instance UID (0008,0018) of the file.
        shape: (rows, columns).
        position: Image Position (Patient) (0020,0032), centre of the first pixel, LPS millimetres.
        orientation: 2×3, direction of increasing column and of increasing row index, unit vectors in LPS
            (Image Orientation (Patient), 0020,0037).
        pixel_spacing: millimetres (between rows, between columns), Pixel Spacing (0028,0030).
        thickness: Slice Thickness (0018,0050) in millimetres, or None.
        slope, intercept: Rescale Slope and Intercept (0028,1053, 0028,1052) to Hounsfield units.
        notes: what is odd about this frame, in sentences fit for ``Volume.warnings``.
    """

    path: Path
    index: int
    sop_uid: str
    shape: tuple[int, int]
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    pixel_spacing: tuple[float, float]
    thickness: float | None
    slope: float
    intercept: float
    notes: tuple[str, ...]


def read_header(path: Path) -> Dataset:
    """Read the header of one CT image file, without its pixels.

    Raises:
        VolumeError: not DICOM, or not a grey-scale CT image; the sentence says what it is instead.
    """
    header = open_dataset(path, stop_before_pixels=True, specific_tags=_TAGS)
    try:
        _check_is_ct(header, path.name)
    except VolumeError:
        raise
    except Exception as error:  # pydicom converts values on access, so any element may raise anything
        raise VolumeError(f"{path.name} has a DICOM header with unusable values.") from error
    return header


def open_dataset(path: Path, **options: Any) -> Dataset:
    """Read a DICOM file with pydicom, with or without the preamble of PS3.10 7.1; ``options`` go to dcmread.

    Raises:
        VolumeError: the file cannot be opened, is not DICOM or is damaged.
    """
    try:
        with path.open("rb") as file:
            start = file.read(132)
        if not start:
            raise VolumeError(f"{path.name} is empty.")
        if start[128:] != b"DICM" and start[:4] not in _BARE_STARTS:
            raise VolumeError(f"{path.name} is not a DICOM file.")
        dataset = pydicom.dcmread(path, force=True, **options)
    except VolumeError:
        raise
    except OSError as error:
        raise VolumeError(f"{path.name} cannot be read: {error.strerror or 'input error'}.") from error
    except Exception as error:  # damaged files make pydicom raise almost anything
        raise VolumeError(f"{path.name} is a damaged or truncated DICOM file.") from error
    return dataset


def transfer_syntax(dataset: Dataset) -> UID:
    """Return the Transfer Syntax UID (0002,0010), or the one the file was read with where it states none."""
    stated = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID")
    if stated:
        return UID(stated)
    is_implicit, is_little = dataset.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian


def identifiers(header: Dataset) -> Identifiers:
    """Return whose image it is, as far as the header says."""
    date = text(header, "StudyDate") or text(header, "SeriesDate")
    return Identifiers(
        patient_id=text(header, "PatientID"),
        study_uid=text(header, "StudyInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        study_description=text(header, "StudyDescription"),
        series_description=text(header, "SeriesDescription"),
        date=f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else "",
    )


def text(header: Dataset, keyword: str) -> str:
    """Return an element as one clean line; empty where it is absent or unreadable."""
    try:
        value = header.get(keyword)
    except Exception:  # an undecodable description must not stop an import
        return ""
    # Databases refuse NUL, and some scanners pad with it.
    return " ".join(str(value).replace("\0", " ").split()) if value is not None else ""


def frames(header: Dataset, path: Path) -> list[Frame]:
    """Return the frames of a CT image file: one for a classic image, many for an enhanced one.

    Enhanced CT (PS3.3 A.38) keeps its geometry and rescaling in functional groups, shared or per frame.

    Raises:
        VolumeError: a position, orientation, spacing or rescaling is missing or unusable.
    """
    try:
        per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
        shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
        count = int(header.get("NumberOfFrames") or 1)
        if not per_frame and count == 1:
            return [_frame(header, path, 0, [header])]
        if len(per_frame) != count:
            raise VolumeError(
                f"{path.name} holds {count} frames but describes the position of {len(per_frame)} of them."
            )
        return [_frame(header, path, index, [own, shared]) for index, own in enumerate(per_frame)]
    except VolumeError:
        raise
    except Exception as error:  # pydicom converts values on access, so any element may raise anything
        raise VolumeError(f"{path.name} has a DICOM header with unusable values.") from error


def _check_is_ct(header: Dataset, name: str) -> None:
    kind = UID(text(header, "SOPClassUID"))
    media_kind = getattr(header, "file_meta", Dataset()).get("MediaStorageSOPClassUID", "")
    if _DIRECTORY in (kind, media_kind):
        raise VolumeError(f"{name} is a DICOMDIR, an index of other files.")
    modality = text(header, "Modality")
    if modality != "CT" and (modality or "CT Image" not in kind.name):
        what = kind.name or "a DICOM object of unknown kind"
        raise VolumeError(f"{name} is no CT image but {what}{f' ({modality})' if modality else ''}.")
    if not header.get("Rows") or not header.get("Columns"):
        raise VolumeError(f"{name} is no image but {kind.name or 'a DICOM object without pixels'}.")
    photometric = text(header, "PhotometricInterpretation")
    if int(header.get("SamplesPerPixel") or 1) != 1 or not photometric.startswith("MONOCHROME"):
        raise VolumeError(f"{name} is a colour image ({photometric or 'unknown'}); CT is grey-scale.")
    if text(header, "PixelPresentation") == "COLOR":
        raise VolumeError(f"{name} is a colour map computed from CT, not CT.")
    if "LOCALIZER" in (header.get("ImageType") or []):
        raise VolumeError(f"{name} is a localizer (scout view), not a slice.")
    if not text(header, "SeriesInstanceUID"):
        raise VolumeError(f"{name} has no Series Instance UID, so it belongs to no series.")


def _frame(header: Dataset, path: Path, index: int, groups: list[Dataset]) -> Frame:
    _check_bits(header, path.name)
    find = _Finder(groups, path.name)
    pixel_spacing = find.numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    if min(pixel_spacing) <= 0:
        raise VolumeError(f"{path.name} has a Pixel Spacing that is not positive: {pixel_spacing.tolist()} mm.")
    thickness = find.value("PixelMeasuresSequence", "SliceThickness")
    slope, intercept, notes = _rescaling(find, path.name)
    if text(header, "PhotometricInterpretation") == "MONOCHROME1":
        # PS3.3 C.7.6.3.1.2: it says how values are *shown*. Hounsfield units mean the same either way.
        notes = (
            *notes,
            "The series asks for an inverted display (MONOCHROME1); it is shown like any other CT.",
        )
    return Frame(
        path=path,
        index=index,
        sop_uid=text(header, "SOPInstanceUID"),
        shape=(int(header.Rows), int(header.Columns)),
        position=find.numbers("PlanePositionSequence", "ImagePositionPatient", 3),
        orientation=_directions(find, path.name),
        pixel_spacing=(float(pixel_spacing[0]), float(pixel_spacing[1])),
        thickness=float(thickness) if thickness not in (None, "") else None,
        slope=slope,
        intercept=intercept,
        notes=notes,
    )


class _Finder:
    """Looks an element up in the functional groups of a frame, or in a classic image's own header."""

    def __init__(self, groups: list[Dataset], name: str) -> None:
        self._groups = groups
        self._name = name

    def value(self, macro: str, keyword: str) -> Any:
        """Return the element, or None. ``macro`` is the functional group that holds it in enhanced images."""
        for group in self._groups:
            items = group.get(macro) or [group]
            value = items[0].get(keyword)
            if value not in (None, ""):
                return value
        return None

    def numbers(self, macro: str, keyword: str, count: int) -> NDArray[np.float64]:
        """Return ``count`` finite numbers, or refuse the image with a sentence that names the element."""
        value = self.value(macro, keyword)
        spoken = pydicom.datadict.dictionary_description(keyword)
        if value is None:
            raise VolumeError(f"{self._name} has no {spoken}, so it cannot be placed in space.")
        try:
            numbers = np.array([float(part) for part in value], dtype=np.float64)
        except (TypeError, ValueError):
            numbers = np.empty(0)
        if len(numbers) != count or not np.isfinite(numbers).all():
            raise VolumeError(f"{self._name} has an unusable {spoken}: {value}.")
        return numbers


def _directions(find: _Finder, name: str) -> NDArray[np.float64]:
    given = find.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6).reshape(2, 3)
    lengths = np.linalg.norm(given, axis=1)
    # One part in a hundred leaves room for headers rounded to a few digits.
    if not np.allclose(lengths, 1, atol=0.01) or abs(given[0] @ given[1]) > 0.01:
        raise VolumeError(f"{name} has an Image Orientation (Patient) that is not two perpendicular unit vectors.")
    return np.asarray(given / lengths[:, None])


def _check_bits(header: Dataset, name: str) -> None:
    if "ModalityLUTSequence" in header:
        raise VolumeError(f"{name} maps its values by a Modality LUT instead of a rescale slope, unlike any CT.")
    allocated, stored = header.get("BitsAllocated"), header.get("BitsStored")
    if allocated not in (8, 16, 32) or not stored:
        raise VolumeError(f"{name} stores {stored} of {allocated} bits a pixel; CT has 8, 16 or 32.")
    if header.get("HighBit", stored - 1) != stored - 1:
        raise VolumeError(f"{name} keeps its values in the upper bits of a pixel, a retired layout.")


def _rescaling(find: _Finder, name: str) -> tuple[float, float, tuple[str, ...]]:
    slope, intercept, kind = (
        find.value("PixelValueTransformationSequence", keyword)
        for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType")
    )
    if slope is None or intercept is None:
        return (
            1.0,
            0.0,
            ("No rescale slope and intercept are given; stored values were taken as Hounsfield units.",),
        )
    slope, intercept = float(slope), float(intercept)
    if slope == 0 or not np.isfinite([slope, intercept]).all():
        raise VolumeError(f"{name} has an unusable Rescale Slope or Intercept: {slope}, {intercept}.")
    if kind not in (None, "HU"):
        return slope, intercept, (f"The values are declared to be in {kind}, not Hounsfield units (HU).",)
    return slope, intercept, ()
