"""Recipes: the paper's by default, changed by name, and refused where they cannot be trained."""

import dataclasses

import pytest

from segmodel.recipe import Recipe, RecipeError
from tests.segmodel.toys import ENCODE_ONCE

TINY = Recipe(name="tiny", architecture=ENCODE_ONCE, size=64, crop=(64, 64))


def changed(**settings):
    return dataclasses.replace(TINY, **settings)


def recipe_file(folder, text):
    (folder / "mine.toml").write_text(text)
    return str(folder / "mine.toml")


def test_the_paper_recipe_is_table_1():
    paper = Recipe.load("paper")
    assert paper.architecture == {"name": "unet", "width": 64}
    assert (paper.optimiser, paper.learning_rate, paper.schedule) == ("adam", 1e-4, "constant")
    assert (paper.images, paper.seed, paper.spacing, paper.crop, paper.sigma) == (16, 4242, 1.0, (512, 512), 2.0)
    assert paper.passes in (1, 2, 5, 10, 15)
    assert paper.cross_entropy == paper.averaging == paper.weight_decay == 0


def test_the_default_recipe_is_named_after_its_file():
    assert Recipe.load("default").name == "default"


def test_a_recipe_of_ones_own_changes_what_it_names(tmp_path):
    recipe = Recipe.load(recipe_file(tmp_path, "steps = 7\ncrop = [64, 96]\nlearning_rate = 1"))
    assert recipe == Recipe(name="mine", steps=7, crop=(64, 96), learning_rate=1)


@pytest.mark.parametrize("name", ["none", ".", "none.toml"])
def test_a_recipe_that_is_not_there_is_refused(name):
    with pytest.raises(RecipeError, match=r"^There is no recipe .+\.$"):
        Recipe.load(name)


@pytest.mark.parametrize("text", ["steps = ", "steps: 3", "[[["])
def test_a_recipe_that_is_not_toml_is_refused(tmp_path, text):
    with pytest.raises(RecipeError, match=r"is not TOML: .+\.$"):
        Recipe.load(recipe_file(tmp_path, text))


def test_an_unknown_setting_is_refused_by_its_name(tmp_path):
    with pytest.raises(RecipeError, match=r"^A recipe has no setting 'stepps'\.$"):
        Recipe.load(recipe_file(tmp_path, "stepps = 3"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", "many"), ("steps", 1.5), ("steps", True), ("crop", [64]), ("crop", 64), ("window", ["a", "b"]),
     ("augment", 1), ("architecture", "unet"), ("learning_rate", None), ("name", 3)],
)  # fmt: skip
def test_a_setting_of_another_kind_is_refused(name, value):
    with pytest.raises(RecipeError, match=rf"^The recipe's {name} cannot be .+\.$"):
        TINY.changed({name: value})


@pytest.mark.parametrize(
    "name", ["passes", "steps", "images", "structures", "size", "spacing", "learning_rate", "sigma"]
)
@pytest.mark.parametrize("value", [0, -1])
def test_a_setting_that_must_be_above_zero_is_refused(name, value):
    with pytest.raises(RecipeError, match=rf"^The recipe's {name} must be above 0, not {value}\.$"):
        changed(**{name: value})


@pytest.mark.parametrize("change", [{"optimiser": "sgd"}, {"schedule": "steps"}])
def test_an_optimiser_or_schedule_that_we_lack_is_refused(change):
    with pytest.raises(RecipeError, match=r"optimiser is adam or adamw, its schedule constant or cosine\.$"):
        changed(**change)


@pytest.mark.parametrize("name", ["lesions", "regions", "previous_mask", "start_masks"])
@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_a_share_outside_0_to_1_is_refused(name, value):
    with pytest.raises(RecipeError, match=rf"^The recipe's {name} is a share from 0 to 1, not {value}\.$"):
        changed(**{name: value})


def test_names_to_leave_out_are_a_list_of_texts(tmp_path):
    assert TINY.changed({"leave_out": ["liver tumour"]}).leave_out == ("liver tumour",)
    with pytest.raises(RecipeError, match=r"^The recipe's leave_out cannot be \(3,\)\.$"):
        TINY.changed({"leave_out": [3]})
