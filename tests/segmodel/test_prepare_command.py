"""python -m segmodel prepare: says what the training cases hold, and what it leaves behind is what train takes."""

import pytest

from segmodel.preparation import CaseOnGrid
from tests.segmodel import toys
from tests.segmodel.commandline import run


@pytest.fixture
def command(tmp_path, recipe):
    """Return the arguments that prepare and train share."""
    data = toys.decathlon(tmp_path / "data")
    return ["--data", data, "--recipe", recipe, "--cache", tmp_path / "cache"]


def test_prepare_prints_what_the_training_cases_hold(command, capsys):
    assert run("prepare", *command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| toys | all | 2 | 4 | 8 | 1.00 | 3.00 | ")
    assert [line.split(" | ")[1] for line in lines[2:]] == ["all", "disk", "square"]


def test_train_takes_what_prepare_has_left(command, tmp_path, monkeypatch):
    run("prepare", *command, "--empty", "0.5", "--workers", 1)
    monkeypatch.setattr(CaseOnGrid, "prepare", lambda case: pytest.fail("prepared again"))
    assert run("train", *command, "--empty", "0.5", "--out", tmp_path / "run") == 0
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_a_setting_of_the_recipe_may_be_changed(command, tmp_path):
    run("prepare", *command, "--set", "size=32")
    assert {folder.name.split("_")[3] for folder in (tmp_path / "cache").iterdir()} == {"32"}


def test_prepare_refuses_data_that_are_not_there(command, tmp_path, capsys):
    assert run("prepare", *command, "--data", tmp_path / "none") == 2
    assert capsys.readouterr().err == f"segmodel: There is no data set {tmp_path / 'none'}.\n"
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_a_folder_is_told(command, tmp_path, capsys):
    (tmp_path / "cache").write_text("a file in the way")
    assert run("prepare", *command) == 2
    assert capsys.readouterr().err == f"segmodel: {tmp_path / 'cache'}: File exists.\n"


@pytest.mark.parametrize("more", [["--workers", "0"], ["--workers", "two"], ["--empty", "1.5"], ["--empty", "half"]])
def test_an_option_that_makes_no_sense_gets_the_usage(command, capsys, more):
    with pytest.raises(SystemExit) as ended:
        run("prepare", *command, *more)
    assert ended.value.code == 2
    assert "usage: python -m segmodel prepare" in capsys.readouterr().err
