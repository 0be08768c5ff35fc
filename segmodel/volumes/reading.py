"""One volume from whatever a path holds."""

from __future__ import annotations

from pathlib import Path

from segmodel.volumes import dicom, nifti
from segmodel.volumes.volume import MAX_VOXELS, Volume, VolumeError


def read(path: str | Path, max_voxels: int = MAX_VOXELS) -> Volume:
    """The volume of a NIfTI file, a DICOM file, or a folder with one DICOM series. Raises VolumeError."""
    path = Path(path)
    if not path.exists():
        raise VolumeError(f"There is no {path}.")
    if path.is_file() and path.name.endswith((".nii", ".nii.gz")):
        return nifti.read(path, max_voxels)
    return dicom.read_series([path], max_voxels=max_voxels)
