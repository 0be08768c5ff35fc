"""Areas, volumes, grey values and diameters of masks, and the table of them."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist

from annotator.annotation import measure
from annotator.studies import store
from tests.annotator.factories import SHAPE, Cast, volume
from tests.annotator.test_api import logged_in
from tests.annotator.test_export import rectangle, save


@pytest.fixture
def stored(cast: Cast) -> Cast:
    """Alice's case with its voxels in the storage."""
    store.write(cast.alices.task.series.prefix, volume(), SHAPE)
    return cast


def test_a_rectangle_measures_what_a_ruler_says(stored: Cast) -> None:
    series = stored.alices.task.series
    series.spacing = [3.0, 0.5, 2.0]
    series.save()
    mask = rectangle(slice(1, 4), slice(2, 7))  # 3 rows of 0.5 mm, 5 columns of 2 mm
    save(stored, stored.liver, 2, mask)
    save(stored, stored.liver, 0, rectangle(slice(0, 1), slice(0, 1)))
    first, second, whole = measure.table(stored.alices)
    assert (first.label, first.slice, second.slice, whole.slice) == ("liver", 1, 3, "all")
    assert second.area_mm2 == pytest.approx(15.0)
    assert second.volume_ml == pytest.approx(0.045)
    assert second.longest_diameter_mm == pytest.approx(np.hypot(1.5, 10.0))
    values = store.read_slice(series, 2)[mask]
    assert [second.mean_hu, second.sd_hu] == pytest.approx([values.mean(), values.std()])
    assert whole.area_mm2 is None
    assert whole.volume_ml == pytest.approx(0.048)
    assert whole.longest_diameter_mm == second.longest_diameter_mm
    every = np.append(values, store.read_slice(series, 0)[0, 0])
    assert [whole.mean_hu, whole.sd_hu] == pytest.approx([every.mean(), every.std()])


@given(arrays(np.bool_, (9, 11)).filter(np.any), st.floats(0.3, 5), st.floats(0.3, 5))
def test_the_longest_diameter_is_that_of_all_pairs_of_corners(mask: np.ndarray, height: float, width: float) -> None:
    corners = [((y + dy) * height, (x + dx) * width) for y, x in np.argwhere(mask) for dy in (0, 1) for dx in (0, 1)]
    assert measure.longest_diameter(mask, [height, width]) == pytest.approx(pdist(corners).max())


def test_a_label_without_pixels_has_no_row(cast: Cast) -> None:
    save(cast, cast.liver, 2, np.zeros(SHAPE[1:], bool))
    assert list(measure.table(cast.alices)) == []


def test_a_name_that_a_spreadsheet_would_compute_is_shown_instead(stored: Cast) -> None:
    stored.liver.name = '=cmd|" /C calc"!A0'
    stored.liver.save()
    save(stored, stored.liver, 2, rectangle(slice(1, 4), slice(2, 7)))
    names = [row["label"] for row in csv.DictReader(io.StringIO(measure.write_csv(stored.alices)))]
    assert names == ['\'=cmd|" /C calc"!A0'] * 2


def test_the_table_is_downloaded_by_those_who_see_the_case(stored: Cast) -> None:
    save(stored, stored.liver, 2, rectangle(slice(1, 4), slice(2, 7)))
    address = reverse("measures", args=[stored.alices.pk])
    answer = logged_in(stored.alice).get(address)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["slice"] for row in rows] == ["3", "all"]
    assert rows[1]["area_mm2"] == ""
    assert float(rows[0]["area_mm2"]) > 0
    assert logged_in(stored.eve).get(address).status_code == 404


def test_without_the_voxels_there_is_no_table(cast: Cast) -> None:
    save(cast, cast.liver, 2, rectangle(slice(1, 4), slice(2, 7)))
    answer = logged_in(cast.alice).get(reverse("measures", args=[cast.alices.pk]))
    assert answer.status_code == 404
    assert "The voxels of this series are no longer here" in answer.content.decode()
