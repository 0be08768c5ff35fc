"""python -m segmodel train, evaluate, predict: from a folder to weights, to figures, to a mask; bad input is told."""

import json
import re

import numpy as np
import pytest
import torch

from segmodel import checkpoint, plots, progress, training
from segmodel.clicks import Click
from segmodel.phantom import write_dicom
from segmodel.predictor import Predictor
from segmodel.volumes import nifti
from tests.segmodel import toys
from tests.segmodel.commandline import refusal, run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return toys.decathlon(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "toy.safetensors"
    toys.checkpoint().save(file)
    return file


def train(data, recipe, folder, *more):
    return ["train", "--data", data, "--recipe", recipe, "--out", folder / "run", "--cache", folder / "cache", *more]


def test_train_makes_a_model_of_the_training_patients(data, recipe, tmp_path, capsys):
    assert run(*train(data, recipe, tmp_path, "--set", "steps=3", "structures=2")) == 0
    made = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert made.provenance["steps"] == 3
    assert made.provenance["recipe"]["structures"] == 2
    assert made.provenance["data"] == {"toys": ["ct_00", "ct_01"]}
    assert made.provenance["structures"] == ["disk", "square"]
    assert made.provenance["slices"] == 4
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 3
    assert f"Wrote {tmp_path / 'run' / 'model.safetensors'}" in capsys.readouterr().out


def test_evaluate_reports_on_the_validation_patients(data, model, tmp_path, capsys):
    command = ["evaluate", "--data", data, "--model", model, "--clicks", "1,3", "--out", tmp_path / "report"]
    assert run(*command) == 0
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    assert written["structures"]["disk"]["count"] == 2
    assert written["structures"]["disk"]["patients"] == 1
    assert written["mean"]["dice"].keys() == {"1", "3"}
    assert written["split"] == "validation"
    assert written["model"] == str(model)
    assert written["command"] == "python -m segmodel " + " ".join(map(str, command))
    assert written["ms_per_click"] > 0 < written["encode_ms"]
    shown = capsys.readouterr().out
    assert "| structure | slices | patients | Dice@1 | Dice@3 | NoC@85 |" in shown
    assert re.search(r"^median \d+\.\d ms per click, \d+\.\d ms to encode a slice$", shown, re.M)


def test_evaluating_twice_gives_the_same_figures(data, model, tmp_path):
    for name in ("one", "two"):
        run("evaluate", "--data", data, "--model", model, "--seed", 7, "--out", tmp_path / name)
    one, two = (json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two"))
    assert one["structures"] == two["structures"]


def test_evaluate_may_write_its_scores_into_the_model(data, tmp_path):
    toys.checkpoint().save(tmp_path / "toy.safetensors")
    run("evaluate", "--data", data, "--model", tmp_path / "toy.safetensors", "--record", "--out", tmp_path / "report")
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    recorded = checkpoint.load(tmp_path / "toy.safetensors")
    assert recorded.scores["toys, validation"]["mean"] == written["mean"]
    assert recorded.scores["toys, validation"]["command"] == written["command"]
    assert recorded.scores["dice"] == 0.5  # what stood there before
    assert torch.equal(recorded.network.head.weight, toys.checkpoint().network.head.weight)


def test_calibrate_writes_the_curve_that_was_seen_into_the_model(data, tmp_path, capsys):
    toys.checkpoint().save(tmp_path / "toy.safetensors")
    assert run("calibrate", "--data", data, "--model", tmp_path / "toy.safetensors") == 0
    written = checkpoint.load(tmp_path / "toy.safetensors")
    assert written.calibration != toys.checkpoint().calibration
    said = re.search(r"from (\d+) masks: mean absolute error ([\d.]+) before, ([\d.]+) after", capsys.readouterr().out)
    assert int(said[1]) == 4 * 6  # two structures on each of two slices, after six numbers of clicks
    assert float(said[3]) <= float(said[2])
    assert torch.equal(written.network.head.weight, toys.checkpoint().network.head.weight)


def test_train_goes_on_with_a_run_and_starts_from_a_model(data, recipe, tmp_path, capsys):
    assert run(*train(data, recipe, tmp_path)) == 0
    assert "holds a training run already" in refusal(capsys, *train(data, recipe, tmp_path))
    assert run(*train(data, recipe, tmp_path, "--resume")) == 0
    parent = tmp_path / "run" / "model.safetensors"
    child = ["--from", parent, "--set", "previous_mask=0.5", "--out", tmp_path / "child"]
    assert run(*train(data, recipe, tmp_path, *child)) == 0
    made = checkpoint.read_header(tmp_path / "child" / "model.safetensors")
    assert made["provenance"]["start"]["sha256"] == checkpoint.sha256(parent)
    assert made["architecture"]["guidance"] == 3
    assert made["inputs"]["previous_mask"]


def test_train_validates_on_the_way(data, recipe, tmp_path, monkeypatch):
    pictures, preview = [], plots.preview
    keep = lambda *of: preview(*of) and pictures.append(of[-1].read_bytes())  # noqa: E731
    monkeypatch.setattr(plots, "preview", keep)
    assert run(*train(data, recipe, tmp_path, "--validate", 2, "--save-every", 0, "--picture")) == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1, 2]
    for line in lines:
        dice, structures = line["validation"]["dice"], line["validation"]["structures"]
        assert structures.keys() == {"disk", "square"}
        assert dice == {k: pytest.approx((structures["disk"][k] + structures["square"][k]) / 2) for k in ("1", "5")}
    assert len(pictures) == 3
    assert all(picture.startswith(b"\x89PNG") and len(picture) <= 60_000 for picture in pictures)


def test_train_saves_when_it_is_told_to(data, recipe, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(training, "train", lambda *of, **options: told.append(of[6]))
    for minutes in ([], ["--save-every", "0.25"]):
        run(*train(data, recipe, tmp_path, *minutes))
    assert told == [5, 0.25]
    with pytest.raises(SystemExit):
        run(*train(data, recipe, tmp_path, "--save-every", "-1"))


def test_train_may_validate_on_other_data(data, recipe, tmp_path, capsys):
    images, labels = toys.ct_slices(2, seed=5)
    other = toys.decathlon(
        tmp_path / "other", {"ct_09": (images, labels.clip(max=1))}, split={"09": "validation"}, name="disks"
    )
    assert run(*train(data, recipe, tmp_path, "--validate", 1, "--validate-on", other)) == 0
    line, *_ = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["validation"]["structures"].keys() == {"disk"}


@pytest.mark.parametrize("more", [["--picture"], ["--validate-on", "other"]], ids=str)
def test_train_refuses_what_needs_a_validation(data, recipe, tmp_path, capsys, more):
    assert refusal(capsys, *train(data, recipe, tmp_path, *more)) == f"{more[0]} needs --validate."


def stages(monkeypatch):
    """Return what is written about the progress, in order."""
    written = []
    monkeypatch.setattr(progress, "write_whole", lambda file, text: written.append(json.loads(text)))
    monkeypatch.setattr(progress, "EVERY", 0)
    return written


def test_train_says_how_far_it_has_come(data, recipe, tmp_path, monkeypatch):
    written = stages(monkeypatch)
    assert run(*train(data, recipe, tmp_path, "--validate", 1, "--progress", tmp_path / "progress.json")) == 0
    assert list(dict.fromkeys(line["stage"] for line in written)) == ["prepare", "validate", "train"]
    assert [line["done"] for line in written if line["stage"] == "prepare"] == [0, 0.5, 1]
    steps = [(line["done"], line["step"], line["steps"]) for line in written if line["stage"] == "train"]
    assert steps == [(0, 0, 2), (0.5, 1, 2), (1, 2, 2)]
    *logged, last = map(json.loads, (tmp_path / "run" / "log.jsonl").read_text().splitlines())
    assert [line["loss"] for line in written if line["stage"] == "train"] == [line.get("loss") for line in logged]
    assert last.keys() == {"step", "validation"} and last["step"] == 2


@pytest.mark.parametrize(
    ("command", "stage"), [("evaluate", "evaluate"), ("evaluate --volume", "evaluate"), ("calibrate", "calibrate")]
)
def test_other_commands_say_how_far_they_have_come(data, tmp_path, monkeypatch, command, stage):
    toys.checkpoint().save(tmp_path / "toy.safetensors")
    written = stages(monkeypatch)
    options = ["--data", data, "--model", tmp_path / "toy.safetensors", "--progress", tmp_path / "progress.json"]
    out = ["--out", tmp_path / "report"] if stage == "evaluate" else []
    assert run(*command.split(), *options, *out) == 0
    assert {line["case"] for line in written if line["stage"] == stage} == {"ct_02"}
    assert written[0]["done"] == 0


def predict(volume, model, out, *more):
    return ["predict", volume, "--slice", 1, "--foreground", "20,30", "--model", model, "--out", out, *more]


def answer(model, image, *clicks):
    """Return what the model says to these clicks on slice 1."""
    predictor = Predictor(checkpoint.load(model))
    encoded = predictor.encode(image.voxels[1], image.spacing[1:])
    return predictor.predict(encoded, [Click(*click) for click in clicks]).mask


@pytest.mark.parametrize("kind", ["nifti", "dicom"])
def test_predict_writes_a_mask_in_the_volumes_own_geometry(data, model, tmp_path, capsys, kind):
    source = data / "imagesTr" / "ct_02.nii.gz"
    image = nifti.read(source)
    if kind == "dicom":
        source = tmp_path / "series"
        write_dicom(image, source)
    assert run(*predict(source, model, tmp_path / "mask.nii.gz", "--background", "5,5", "60,60")) == 0
    labels = nifti.read(tmp_path / "mask.nii.gz")
    np.testing.assert_allclose(labels.geometry.affine, image.geometry.affine)
    assert not labels.voxels[0].any()
    np.testing.assert_array_equal(
        labels.voxels[1], answer(model, image, (20, 30, True), (5, 5, False), (60, 60, False))
    )
    assert capsys.readouterr().out.endswith(f"{labels.voxels.sum()} pixels on slice 1\n")


def test_train_refuses_a_folder_without_data(recipe, tmp_path, capsys):
    assert refusal(capsys, *train(tmp_path / "none", recipe, tmp_path)) == f"There is no data set {tmp_path / 'none'}."
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--set", "steps"], "--set takes NAME=VALUE pairs, the values as JSON."),
        (["--set", "steps=many"], "--set takes NAME=VALUE pairs, the values as JSON."),
        (["--set", "stepps=3"], "A recipe has no setting 'stepps'."),
        (["--set", 'steps="many"'], "The recipe's steps cannot be 'many'."),
        (["--set", "passes=0"], "The recipe's passes must be above 0, not 0."),
        (["--set", "size=40"], "This network's pictures have sides of multiples of 32, not (40, 40)."),
        (["--set", 'architecture={"name": "x"}'], "Unknown architecture 'x'; known are unet, encode_once."),
        (["--set", "window=[2000, 3000]"], "Between 2000 and 3000 HU all training pixels are alike."),
        (["--recipe", "none"], "There is no recipe none."),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_train_refuses_a_recipe_that_cannot_be_trained(data, recipe, tmp_path, capsys, more, sentence):
    assert refusal(capsys, *train(data, recipe, tmp_path, *more)) == sentence
    assert not (tmp_path / "run").exists()


def test_train_refuses_damaged_images_by_name(recipe, tmp_path, capsys):
    folder = toys.decathlon(tmp_path / "data")
    file = folder / "imagesTr" / "ct_01.nii.gz"
    file.write_bytes(file.read_bytes()[:500])
    assert "ct_01.nii.gz" in refusal(capsys, *train(folder, recipe, tmp_path))
    assert not (tmp_path / "run").exists()


def test_evaluate_refuses_a_model_that_is_not_there(data, tmp_path, capsys):
    command = ["evaluate", "--data", data, "--model", tmp_path / "none", "--out", tmp_path / "report"]
    assert refusal(capsys, *command) == f"There is no model file {tmp_path / 'none'}."
    assert not (tmp_path / "report").exists()


def test_evaluate_refuses_a_part_without_patients(data, model, tmp_path, capsys):
    command = ["evaluate", "--data", data, "--split", "test", "--model", model, "--out", tmp_path / "report"]
    assert refusal(capsys, *command) == "The data set toys has no test cases."
    assert not (tmp_path / "report").exists()


def test_a_folder_that_cannot_be_written_is_told(data, model, tmp_path, capsys):
    (tmp_path / "report").write_text("a file in the way")
    command = ["evaluate", "--data", data, "--model", model, "--out", tmp_path / "report"]
    assert refusal(capsys, *command) == f"{tmp_path / 'report'}: File exists."


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--slice", 2], "The volume has slices 0 to 1, not 2."),
        (["--slice", -1], "The volume has slices 0 to 1, not -1."),
        (["--foreground", "64,3"], "The click at row 64, column 3 is outside the slice of 64×64."),
        (["--background", "3,3", "3,-1"], "The click at row 3, column -1 is outside the slice of 64×64."),
    ],
    ids=str,
)
def test_predict_refuses_what_lies_outside_the_volume(data, model, tmp_path, capsys, more, sentence):
    out = tmp_path / "mask.nii.gz"
    assert refusal(capsys, *predict(data / "imagesTr" / "ct_02.nii.gz", model, out, *more)) == sentence
    assert not list(tmp_path.iterdir())


def test_predict_refuses_what_is_no_volume(model, tmp_path, capsys):
    assert "none.nii" in refusal(capsys, *predict(tmp_path / "none.nii", model, tmp_path / "mask.nii.gz"))
    (tmp_path / "text.nii").write_text("hello")
    command = predict(tmp_path / "text.nii", model, tmp_path / "mask.nii.gz")
    assert refusal(capsys, *command) == "text.nii is not a NIfTI file."
    assert [file.name for file in tmp_path.iterdir()] == ["text.nii"]


def test_predict_refuses_a_folder_that_is_not_there_to_write_to(data, model, tmp_path, capsys):
    out = tmp_path / "none" / "mask.nii.gz"
    assert "mask.nii.gz cannot be written" in refusal(capsys, *predict(data / "imagesTr" / "ct_02.nii.gz", model, out))


@pytest.mark.parametrize(
    "command",
    [[], ["fly"], ["predict", "ct.nii"], ["evaluate", "--clicks", "0,1"], ["evaluate", "--clicks", "a"],
     ["predict", "ct.nii", "--foreground", "3"]],
    ids=str,
)  # fmt: skip
def test_a_command_that_makes_no_sense_gets_the_usage_and_exit_code_2(capsys, command):
    with pytest.raises(SystemExit) as ended:
        run(*command)
    assert ended.value.code == 2
    assert "usage: python -m segmodel" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "evaluate", "calibrate", "predict", "experiment known"])
def test_a_device_that_is_not_there_is_named(capsys, command):
    with pytest.raises(SystemExit) as ended:
        run(*command.split(), "--device", "abacus")
    assert ended.value.code == 2
    assert "there is no device 'abacus' here" in capsys.readouterr().err
