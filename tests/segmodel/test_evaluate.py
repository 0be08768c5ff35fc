"""python -m segmodel evaluate: its options reach the evaluation, and its folder is whole or not there."""

import json

import pytest

from segmodel.__main__ import main
from segmodel.predictor import Predictor
from tests.segmodel import toys
from tests.segmodel.commandline import refusal


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "toy.safetensors"
    toys.checkpoint().save(file)
    return file


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return toys.decathlon(tmp_path_factory.mktemp("data"))


@pytest.fixture
def command(data, model, tmp_path):
    return ["evaluate", "--data", str(data), "--model", str(model), "--out", str(tmp_path / "report")]


def test_it_writes_the_whole_folder(command, tmp_path):
    assert main(command) == 0
    written = sorted(str(file.relative_to(tmp_path / "report")) for file in (tmp_path / "report").rglob("*"))
    plots = [f"plots/{name}.png" for name in ("boxes", "dice", "quality", "slices-1", "slices-2")]
    assert written == ["plots", *plots, "records.csv", "report.json", "report.md"]


def test_plainly_it_writes_figures_alone_and_the_worst_slices_where_they_are_asked_for(command, tmp_path):
    assert main([*command, "--plain", "--worst", "2"]) == 0
    folder = tmp_path / "report"
    assert sorted(file.name for file in folder.iterdir()) == ["records.csv", "report.json", "worst.json"]
    records = json.loads((folder / "report.json").read_text())["records"]
    worst = json.loads((folder / "worst.json").read_text())
    assert [row["dice"] for row in worst] == sorted(record["dice"][4] for record in records)[:2]
    truth, mask = (
        {i for first, end in row for i in range(first, end)} for row in (worst[0]["truth"], worst[0]["mask"])
    )
    assert 2 * len(truth & mask) / (len(truth) + len(mask)) == pytest.approx(worst[0]["dice"])
    assert [len(click) for click in worst[0]["clicks"]] == [3] * 5


def test_its_options_reach_the_evaluation(command, tmp_path):
    options = ["--clicks", "5,2", "--placement", "centre", "--seed", "7", "--every", "2", "--distances", "slice"]
    assert main([*command, *options, "--previous"]) == 0
    result = json.loads((tmp_path / "report" / "report.json").read_text())
    wanted = {"clicks": [2, 5], "placement": "centre", "seed": 7, "every": 2, "distances": "slice", "previous": True}
    assert {name: result[name] for name in wanted} == wanted
    assert result["structures"]["disk"]["count"] == 1
    assert "masd" in result["mean"]
    assert "masd" not in result["mean"]["volume"]


def test_whole_structures(command, tmp_path, capsys):
    assert main([*command, "--volume", "--clicks", "1,4"]) == 0
    written = sorted(str(file.relative_to(tmp_path / "report")) for file in (tmp_path / "report").rglob("*"))
    assert written == ["plots", "plots/volumes.png", "report.json", "report.md"]
    result = json.loads((tmp_path / "report" / "report.json").read_text())
    first = result["structures"]["disk"]
    assert list(first["dice"]) == ["1", "4"] and all(0 <= value <= 1 for value in first["dice"].values())
    assert [len(row["dice"]) for row in result["records"]] == [4] * len(result["records"])
    assert f"| disk | {first['count']} |" in capsys.readouterr().out
    assert main([*command, "--volume", "--clicks", "1,4"]) == 0
    again = json.loads((tmp_path / "report" / "report.json").read_text())
    assert again["records"] == result["records"]


@pytest.mark.parametrize("more", [["--every", "2"], ["--distances", "none"], ["--previous"], ["--record"]])
def test_whole_structures_refuse_what_is_for_slices(command, tmp_path, capsys, more):
    assert refusal(capsys, *command, "--volume", *more).endswith(f"has no use for {more[0]}.")
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("after", [0, 30])
def test_ctrl_c_leaves_nothing(command, tmp_path, monkeypatch, after):
    predict, calls = Predictor.predict, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) > after:
            raise KeyboardInterrupt
        return predict(*arguments)

    monkeypatch.setattr(Predictor, "predict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(command)
    assert not list(tmp_path.iterdir())


def test_cases_without_their_structures_are_refused(model, tmp_path, capsys):
    images, labels = toys.ct_slices(2)
    data = toys.decathlon(tmp_path / "data", {"ct_1": (images, 0 * labels)})
    command = ["evaluate", "--data", str(data), "--model", str(model), "--out", str(tmp_path / "report")]
    assert main(command) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "segmodel: The cases show none of their structures."
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("options", [["--every", "0"], ["--every", "x"], ["--clicks", "1,0"], ["--distances", "here"]])
def test_options_without_sense_get_the_usage_and_exit_code_2(command, tmp_path, capsys, options):
    with pytest.raises(SystemExit) as ended:
        main([*command, *options])
    assert ended.value.code == 2
    assert f"argument {options[0]}: " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
