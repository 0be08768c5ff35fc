"""Plots show the numbers that they are given; every one of them is a PNG file that can be opened."""

import math

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from PIL import Image

from segmodel import plots, scores
from segmodel.clicks import Click
from segmodel.distances import Distances
from segmodel.evaluation import Answer, Example
from segmodel.scores import Record
from tests.segmodel.toys import disk


@pytest.fixture
def out(tmp_path):
    file = tmp_path / "plot.png"
    yield file
    with Image.open(file) as image:
        assert image.format == "PNG"
        assert min(image.size) > 300


def records(structures=("liver", "spleen"), **more):
    return [
        Record(name, case, z, tuple(1 - (1 + z) / (10 * k) for k in range(1, 21)), **more)
        for name in structures
        for case in ("p", "q")
        for z in range(3)
    ]


def test_a_curve_has_a_panel_of_its_own_a_band_and_the_others_in_grey(out):
    curves = scores.curves(records(("liver", "spleen", "aorta", "kidney", "stomach")), seed=1)
    figure = plots.dice_curves(curves, out)
    assert [panel.get_title() for panel in figure.axes] == ["aorta", "kidney", "liver", "spleen", "stomach"]
    panel = figure.axes[2]
    assert np.array_equal(panel.lines[-1].get_ydata(), curves["liver"]["mean"])
    assert len(panel.lines) == 5 + 1
    assert len(panel.collections) == 1


def test_a_preview_is_small_however_noisy_its_slice_and_keeps_its_colours(tmp_path):
    noise = np.random.default_rng(0).integers(-125, 275, (400, 400)).astype(np.int16)
    answers = [
        Answer((Click(200, 200, True), Click(5, 5, False))[:k], disk((400, 400), (200, 200), 90), 0.5) for k in (1, 2)
    ]
    example = Example("validation", records()[0], noise, disk((400, 400), (200, 200), 190), (1.0, 1.0), answers)
    out = tmp_path / "preview.png"
    figure = plots.preview(example, (1, 2), out)
    assert [panel.get_title() for panel in figure.axes] == ["1 click: Dice 0.90", "2 clicks: Dice 0.95"]
    assert out.stat().st_size <= 60_000
    with Image.open(out) as image:
        shown = {to_hex(np.array(colour) / 255).upper() for _, colour in image.convert("RGB").getcolors()}
    assert {plots.SKY, plots.YELLOW, plots.GREEN, plots.VERMILION} <= shown


def test_a_curve_of_one_patient_has_no_band_but_is_drawn(out):
    curves = scores.curves([record for record in records() if record.case == "p"], seed=1)
    assert np.isnan(curves["liver"]["low"]).all()
    plots.dice_curves(curves, out)


def test_boxes_stand_on_the_median_of_their_slices(out):
    measured = {k: Distances(9.0, 8.0, 7.0) for k in (1, 2, 5)}
    figure = plots.boxes(records(distances=measured), (1, 2, 3, 5), out)
    dice, masd = figure.axes
    medians = [line.get_ydata()[0] for line in dice.lines if line.get_linewidth() == 1.6]
    assert medians == pytest.approx([v for k in (1, 2, 5) for v in [1 - 2 / (10 * k)] * 2])
    assert [text.get_text() for text in dice.get_legend().get_texts()] == ["1 click", "2 clicks", "5 clicks"]
    assert {line.get_ydata()[0] for line in masd.lines if line.get_linewidth() == 1.6} == {7}
    assert [text.get_text() for text in masd.get_xticklabels()] == ["liver", "spleen"]


def test_boxes_leave_out_infinite_distances_and_do_without_any(out):
    infinite = {1: Distances(*[math.inf] * 3)}
    assert len(plots.boxes(records(distances=infinite), (1,), out).axes) == 2
    assert len(plots.boxes(records(), (3, 4, 7, 8), out).axes) == 1


def test_calibration_has_a_point_for_each_known_estimate_and_the_mean_of_each_tenth(out):
    made = [Record("a", "p", z, (dice,), (q,)) for z, (q, dice) in enumerate([(0.21, 0.3), (0.29, 0.5), (1.0, 0.9)])]
    figure = plots.calibration([*made, Record("a", "p", 9, (0.7,), (math.nan,))], (1,), out)
    [axes] = figure.axes
    [points] = [c for c in axes.collections if isinstance(c, PathCollection)]
    assert points.get_offsets().tolist() == [[0.21, 0.3], [0.29, 0.5], [1.0, 0.9]]
    assert np.allclose(axes.lines[-1].get_xydata(), [[0.25, 0.4], [1.0, 0.9]])


def test_grouped_bars_are_as_high_as_their_means_in_groups_of_the_test(out):
    values = {15: {1: (0.6, 0.1), 5: (0.9, 0.05)}, 1: {1: (0.8, 0.2), 5: (0.7, 0.1)}}
    [axes] = plots.grouped_bars(values, out, label="Dice of the spleen").axes
    first, second = axes.containers[1], axes.containers[3]  # 0 and 2 are the error bars
    assert [bar.get_height() for bar in first] == [0.8, 0.7]
    assert [bar.get_height() for bar in second] == [0.6, 0.9]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["1", "15"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "5"]
    centres = [bar.get_x() + bar.get_width() / 2 for bar in (*first, *second)]
    assert centres == pytest.approx([-0.2125, 0.7875, 0.2125, 1.2125])
    spread = axes.containers[2].lines[2][0].get_segments()
    assert [segment[:, 1].tolist() for segment in spread] == [pytest.approx([0.5, 0.7]), pytest.approx([0.85, 0.95])]


def test_grouped_bars_may_have_gaps(out):
    [axes] = plots.grouped_bars({1: {1: (0.5, 0.1)}, 2: {1: (0.5, 0.1), 2: (0.6, 0.1)}}, out).axes
    assert [len(container) for container in axes.containers[1::2]] == [1, 2]


def example(truth, answers, spacing=(1.0, 1.0)):
    image = np.where(truth, 120, -20).astype(np.int16)
    record = Record("liver", "ct_1", 7, tuple(0.5 + 0.1 * k for k in range(len(answers))))
    return Example("median", record, image, truth, spacing, answers)


def answers(truth, *clicks):
    return [Answer(tuple(clicks[:k]), truth, 0.5) for k in range(1, len(clicks) + 1)]


CLICKS = [Click(50, 60, True), Click(50, 75, False), Click(40, 60, True), Click(60, 60, True), Click(50, 50, True)]


def test_slices_show_the_clicks_so_far_with_their_numbers_and_signs(out):
    truth = disk((120, 140), (50, 60), 12)
    figure = plots.slices([example(truth, answers(truth, *CLICKS))] * 2, out)
    assert len(figure.axes) == 2 * 3
    assert [panel.get_title() for panel in figure.axes[:3]] == [
        "1 click: Dice 0.50",
        "2 clicks: Dice 0.60",
        "5 clicks: Dice 0.90",
    ]
    last = figure.axes[2]
    assert [text.get_text() for text in last.texts] == ["1", "2", "3", "4", "5"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in last.lines] == [(c.x, c.y) for c in CLICKS]
    assert [line.get_marker() for line in last.lines] == ["o", "s", "o", "o", "o"]
    assert len(figure.axes[0].texts) == 1
    assert figure.axes[0].get_ylabel() == "median: ct_1, slice 7"


def test_an_outline_runs_around_the_pixels_of_its_mask(out):
    truth = np.zeros((90, 100), bool)
    truth[20:30, 40:60] = True
    figure = plots.slices([example(truth, answers(truth, CLICKS[0]))], out)
    outline = figure.axes[0].collections[0].get_paths()[0].vertices
    assert outline.min(axis=0).tolist() == [39.5, 19.5]
    assert outline.max(axis=0).tolist() == [59.5, 29.5]


def test_an_outline_is_closed_at_the_border_of_the_image(out):
    truth = np.ones((90, 100), bool)
    figure = plots.slices([example(truth, answers(truth, CLICKS[0]))], out)
    outline = figure.axes[0].collections[0].get_paths()[0].vertices
    assert outline.min(axis=0).tolist() == [-0.5, -0.5]
    assert outline.max(axis=0).tolist() == [99.5, 89.5]


def test_an_empty_mask_has_no_outline(out):
    truth = disk((120, 140), (50, 60), 12)
    figure = plots.slices([example(truth, [Answer((CLICKS[0],), np.zeros_like(truth), 0.0)])], out)
    assert len(figure.axes[0].collections) == 1


def test_a_picture_is_a_square_of_the_body_about_its_structure_whatever_the_pixels(out):
    truth = disk((400, 200), (200, 100), 20)
    figure = plots.slices([example(truth, answers(truth, Click(200, 100, True)), spacing=(0.5, 1.0))], out)
    (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    assert abs(right - left) * 1.0 == pytest.approx(abs(top - bottom) * 0.5) == pytest.approx(80)
    assert (left + right) / 2 == pytest.approx(100, abs=1)
    assert figure.axes[0].get_aspect() == 0.5


def test_colours_of_series_differ():
    assert len({to_hex(colour) for colour in plots.SERIES}) == len(plots.SERIES)
