"""A small picture of a series for lists: its middle slice through the abdominal window."""

from __future__ import annotations

import io

import numpy as np
from django.core.cache import cache
from PIL import Image

from annotator.studies import store
from annotator.studies.models import Series

WIDTH, LEVEL = 400, 40  # Hounsfield units
SIZE = 192  # pixels along the longer side


def png(series: Series) -> bytes:
    """PNG bytes, drawn once. Raises FileNotFoundError where the volume is gone."""
    key = f"thumbnail:{series.pk}"
    found = cache.get(key)
    if found is None:
        found = _draw(series)
        cache.set(key, found, timeout=None)
    return bytes(found)


def slice_png(series: Series, z: int) -> bytes:
    """One slice, pixel by pixel. Raises FileNotFoundError where the volume is gone."""
    return _packed(_grey(series, z))


def _draw(series: Series) -> bytes:
    return _packed(_grey(series, series.depth // 2).resize(_size(series), Image.Resampling.BOX))


def _grey(series: Series, z: int) -> Image.Image:
    pixels = store.read_slice(series, z).astype(np.float32)
    grey = np.clip((pixels - (LEVEL - WIDTH / 2)) / WIDTH, 0, 1) * 255
    return Image.fromarray(grey.astype(np.uint8))


def _packed(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _size(series: Series) -> tuple[int, int]:
    """(width, height) in pixels, in the proportions of the body."""
    _, dy, dx = series.spacing
    width, height = series.width * dx, series.height * dy
    scale = SIZE / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
