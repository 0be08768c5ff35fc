"""DICOM files, spoiled on purpose."""

from pathlib import Path
from typing import Any

import pydicom


def change(path: Path, drop: tuple[str, ...] = (), **elements: Any) -> None:
    """Rewrite a file with other elements, unchecked."""
    image = pydicom.dcmread(path)
    for keyword, value in elements.items():
        setattr(image, keyword, value)
    for keyword in drop:
        delattr(image, keyword)
    image.save_as(path)
