"""A program says how far it has come: the share that is done, the time that is left, whole files, at most two a second."""

import json
import math

import pytest

from segmodel.progress import Progress


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def said(tmp_path, clock):
    """Return a function that says something at a time and gives what is in the file then."""
    progress = Progress(tmp_path / "progress.json", clock)

    def say(at, *of, **more):
        clock.now = at
        progress.say(*of, **more)
        return json.loads((tmp_path / "progress.json").read_text())

    return say


def test_the_rest_of_the_time_is_read_off_what_is_done(said):
    assert said(10, "train", 0.0, step=0) == {"stage": "train", "done": 0, "eta_s": None, "step": 0}
    assert said(20, "train", 0.25, step=5) == {"stage": "train", "done": 0.25, "eta_s": 30, "step": 5}
    assert said(30, "train", 1.0, step=20) == {"stage": "train", "done": 1, "eta_s": 0, "step": 20}


def test_a_stage_that_begins_in_the_middle_counts_from_there(said):
    said(0, "train", 0.5)
    assert said(10, "train", 0.75)["eta_s"] == 10


def test_a_stage_goes_on_after_another_and_one_that_comes_again_begins_anew(said):
    said(0, "train", 0.0)
    said(10, "validate", 0.0)
    assert said(15, "validate", 0.5)["eta_s"] == 5
    assert said(20, "train", 0.5)["eta_s"] == 20
    said(100, "validate", 0.0)
    assert said(101, "validate", 0.5)["eta_s"] == 1


def test_it_is_written_twice_a_second_at_most_but_for_beginning_and_end(said):
    said(0, "train", 0.0)
    assert said(0.4, "train", 0.1)["done"] == 0
    assert said(0.5, "train", 0.2)["done"] == 0.2
    assert said(0.6, "validate", 0.0)["stage"] == "validate"
    assert said(0.7, "validate", 1.0)["done"] == 1


def test_what_json_cannot_hold_is_null(said):
    assert said(0, "train", 0.0, loss=math.nan)["loss"] is None


def test_shares_beyond_the_whole_are_the_whole(said):
    assert said(0, "train", 1.2)["done"] == 1


def test_the_file_is_whole_at_any_time(said, tmp_path):
    said(0, "train", 0.0)
    said(1, "train", 0.1)
    assert [file.name for file in tmp_path.iterdir()] == ["progress.json"]


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Progress(None).say("train", 0.5)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="File exists"):
        Progress(tmp_path / "file" / "progress.json").say("train", 0.0)
