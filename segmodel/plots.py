"""Pictures of an evaluation as PNG files: curves, boxes, bars, calibration, and slices with their clicks and masks.

Every function writes one file and returns the figure. Colours are Okabe and Ito's, which colour-blind people tell apart; what
a colour says is said by a shape or a line style as well.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

from .distances import bounding_box
from .files import write_whole
from .scores import Record

if TYPE_CHECKING:
    from .evaluation import Answer, Example

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
SERIES = (SKY, BLUE, ORANGE, VERMILION, PURPLE, GREEN)
WINDOW = (-125, 275)  # Hounsfield units, soft tissue: the limits that the network sees
SHOWN = (1, 2, 5)  # clicks of the pictures of slices
PREVIEW_BYTES = 60_000
STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": "#E4E4E4", "grid.linewidth": 0.7, "axes.edgecolor": "#808080",
    "xtick.color": "#404040", "ytick.color": "#404040", "legend.frameon": False, "savefig.dpi": 150, "text.parse_math": False,
}  # fmt: skip


def dice_curves(curves: Mapping[str, Mapping[str, NDArray[np.float64]]], out: Path) -> Figure:
    """Dice against clicks, a panel for each structure, from `scores.curves`."""
    columns = min(4, len(curves))
    rows = math.ceil(len(curves) / columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(4.0, 2.6 * columns), 0.4 + 2.3 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for panel, (name, curve) in zip(panels, curves.items(), strict=False):
            clicks = np.arange(1, len(curve["mean"]) + 1)
            for other in curves.values():
                panel.plot(clicks, other["mean"], color="#C8C8C8", linewidth=0.8)
            panel.fill_between(clicks, curve["low"], curve["high"], color=SKY, alpha=0.35, linewidth=0)
            panel.plot(clicks, curve["mean"], color=BLUE, linewidth=2, marker="o", markersize=2.5)
            panel.set(title=name, xlim=(0.5, len(clicks) + 0.5), ylim=(0, 1.02))
            panel.set_xticks([1, *range(5, len(clicks) + 1, 5)])
        for index in range(len(curves), len(panels)):
            panels[index].remove()
            panels[index - columns].tick_params(labelbottom=True)
        figure.supxlabel("clicks")
        figure.supylabel("Dice")
        figure.savefig(out)
    return figure


def volume_curves(rows: Sequence[Mapping[str, Any]], out: Path) -> Figure:
    """3-D Dice against clicks on all slices together: a thin line for each volume, a thick one for each structure's mean."""
    names = list(dict.fromkeys(row["structure"] for row in rows))
    columns = min(4, len(names))
    with mpl.rc_context(STYLE):
        figure = Figure(
            figsize=(max(4.0, 2.6 * columns), 0.4 + 2.3 * math.ceil(len(names) / columns)), layout="constrained"
        )
        panels = figure.subplots(
            math.ceil(len(names) / columns), columns, sharex=True, sharey=True, squeeze=False
        ).ravel()
        for panel, name in zip(panels, names, strict=False):
            curves = [row["dice"] for row in rows if row["structure"] == name]
            clicks = np.arange(1, len(curves[0]) + 1)
            for curve in curves:
                panel.plot(clicks, curve, color=SKY, linewidth=0.8)
            panel.plot(clicks, np.mean(curves, axis=0), color=BLUE, linewidth=2)
            panel.set(title=name, xlim=(0.5, len(clicks) + 0.5), ylim=(0, 1.02))
        for panel in panels[len(names) :]:
            panel.remove()
        figure.supxlabel("clicks on all slices together")
        figure.supylabel("3-D Dice")
        figure.savefig(out)
    return figure


def boxes(records: Sequence[Record], clicks: Sequence[int], out: Path) -> Figure:
    """Box plots per structure of Dice, and of MASD where it was measured, after up to three of `clicks` (paper, figure 8)."""
    shown = [k for k in SHOWN if k in clicks] or list(clicks[:3])
    names = sorted({record.structure for record in records})
    measured = any(record.distances for record in records)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(5.0, 1.2 * len(names) + 1), 6.0 if measured else 3.2), layout="constrained")
        panels = figure.subplots(1 + measured, 1, sharex=True, squeeze=False).ravel()
        _boxes(panels[0], records, names, shown, lambda record, k: record.dice[k - 1])
        panels[0].set(ylabel="Dice", ylim=(-0.02, 1.02))
        if measured:
            _boxes(panels[1], records, names, shown, lambda record, k: record.distances[k].masd)
            panels[1].set(ylabel="mean absolute surface distance, mm")
            panels[1].set_yscale("symlog", linthresh=1)  # most are below a millimetre, the worst a hundred times that
            top = panels[1].get_ylim()[1]
            ticks = [tick for tick in (0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if tick <= top]
            panels[1].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            panels[1].set_ylim(0, top)
            panels[1].minorticks_off()
        panels[-1].set_xticks(range(len(names)), names)
        legend = [
            Patch(facecolor=colour, edgecolor=BLACK, label=_clicks(k)) for k, colour in zip(shown, SERIES, strict=False)
        ]
        panels[0].legend(handles=legend, loc="lower right", ncols=len(legend), bbox_to_anchor=(1, 1))
        figure.savefig(out)
    return figure


def _boxes(
    axes: Axes,
    records: Sequence[Record],
    names: Sequence[str],
    clicks: Sequence[int],
    value: Callable[[Record, int], float],
) -> None:
    width = 0.8 / len(clicks)
    for index, (k, colour) in enumerate(zip(clicks, SERIES, strict=False)):
        columns = [[value(record, k) for record in records if record.structure == name] for name in names]
        axes.boxplot(
            [[v for v in column if math.isfinite(v)] for column in columns],
            positions=np.arange(len(names)) + (index - (len(clicks) - 1) / 2) * width,
            widths=0.85 * width, manage_ticks=False, patch_artist=True,
            boxprops={"facecolor": colour, "linewidth": 0.8}, medianprops={"color": BLACK, "linewidth": 1.6},
            whiskerprops={"linewidth": 0.8}, capprops={"linewidth": 0.8},
            flierprops={"marker": ".", "markersize": 3, "markerfacecolor": colour, "markeredgecolor": colour},
        )  # fmt: skip
    for edge in range(1, len(names)):
        axes.axvline(edge - 0.5, color="#D0D0D0", linewidth=0.7)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.grid(False, axis="x")


def calibration(records: Sequence[Record], clicks: Sequence[int], out: Path) -> Figure:
    """The model's estimate of Dice against Dice, a point for each slice and number of clicks, and the mean in ten bins."""
    pairs = np.array([(r.quality[k - 1], r.dice[k - 1]) for r in records for k in clicks])
    estimate, true = pairs[np.isfinite(pairs).all(axis=1)].T
    bins = np.minimum((10 * estimate).astype(int), 9)
    filled = [b for b in range(10) if (bins == b).any()]
    centres, means = ([float(side[bins == b].mean()) for b in filled] for side in (estimate, true))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 5.2), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="#808080", linestyle="--", linewidth=1, label="a perfect estimate")
        axes.scatter(estimate, true, s=9, color=SKY, alpha=0.35, linewidth=0, label="a slice")
        axes.plot(
            centres,
            means,
            color=VERMILION,
            marker="o",
            markersize=5,
            linewidth=2,
            label="mean of slices alike in their estimate",
        )
        axes.set(xlabel="estimated Dice", ylabel="true Dice", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        figure.legend(loc="outside upper center")
        figure.savefig(out)
    return figure


def grouped_bars(values: Mapping[int, Mapping[int, tuple[float, float]]], out: Path, label: str = "Dice") -> Figure:
    """Mean and SD of models trained with up to K clicks, `values[K][k]`, after k clicks of the test (paper, figures 4 to 6)."""
    tests = sorted({k for bars in values.values() for k in bars})
    width = 0.85 / len(values)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(4.5, 0.8 + 0.28 * len(values) * len(tests)), 3.4), layout="constrained")
        axes = figure.subplots()
        colours = mpl.colormaps["cividis"](np.linspace(0.25, 1, len(values)))
        for index, (trained, bars) in enumerate(sorted(values.items())):
            places = [tests.index(k) + (index - (len(values) - 1) / 2) * width for k in bars]
            means, spreads = zip(*bars.values(), strict=True)
            axes.bar(
                places, means, 0.92 * width, yerr=spreads, color=colours[index], label=str(trained),
                edgecolor="#404040", linewidth=0.5, error_kw={"elinewidth": 0.8, "capsize": 2, "ecolor": "#404040"},
            )  # fmt: skip
        axes.set(xlabel="clicks in the test", ylabel=label)
        axes.set_xticks(range(len(tests)), [str(k) for k in tests])
        axes.set_xlim(-0.6, len(tests) - 0.4)
        axes.grid(False, axis="x")
        axes.legend(title="clicks in training", ncols=min(len(values), 8), loc="lower center", bbox_to_anchor=(0.5, 1))
        figure.savefig(out)
    return figure


def slices(examples: Sequence[Example], out: Path | BinaryIO, clicks: Sequence[int] = SHOWN, dpi: int = 150) -> Figure:
    """A row for each example: the slice about its structure after so many `clicks` (paper, figure 3).

    The truth is a dashed line, the mask a full one; foreground clicks are numbered discs, background clicks squares.
    """
    columns = [k for k in clicks if k <= min(len(example.answers) for example in examples)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.0 * len(columns), 3.2 * len(examples) + 0.5), layout="constrained")
        panels = figure.subplots(len(examples), len(columns), squeeze=False)
        for row, example in zip(panels, examples, strict=True):
            window = _about(example, columns)
            for panel, k in zip(row, columns, strict=True):
                _slice(panel, example, example.answers[k - 1], window)
                panel.set_title(f"{_clicks(k)}: Dice {example.record.dice[k - 1]:.2f}", fontweight="normal")
            row[0].set_ylabel(f"{example.why}: {example.record.case}, slice {example.record.z}")
        figure.suptitle(examples[0].record.structure, fontweight="bold")
        legend = [
            Line2D([], [], color=SKY, linestyle="--", label="truth"),
            Line2D([], [], color=YELLOW, label="mask"),
        ]
        for name, (marker, colour) in zip(("foreground click", "background click"), _MARKS.values(), strict=True):
            legend.append(Line2D([], [], color=colour, marker=marker, linestyle="none", markersize=9, label=name))
        figure.legend(handles=legend, loc="outside lower center", ncols=4)
        figure.savefig(out, dpi=dpi)
    return figure


def preview(example: Example, clicks: Sequence[int], out: Path) -> Figure:
    """One example as a picture of at most 60 KB, which is whole at any time."""
    drawn = io.BytesIO()
    figure = slices([example], drawn, clicks, dpi=72)
    with Image.open(drawn) as picture:
        pictures = (_with_greys(picture.convert("RGB"), count) for count in (64, 32, 16, 8, 4))
        write_whole(out, next(content for content in pictures if len(content) <= PREVIEW_BYTES))
    return figure


def _with_greys(picture: Image.Image, count: int) -> bytes:
    """A PNG file of a picture in so many greys and the colours of lines and clicks."""
    greys = np.linspace(0, 255, count).astype(np.uint8).repeat(3)
    palette, content = Image.new("P", (1, 1)), io.BytesIO()
    palette.putpalette(greys.tobytes() + bytes.fromhex("".join((SKY, YELLOW, GREEN, VERMILION)).replace("#", "")))
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()


_MARKS = {True: ("o", GREEN), False: ("s", VERMILION)}


def _slice(axes: Axes, example: Example, answer: Answer, window: tuple[slice, slice]) -> None:
    rows, columns = window
    aspect = example.spacing[0] / example.spacing[1]
    axes.imshow(example.image, cmap="gray", vmin=WINDOW[0], vmax=WINDOW[1], aspect=aspect, interpolation="bilinear")
    for mask, colour, line in ((example.truth, SKY, "dashed"), (answer.mask, YELLOW, "solid")):
        if mask.any():
            axes.contour(np.pad(mask, 1), [0.5], colors=[colour], linestyles=line, linewidths=1.4, extent=_extent(mask))
    for number, click in enumerate(answer.clicks, 1):
        marker, colour = _MARKS[click.positive]
        axes.plot(click.x, click.y, marker, markersize=11, color=colour, markeredgecolor="white", markeredgewidth=0.8)
        axes.annotate(
            str(number),
            (click.x, click.y),
            color="white",
            fontsize=7,
            fontweight="bold",
            ha="center",
            va="center_baseline",
        )
    axes.set(
        xlim=(columns.start - 0.5, columns.stop - 0.5), ylim=(rows.stop - 0.5, rows.start - 0.5), xticks=[], yticks=[]
    )
    axes.grid(False)


def _extent(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Of a mask padded by one pixel, so that an outline is closed at the border of the image."""
    return -1, mask.shape[1], -1, mask.shape[0]


def _about(example: Example, clicks: Sequence[int], margin: float = 15.0, least: float = 80.0) -> tuple[slice, slice]:
    """The square part of the slice that holds truth, masks and clicks with `margin` mm, at least `least` mm wide."""
    seen = example.truth.copy()
    for k in clicks:
        seen |= example.answers[k - 1].mask
        for click in example.answers[k - 1].clicks:
            seen[click.y, click.x] = True
    box = bounding_box(seen)
    lengths = [(side.stop - side.start) * s for side, s in zip(box, example.spacing, strict=True)]
    width = max(least, max(lengths) + 2 * margin)
    window = []
    for side, spacing, length in zip(box, example.spacing, seen.shape, strict=True):
        pixels = min(length, round(width / spacing))
        start = min(max(0, (side.start + side.stop - pixels) // 2), length - pixels)
        window.append(slice(start, start + pixels))
    return window[0], window[1]


def _clicks(k: int) -> str:
    return "1 click" if k == 1 else f"{k} clicks"
