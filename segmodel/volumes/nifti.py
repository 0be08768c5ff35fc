"""NIfTI-1 and NIfTI-2 files: CT volumes in, label volumes out in the geometry of their source."""

from __future__ import annotations

import gzip
import io
import os
import uuid
import zlib
from pathlib import Path
from typing import IO, Any, cast

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from segmodel.volumes.volume import (
    MAX_VOXELS,
    Geometry,
    NiftiForm,
    Volume,
    VolumeError,
    check_size,
    clip_warnings,
    to_int16,
)

_BROKEN = (
    OSError, EOFError, ValueError, OverflowError, MemoryError, zlib.error,
    HeaderDataError, ImageFileError, WrapStructError,
)  # fmt: skip
_MILLIMETRE = 2
_SCANNER = 1  # NIFTI_XFORM_SCANNER_ANAT
_FINE_SPAN = 64  # fractions matter in values that span less


def read(path: str | Path, max_voxels: int = MAX_VOXELS, channel: int | None = None) -> Volume:
    """Read one 3-D NIfTI image (``.nii`` or ``.nii.gz``, whatever its name says) as a CT volume.

    The sform is used where the file has one, else the qform. Values are scaled by ``scl_slope`` and
    ``scl_inter``, rounded and clipped to int16. A fourth axis of length one is dropped; of a longer one, ``channel``
    (counted from 0) says which volume is taken, and ``max_voxels`` counts them all.

    Raises:
        VolumeError: not NIfTI, not one 3-D grey-scale volume, bad spacing, truncated, too large, without that
            channel, or with values that rounding would destroy (0 to 1, say).
    """
    path = Path(path)
    try:
        with path.open("rb") as file, _unzipped(file) as stream:
            return _read_stream(stream, path.name, max_voxels, channel)
    except VolumeError:
        raise
    except FileNotFoundError:
        raise VolumeError(f"{path.name} does not exist.") from None
    except _BROKEN as error:
        raise VolumeError(f"{path.name} is truncated or damaged: its voxels cannot be read.") from error


def write_labels(path: str | Path, labels: NDArray[Any], geometry: Geometry) -> None:
    """Write labels ``[z, y, x]`` (bool or unsigned integers) as NIfTI in the geometry of the source.

    Shape, affine and form codes are those of the source image; for a DICOM source the affine is the one that
    its Image Plane attributes give, coded as scanner coordinates. The file appears whole or not at all.

    Raises:
        VolumeError: the labels are of another type or shape, or the file cannot be written.
    """
    if labels.dtype == bool:
        labels = labels.astype(np.uint8)
    if labels.dtype.kind != "u":
        raise VolumeError(f"Labels must be unsigned integers, not {labels.dtype}.")
    _write(Path(path), labels, geometry)


def write(path: str | Path, volume: Volume) -> None:
    """Write a volume's Hounsfield units as int16 NIfTI in the geometry of its source."""
    _write(Path(path), volume.voxels, volume.geometry)


def _unzipped(file: IO[bytes]) -> IO[bytes]:
    """Return the stream inside, by its first bytes: uploads do not always keep their extension."""
    magic = file.read(2)
    file.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if magic == b"\x1f\x8b" else file


def _read_stream(stream: IO[bytes], name: str, max_voxels: int, channel: int | None) -> Volume:
    kind = _image_class(stream, name)
    header = _raw_header(stream, kind, name)
    shape, channels = _volume_shape(header, name, channel)
    check_size(shape if channels == 1 else (*shape, channels), max_voxels)
    _check_values(header, name)
    _check_units(header, name)
    _check_pixdim(header, name)
    image = kind.from_stream(cast(io.IOBase, stream))
    data: Any = image.dataobj
    try:
        geometry = Geometry(image.affine, shape, _form(header))
    except VolumeError as error:
        raise VolumeError(f"{name}: {error}") from None
    raw = data.get_unscaled().reshape(*shape, channels)[..., channel or 0]
    slope, intercept = float(data.slope), float(data.inter)
    voxels, clipped = _scaled(raw, slope, intercept, geometry)
    _check_rounding(raw, slope, intercept, voxels, name)
    warnings = (*_form_warnings(header, geometry), *clip_warnings(clipped))
    return Volume(voxels, geometry, warnings, description=_stem(name))


def _image_class(stream: IO[bytes], name: str) -> type[nib.Nifti1Image]:
    try:
        start = stream.read(540)
    except (OSError, EOFError, zlib.error):
        start = b""
    stream.seek(0)
    if start[344:348] == b"n+1\0":
        return nib.Nifti1Image
    if start[4:8] == b"n+2\0" and len(start) == 540:
        return nib.Nifti2Image
    if start[344:348] == b"ni1\0" or start[4:8] == b"ni2\0":
        raise VolumeError(f"{name} is one half of a .hdr/.img pair; convert it to a single .nii file.")
    raise VolumeError(f"{name} is not a NIfTI file.")


def _raw_header(stream: IO[bytes], kind: type[nib.Nifti1Image], name: str) -> Any:
    """Return the header as written: nibabel's own check would silently mend a negative spacing."""
    try:
        header = kind.header_class.from_fileobj(stream, check=False)
    except _BROKEN as error:
        raise VolumeError(f"{name} has a NIfTI header that cannot be read.") from error
    stream.seek(0)
    return header


def _volume_shape(header: Any, name: str, channel: int | None) -> tuple[tuple[int, int, int], int]:
    """Return the voxels of one volume and the number of volumes."""
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise VolumeError(f"{name} has a NIfTI header that cannot be read.")
    sizes = [int(size) for size in header["dim"][1 : count + 1]]
    if count < 3:
        raise VolumeError(f"{name} is a {count}-D image, not a volume.")
    if min(sizes) < 1:
        raise VolumeError(f"{name} has an axis without voxels.")
    longer = [size for size in sizes[3:] if size > 1]
    if len(longer) > 1 or (longer and channel is None):
        extra = "×".join(str(size) for size in sizes[3:])
        raise VolumeError(f"{name} holds {extra} volumes; only a single 3-D volume can be read.")
    channels = longer[0] if longer else 1
    if not 0 <= (channel or 0) < channels:
        raise VolumeError(f"{name} has no channel {channel}; it has {channels}, counted from 0.")
    return (sizes[0], sizes[1], sizes[2]), channels


def _check_values(header: Any, name: str) -> None:
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise VolumeError(f"{name} has voxels of an unknown NIfTI type.") from None
    if dtype.fields is not None:
        raise VolumeError(f"{name} is a colour (RGB) image; CT is grey-scale.")
    if dtype.kind not in "iuf":
        raise VolumeError(f"{name} has voxels of type {dtype}, which CT does not use.")
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    # A slope of zero or NaN means "not scaled"; infinite ones mean nothing.
    if np.isinf(slope) or (np.isfinite(slope) and slope != 0 and not np.isfinite(intercept)):
        raise VolumeError(f"{name} scales its values by {slope} and {intercept}, which are not usable numbers.")


def _check_units(header: Any, name: str) -> None:
    unit = int(header["xyzt_units"]) & 7
    if unit not in (0, _MILLIMETRE):
        raise VolumeError(f"{name} states its geometry in another unit than millimetres.")


def _check_pixdim(header: Any, name: str) -> None:
    spacing = [float(step) for step in header["pixdim"][1:4]]
    if not all(np.isfinite(step) and step > 0 for step in spacing):
        raise VolumeError(f"{name} has a voxel spacing that is not positive: {spacing} mm.")


def _form(header: Any) -> NiftiForm:
    b, c, d = (float(header[f"quatern_{axis}"]) for axis in "bcd")
    x, y, z = (float(header[f"qoffset_{axis}"]) for axis in "xyz")
    qfac, i, j, k = (float(step) for step in header["pixdim"][:4])
    codes = int(header["sform_code"]), int(header["qform_code"])
    return NiftiForm(*codes, (b, c, d), (x, y, z), (qfac, i, j, k), int(header["xyzt_units"]))


def _form_warnings(header: Any, geometry: Geometry) -> list[str]:
    warnings = []
    if not header["sform_code"] and not header["qform_code"]:
        warnings.append("The file does not say how it lies in the patient; left and right are a guess.")
    stated = np.array(header["pixdim"][1:4], dtype=float)
    used = np.sqrt((geometry.source_affine[:3, :3] ** 2).sum(axis=0))
    if not np.allclose(stated, used, rtol=0.01):
        warnings.append(
            f"The header's spacing {_millimetres(stated)} differs from that of its sform, "
            f"{_millimetres(used)}; the sform was used."
        )
    return warnings


def _millimetres(steps: NDArray[np.float64]) -> str:
    return "×".join(f"{step:.4g}" for step in steps) + " mm"


def _scaled(raw: NDArray[Any], slope: float, intercept: float, geometry: Geometry) -> tuple[NDArray[np.int16], int]:
    """Fill the stored volume slab by slab, so that no float copy of the whole volume ever exists."""
    voxels = np.empty(geometry.shape, dtype=np.int16)
    source = geometry.to_source(voxels)
    clipped = 0
    for k in range(raw.shape[2]):
        source[:, :, k], more = to_int16(np.asarray(raw[:, :, k]), slope, intercept)
        clipped += more
    return voxels, clipped


def _check_rounding(raw: NDArray[Any], slope: float, intercept: float, voxels: NDArray[np.int16], name: str) -> None:
    """Refuse what whole numbers would flatten. Scaling it is left to its owner, who knows the scale of the other files."""
    whole = raw.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer()
    low, high = int(voxels.min()), int(voxels.max())
    if whole or high - low >= _FINE_SPAN:
        return
    for k in range(raw.shape[2]):
        scaled = raw[:, :, k].astype(np.float64) * slope + intercept
        if (np.abs(scaled - np.rint(scaled)) > 1e-3).any():
            raise VolumeError(
                f"{name} holds fractions between {low} and {high}, which whole numbers would flatten; scale its values up."
            )


def _stem(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".nii")


def _write(path: Path, stored: NDArray[Any], geometry: Geometry) -> None:
    source = geometry.to_source(stored)
    image = nib.Nifti1Image(np.asarray(source), None, _header(geometry, stored.dtype))
    # The temporary name keeps the suffix, by which nibabel decides whether to compress.
    suffix = ".nii.gz" if path.name.endswith(".gz") else ".nii"
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{suffix}")
    try:
        nib.save(image, temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise VolumeError(f"{path.name} cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _header(geometry: Geometry, dtype: np.dtype[Any]) -> nib.Nifti1Header:
    header = nib.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(geometry.source_shape)
    header.set_slope_inter(1, 0)
    header["xyzt_units"] = _MILLIMETRE
    if geometry.nifti is None:
        header.set_qform(geometry.source_affine, _SCANNER, strip_shears=True)
        header.set_sform(geometry.source_affine, _SCANNER)
        if not np.allclose(header.get_qform(), geometry.source_affine, atol=1e-3):
            header["qform_code"] = 0  # a quaternion cannot say a sheared (tilted gantry) stack
        return header
    form = geometry.nifti
    header["pixdim"][:4] = form.pixdim
    header["quatern_b"], header["quatern_c"], header["quatern_d"] = form.quatern
    header["qoffset_x"], header["qoffset_y"], header["qoffset_z"] = form.offset
    header["qform_code"], header["xyzt_units"] = form.qform_code, form.units
    if form.sform_code:
        header.set_sform(geometry.source_affine, form.sform_code)
    return header
