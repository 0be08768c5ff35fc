"""`make bench-browser` clicks where it says and compares what it says; the rest of it is figures of a machine."""

import itertools

import numpy as np

from tests.load import browser_bench, ct


def test_every_label_has_a_click_on_the_middle_slice_and_none_has_two_there():
    places = list(itertools.islice(browser_bench.places([4, 7], depth=5), 12))
    assert places[:2] == [(4, 2), (7, 2)]
    assert [z for _, z in places[2:]] == [3, 3, 4, 4, 0, 0, 1, 1, 3, 3]


def test_points_lie_in_soft_tissue_and_far_from_one_another():
    hu = np.full((96, 128), -1000, np.int16)
    hu[20:90, 30:100] = 40
    points = ct.soft_points(hu)
    assert len(points) >= 4 and points == ct.soft_points(hu)
    assert all(30 <= x < 100 and 20 <= y < 90 for x, y in points)
    for (x, y), (a, b) in itertools.combinations(points, 2):
        assert max(abs(x - a), abs(y - b)) >= ct.FAR


def page(labels, stored, slowness):
    times = ("painted", "server", "saved", "masks_per_second", "scroll_cold", "scroll_warm")
    sizes = [f"{what}_{when}" for what in ("heap", "buffers") for when in ("at_start", "after_scrolling")]
    figures = {name: [slowness, 3 * slowness, 2 * slowness] for name in (*times, *sizes)}
    return {"labels": labels, "stored": stored, **figures, "server": [slowness / 2, slowness, slowness]}


def test_the_table_sets_the_heaviest_page_against_fewer_labels_and_against_fewer_interactions():
    pages = [page(1, 10, 20), page(8, 10, 40), page(1, 1000, 25), page(8, 1000, 50)]
    lines = browser_bench.table({"ct": "a phantom", "pages": pages}).splitlines()
    heads, painted, in_page = ([cell.strip() for cell in lines[i].split("|")[1:-1]] for i in (2, 4, 6))
    assert heads[4:7] == ["8 labels, 1000 stored", "8 ÷ 1 label", "1000 ÷ 10 stored"]
    assert painted[1] == "40.0 / 58.0" and painted[5:7] == ["2.00", "1.25"]
    assert in_page[1].startswith("20.0 / ")
