"""A synthetic abdominal CT: anatomy drawn from smooth implicit shapes, with exact labels.

It exists so that tests, demos and first steps need nobody's images. Organs lie where a radiographer expects
them, in Hounsfield units of a portal-venous phase, with partial volume, texture and correlated noise; the
labels carry the names of the real data sets. It is no model of disease and nothing should be trained on it.

All shapes live in millimetres: x towards Left, y towards Posterior, z towards Superior, the origin in
front of the first lumbar vertebra. A distance is negative inside a shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from nibabel import orientations
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat
from scipy.interpolate import Akima1DInterpolator, interp1d
from scipy.ndimage import gaussian_filter, zoom
from scipy.spatial.transform import Rotation

from segmodel.volumes import Geometry, Identifiers, Volume, VolumeError

LABELS: dict[int, str] = {
    1: "aorta",
    2: "gallbladder",
    3: "left kidney",
    4: "right kidney",
    5: "liver",
    6: "pancreas",
    7: "spleen",
    8: "stomach",
    9: "liver lesion",
}
"""Label values and names; 1 to 8 are those of the BTCV abdomen set."""

DESCRIPTION = "SYNTHETIC PHANTOM"

AORTA, GALLBLADDER, LEFT_KIDNEY, RIGHT_KIDNEY, LIVER, PANCREAS, SPLEEN, STOMACH, LESION = LABELS

HU = {
    "air": -1000.0, "skin": 20.0, "fat": -103.0, "visceral fat": -98.0, "muscle": 58.0, "lung": -850.0,
    "heart": 135.0, "liver": 108.0, "spleen": 118.0, "cortex": 185.0, "medulla": 135.0, "urine": 8.0,
    "aorta": 148.0, "vein": 150.0, "cava": 128.0, "gallbladder": 9.0, "pancreas": 92.0, "gut wall": 82.0,
    "fluid": 18.0, "gas": -960.0, "faeces": 10.0, "compact bone": 620.0, "marrow": 155.0, "disc": 92.0,
    "canal": 25.0, "cartilage": 115.0, "lesion": 62.0, "table": -40.0, "foam": -930.0,
}  # fmt: skip

Array = NDArray[np.float32]
Point = tuple[float, float, float]

_FAR = 25.0  # mm; distances beyond this are not computed exactly
_EDGE = 1.1  # mm over which an organ's border blends into its neighbour
_VERTEBRA = 36.0  # mm from one vertebra to the next
_ANGLES = 2048


# --- shapes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """A solid: a box that holds it and a function (x, y, z) to signed distance.

    The function takes x as ``[1, w]``, y as ``[h, 1]`` and z as a number, all in millimetres, and gives
    ``[h, w]`` millimetres, negative inside. ``a | b``, ``a - b`` and ``a & b`` are rounded union, difference
    and intersection.
    """

    low: Point
    high: Point
    distance: Callable[[Array, Array, float], Array]

    def __or__(self, other: Shape) -> Shape:
        low, high = _point(map(min, self.low, other.low)), _point(map(max, self.high, other.high))
        return Shape(low, high, lambda x, y, z: _blend(self.distance(x, y, z), other.distance(x, y, z), 12))

    def __sub__(self, other: Shape) -> Shape:
        return Shape(
            self.low,
            self.high,
            lambda x, y, z: -_blend(-self.distance(x, y, z), other.distance(x, y, z), 6),
        )

    def __and__(self, other: Shape) -> Shape:
        return Shape(
            self.low,
            self.high,
            lambda x, y, z: -_blend(-self.distance(x, y, z), -other.distance(x, y, z), 5),
        )

    def grown(self, by: float) -> Shape:
        """Return the shape with its surface moved outwards by ``by`` millimetres (inwards if negative)."""
        more = max(by, 0.0)
        low, high = _point(value - more for value in self.low), _point(value + more for value in self.high)
        return Shape(low, high, lambda x, y, z: self.distance(x, y, z) - np.float32(by))


def _point(values: Iterable[float]) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _blend(a: Array, b: Array, width: float) -> Array:
    """Return the minimum of two distances with the crease rounded over ``width`` millimetres."""
    share = np.clip(0.5 + (b - a) / (2 * width), 0, 1)
    return np.asarray(b + (a - b) * share - width * share * (1 - share), dtype=np.float32)


def _waves(rng: np.random.Generator, amplitude: float) -> Callable[[Array, Array, float], Array]:
    """Return a smooth random bulge in millimetres, by which no organ is a plain ellipsoid."""
    lengths = rng.uniform(45, 110, 4)
    directions = rng.normal(size=(4, 3))
    wave_vectors = 2 * np.pi * directions / np.linalg.norm(directions, axis=1)[:, None] / lengths[:, None]
    phases, heights = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.3, 0.7, 4) * amplitude

    def bulge(x: Array, y: Array, z: float) -> Array:
        total = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
        for (kx, ky, kz), phase, height in zip(wave_vectors, phases, heights, strict=True):
            total += np.float32(height) * np.sin(x * kx + (y * ky + (z * kz + phase)), dtype=np.float32)
        return total

    return bulge


def blob(
    rng: np.random.Generator,
    centre: Point,
    radii: Point,
    turn: float = 0.0,
    lean: tuple[float, float] = (0, 0),
    wave: float = 2.0,
) -> Shape:
    """Return a bulging ellipsoid, turned ``turn`` radians about z, its axis leaning (dx, dy) per mm of z."""
    (cx, cy, cz), (rx, ry, rz) = centre, radii
    bulge = _waves(rng, wave)
    cos, sin = np.cos(turn), np.sin(turn)

    def distance(x: Array, y: Array, z: float) -> Array:
        dx, dy, dz = x - (cx + lean[0] * (z - cz)), y - (cy + lean[1] * (z - cz)), z - cz
        u, v = dx * cos + dy * sin, dy * cos - dx * sin
        level = np.sqrt((u / rx) ** 2 + (v / ry) ** 2 + (dz / rz) ** 2)
        slope = np.sqrt((u / rx**2) ** 2 + (v / ry**2) ** 2 + (dz / rz**2) ** 2)
        return np.asarray(level * (level - 1) / (slope + 1e-6) + bulge(x, y, z), dtype=np.float32)

    wide = max(rx, ry) + 2 * wave + rz * max(map(abs, lean))
    return Shape((cx - wide, cy - wide, cz - rz - wave), (cx + wide, cy + wide, cz + rz + wave), distance)


def tube(points: Sequence[Point], radii: Sequence[float] | float, wrinkle: float = 0.0) -> Shape:
    """Return a tube along the smooth curve through ``points``; ``wrinkle`` is a share of the radius."""
    centres, sizes = _curve(points, radii)
    if wrinkle:
        sizes = sizes * (1 + wrinkle * np.sin(np.arange(len(sizes)) * 0.55))
    reach = sizes + _FAR

    def distance(x: Array, y: Array, z: float) -> Array:
        result = np.full((y.shape[0], x.shape[1]), _FAR, dtype=np.float32)
        for (cx, cy, cz), radius, far in zip(centres, sizes, reach, strict=True):
            if abs(z - cz) >= far:
                continue
            columns = slice(*np.searchsorted(x[0], (cx - far, cx + far)))
            rows = slice(*np.searchsorted(y[:, 0], (cy - far, cy + far)))
            ball = np.sqrt((x[:, columns] - cx) ** 2 + (y[rows] - cy) ** 2 + (z - cz) ** 2) - radius
            np.minimum(result[rows, columns], ball, out=result[rows, columns], casting="same_kind")
        return result

    low, high = (centres - sizes[:, None]).min(axis=0), (centres + sizes[:, None]).max(axis=0)
    return Shape(_point(low), _point(high), distance)


def _curve(points: Sequence[Point], radii: Sequence[float] | float) -> tuple[Array, Array]:
    """Return centres ``[n, 3]`` and radii ``[n]``, dense enough that a chain of balls looks like a tube."""
    knots = np.asarray(points, dtype=np.float64)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    sizes = np.broadcast_to(np.asarray(radii, dtype=np.float64), len(knots))
    samples = np.linspace(0, along[-1], max(2, int(along[-1] / max(1.0, sizes.min() / 4))))
    curve = Akima1DInterpolator(along, knots) if len(knots) > 2 else interp1d(along, knots, axis=0)
    smooth = curve(samples)
    return smooth.astype(np.float32), np.interp(samples, along, sizes).astype(np.float32)


# --- one slice --------------------------------------------------------------------------------------------


class Canvas:
    """One axial slice being painted: Hounsfield units and labels ``[row, column]``."""

    def __init__(self, x: Array, y: Array, z: float, texture: Array) -> None:
        self.x, self.y, self.z, self.texture = x, y, z, texture
        self.hu = np.full(texture.shape, HU["air"], dtype=np.float32)
        self.labels = np.zeros(texture.shape, dtype=np.uint8)

    def paint(
        self,
        shape: Shape,
        hu: float,
        label: int = 0,
        grain: float = 5.0,
        inside: Shape | None = None,
        above: float | None = None,
    ) -> None:
        """Blend a shape in; what it covers loses its old label.

        Args:
            shape, hu, label: what to paint.
            grain: Hounsfield units of texture, standard deviation.
            inside: paint only where this other shape is too.
            above: paint only in front of this y; gas rises there in a patient lying on the back.
        """
        window = self._window(shape)
        if window is None:
            return
        rows, columns = window
        x, y = self.x[:, columns], self.y[rows]
        distance = shape.distance(x, y, self.z)
        if inside is not None:
            distance = np.maximum(distance, inside.distance(x, y, self.z))
        if above is not None:
            distance = np.maximum(distance, y - above)
        self.cover(distance, hu + grain * self.texture[window], label, window)

    def cover(
        self,
        distance: Array,
        hu: Array | float,
        label: int = 0,
        window: tuple[slice, slice] = (slice(None),) * 2,
    ) -> None:
        """Blend ``hu`` in where ``distance`` is negative, softly over the edge width."""
        share = np.clip(0.5 - distance / _EDGE, 0, 1)
        part = self.hu[window]
        part += share * (hu - part)
        self.labels[window][distance < 0] = label

    def _window(self, shape: Shape) -> tuple[slice, slice] | None:
        if not shape.low[2] - _EDGE <= self.z <= shape.high[2] + _EDGE:
            return None
        columns = slice(*np.searchsorted(self.x[0], (shape.low[0] - _EDGE, shape.high[0] + _EDGE)))
        rows = slice(*np.searchsorted(self.y[:, 0], (shape.low[1] - _EDGE, shape.high[1] + _EDGE)))
        return (rows, columns) if columns.start < columns.stop and rows.start < rows.stop else None


# --- the trunk: skin, fat, wall, lungs, ribs ----------------------------------------------------------------


class Trunk:
    """The layers around the abdominal cavity, as radii over the angle around the z axis."""

    def __init__(self, rng: np.random.Generator, x: Array, y: Array) -> None:
        self.x, self.y = x, y
        self.size = float(rng.uniform(0.95, 1.04))
        self.plump = float(rng.uniform(0.6, 1.35))
        self.ripple = _ripple(rng)
        self._height, self._outside = np.nan, dict[str, Array]()  # the layers of the slice at hand
        self.radius = np.hypot(x, y).astype(np.float32)
        turn = np.arctan2(y, x) / (2 * np.pi) % 1
        self.angle = (turn * _ANGLES).astype(np.int32) % _ANGLES
        self.from_spine = np.abs(np.arctan2(x, y)).astype(np.float32)
        self.back = max(self._depth(z) for z in (-90.0, 0.0, 90.0)) + 3
        self.domes = float(rng.uniform(70, 80)), float(rng.uniform(60, 68))

    def _depth(self, z: float) -> float:
        """Return the largest y of the skin at height z: how far back the table must be."""
        angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
        return float((self._radii("body", z) * np.sin(angles)).max())

    def outside(self, layer: str, z: float) -> Array:
        """Return each pixel's distance outside a layer: ``body``, ``wall`` or ``cavity``."""
        if z != self._height:
            self._height, self._outside = z, {}
        if layer not in self._outside:
            self._outside[layer] = self.radius - self._radii(layer, z)[self.angle]
        return self._outside[layer]

    def cavity(self, inset: float, floor: bool = True) -> Shape:
        """Return the abdominal cavity below the diaphragm, ``inset`` millimetres inside its lining."""

        def distance(x: Array, y: Array, z: float) -> Array:
            rows, columns = self._part(x, y)
            aside = self.outside("cavity", z)[rows, columns]
            under = self._below_lung(aside, x, y, z) if floor else aside
            return np.maximum(aside, under) + np.float32(inset)

        return Shape((-200, -200, -500), (200, 200, 500), distance)

    def paint(self, canvas: Canvas) -> None:
        """Paint skin, fat, muscle, visceral fat and lung."""
        z = canvas.z
        body, wall, cavity = (self.outside(layer, z) for layer in ("body", "wall", "cavity"))
        canvas.cover(body, HU["skin"])
        canvas.cover(body + 2.0, HU["fat"] + 6 * canvas.texture)
        canvas.cover(wall, self._muscle(wall, cavity, z) + 6 * canvas.texture)
        canvas.cover(cavity, HU["visceral fat"] + 9 * canvas.texture)
        above = -self._below_lung(cavity, self.x, self.y, z)
        lung = np.asarray(np.maximum(cavity + 2, above), dtype=np.float32)
        canvas.cover(lung - 2.5, HU["muscle"])  # the diaphragm and the pleura
        canvas.cover(lung, HU["lung"] + 25 * canvas.texture)

    def paint_ribs(self, canvas: Canvas) -> None:
        """Paint the ribs that cross this slice: they run down and forward inside the wall."""
        middle = 0.35 * self._radii("wall", canvas.z) + 0.65 * self._radii("cavity", canvas.z)
        across = (self.radius - middle[self.angle]) / 4.2
        for number in range(6, 13):
            self._paint_rib(canvas, number, across)

    def _paint_rib(self, canvas: Canvas, number: int, across: Array) -> None:
        head = 56 + _VERTEBRA * 0.85 * (12 - number)
        reach = {12: 1.15, 11: 1.75}.get(number, 2.45)
        fall = 54 * np.minimum(self.from_spine, 2.05) - 30 * np.clip(self.from_spine - 2.05, 0, None)
        along = (canvas.z - head + fall) / 6.5
        distance = (np.sqrt(across**2 + along**2) - 1) * 4.2
        distance = np.maximum(distance, (self.from_spine - reach) * 60)
        distance = np.maximum(distance, (0.30 - self.from_spine) * 60)
        bony = self.from_spine < 2.05
        canvas.cover(distance, _either(bony, HU["compact bone"] * 0.85, HU["cartilage"]))
        canvas.cover(distance + 1.9, _either(bony, HU["marrow"], HU["cartilage"]))

    def _radii(self, layer: str, z: float) -> Array:
        angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
        cos, sin = np.cos(angles), np.sin(angles)
        fat = self.plump * (1 - 0.0025 * z)
        side, front, back, power = {
            "body": (148 + 17 * fat, 103 + 20 * fat, 107 + 13 * fat, 2.3),
            "wall": (147, 102, 106, 2.25),
            "cavity": (134 + 0.03 * z, 91, 74, 2.25),
        }[layer]
        depth = np.where(sin < 0, front, back)
        radii = ((np.abs(cos) / side) ** power + (np.abs(sin) / depth) ** power) ** (-1 / power)
        # The groove over the spinous processes, and the flat of the back beside it.
        if layer != "cavity":
            radii = radii - 5.0 * np.exp(-(((angles - np.pi / 2) / 0.10) ** 2))
        return np.asarray(self.size * radii * (1 + self.ripple(angles, z)), dtype=np.float32)

    def _muscle(self, wall: Array, cavity: Array, z: float) -> Array:
        """Return muscle with the thin fat planes between its layers, on the flanks and along the midline."""
        depth = wall / (wall - cavity - 1e-3)
        flank = np.exp(-(((self.from_spine - 1.75) / 0.55) ** 2)) * np.clip((30 - z) / 30, 0, 1)
        planes = np.exp(-(((depth - 0.36) / 0.07) ** 2)) + np.exp(-(((depth - 0.68) / 0.07) ** 2))
        midline = np.exp(-((self.x / 3.0) ** 2)) * (self.y < 0)
        side_gap = np.exp(-(((np.abs(self.x) - 62) / 4.0) ** 2)) * (self.y < -30)
        fatty = np.minimum(1, flank * planes + 0.4 * midline + 0.7 * side_gap)
        return np.asarray(HU["muscle"] - 85 * fatty, dtype=np.float32)

    def _below_lung(self, cavity: Array, x: Array, y: Array, z: float) -> Array:
        """Return how far a point lies above the diaphragm (negative below it)."""
        right, left = self.domes
        side = 1 / (1 + np.exp(-x / 12))
        dome = right + (left - right) * side - 10 * np.exp(-((x / 28) ** 2)) * np.clip((30 - y) / 60, 0, 1)
        deep = np.clip(45 + 0.55 * y, 22, 78)  # the recess reaches lowest at the back
        fall = deep * np.exp(np.minimum(cavity, 0) / 15)
        slope = fall / 15
        return np.asarray((z - (dome - fall)) / np.sqrt(1 + slope**2), dtype=np.float32)

    def _part(self, x: Array, y: Array) -> tuple[slice, slice]:
        column, row = np.searchsorted(self.x[0], x[0, 0]), np.searchsorted(self.y[:, 0], y[0, 0])
        return slice(row, row + y.shape[0]), slice(column, column + x.shape[1])


def _either(where: NDArray[np.bool_], yes: float, no: float) -> Array:
    return np.where(where, np.float32(yes), np.float32(no))


def _ripple(rng: np.random.Generator) -> Callable[[NDArray[Any], float], NDArray[Any]]:
    orders = np.arange(2, 7)
    heights = rng.normal(0, 0.012, len(orders)) / np.sqrt(orders - 1)
    phases, drift = rng.uniform(0, 2 * np.pi, len(orders)), rng.normal(0, 0.006, len(orders))

    def ripple(angles: NDArray[Any], z: float) -> NDArray[Any]:
        waves = heights[:, None] * np.cos(orders[:, None] * angles + (phases + drift * z)[:, None])
        return np.asarray(waves.sum(axis=0))

    return ripple


# --- the anatomy ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stroke:
    """One call of ``Canvas.paint``, kept to be repeated on every slice."""

    shape: Shape
    hu: float
    label: int = 0
    grain: float = 5.0
    inside: Shape | None = None
    above: float | None = None

    def paint(self, canvas: Canvas) -> None:
        canvas.paint(self.shape, self.hu, self.label, self.grain, self.inside, self.above)


class Anatomy:
    """One person: the trunk and the strokes that fill it, from the back of the painting to its front."""

    def __init__(self, rng: np.random.Generator, x: Array, y: Array) -> None:
        self.rng = rng
        self.trunk = Trunk(rng, x, y)
        self.room = self.trunk.cavity(inset=1.5)
        kidneys = {side: self._kidney_shape(side) for side in (-1, 1)}
        gut = self._small_bowel() + self._colon() + self._mesentery()
        organs = self._spleen() + self._stomach() + self._liver() + self._pancreas() + self._gallbladder()
        organs += [stroke for side in (-1, 1) for stroke in self._kidney(side, kidneys[side])]
        self.strokes = (
            self._heart() + gut + organs + self._great_vessels() + self._back_muscles() + self._spine()
        )  # fmt: skip

    def paint(self, canvas: Canvas) -> None:
        """Paint one slice of the person."""
        _paint_table(canvas, self.trunk.back)
        self.trunk.paint(canvas)
        for stroke in self.strokes:
            stroke.paint(canvas)
        self.trunk.paint_ribs(canvas)

    def _near(self, *centre: float, by: float = 3.0) -> Point:
        x, y, z = (value + self.rng.uniform(-by, by) for value in centre)
        return x, y, z

    def _sized(self, *radii: float, by: float = 0.07) -> Point:
        scale = self.rng.uniform(1 - by, 1 + by)
        x, y, z = (radius * scale * self.rng.uniform(1 - by / 2, 1 + by / 2) for radius in radii)
        return x, y, z

    def _heart(self) -> list[Stroke]:
        heart = blob(self.rng, (28, -38, 98), (56, 42, 32), turn=0.35)
        fat = heart.grown(5) & self.trunk.cavity(3, floor=False)
        middle = blob(self.rng, (6, 6, 110), (24, 46, 50), wave=4) & self.trunk.cavity(3, floor=False)
        return [
            *self._lung_vessels(),
            Stroke(middle, HU["visceral fat"]),
            Stroke(fat, HU["visceral fat"]),
            Stroke(heart & self.trunk.cavity(5, floor=False), 95.0),
            Stroke(blob(self.rng, (34, -36, 98), (36, 26, 22), turn=0.35), HU["heart"]),
            Stroke(tube([(4, 22, 130), (4, 24, 80), (22, 8, 62)], 7.0), 55.0),  # the oesophagus
        ]

    def _lung_vessels(self) -> list[Stroke]:
        strokes = []
        for side in (-1, 1):
            for _ in range(22):
                start = self._near(side * 55, 5, 105, by=22)
                end = self._near(side * 98, 10, 50, by=42)
                strokes.append(Stroke(self._twig(start, end, 2.4) - self.trunk.cavity(-2), 40.0))
        return strokes

    def _liver(self) -> list[Stroke]:
        rng = self.rng
        right = blob(rng, self._near(-72, -2, 16), self._sized(68, 80, 76), lean=(0.10, 0.0), wave=4)
        left = blob(rng, self._near(-6, -46, 38), self._sized(66, 33, 33), turn=-0.12, wave=3)
        caudate = blob(rng, (-16, 6, 44), self._sized(17, 17, 20))
        hilum = blob(rng, (-2, 12, -8), (48, 40, 42), wave=3)
        fissure = blob(rng, (8, -70, 18), (5, 24, 26), turn=0.3, wave=1)
        bed = blob(rng, (-58, 58, -18), (35, 44, 68), wave=3)  # the fat in which the kidney lies
        liver = ((right | left) - hilum - fissure - bed | caudate) & self.room
        strokes = [Stroke(liver, HU["liver"], LIVER, 4.0)]
        strokes += [Stroke(vessel, 152.0, LIVER, 2.0, inside=liver) for vessel in self._liver_vessels()]
        lesion = blob(rng, self._near(-88, 6, 16, by=8), self._sized(13, 12, 12, by=0.25), wave=2)
        return [*strokes, Stroke(lesion, HU["lesion"], LESION, 9.0, inside=liver.grown(-2))]

    def _liver_vessels(self) -> list[Shape]:
        hilum = (-32.0, -4.0, 24.0)
        portal = [(-80, 2, 22), (-70, -30, 14), (-98, 18, 0), (-92, -16, 42), (-66, 22, -12), (-20, -50, 36)]
        hepatic = [(-104, 10, 40), (-84, -38, 34), (-62, -55, 22), (-4, -58, 40), (-110, -20, 16)]
        shapes = [self._twig(hilum, end, 5.0) for end in portal]
        shapes += [self._twig((-24, 8, 66), end, 4.5) for end in hepatic]
        for start in (*portal, *hepatic):
            ends = [self._near(*start, by=26) for _ in range(3)]
            shapes += [self._twig(start, end, 2.2) for end in ends]
        return shapes

    def _twig(self, start: Point, end: Point, radius: float) -> Shape:
        middle = tuple(float(value) for value in (np.add(start, end) / 2 + self.rng.normal(0, 4, 3)))
        return tube([start, middle, end], [radius, radius * 0.75, radius * 0.45])  # type: ignore[list-item]

    def _spleen(self) -> list[Stroke]:
        whole = blob(self.rng, self._near(98, 32, 32), self._sized(40, 52, 52), turn=-0.25, wave=3)
        hollow = blob(self.rng, (58, 2, 34), (34, 50, 64), turn=-0.3, wave=2)
        return [Stroke((whole - hollow) & self.room, HU["spleen"], SPLEEN, 4.0)]

    def _stomach(self) -> list[Stroke]:
        path = [(54, 8, 62), (62, -8, 48), (62, -30, 28), (46, -50, 6), (14, -54, -6), (-16, -40, 2)]
        points = [self._near(*point, by=2.5) for point in path]
        size = self.rng.uniform(0.92, 1.06)
        outer = tube(points, [r * size for r in (27, 30, 28, 24, 18, 10)], wrinkle=0.035) & self.room
        lumen = outer.grown(-3.5)
        return [
            Stroke(outer, HU["gut wall"], STOMACH),
            Stroke(lumen, HU["fluid"] + 8, STOMACH, 12.0),
            Stroke(lumen, HU["gas"], STOMACH, 0.0, above=float(self.rng.uniform(-48, -40))),
        ]

    def _pancreas(self) -> list[Stroke]:
        path = [(-26, 2, -16), (-22, -4, 0), (-4, -18, 8), (22, -14, 16), (48, 6, 24), (74, 20, 30)]
        points = [self._near(*point, by=2) for point in path]
        gland = tube(points, [12, 13, 9.5, 10, 9.5, 8], wrinkle=0.09)
        behind = [(-4, -4, 10), (24, -1, 17), (50, 14, 25), (80, 24, 32)]
        return [
            Stroke(gland.grown(3), HU["visceral fat"]),
            Stroke(tube(behind, 4.2), HU["vein"], grain=2.0),  # the splenic vein
            Stroke(gland, HU["pancreas"], PANCREAS, 9.0),
        ]

    def _gallbladder(self) -> list[Stroke]:
        size = self._sized(14, 16, 24, by=0.12)
        sac = blob(self.rng, self._near(-50, -42, -14), size, lean=(0.25, 0.3), wave=1.5)
        return [
            Stroke(sac.grown(1.6), HU["gut wall"], GALLBLADDER),
            Stroke(sac, HU["gallbladder"], GALLBLADDER, 3.0),
        ]

    @staticmethod
    def _kidney_height(side: int) -> float:
        return -12.0 if side > 0 else -26.0

    def _kidney_shape(self, side: int) -> Shape:
        height = self._kidney_height(side)
        centre = self._near(side * 62, 36, height)
        size = self._sized(26, 29, 50)
        return blob(self.rng, centre, size, turn=side * 0.55, lean=(-side * 0.16, -0.10), wave=1.5)

    def _kidney(self, side: int, kidney: Shape) -> list[Stroke]:
        label, height = LEFT_KIDNEY if side > 0 else RIGHT_KIDNEY, self._kidney_height(side)
        sinus = blob(self.rng, (side * 49, 27, height), (22, 9, 24), turn=side * 0.55, wave=2.5)
        outflow = [(side * 60, 32, height), (side * 42, 24, height - 4), (side * 33, 26, height - 18)]
        vein = tube([(side * 50, 26, height + 4), (side * 30, 12, height + 6), (-14, 6, height + 8)], 4.2)
        strokes = [Stroke(kidney.grown(3.5) & self.room, HU["visceral fat"], 0, 8.0)]
        strokes += [Stroke(kidney, HU["cortex"], label)]
        core = kidney.grown(-6)
        strokes += [Stroke(pyramid, HU["medulla"], label, inside=core) for pyramid in self._pyramids(side)]
        return [
            *strokes,
            Stroke(sinus, HU["visceral fat"]),
            Stroke(tube(outflow, [5, 6, 3]), HU["urine"], grain=2.0),
            Stroke(vein, HU["vein"], grain=2.0),
        ]

    def _pyramids(self, side: int) -> list[Shape]:
        height = self._kidney_height(side)
        pyramids = []
        for level in np.linspace(-36, 36, 5):
            for turn in (-0.9, 0.15, 1.2):
                away = side * np.cos(turn) * 15, np.sin(turn) * 16
                centre = side * 61 - side * 0.16 * level + away[0], 35 - 0.1 * level + away[1], height + level
                pyramids.append(blob(self.rng, self._near(*centre, by=1.5), (7.5, 7, 7), wave=1))
        return pyramids

    def _great_vessels(self) -> list[Stroke]:
        aorta = tube([(12, 20, 140), (9, 18, 60), (8, 14, 0), (5, 13, -60), (3, 14, -130)], [12, 11, 10, 9, 9])
        cava = tube([(-24, 6, 110), (-24, 10, 60), (-22, 14, 20), (-18, 17, -90)], [12, 12, 11, 10])
        portal = tube([(-4, -6, 8), (-18, -6, 18), (-34, -4, 26)], 6.2)
        mesenteric_vein = tube([(-4, -6, 10), (-8, -12, -20), (-8, -22, -60), (-6, -28, -120)], [6, 6, 5, 4])
        mesenteric_artery = tube([(7, 6, 6), (6, -8, -4), (5, -12, -30), (4, -22, -70)], [4, 4, 4, 3])
        coeliac = tube([(8, 8, 22), (8, -6, 24), (-10, -10, 26)], [4, 3.5, 3])
        crura = [tube([(s * 20, 22, 70), (s * 17, 24, 20), (s * 13, 27, -25)], [5, 6, 3]) for s in (-1, 1)]
        strokes = [Stroke(crus, HU["muscle"]) for crus in crura]
        strokes += [Stroke(vein, HU["vein"], grain=2.0) for vein in (portal, mesenteric_vein)]
        strokes += [Stroke(artery, HU["aorta"], grain=2.0) for artery in (mesenteric_artery, coeliac)]
        return [
            *strokes,
            Stroke(cava, HU["cava"], grain=7.0),
            Stroke(aorta, 75.0, AORTA),  # the wall, a millimetre of it
            Stroke(aorta.grown(-1.2), HU["aorta"], AORTA, 2.0),
        ]

    def _back_muscles(self) -> list[Stroke]:
        strokes = []
        for side in (-1, 1):
            path = [(side * 24, 36, 20), (side * 33, 40, -20), (side * 41, 40, -70), (side * 46, 34, -130)]
            psoas = tube(path, [5, 14, 20, 23])
            quadratus = blob(self.rng, (side * 62, 63, -50), (19, 8, 66), turn=side * 0.35, wave=1)
            erector = blob(self.rng, (side * 33, 84, 0), (29, 15, 400), turn=-side * 0.12, wave=1.5)
            strokes += [
                Stroke(psoas.grown(1.5), HU["visceral fat"]),
                Stroke(psoas, HU["muscle"]),
                Stroke(quadratus, HU["muscle"]),
                Stroke(erector.grown(1.4), -60.0),
                Stroke(erector, HU["muscle"], grain=12.0),
            ]
        return strokes

    def _spine(self) -> list[Stroke]:
        column = blob(self.rng, (0, 46, 0), (23, 17.5, 2000), wave=0.0)
        strokes = [Stroke(column, HU["disc"], grain=3.0)]
        for level in range(-4, 5):
            strokes += self._vertebra(level * _VERTEBRA)
        canal = blob(self.rng, (0, 69, 0), (11, 8, 4000), wave=0.0)
        return [*strokes, Stroke(canal, -20.0), Stroke(canal.grown(-2), HU["canal"], grain=2.0)]

    def _vertebra(self, z: float) -> list[Stroke]:
        body = _drum((0, 46, z), (24, 18), 14.0)
        arch = [
            tube([(s * 14, 56, z + 6), (s * 16, 68, z + 5), (s * 13, 78, z), (0, 88, z - 6)], [5, 5, 4.5, 4])
            for s in (-1, 1)
        ]
        wings = [tube([(s * 17, 67, z + 4), (s * 42, 72, z + 2)], [5, 3.5]) for s in (-1, 1)]
        facets = [tube([(s * 19, 72, z + 14), (s * 18, 75, z - 16)], [5.5, 5.5]) for s in (-1, 1)]
        spinous = tube([(0, 84, z - 4), (0, 92, z - 8), (0, 100, z - 13)], [3.0, 3.0, 4.0])
        strokes = []
        for bone in (*arch, *wings, *facets, spinous):
            strokes.append(Stroke(bone, HU["compact bone"], grain=40.0))
            strokes.append(Stroke(bone.grown(-2), HU["marrow"] + 60, grain=35.0))
        strokes.append(Stroke(body, HU["compact bone"] * 0.6, grain=30.0))
        return [*strokes, Stroke(body.grown(-1.8), HU["marrow"], grain=22.0)]

    def _small_bowel(self) -> list[Stroke]:
        strokes: list[Stroke] = []
        for layer, z in enumerate(range(-112, 6, 27)):
            for row, y in enumerate((-68, -42, -16, 12)):
                if z > -20 and y > -30:
                    continue  # pancreas and vessels live there
                for low, high in ((-88, 88),) if y < 0 else ((-84, -44), (44, 88)):
                    stations = np.linspace(low, high, (high - low) // 13)
                    strokes += self._loops(stations[:: 1 if (layer + row) % 2 else -1], float(y), float(z))
        return strokes

    def _loops(self, stations: NDArray[np.float64], y: float, z: float) -> list[Stroke]:
        """Return one winding run of bowel along x = ``stations``, in pieces with their own content."""
        points = [
            (float(x) + self.rng.uniform(-4, 4), y + 9 * np.sin(number * 2.1) + self.rng.uniform(-3, 3),
             z + 9 * np.cos(number * 1.7) + self.rng.uniform(-3, 3))
            for number, x in enumerate(stations)
        ]  # fmt: skip
        strokes: list[Stroke] = []
        for start in range(0, len(points) - 1, 3):
            piece = tube(points[start : start + 4], float(self.rng.uniform(10, 14)), wrinkle=0.05) & self.room
            filling = float(self.rng.uniform(5, 60))
            strokes += self._hollow(piece, wall=2.2, filling=filling, gas=0.3, level=y - 3)
        return strokes

    def _hollow(self, gut: Shape, wall: float, filling: float, gas: float, level: float) -> list[Stroke]:
        lumen = gut.grown(-wall)
        strokes = [
            Stroke(gut.grown(1.5) & self.room, HU["visceral fat"]),
            Stroke(gut, HU["gut wall"]), Stroke(lumen, filling, grain=14.0),
        ]  # fmt: skip
        if self.rng.random() < gas:
            strokes.append(Stroke(lumen, HU["gas"], grain=0.0, above=level + float(self.rng.uniform(-4, 4))))
        return strokes

    def _colon(self) -> list[Stroke]:
        right = [(-98, 26, -140), (-102, 24, -90), (-100, 16, -60), (-90, -8, -42)]
        across = [(-80, -40, -36), (-45, -66, -52), (0, -70, -62), (45, -66, -44), (78, -44, -8), (96, -9, 6)]
        left = [(102, 16, 0), (106, 34, -30), (106, 34, -80), (100, 26, -140)]
        strokes: list[Stroke] = []
        for path, radius, gas in ((right, 23.0, 1.0), (across, 17.0, 1.0), (left, 17.0, 0.5)):
            points = [self._near(*point) for point in path]
            piece = tube(points, radius * float(self.rng.uniform(0.9, 1.1)), wrinkle=0.11) & self.room
            level = float(np.mean([y for _, y, _ in points])) - 4
            strokes += self._hollow(piece, wall=2.0, filling=HU["faeces"], gas=gas, level=level)
            strokes += self._bubbles(piece.grown(-4), points)
        return strokes

    def _bubbles(self, lumen: Shape, points: list[Point]) -> list[Stroke]:
        """Return the small gas bubbles by which one knows a colon."""
        centres, _ = _curve(points, 8.0)
        picks = self.rng.integers(0, len(centres), 70)
        where = centres[picks] + self.rng.normal(0, 8, (70, 3))
        sizes = self.rng.uniform(1.0, 3.0, 70)
        balls = [tube([tuple(c), tuple(c + 1)], float(r)) for c, r in zip(where, sizes, strict=True)]
        return [Stroke(ball, -500.0, grain=60.0, inside=lumen) for ball in balls]

    def _mesentery(self) -> list[Stroke]:
        """Return the small vessels that fan out through the visceral fat."""
        strokes = []
        for _ in range(26):
            start = self._near(0, -18, -45, by=16)
            end = self._near(0, -38, -60, by=44)
            strokes.append(Stroke(self._twig(start, end, 2.0), 105.0, grain=2.0, inside=self.room))
        return strokes


def _drum(centre: Point, radii: tuple[float, float], half: float) -> Shape:
    """Return a vertebral body: an oval drum, waisted between its end plates and hollowed at the back."""
    cx, cy, cz = centre

    def distance(x: Array, y: Array, z: float) -> Array:
        waist = 1 - 0.07 * (1 - min(1.0, abs(z - cz) / half) ** 2)
        u, v = (x - cx) / (radii[0] * waist), (y - cy) / (radii[1] * waist)
        round_part = (np.sqrt(u**2 + v**2) - 1) * min(radii)
        hollow = 14 - np.sqrt((x - cx) ** 2 + (y - cy - radii[1] - 10) ** 2)
        return np.asarray(np.maximum(np.maximum(round_part, hollow), abs(z - cz) - half), dtype=np.float32)

    rx, ry = radii
    return Shape((cx - rx, cy - ry, cz - half), (cx + rx, cy + ry, cz + half), distance)


def _paint_table(canvas: Canvas, back: float) -> None:
    surface = back - canvas.x**2 / 1400
    depth = canvas.y - surface
    wide = np.abs(canvas.x) - 200
    for top, thick, hu in ((0.0, 60.0, HU["table"]), (2.2, 55.0, HU["foam"])):
        below = depth - top - np.clip(thick - (canvas.x / 26) ** 2, 4, None)
        canvas.cover(np.maximum(np.maximum(top - depth, below), wide), hu)


# --- the scanner ------------------------------------------------------------------------------------------


class Texture:
    """Smooth random fields in space, of unit variance, sliced at any height."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float]) -> None:
        self.shape = shape
        self.extent = [count * step for count, step in zip(shape, cell, strict=True)]
        self.fields = [(width, rng.normal(size=self._knots(width))) for width in (6.0, 22.0)]

    def at(self, z: float) -> Array:
        """Return the texture of the slice at ``z`` millimetres, ``[row, column]``."""
        total = np.zeros(self.shape, dtype=np.float32)
        for width, field in self.fields:
            step = z / width
            low, part = int(np.floor(step)), step - np.floor(step)
            layer = (1 - part) * field[low % 64] + part * field[(low + 1) % 64]
            factors = [count / (knots - 2) for count, knots in zip(self.shape, layer.shape, strict=True)]
            grown = zoom(layer.astype(np.float32), factors, order=1)
            total += grown[: self.shape[0], : self.shape[1]]
        return total

    def _knots(self, width: float) -> tuple[int, int, int]:
        """Return how many random values a field of this grain needs; it repeats after 64 layers of z."""
        down, across = (int(np.ceil(extent / width)) + 3 for extent in self.extent)
        return 64, down, across


def _noise(rng: np.random.Generator, shape: tuple[int, int], pixel: float) -> Array:
    """Return noise of unit variance with the grain of filtered back projection: no drift, no pixel salt."""
    white = rng.standard_normal(shape, dtype=np.float32)
    grain = gaussian_filter(white, 0.55 / pixel) - gaussian_filter(white, 1.9 / pixel)
    return np.asarray(grain / grain.std(), dtype=np.float32)


def _dose(x: Array, y: Array, level: float) -> Array:
    """Return the noise's standard deviation: most where the rays crossed most tissue."""
    depth = np.clip(1 - (x / 175) ** 2 - (y / 120) ** 2, 0, None)
    return np.asarray(level * (0.55 + 0.45 * np.sqrt(depth)), dtype=np.float32)


def make(
    seed: int = 0,
    shape: tuple[int, int, int] = (60, 512, 512),
    spacing: tuple[float, float, float] = (3.0, 0.8, 0.8),
    noise: float = 14.0,
) -> tuple[Volume, NDArray[np.uint8], dict[int, str]]:
    """Make one person's CT; another seed is another person.

    Args:
        seed: fixes everything, shapes and noise alike.
        shape: voxels (z, y, x).
        spacing: millimetres (z, y, x). The field of view is centred on the upper abdomen; with the defaults
            it reaches from the lung bases to below the kidneys.
        noise: standard deviation in Hounsfield units in the middle of the body.

    Returns:
        the volume, the labels uint8 ``[z, y, x]``, and the name of each label value.
    """
    rng = np.random.default_rng(seed)
    x, y = (_axis(count, step) for count, step in zip(shape[:0:-1], spacing[:0:-1], strict=True))
    x, y = x[None, :], y[:, None]
    person = Anatomy(rng, x, y)
    texture = Texture(rng, shape[1:], spacing[1:])
    voxels, labels = np.empty(shape, dtype=np.int16), np.empty(shape, dtype=np.uint8)
    sigma = _dose(x, y, noise)
    for index, z in enumerate(_axis(shape[0], spacing[0])):
        canvas = Canvas(x, y, float(z), texture.at(float(z)))
        person.paint(canvas)
        sharp = gaussian_filter(canvas.hu, [0.5 / step for step in spacing[1:]])
        noisy = sharp + sigma * _noise(rng, shape[1:], spacing[2])
        voxels[index] = np.rint(np.clip(noisy, -1024, 3071))
        labels[index] = canvas.labels
    volume = Volume(voxels, _geometry(shape, spacing), (), "CT", DESCRIPTION, _identifiers(seed))
    return volume, labels, dict(LABELS)


def scanned_again(volume: Volume, labels: NDArray[np.uint8], day: int) -> tuple[Volume, NDArray[np.uint8]]:
    """Scan the person of a phantom once more, ``day`` days later: other noise, and not quite the same place on the table.

    Returns:
        the volume, a series and a study of its own of the same patient, and its labels.
    """
    rng = np.random.default_rng(day)
    moved = tuple(int(step) for step in rng.integers(-3, 4, 2))
    noise = rng.normal(0, 8, volume.voxels.shape)
    voxels = np.clip(np.roll(volume.voxels, moved, (1, 2)) + noise, -1024, 3071)
    names = volume.identifiers
    study, series = (generate_uid(entropy_srcs=[uid, str(day)]) for uid in (names.study_uid, names.series_uid))
    date = (datetime.fromisoformat(names.date) + timedelta(days=day)).date().isoformat()
    again = replace(
        volume,
        voxels=np.rint(voxels).astype(np.int16),
        description=f"{names.patient_id}, day {day}",
        identifiers=replace(names, study_uid=study, series_uid=series, date=date),
    )
    return again, np.roll(labels, moved, (1, 2))


def _axis(count: int, step: float) -> Array:
    return ((np.arange(count) - (count - 1) / 2) * step).astype(np.float32)


def _geometry(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Geometry:
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Geometry(affine, shape[::-1])


def _identifiers(seed: int) -> Identifiers:
    study, series = (generate_uid(entropy_srcs=[DESCRIPTION, str(seed), kind]) for kind in "ab")
    return Identifiers(
        patient_id=f"PHANTOM-{seed:04d}",
        study_uid=study,
        series_uid=series,
        study_description=DESCRIPTION,
        series_description=f"{DESCRIPTION} abdomen",
        date="2000-01-01",
    )


# --- the archive ------------------------------------------------------------------------------------------


def acquired(volume: Volume, axes: str = "LPS", turn: float = 0.0) -> Volume:
    """Return the same voxels as if scanned in another order, for tests of import and export.

    Args:
        axes: where column index, row index and slice number grow, as in nibabel: "LPS" is axial, "PIL"
            sagittal, "LIP" coronal.
        turn: degrees by which the patient lies oblique, about an axis between all three.

    Returns:
        a volume with the given voxels, whose geometry names the other source.
    """
    geometry = volume.geometry
    stored, wanted = (orientations.axcodes2ornt(tuple(codes)) for codes in ("LPS", axes))
    order = orientations.ornt_transform(stored, wanted)
    stored_shape = geometry.shape[::-1]
    source_affine = geometry.affine @ orientations.inv_ornt_aff(order, stored_shape)
    turned = Rotation.from_rotvec(np.full(3, turn / 3**0.5), degrees=True).as_matrix()
    source_affine[:3] = turned @ source_affine[:3]
    source_shape = orientations.apply_orientation(np.empty(stored_shape, dtype=bool), order).shape
    return replace(volume, geometry=Geometry(source_affine, source_shape))


def write_dicom(
    volume: Volume, folder: str | Path, transfer_syntax: str = ExplicitVRLittleEndian, series_number: int = 1
) -> list[Path]:
    """Write a volume as CT Image Storage (PS3.3 A.3), one file per slice of its source geometry.

    The source index (i, j, k) becomes (column, row, slice), so a volume from ``acquired`` is written as that
    acquisition. Every file says SYNTHETIC PHANTOM. Values in -1024 to 3071 are stored as scanners do, in 12
    unsigned bits with an intercept of -1024; a wider range in 16 signed bits.

    Args:
        folder: created where missing.
        transfer_syntax: any uncompressed one, deflated, or one that pydicom can encode (RLE, JPEG-LS
            lossless, JPEG 2000 lossless).
        series_number: also sets the series apart from others of the same volume.

    Returns:
        the files, in slice order.

    Raises:
        VolumeError: the transfer syntax cannot be written here.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    series = _series_header(volume, series_number)
    source = volume.geometry.to_source(volume.voxels)
    stored, bits = _stored_values(source)
    paths = []
    for k in range(source.shape[2]):
        image = _slice_header(series, volume.geometry, k, bits)
        image.set_pixel_data(np.ascontiguousarray(stored[:, :, k].T), "MONOCHROME2", bits)
        path = folder / f"{k + 1:04d}.dcm"
        _save(image, path, UID(transfer_syntax))
        paths.append(path)
    return paths


_EMPTY = (
    "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "PatientSex", "AcquisitionNumber",
    "PositionReferenceIndicator",
)  # fmt: skip
"""Elements that PS3.3 wants present though nothing is known (type 2)."""


def _stored_values(hu: NDArray[np.int16]) -> tuple[NDArray[Any], int]:
    if hu.min() >= -1024 and hu.max() <= 3071:
        return (hu + np.int16(1024)).astype(np.uint16), 12
    return hu, 16


def _series_header(volume: Volume, number: int) -> Dataset:
    known = volume.identifiers
    study = known.study_uid or generate_uid()
    header = Dataset()
    elements = {
        "SOPClassUID": CTImageStorage,
        "ImageType": ["DERIVED", "PRIMARY", "AXIAL"],
        "Modality": "CT",
        "Manufacturer": DESCRIPTION,
        "StudyDate": known.date.replace("-", ""),
        "StudyTime": "000000",
        "StudyID": "1",
        "StudyDescription": DESCRIPTION,
        "SeriesDescription": f"{DESCRIPTION} abdomen",
        "PatientName": "SYNTHETIC^PHANTOM",
        "PatientID": known.patient_id,
        "PatientPosition": "HFS",
        "KVP": "120",
        "StudyInstanceUID": study,
        "SeriesInstanceUID": generate_uid(entropy_srcs=[study, known.series_uid, str(number)]),
        "SeriesNumber": number,
        "FrameOfReferenceUID": generate_uid(entropy_srcs=[study, "frame"]),
        "RescaleSlope": 1,
        "RescaleType": "HU",
    }
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    for keyword in _EMPTY:
        setattr(header, keyword, "")
    return header


def _slice_header(series: Dataset, geometry: Geometry, k: int, bits: int) -> Dataset:
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ geometry.source_affine
    steps = np.linalg.norm(lps[:3, :3], axis=0)
    image = Dataset(series)
    image.SOPInstanceUID = generate_uid(entropy_srcs=[series.SeriesInstanceUID, str(k)])
    image.InstanceNumber = k + 1
    image.ImagePositionPatient = _decimals(lps[:3, 3] + k * lps[:3, 2])
    image.ImageOrientationPatient = _decimals((lps[:3, :2] / steps[:2]).T.ravel())
    image.PixelSpacing = _decimals(steps[1::-1])
    image.SliceThickness = _decimals(steps[2:])[0]
    image.RescaleIntercept = -1024 if bits == 12 else 0
    return image


def _decimals(values: NDArray[np.float64]) -> list[DSfloat]:
    """Return numbers as decimal strings of at most 16 characters (VR DS, PS3.5 6.2)."""
    return [DSfloat(float(value), auto_format=True) for value in values]


def _save(image: Dataset, path: Path, syntax: UID) -> None:
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    try:
        if syntax.is_compressed and not syntax.is_deflated:
            image.compress(syntax, generate_instance_uid=False)
        elif syntax == ExplicitVRBigEndian:
            image.PixelData = np.frombuffer(image.PixelData, "<u2").byteswap().tobytes()
        image.file_meta.TransferSyntaxUID = syntax
        image.save_as(path, enforce_file_format=True)
    except (NotImplementedError, RuntimeError, ValueError) as error:
        raise VolumeError(f"A phantom cannot be written as {syntax.name}.") from error
