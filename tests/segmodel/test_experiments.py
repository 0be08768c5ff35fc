"""The paper's experiments run from a data set to a page, go on where they stopped, and keep what they must not see apart."""

import json

import numpy as np
import pytest

from segmodel import checkpoint, experiments
from segmodel.scores import Record, report
from tests.segmodel.commandline import refusal, run
from tests.segmodel.toys import ct_slices, decathlon


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write four patients of two slices, each with a disk and a square; one is a test patient."""
    images, labels = ct_slices(8)
    cases = {f"ct_{i}": (images[2 * i : 2 * i + 2], labels[2 * i : 2 * i + 2]) for i in range(4)}
    split = {f"ct_{i}": "training" for i in range(3)} | {"ct_3": "test"}
    return decathlon(tmp_path_factory.mktemp("data"), cases, split=split)


@pytest.fixture
def arguments(tmp_path, data, recipe):
    shared = ["--data", data, "--recipe", recipe, "--cache", tmp_path / "cache", "--clicks", "1,2"]
    return [*shared, "--out", tmp_path / "out"]


def found(tmp_path):
    return json.loads((tmp_path / "out" / "experiment-report.json").read_text())


def test_crossval_validates_every_patient_once_for_every_k(arguments, tmp_path, capsys):
    assert run("experiment", "crossval", *arguments, "--folds", 2, "--passes", "1,2") == 0
    bars = found(tmp_path)["bars"]
    assert bars.keys() == {"dice", "masd", "hd"}
    assert {k: set(row) for k, row in bars["dice"].items()} == {"1": {"1", "2"}, "2": {"1", "2"}}
    for passes in (1, 2):
        seen = []
        for fold in (1, 2):
            folder = tmp_path / "out" / f"fold-{fold}" / f"K-{passes}"
            header = checkpoint.read_header(folder / "model.safetensors")
            assert header["provenance"]["recipe"]["passes"] == passes
            report = json.loads((folder / "scores" / "report.json").read_text())
            validated = {row["case"] for row in report["records"]}
            assert not validated & set(header["provenance"]["data"]["toys"])
            seen += validated
        assert sorted(seen) == ["ct_0", "ct_1", "ct_2"]  # the fourth is a test patient
    page = (tmp_path / "out" / "report.md").read_text()
    assert "| 1 | " in page
    assert "python -m segmodel experiment crossval" in page
    assert "* data: toys (3 patients); every labelled slice is evaluated" in page
    assert (tmp_path / "out" / "dice.png").stat().st_size > 5000
    assert page in capsys.readouterr().out


def test_an_experiment_goes_on_where_it_stopped(arguments, tmp_path, monkeypatch):
    command = [*arguments, "--folds", 2, "--passes", "1"]
    trained = []
    train = experiments.train

    def breaking(recipe, slices, folder, *more, **options):
        if len(trained) == 1:
            trained.append("broken")
            raise RuntimeError("power cut")
        trained.append(folder.parent.name)
        return train(recipe, slices, folder, *more, **options)

    monkeypatch.setattr(experiments, "train", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        run("experiment", "crossval", *command)
    evaluated = (tmp_path / "out" / "fold-1" / "K-1" / "scores" / "report.json").stat().st_mtime_ns
    assert run("experiment", "crossval", *command) == 0
    assert trained == ["fold-1", "broken", "fold-1", "fold-2"]
    assert (tmp_path / "out" / "fold-1" / "K-1" / "scores" / "report.json").stat().st_mtime_ns == evaluated
    log = (tmp_path / "out" / "fold-1" / "K-1" / "log.jsonl").read_text().splitlines()
    assert len(log) == 2  # the steps of the training that was ready were not made again


def test_unknown_is_never_trained_and_stands_beside_the_papers_figures(arguments, tmp_path):
    assert run("experiment", "unknown", *arguments, "--structures", "square") == 0
    header = checkpoint.read_header(tmp_path / "out" / "model" / "model.safetensors")
    assert header["provenance"]["structures"] == ["disk"]
    assert header["provenance"]["data"]["toys"] == ["ct_0", "ct_1", "ct_2"]
    result = found(tmp_path)["result"]
    assert list(result["structures"]) == ["square"]
    assert {row["case"] for row in result["records"]} == {"ct_3"}
    page = (tmp_path / "out" / "report.md").read_text()
    assert "| paper: colon cancer, Decathlon task 10 | 0.640 | 0.720 | 0.810 | 0.870 | 0.890 |" in page
    assert "| here: square | " in page
    assert "* data: toys (1 patients); every labelled slice is evaluated" in page


def test_known_takes_a_model_that_is_there(arguments, tmp_path, data):
    assert run("experiment", "known", *arguments, "--structures", "square") == 0
    model = tmp_path / "out" / "model" / "model.safetensors"
    again = [*arguments[:-1], tmp_path / "again"]
    assert run("experiment", "known", *again, "--structures", "square", "--model", model, "--on", data) == 0
    assert not (tmp_path / "again" / "model").exists()
    first, second = (json.loads((tmp_path / name / "experiment-report.json").read_text()) for name in ("out", "again"))
    assert first["result"]["structures"] == second["result"]["structures"]


def test_known_leaves_out_what_the_recipe_leaves_out_unless_it_is_asked_for(arguments, tmp_path, recipe):
    recipe.write_text('leave_out = ["disk", "square"]\n' + recipe.read_text())
    assert run("experiment", "known", *arguments, "--structures", "square") == 0
    header = checkpoint.read_header(tmp_path / "out" / "model" / "model.safetensors")
    assert header["provenance"]["structures"] == ["square"]


def test_per_structure_scores_all_of_them(arguments, tmp_path):
    assert run("experiment", "per-structure", *arguments) == 0
    assert list(found(tmp_path)["result"]["structures"]) == ["disk", "square"]
    assert (tmp_path / "out" / "scores" / "plots" / "boxes.png").exists()


def test_a_fraction_of_the_slices_can_be_tested(arguments, tmp_path):
    assert run("experiment", "per-structure", *arguments, "--fraction", 0.5) == 0
    assert {row["z"] for row in found(tmp_path)["result"]["records"]} == {0}


def test_mean_and_sd_are_over_patients():
    records = [Record("disk", patient, 0, (dice,) * 20) for patient, dice in (("a", 0.8), ("b", 0.6))]
    records += [Record("square", "a", 0, (0.4,) * 20)]
    mean, spread = experiments._over_patients(report(records, [1]), "dice")[1]
    assert mean == pytest.approx((0.6 + 0.6) / 2)
    assert spread == pytest.approx(np.std([0.6, 0.6], ddof=1))


@pytest.mark.parametrize(
    ("kind", "more", "sentence"),
    [
        ("crossval", ["--folds", 5], "A data set of 3 patient(s) cannot be split into 5 folds by patient."),
        ("crossval", ["--folds", 1], "A data set of 3 patient(s) cannot be split into 1 folds by patient."),
        ("known", [], "Name the structures that are asked for with --structures."),
        ("known", ["--structures", "spleen"], "The data set toys has no spleen."),
        ("known", ["--structures", "disk", "--steps", 0], "The recipe's steps must be above 0, not 0."),
        ("known", ["--structures", "disk", "--split", "validation"], "The data set toys has no validation cases."),
    ],
    ids=str,
)
def test_what_cannot_be_made_is_refused(arguments, tmp_path, capsys, kind, more, sentence):
    assert refusal(capsys, "experiment", kind, *arguments, *more) == sentence
    assert not (tmp_path / "out").exists()


def test_a_model_that_trained_the_structure_is_no_test_of_the_unknown(arguments, tmp_path, capsys):
    assert run("experiment", "per-structure", *arguments) == 0
    model = tmp_path / "out" / "model" / "model.safetensors"
    other = [*arguments[:-1], tmp_path / "other", "--model", model, "--structures", "square"]
    assert refusal(capsys, "experiment", "unknown", *other) == "The model also trained square."


def test_a_structure_that_the_training_would_not_see_is_refused_before_it_begins(arguments, data, tmp_path, capsys):
    described = json.loads((data / "dataset.json").read_text())
    (tmp_path / "mine.json").write_text(
        json.dumps({"layout": "decathlon", "folder": str(data), "unknown": ["square"], "split": described["split"]})
    )
    more = ["--data", tmp_path / "mine.json", "--on", data, "--structures", "square"]
    assert refusal(capsys, "experiment", "known", *arguments, *more) == "The model never trained square."
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_experiment_is_refused(arguments, tmp_path, capsys):
    assert run("experiment", "per-structure", *arguments) == 0
    assert refusal(capsys, "experiment", "crossval", *arguments, "--folds", 2).endswith(
        "holds another experiment; take another folder."
    )
