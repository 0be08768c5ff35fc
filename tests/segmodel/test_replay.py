"""python -m segmodel train --replay: earlier data are mixed in, by names of structures, and no patient is on two sides."""

import json

import pytest

from segmodel import checkpoint
from tests.segmodel import toys
from tests.segmodel.commandline import refusal, run


def data_set(folder, parts, name, seed=0, **described):
    """Write cases {name: part of the split} of two slices each."""
    images, labels = toys.ct_slices(2 * len(parts), seed=seed)
    cases = {case: (images[2 * i : 2 * i + 2], labels[2 * i : 2 * i + 2]) for i, case in enumerate(parts)}
    return toys.decathlon(folder, cases, split=parts, name=name, **described)


@pytest.fixture
def new(tmp_path):
    return data_set(tmp_path / "new", {"ct_a": "training", "ct_b": "training", "ct_c": "validation"}, "new")


@pytest.fixture
def train(tmp_path, recipe, new):
    """Return a command that trains on new data and replays others."""

    def command(*more):
        cache = ["--cache", tmp_path / "cache"]
        return ["train", "--data", new, "--recipe", recipe, "--out", tmp_path / "run", *cache, *more]

    return command


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_model_says_what_was_new_and_what_was_old(tmp_path, train):
    old = data_set(
        tmp_path / "old", {"ct_a": "training", "ct_x": "training", "ct_y": "test"}, "old", seed=3,
        labels={"0": "background", "1": "ball", "2": "disk"},
    )  # fmt: skip
    assert run(*train("--replay", old, "--set", "replay=0.5", "images=8")) == 0
    made = checkpoint.load(tmp_path / "run" / "model.safetensors").provenance
    assert made["data"] == {"new": ["ct_a", "ct_b"]}
    assert made["replay"] == {"old": ["ct_a", "ct_x"]}
    assert made["structures"] == ["ball", "disk", "square"]
    assert made["slices"] == 8
    assert made["recipe"]["replay"] == 0.5


def test_a_run_with_old_data_goes_on_as_if_nothing_had_happened(tmp_path, train):
    old = data_set(tmp_path / "old", {"ct_x": "training"}, "old", seed=3)
    mixed = ["--replay", old, "--set", "replay=0.5", "images=4", "steps=3"]
    assert run(*train(*mixed)) == 0
    short = ["--out", tmp_path / "short", "--save-every", 0]
    assert run(*train(*mixed, *short, "--minutes", 1e-9)) == 0
    assert losses(tmp_path / "short") == []
    assert run(*train(*mixed, *short, "--resume")) == 0
    assert losses(tmp_path / "short") == losses(tmp_path / "run")


def test_a_share_without_data_and_data_without_a_share_are_refused(tmp_path, train, capsys):
    assert refusal(capsys, *train("--set", "replay=0.3")) == (
        "The recipe's replay is 0.3, but there are no data to replay."
    )
    assert refusal(capsys, *train("--replay", tmp_path / "old")) == (
        "There are data to replay, but the recipe's replay is 0."
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("share", ["1", "-0.1"])
def test_a_share_that_leaves_nothing_new_is_refused(train, tmp_path, capsys, share):
    said = refusal(capsys, *train("--replay", tmp_path, "--set", f"replay={share}"))
    assert said == f"The recipe's replay is a share from 0 to below 1, not {share}."


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_new_patient_that_old_data_hold_out_is_refused(tmp_path, train, capsys, part):
    old = data_set(tmp_path / "old", {"ct_x": "training", "ct_y": part}, "old", patients={"ct_y": "ct_b"})
    said = refusal(capsys, *train("--replay", old, "--set", "replay=0.5"))
    assert said == f"The patient ct_b is on two sides: new trains on it, old keeps it for {part}."
    assert not (tmp_path / "run").exists()


def test_an_old_patient_that_new_data_hold_out_is_refused(tmp_path, train, capsys):
    old = data_set(tmp_path / "old", {"ct_c": "training"}, "old")
    said = refusal(capsys, *train("--replay", old, "--set", "replay=0.5"))
    assert said == "The patient ct_c is on two sides: old trains on it, new keeps it for validation."


def test_a_patient_that_is_validated_on_elsewhere_is_refused(tmp_path, train, capsys):
    other = data_set(tmp_path / "other", {"ct_a": "validation"}, "other")
    said = refusal(capsys, *train("--validate", 1, "--validate-on", other))
    assert said == "The patient ct_a is on two sides: new trains on it, other keeps it for validation."
