"""evaluate --keep: an evaluation that was broken off goes on where it was, and gives what an unbroken one gives."""

import json
import os
import signal

import pytest

from segmodel.evaluation import Kept, evaluate
from segmodel.layouts import read_decathlon
from segmodel.predictor import Prediction, Predictor
from tests.segmodel import toys
from tests.segmodel.commandline import run

TIMES = ("ms_per_click", "encode_ms")
MODEL = "a model's fingerprint"


class BrokenOff(BaseException):
    """As a signal ends a program."""


class Stub:
    """Answers with a disk about the last click, empty where that is a background click; ends at the call number `end`."""

    def __init__(self, end=None):
        self.end, self.calls = end, 0

    def encode(self, hu, spacing):
        return hu.shape

    def predict(self, shape, clicks, previous=None):
        self.calls += 1
        if self.calls == self.end:
            raise BrokenOff
        last = clicks[-1]
        return Prediction(toys.disk(shape, (last.y, last.x), 6) & last.positive, float("nan"))


@pytest.fixture
def parts(tmp_path):
    """Return three cases of two slices with two structures each, which take 80 clicks a case."""
    dataset = read_decathlon(toys.decathlon(tmp_path / "data"))
    return [(dataset, dataset.cases)]


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "kept", MODEL)


def files(kept):
    return sorted(file.name.rsplit("_", 1)[0] for file in kept.folder.iterdir())


def report(result):
    return {name: value for name, value in json.loads(json.dumps(result)).items() if name not in TIMES}


def test_what_was_broken_off_goes_on_and_gives_the_same_report(parts, kept):
    with pytest.raises(BrokenOff):
        evaluate(parts, Stub(end=100), kept=kept)
    assert files(kept) == ["ct_00"]
    rest = Stub()
    result = evaluate(parts, rest, kept=kept)
    assert rest.calls == 2 * 80
    assert report(result) == report(evaluate(parts, Stub()))
    assert result["mean"]["volume"]["hd"]
    assert files(kept) == ["ct_00", "ct_01", "ct_02"]


def test_a_finished_one_is_taken_whole_with_its_times(parts, kept):
    once = evaluate(parts, Stub(), kept=kept)
    idle = Stub(end=1)
    assert json.dumps(evaluate(parts, idle, kept=kept)) == json.dumps(once)


def test_kept_cases_count_in_what_is_done(parts, kept):
    evaluate([(parts[0][0], parts[0][1][:1])], Stub(), kept=kept)
    told = []
    evaluate(parts, Stub(), kept=kept, tell=lambda done, case: told.append((round(done, 3), case)))
    assert told[0] == (0.333, "ct_00")
    assert told[-1] == (1, "ct_02")
    assert told == sorted(told)


@pytest.mark.parametrize(
    "changed",
    [{"seed": 5}, {"clicks": (2,)}, {"placement": "centre"}, {"every": 2}, {"distances": "none"}, {"previous": True}],
    ids=str,
)
def test_other_arguments_take_nothing_from_it(parts, kept, changed):
    evaluate(parts, Stub(), kept=kept)
    again = Stub()
    evaluate(parts, again, kept=kept, **changed)
    assert again.calls >= 3 * 40


def test_another_model_takes_nothing_from_it(parts, kept):
    evaluate(parts, Stub(), kept=kept)
    again = Stub()
    evaluate(parts, again, kept=Kept(kept.folder, "another"))
    assert again.calls == 3 * 80


def test_the_same_data_elsewhere_take_it_and_other_labels_do_not(parts, kept, tmp_path):
    evaluate(parts, Stub(), kept=kept)
    copy = read_decathlon(toys.decathlon(tmp_path / "copy"))
    evaluate([(copy, copy.cases)], Stub(end=1), kept=kept)
    images, labels = toys.ct_slices(2)
    labels[0, 0, 0] = 1
    other = read_decathlon(toys.decathlon(tmp_path / "other", {"ct_00": (images, labels)}))
    again = Stub()
    evaluate([(other, other.cases)], again, kept=kept)
    assert again.calls == 80


@pytest.mark.parametrize("content", ["", "[]", '{"records": [{}]}', '{"records": []}'])
def test_a_damaged_file_is_done_again(parts, kept, content):
    result = evaluate(parts, Stub(), kept=kept)
    for file in kept.folder.iterdir():
        file.write_text(content)
    assert report(evaluate(parts, Stub(), kept=kept)) == report(result)


def test_sigterm_ends_it_at_once_and_what_is_finished_stays(tmp_path, monkeypatch):
    data, calls, predict = toys.decathlon(tmp_path / "data"), [], Predictor.predict
    toys.checkpoint().save(tmp_path / "toy.safetensors")

    def told(*arguments):
        calls.append(arguments)
        if len(calls) == 100:
            os.kill(os.getpid(), signal.SIGTERM)
        return predict(*arguments)

    monkeypatch.setattr(Predictor, "predict", told)
    command = ["evaluate", "--data", data, "--model", tmp_path / "toy.safetensors", "--split", "all"]
    command += ["--keep", tmp_path / "kept", "--out", tmp_path / "report"]
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        run(*command)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    assert not (tmp_path / "report").exists()
    assert len(calls) == 100
    assert run(*command) == 0
    assert len(calls) < 100 + 160 + 30  # the other two cases, and the examples
    assert len(list((tmp_path / "kept").iterdir())) == 3
    result = json.loads((tmp_path / "report" / "report.json").read_text())
    assert (result["split"], result["structures"]["disk"]["patients"]) == ("all", 3)
