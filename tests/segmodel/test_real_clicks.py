"""Clicks that people made go with their slice: from dataset.json onto the grid, through augmentation, into the simulation."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from segmodel.augmentation import Augmentation
from segmodel.clicks import Click
from segmodel.dataset import DatasetError
from segmodel.grid import Grid
from segmodel.inputs import InputSpec
from segmodel.interaction import interact
from segmodel.layouts import read_decathlon
from segmodel.preparation import prepare
from segmodel.recipe import Recipe
from segmodel.sampling import Sampler
from segmodel.simulation import centre_click
from segmodel.training import Trainer
from tests.segmodel import toys
from tests.segmodel.commandline import run

RECIPE = Recipe(
    name="tiny", architecture=toys.ENCODE_ONCE, size=64, crop=(64, 64), window=(-125.0, 275.0), images=4, passes=2,
    real_clicks=1.0,
)  # fmt: skip


def data_set(folder, clicks, cases=None, **described):
    return read_decathlon(toys.decathlon(folder, cases, clicks=clicks, **described))


def on_grid(dataset, cache, size=64, **options):
    return prepare([(dataset, dataset.cases)], Grid(1.0), size, options.pop("merge", {}), cache, **options).slices()


def test_a_data_set_may_bring_clicks_by_slice_and_label_value(tmp_path):
    dataset = data_set(tmp_path, {"01": {"1": {"2": [[3, 4, True], [5, 6, False]]}}})
    assert [case.clicks for case in dataset.cases] == [{}, {1: {2: (Click(3, 4, True), Click(5, 6, False))}}, {}]


@pytest.mark.parametrize("clicks", [[[3, 4]], [[3, "a", True]], 5, {"y": 3}], ids=str)
def test_clicks_that_cannot_be_read_are_refused(tmp_path, clicks):
    with pytest.raises(
        DatasetError, match=r"^The clicks of case ct_01 are not \[y, x, positive\] by slice and label value"
    ):
        data_set(tmp_path, {"ct_01": {"1": {"2": clicks}}})


def test_clicks_of_a_case_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"^The clicks of toys name the case ct_09, which is not there\.$"):
        data_set(tmp_path, {"ct_09": {}})


def test_clicks_outside_the_volume_are_refused(tmp_path):
    dataset = data_set(tmp_path, {"ct_01": {"1": {"2": [[64, 4, True]]}}})
    with pytest.raises(DatasetError, match=r"^The case ct_01 has a click at \(1, 64, 4\), outside its volume\.$"):
        on_grid(dataset, tmp_path / "cache")


def test_clicks_are_resampled_and_cropped_as_the_slice_is(tmp_path):
    """A volume of 0.5 mm pixels, 128×200: on the grid 64×100, of which the middle 64×64 is kept."""
    images, labels = np.zeros((1, 128, 200), np.int16), np.zeros((1, 128, 200), np.uint8)
    labels[0, 40:44, 60:64] = 1
    clicks = {"ct_1": {"0": {"1": [[41, 61, True], [41, 2, False]]}}}
    dataset = data_set(
        tmp_path / "data", clicks, {"ct_1": (images, labels)}, spacing=(3.0, 0.5, 0.5), labels={"1": "a"}
    )
    slices = on_grid(dataset, tmp_path / "cache")
    [[(y, x, positive)]] = [row[1] for row in slices.clicks]  # the second one is cropped away
    assert (y, x, positive) == (41.5 / 2 - 0.5, 61.5 / 2 - 0.5 - 18, True)
    assert slices.labels[0][round(y), round(x)] == 1


def test_a_smaller_slice_lies_in_the_middle_and_so_do_its_clicks(tmp_path):
    images, labels = toys.ct_slices(1, side=40)
    dataset = data_set(tmp_path / "data", {"ct_1": {"0": {"1": [[3, 4, False]]}}}, {"ct_1": (images, labels)})
    assert on_grid(dataset, tmp_path / "cache").clicks == [{1: [(15, 16, False)]}]


def test_the_cache_knows_other_clicks_and_needs_nothing_new_without_any(tmp_path):
    def folders():
        dataset = read_decathlon(tmp_path / "data")
        prepared = prepare([(dataset, dataset.cases)], Grid(1.0), 64, {}, tmp_path / "cache")
        return [case.folder.name for case in prepared.cases]

    toys.decathlon(tmp_path / "data")
    plain = folders()
    described = json.loads((tmp_path / "data" / "dataset.json").read_text())
    for clicks, changed in (({"ct_00": {"0": {"1": [[1, 2, True]]}}}, 1), ({}, 0)):
        (tmp_path / "data" / "dataset.json").write_text(json.dumps({**described, "clicks": clicks}))
        assert sum(one != other for one, other in zip(plain, folders(), strict=True)) == changed


def still(augmentation, monkeypatch, affine):
    monkeypatch.setattr(augmentation, "_affine", lambda shape, rng: np.array(affine, np.float32))
    monkeypatch.setattr(augmentation, "_bend", lambda count, rng: torch.zeros(count, *augmentation.crop, 2))
    return augmentation


def follow(augmentation, points, shape=(48, 64), seed=0):
    """Return where points go, and the labels, in which every point had three by three pixels of a number of its own."""
    labels = torch.zeros(1, 1, *shape, dtype=torch.uint8)
    for number, (y, x, _) in enumerate(points, 1):
        labels[0, 0, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = number
    _, marked, [moved] = augmentation.with_points(
        torch.randn(1, 1, *shape),
        labels,
        [[(float(y), float(x), p) for y, x, p in points]],
        np.random.default_rng(seed),
    )
    return moved, marked[0, 0]


@pytest.mark.parametrize(
    ("affine", "wanted"),
    [
        ([[1, 0, 0], [0, 1, 0]], [(10, 20), (5, 3)]),
        ([[-1, 0, 0], [0, 1, 0]], [(10, 43), (5, 60)]),
        ([[1, 0, 0], [0, -1, 0]], [(37, 20), (42, 3)]),
        ([[1, 0, 2 * 4 / 64], [0, 1, 0]], [(10, 16)]),  # four pixels to the left, and the second one out of the picture
    ],
    ids=["as it is", "left and right", "upside down", "shifted"],
)
def test_a_click_goes_where_its_pixel_goes(monkeypatch, affine, wanted):
    moved, _ = follow(still(Augmentation((48, 64)), monkeypatch, affine), [(10, 20, True), (5, 3, False)])
    assert [(y, x) for y, x, _ in moved] == wanted
    assert moved[0][2] is True


def test_clicks_stay_on_what_they_were_made_on_however_a_picture_is_turned_scaled_and_bent():
    points, kept = [(24, 32, True), (12, 16, False), (36, 48, True)], 0
    for seed in range(40):
        augmentation = Augmentation((48, 64))
        moved, marked = follow(augmentation, points, seed=seed)
        found = [int(marked[int(y), int(x)]) for y, x, _ in moved]
        assert found == sorted(set(found))
        assert 0 not in found
        kept += len(found)
    assert kept > 100  # of 120


def test_points_change_nothing_about_the_picture():
    images, labels = torch.randn(1, 1, 48, 64), torch.ones(1, 1, 48, 64, dtype=torch.uint8)
    augmentation = Augmentation((48, 64))
    plain = augmentation(images, labels, np.random.default_rng(1))
    with_points = augmentation.with_points(images, labels, [[(5.0, 6.0, True)]], np.random.default_rng(1))
    assert all(torch.equal(one, other) for one, other in zip(plain, with_points, strict=False))


def clicked(count=4, many=3):
    """Return slices whose disk has clicks in the middle, and one that the disk denies."""
    slices = toys.grid_slices(count)
    rows = []
    for label in slices.labels:
        middle = np.argwhere(label == 1)
        chosen = middle[np.linspace(len(middle) // 3, 2 * len(middle) // 3, many).astype(int)]
        rows.append(
            {1: [*((float(y), float(x), True) for y, x in chosen), (float(chosen[0][0]), float(chosen[0][1]), False)]}
        )
    return dataclasses.replace(slices, clicks=rows)


def batch(slices, members=range(60), **settings):
    recipe = dataclasses.replace(RECIPE, **settings)
    return Sampler(slices, InputSpec(Grid(1.0)), recipe).batch(0, members)


def test_a_simulation_begins_with_the_first_clicks_of_a_person_one_to_all():
    slices = clicked()
    drawn = batch(slices)
    whole = [[Click(int(y), int(x), p) for y, x, p in row[1][:3]] for row in slices.clicks]
    for truth, begun in zip(drawn.truths[:, 0].numpy(), drawn.begun, strict=True):
        is_disk = [(truth == (label == 1)).all() for label in slices.labels]
        assert bool(begun) == any(is_disk)
        if begun:
            assert begun == whole[is_disk.index(True)][: len(begun)]
    assert {len(begun) for begun in drawn.begun} == {0, 1, 2, 3}


def test_the_recipes_share_of_the_truths_begins_so():
    begun = batch(clicked(), members=range(400), real_clicks=0.3).begun
    of_disks = [bool(row) for row in begun]
    assert np.mean(of_disks) == pytest.approx(0.15, abs=0.05)  # every other truth is a disk


def test_augmented_clicks_say_what_the_truth_says():
    drawn = batch(clicked(), augment=True, lesions=0.5, structures=2)
    assert sum(map(bool, drawn.begun)) > 10
    for truth, begun in zip(drawn.truths[:, 0], drawn.begun, strict=True):
        assert all(bool(truth[click.y, click.x]) == click.positive for click in begun)


@pytest.mark.parametrize("augment", [False, True])
def test_parts_of_a_batch_begin_alike(augment):
    whole, first, second = (batch(clicked(), members, augment=augment) for members in (range(8), range(3), range(3, 8)))
    assert [*first.begun, *second.begun] == list(whole.begun)


def test_a_recipe_without_them_draws_what_it_drew_before():
    plain, given = batch(toys.grid_slices(4), real_clicks=0.0), batch(clicked(), real_clicks=0.0)
    assert torch.equal(plain.images, given.images)
    assert torch.equal(plain.truths, given.truths)
    assert not any(given.begun)


def test_the_click_loop_goes_on_from_what_has_begun():
    truth, seen = toys.disk((32, 32), (16, 16), 8), []
    begun = [[Click(10, 16, True), Click(2, 2, False)], []]

    def predict(clicks, again):
        seen.append([list(row) for row in clicks])
        return [toys.disk((32, 32), (16, 16), 4) for _ in again]

    rngs = [np.random.default_rng(i) for i in range(2)]
    clicks = interact([truth, truth], predict, centre_click, 1, rngs, begun=begun)
    assert seen == [[begun[0], [Click(16, 16, True)]]]
    assert [len(row) for row in clicks] == [3, 2]
    assert clicks[0][:2] == begun[0]
    assert len(begun[0]) == 2


def test_training_shows_the_network_what_people_clicked(monkeypatch):
    trainer, shown = Trainer(RECIPE, clicked()), []
    guidance = trainer._guidance
    monkeypatch.setattr(trainer, "_guidance", lambda clicks, *of: shown.append(clicks) or guidance(clicks, *of))
    trainer.step(0.0)
    begun = trainer.sampler.batch(0, range(RECIPE.images)).begun
    assert any(begun)
    assert all(made[: len(first)] == first for made, first in zip(shown[-1], begun, strict=True))


def test_train_takes_them_from_the_data_set(tmp_path, recipe):
    folder = toys.decathlon(tmp_path / "data", clicks={"ct_00": {"0": {"1": [[3, 4, False]]}}})
    given = ["--data", folder, "--recipe", recipe, "--cache", tmp_path / "cache", "--out", tmp_path / "run"]
    assert run("train", *given, "--set", "real_clicks=1.0", "steps=1") == 0
