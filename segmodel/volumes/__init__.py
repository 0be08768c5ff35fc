"""CT volumes: DICOM series and NIfTI files in, one orientation of Hounsfield units out, labels back."""

from segmodel.volumes.reading import read
from segmodel.volumes.volume import (
    MAX_VOXELS,
    Geometry,
    Identifiers,
    NiftiForm,
    Volume,
    VolumeError,
)

__all__ = ["MAX_VOXELS", "Geometry", "Identifiers", "NiftiForm", "Volume", "VolumeError", "read"]
