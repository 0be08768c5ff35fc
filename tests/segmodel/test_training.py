"""Training learns from simulated clicks, the same seed learns the same, and an interruption keeps what was learnt."""

import dataclasses
import itertools
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from segmodel import checkpoint, training
from segmodel.grid import Grid
from segmodel.inputs import InputSpec
from segmodel.interaction import interact
from segmodel.metrics import dice
from segmodel.predictor import Predictor
from segmodel.simulation import centre_click
from segmodel.training import Recipe, RecipeError, Sampler, Trainer, train
from tests.segmodel.toys import ENCODE_ONCE, UNET, ct_slices, grid_slices

TINY = Recipe(
    name="tiny", architecture=ENCODE_ONCE, size=64, crop=(64, 64), window=(-125.0, 275.0), steps=60, images=6,
    structures=2, passes=2, optimiser="adamw", learning_rate=1e-2, cross_entropy=0.5, averaging=0.8,
)  # fmt: skip


def changed(**settings):
    return dataclasses.replace(TINY, **settings)


def recipe_file(folder, text):
    (folder / "mine.toml").write_text(text)
    return str(folder / "mine.toml")


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def dice_after_2_clicks(loaded):
    """Return the mean Dice of both structures on slices that no training here has seen."""
    predictor, scores = Predictor(loaded, precision="float32"), []
    for image, label in zip(*ct_slices(4, seed=99), strict=True):
        encoded = predictor.encode(image, (1.0, 1.0))
        for truth in (label == 1, label == 2):
            masks = []
            predict = lambda clicks: masks.append(predictor.predict(encoded, clicks[0]).mask) or masks[-1:]  # noqa: B023, E731
            interact([truth], predict, centre_click, 2, np.random.default_rng(0))
            scores.append(dice(masks[-1], truth))
    return np.mean(scores)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train the tiny recipe once and give its folder."""
    folder = tmp_path_factory.mktemp("run")
    train(TINY, grid_slices(12), folder, {"data": {"toys": ["patient 0"]}})
    return folder


def test_sixty_steps_lower_the_loss(trained):
    losses = [line["loss"] for line in log(trained)]
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:8])


def test_sixty_steps_beat_an_untrained_network(trained):
    untrained = Trainer(TINY, grid_slices(12)).checkpoint({})
    learnt = dice_after_2_clicks(checkpoint.load(trained / "model.safetensors"))
    assert learnt > 0.6
    assert learnt > dice_after_2_clicks(untrained) + 0.2


def test_the_log_has_a_line_for_every_step(trained):
    lines = log(trained)
    assert [line["step"] for line in lines] == list(range(1, 61))
    assert lines[0].keys() == {"step", "loss", "data_s", "passes_s", "fit_s"}


def test_the_checkpoint_says_what_it_was_made_of(trained):
    header = checkpoint.read_header(trained / "model.safetensors")
    assert header["architecture"] == ENCODE_ONCE
    assert header["inputs"]["grid"] == {"spacing": 1.0, "multiple": 32, "max_side": 512}
    assert header["inputs"]["intensity"]["low"] == -125
    assert header["provenance"]["steps"] == 60
    assert header["provenance"]["data"] == {"toys": ["patient 0"]}
    assert Recipe().changed(header["provenance"]["recipe"]) == TINY


def losses(recipe, steps=3):
    trainer = Trainer(recipe, grid_slices())
    return [trainer.step(k / steps)["loss"] for k in range(steps)]


@pytest.mark.parametrize("augment", [False, True])
def test_the_same_seed_learns_the_same(augment):
    recipe = changed(augment=augment)
    assert losses(recipe) == losses(recipe)
    assert losses(recipe) != losses(dataclasses.replace(recipe, seed=1))


@pytest.mark.parametrize("architecture", [ENCODE_ONCE, UNET], ids=lambda options: options["name"])
@pytest.mark.parametrize("bfloat16", [False, True])
def test_one_step_moves_every_weight(architecture, bfloat16):
    trainer = Trainer(changed(architecture=architecture, bfloat16=bfloat16), grid_slices())
    before = {name: p.detach().clone() for name, p in trainer.network.named_parameters() if name.endswith("weight")}
    trainer.step(0.0)
    now = dict(trainer.network.named_parameters())
    assert not [name for name, weight in before.items() if torch.equal(now[name], weight)]


def test_the_prediction_passes_leave_no_trace_in_the_network(monkeypatch):
    trainer, modes = Trainer(TINY, grid_slices()), []
    decode = trainer.network.decode

    def watched(features, guidance):
        modes.append((trainer.network.training, torch.is_grad_enabled()))
        return decode(features, guidance)

    monkeypatch.setattr(trainer.network, "decode", watched)
    trainer.step(0.0)
    assert modes == [(False, False)] * (len(modes) - 1) + [(True, True)]
    assert 2 <= len(modes) <= TINY.passes + 1


def clicks_seen(trainer, monkeypatch, chance):
    """Make one step and return, for every call of the network, how many clicks each truth of that call has."""
    monkeypatch.setattr(training, "falling_chance", lambda passes: lambda k: chance)
    seen, guidance = [], trainer._guidance
    monkeypatch.setattr(
        trainer, "_guidance", lambda clicks, *of: seen.append(list(map(len, clicks))) or guidance(clicks, *of)
    )
    trainer.step(0.0)
    return seen


def test_every_pass_sees_the_clicks_placed_after_the_last_one(monkeypatch):
    trainer = Trainer(changed(images=3, structures=1, passes=3), grid_slices())
    assert clicks_seen(trainer, monkeypatch, 1.0) == [[1] * 3, [2] * 3, [3] * 3, [4] * 3]


def test_what_got_no_new_click_is_not_predicted_anew(monkeypatch):
    trainer = Trainer(changed(images=3, structures=1, passes=3), grid_slices())
    assert clicks_seen(trainer, monkeypatch, 0.0) == [[1] * 3, [1] * 3]


def test_each_truth_is_fitted_to_its_own_image(monkeypatch):
    trainer, seen = Trainer(changed(architecture=UNET), grid_slices()), []
    decode = trainer.network.decode
    monkeypatch.setattr(
        trainer.network, "decode", lambda features, maps: seen.append(features[0]) or decode(features, maps)
    )
    trainer.step(0.0)
    batch = trainer.sampler.batch(np.random.default_rng([TINY.seed, 0]))
    assert len(batch.truths) > len(batch.images)
    assert torch.equal(seen[-1], batch.images[batch.owner])


def test_several_structures_of_a_slice_share_its_encoding(monkeypatch):
    trainer, encoded = Trainer(TINY, grid_slices()), []
    encode = trainer.network.encode
    monkeypatch.setattr(trainer.network, "encode", lambda image: encoded.append(len(image)) or encode(image))
    trainer.step(0.0)
    assert encoded == [TINY.images]


def sampler(slices, **settings):
    return Sampler(slices, InputSpec(Grid(1.0)), changed(**{"structures": 1, **settings}))


def test_a_batch_shows_slices_with_one_of_their_structures():
    slices = grid_slices()
    batch = sampler(slices, images=10).batch(np.random.default_rng(0))
    assert batch.images.shape == batch.truths.shape == (10, 1, 64, 64)
    assert batch.owner.tolist() == list(range(10))
    known = [(slices.labels[i] == value) for i in range(6) for value in (1, 2)]
    assert all(any((truth[0].numpy() == mask).all() for mask in known) for truth in batch.truths)


def test_a_slice_brings_several_of_its_structures_where_the_recipe_says_so():
    batch = sampler(grid_slices(), images=5, structures=2).batch(np.random.default_rng(0))
    assert batch.owner.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert not (batch.truths[0::2] & batch.truths[1::2]).any()


def test_a_rare_structure_is_drawn_as_often_as_a_frequent_one():
    slices = grid_slices(12)
    slices.labels[1:][slices.labels[1:] == 2] = 0
    batch = sampler(slices, images=400).batch(np.random.default_rng(0))
    rare = (batch.truths[:, 0].numpy() == (slices.labels[0] == 2)).all(axis=(1, 2))
    assert rare.mean() == pytest.approx(0.5, abs=0.08)


def test_specks_are_not_trained():
    slices = grid_slices(2)
    slices.labels[:] = 0
    slices.labels[:, 5:8, 5:8] = 1
    with pytest.raises(RecipeError, match=r"^The training data show no structure\.$"):
        sampler(slices)


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth():
    trainer = Trainer(changed(schedule="cosine"), grid_slices())
    assert trainer._schedule(0.0) == pytest.approx(1 / 50)
    trainer.steps_done = 1000
    rates = [trainer._schedule(progress) for progress in np.linspace(0, 1, 21)]
    assert rates[0] == 1
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.01)


def test_the_served_weights_are_the_average_of_the_trained_ones():
    trainer = Trainer(changed(averaging=0.5), grid_slices())
    start = trainer.network.head.weight.detach().clone()
    trainer.step(0.0)
    decay = min(0.5, 2 / 11)
    wanted = decay * start + (1 - decay) * trainer.network.head.weight
    torch.testing.assert_close(trainer.checkpoint({}).network.head.weight, wanted)


def test_an_interruption_saves_what_was_learnt(tmp_path, monkeypatch, capsys):
    step = Trainer.step

    def interrupted(trainer, progress):
        if trainer.steps_done == 3:
            raise KeyboardInterrupt
        return step(trainer, progress)

    monkeypatch.setattr(Trainer, "step", interrupted)
    file = train(TINY, grid_slices(), tmp_path, {})
    assert checkpoint.load(file).provenance["steps"] == 3
    assert len(log(tmp_path)) == 3
    assert "Interrupted after 3 steps" in capsys.readouterr().out


def test_time_ends_a_run_as_steps_do(tmp_path, monkeypatch):
    looks = itertools.count()  # every look at the clock is half a minute later
    clock = SimpleNamespace(monotonic=lambda: 30.0 * next(looks), perf_counter=time.perf_counter)
    monkeypatch.setattr(training, "time", clock)
    train(changed(steps=1000), grid_slices(), tmp_path, {}, minutes=3)
    assert 1 <= len(log(tmp_path)) <= 6


def test_a_long_run_saves_and_validates_on_the_way(tmp_path):
    seen = []
    validate = lambda now: seen.append(now.provenance["steps"]) or {"dice": 0.5}  # noqa: E731
    train(changed(steps=3), grid_slices(), tmp_path, {}, every_minutes=0, validate=validate)
    assert seen == [1, 2, 3]
    assert [line["validation"] for line in log(tmp_path)] == [{"dice": 0.5}] * 3


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


@pytest.mark.parametrize("settings", [{"augment": True, "crop": (64, 90)}, {"architecture": UNET}])
def test_sides_that_the_network_cannot_halve_are_refused(settings):
    images = grid_slices(2, side=72)
    with pytest.raises(RecipeError, match=r"^This network's pictures have sides of multiples of \d+, not .+\.$"):
        Trainer(changed(**settings), images)


@pytest.mark.parametrize("architecture", [{}, {"name": "resnet"}, {"name": "unet", "depth": 3}])
def test_an_architecture_that_we_lack_is_refused(architecture):
    with pytest.raises(ValueError, match=r"rchitecture .+\.$"):
        Trainer(changed(architecture=architecture), grid_slices(2))


def test_a_refused_run_leaves_no_folder(tmp_path):
    with pytest.raises(ValueError, match="Unknown architecture"):
        train(changed(architecture={"name": "resnet"}), grid_slices(2), tmp_path / "run", {})
    assert not (tmp_path / "run").exists()
