"""Training learns from simulated clicks, the same seed learns the same, and an interruption keeps what was learnt."""

import dataclasses
import itertools
import json
import os
import pickle
import signal
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from segmodel import checkpoint, training
from segmodel.interaction import interact
from segmodel.metrics import dice
from segmodel.predictor import Predictor
from segmodel.quality import Calibration
from segmodel.recipe import Recipe, RecipeError
from segmodel.simulation import centre_click
from segmodel.training import Trainer, train
from tests.segmodel.toys import ENCODE_ONCE, UNET, ct_slices, grid_slices

TINY = Recipe(
    name="tiny", architecture=ENCODE_ONCE, size=64, crop=(64, 64), window=(-125.0, 275.0), steps=60, images=6,
    structures=2, passes=2, optimiser="adamw", learning_rate=1e-2, cross_entropy=0.5, averaging=0.8,
)  # fmt: skip


RICH = dataclasses.replace(
    TINY,
    steps=6,
    images=3,
    augment=True,
    schedule="cosine",
    lesions=0.4,
    regions=0.4,
    previous_mask=0.5,
    start_masks=0.5,
)


def changed(**settings):
    return dataclasses.replace(TINY, **settings)


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def dice_after_2_clicks(loaded):
    """Return the mean Dice of both structures on slices that no training here has seen."""
    predictor, scores = Predictor(loaded, precision="float32"), []
    for image, label in zip(*ct_slices(4, seed=99), strict=True):
        encoded = predictor.encode(image, (1.0, 1.0))
        for truth in (label == 1, label == 2):
            masks = []
            predict = lambda clicks, _: masks.append(predictor.predict(encoded, clicks[0]).mask) or masks[-1:]  # noqa: B023, E731
            interact([truth], predict, centre_click, 2, [np.random.default_rng(0)])
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
    assert lines[0].keys() == {"step", "loss", "data_s", "clicks_s", "passes_s", "fit_s", "step_s"}


def test_the_checkpoint_says_what_it_was_made_of(trained):
    header = checkpoint.read_header(trained / "model.safetensors")
    assert header["architecture"] == {**ENCODE_ONCE, "guidance": 2}
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


def test_what_gets_no_other_click_is_not_predicted(monkeypatch):
    trainer = Trainer(changed(images=3, structures=1, passes=3), grid_slices())
    assert clicks_seen(trainer, monkeypatch, 0.0) == [[1] * 3]  # only the fit


def test_each_truth_is_fitted_to_its_own_image(monkeypatch):
    trainer, seen = Trainer(changed(architecture=UNET), grid_slices()), []
    decode = trainer.network.decode
    monkeypatch.setattr(
        trainer.network, "decode", lambda features, maps: seen.append(features[0]) or decode(features, maps)
    )
    trainer.step(0.0)
    batch = trainer.sampler.batch(0, range(TINY.images))
    assert len(batch.truths) > len(batch.images)
    assert torch.equal(seen[-1], batch.images[batch.owner])


def test_several_structures_of_a_slice_share_its_encoding(monkeypatch):
    trainer, encoded = Trainer(TINY, grid_slices()), []
    encode = trainer.network.encode
    monkeypatch.setattr(trainer.network, "encode", lambda image: encoded.append(len(image)) or encode(image))
    trainer.step(0.0)
    assert encoded == [TINY.images]


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interruption_finishes_the_step_and_saves_what_was_learnt(tmp_path, monkeypatch, capsys, number):
    before = signal.getsignal(number)
    interrupt_in_step(monkeypatch, 3, number)
    file = train(TINY, grid_slices(), tmp_path, {})
    assert checkpoint.load(file).provenance["steps"] == 3
    assert len(log(tmp_path)) == 3
    assert "Interrupted after 3 steps" in capsys.readouterr().out
    assert signal.getsignal(number) == before


def interrupt_in_step(monkeypatch, when, number=signal.SIGINT):
    step = Trainer.step

    def interrupted(trainer, progress):
        if trainer.steps_done == when - 1:
            os.kill(os.getpid(), number)
        return step(trainer, progress)

    monkeypatch.setattr(Trainer, "step", interrupted)


def losses_of(folder):
    return [line["loss"] for line in log(folder)]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Return the losses of six steps in one go."""
    folder = tmp_path_factory.mktemp("unbroken")
    train(RICH, grid_slices(), folder, {})
    return losses_of(folder)


def test_a_run_goes_on_after_an_interruption_as_if_nothing_had_happened(tmp_path, monkeypatch, unbroken):
    with monkeypatch.context() as broken:
        interrupt_in_step(broken, 3)
        train(RICH, grid_slices(), tmp_path, {})
    assert losses_of(tmp_path) == unbroken[:3]
    train(RICH, grid_slices(), tmp_path, {}, resume=True)
    assert losses_of(tmp_path) == unbroken


def test_a_run_that_was_killed_between_two_saves_goes_on_from_the_last_one(tmp_path, monkeypatch, unbroken):
    class Killed(BaseException):
        """Nothing in the program can catch it, as nothing can catch SIGKILL."""

    step = Trainer.step

    def killed(trainer, progress):
        if trainer.steps_done == 5:
            raise Killed
        return step(trainer, progress)

    with monkeypatch.context() as broken, pytest.raises(Killed):
        broken.setattr(Trainer, "step", killed)
        train(RICH, grid_slices(), tmp_path, {}, every_minutes=0)
    torch.load(tmp_path / "state.pt", weights_only=True)
    train(RICH, grid_slices(), tmp_path, {}, resume=True)
    assert losses_of(tmp_path) == unbroken
    assert checkpoint.load(tmp_path / "model.safetensors").provenance["steps"] == RICH.steps


def test_a_second_run_does_not_overwrite_the_first(trained):
    with pytest.raises(RecipeError, match=r"already: go on with it by --resume, or take another folder\.$"):
        train(TINY, grid_slices(), trained, {})


def test_nothing_to_go_on_with_is_told(tmp_path):
    with pytest.raises(RecipeError, match=r"^There is no training run in .+ to go on with\.$"):
        train(TINY, grid_slices(), tmp_path, {}, resume=True)


def test_a_run_with_another_recipe_or_other_data_is_not_gone_on_with(trained):
    for recipe, provenance in ((changed(seed=1), {"data": {"toys": ["patient 0"]}}), (TINY, {})):
        with pytest.raises(RecipeError, match=r"was made with another recipe or other data\.$"):
            train(recipe, grid_slices(12), trained, provenance, resume=True)


def test_a_damaged_state_is_told_and_executes_nothing(tmp_path):
    for content in (b"", b"no state", pickle.dumps(pytest.fail)):
        (tmp_path / "state.pt").write_bytes(content)
        with pytest.raises(RecipeError, match=r"state\.pt is damaged, so that the run cannot go on\.$"):
            train(TINY, grid_slices(), tmp_path, {}, resume=True)


def test_micro_batches_add_up_to_the_gradient_of_the_batch(monkeypatch):
    # the masks of an untrained network hang on the last digit, and with them all clicks but the first
    monkeypatch.setattr(training, "falling_chance", lambda passes: lambda k: 0.0)
    recipe = changed(images=4, structures=2)
    whole, parts = Trainer(recipe, grid_slices()), Trainer(dataclasses.replace(recipe, micro_batch=2), grid_slices())
    for trainer in (whole, parts):  # batch normalisation would see the micro-batch: let it not look
        for module in trainer.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
                monkeypatch.setattr(module, "train", lambda mode=True: None)
        trainer.step(0.0)
    for one, other in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_where_memory_runs_out_smaller_bites_are_taken_and_the_batch_stays(monkeypatch, capsys):
    trainer, eaten = Trainer(changed(images=6), grid_slices()), []
    encode = trainer.network.encode

    def hungry(image):
        if len(image) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        eaten.append(len(image))
        return encode(image)

    monkeypatch.setattr(trainer.network, "encode", hungry)
    trainer.step(0.0)
    assert eaten == [1, 1, 1, 1, 1, 1]
    assert trainer.steps_done == 1
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"Out of memory: going on with {n} at a time, the batch stays as it is." for n in ("3 slices", "1 slice")
    ]


def test_memory_that_does_not_suffice_for_one_slice_is_told(monkeypatch):
    trainer = Trainer(changed(images=2), grid_slices())

    def full(image):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr(trainer.network, "encode", full)
    with pytest.raises(RecipeError, match=r"^Memory on cpu does not suffice for a single slice of this recipe\.$"):
        trainer.step(0.0)


def test_other_failures_are_not_taken_for_a_lack_of_memory(monkeypatch):
    trainer = Trainer(TINY, grid_slices())
    monkeypatch.setattr(trainer.network, "encode", lambda image: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError, match="size"):
        trainer.step(0.0)


def test_a_run_may_start_from_a_model_and_give_it_a_map_for_the_previous_mask(trained):
    parent = checkpoint.load(trained / "model.safetensors")
    trainer = Trainer(changed(previous_mask=0.5), grid_slices(), start=parent)
    child = trainer.checkpoint({})
    assert child.architecture["guidance"] == 3
    assert child.inputs.intensity == parent.inputs.intensity
    image, maps = torch.randn(1, 1, 64, 64), torch.rand(1, 2, 64, 64)
    more = torch.cat([maps, torch.ones(1, 1, 64, 64)], dim=1)  # whatever the new map says, it has no weight yet
    torch.testing.assert_close(child.network(image, more), parent.network(image, maps))


def test_a_run_keeps_the_calibration_of_its_start(trained):
    parent = dataclasses.replace(
        checkpoint.load(trained / "model.safetensors"), calibration=Calibration(-0.5, 0.9, 0.4)
    )
    assert Trainer(changed(), grid_slices(), start=parent).checkpoint({}).calibration == parent.calibration
    assert Trainer(changed(), grid_slices()).checkpoint({}).calibration == Calibration()


def test_a_model_of_another_architecture_is_no_start(trained):
    parent = checkpoint.load(trained / "model.safetensors")
    for architecture in (UNET, {**ENCODE_ONCE, "width": 8}):
        with pytest.raises(RecipeError, match=r"^The model to start from has another architecture than the recipe\.$"):
            Trainer(changed(architecture=architecture), grid_slices(), start=parent)


def test_the_passes_show_the_mask_before_where_the_recipe_says_so(monkeypatch):
    trainer, shown = Trainer(changed(previous_mask=1.0, start_masks=1.0, passes=3), grid_slices()), []
    decode = trainer.network.decode
    monkeypatch.setattr(trainer.network, "decode", lambda f, maps: shown.append(maps[:, 2]) or decode(f, maps))
    trainer.step(0.0)
    assert all(maps.unique().tolist() in ([0, 1], [0], [1]) for maps in shown)
    assert shown[0].any()  # the spoilt truth that the first click corrects


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
    assert seen == [0, 1, 2, 3]
    assert log(tmp_path)[0] == {"step": 0, "validation": {"dice": 0.5}}
    assert [(line["step"], line["validation"]) for line in log(tmp_path)] == [(k, {"dice": 0.5}) for k in range(4)]


def test_the_log_of_a_run_that_went_on_has_every_step_once_between_two_validations(tmp_path, monkeypatch):
    validate = lambda now: {"dice": now.provenance["steps"]}  # noqa: E731
    with monkeypatch.context() as broken:
        interrupt_in_step(broken, 2)
        train(changed(steps=4), grid_slices(), tmp_path, {}, validate=validate)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 3, "loss": 9}\n{"step": 4, "lo')  # beyond the save, the last of them broken off
    train(changed(steps=4), grid_slices(), tmp_path, {}, validate=validate, resume=True)
    assert [line["step"] for line in log(tmp_path) if "loss" in line] == [1, 2, 3, 4]
    looks = [log(tmp_path)[0], log(tmp_path)[-1]]
    assert [(line["step"], line["validation"]) for line in looks] == [(0, {"dice": 0}), (4, {"dice": 4})]
    assert 9 not in [line.get("loss") for line in log(tmp_path)]


def test_the_share_of_the_steps_is_told(tmp_path):
    told = []
    train(changed(steps=2), grid_slices(), tmp_path, {}, tell=lambda done, **more: told.append((done, more)))
    losses = [None, *losses_of(tmp_path)]
    assert told == [(k / 2, {"step": k, "steps": 2, "loss": losses[k]}) for k in range(3)]


def test_the_share_of_the_time_is_told_where_it_is_larger(tmp_path, monkeypatch):
    looks, told = itertools.count(), []
    clock = SimpleNamespace(monotonic=lambda: 30.0 * next(looks), perf_counter=time.perf_counter)
    monkeypatch.setattr(training, "time", clock)
    train(changed(steps=1000), grid_slices(), tmp_path, {}, minutes=3, tell=lambda done, **more: told.append(done))
    assert told == sorted(told)
    assert told[-1] > 0.5


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
