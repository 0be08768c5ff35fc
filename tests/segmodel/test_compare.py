"""python -m segmodel compare: differences of two evaluations, paired slice by slice."""

import json

import numpy as np
import pytest

from segmodel import report, scores
from segmodel.__main__ import main
from segmodel.scores import Record

CLICKS = (1, 5)
TWENTY = np.arange(20)


def records(gain=0.0, structures=("disk", "square"), cases=("p", "q", "r"), zs=(0, 1)):
    """Return Dice that rises from click to click and is higher in later patients; `gain` is more for patient q."""
    return [
        Record(s, case, z, tuple(0.5 + 0.02 * TWENTY + 0.01 * z + gain * (1 + (case == "q"))))
        for s in structures
        for case in cases
        for z in zs
    ]


def save(folder, made, clicks=CLICKS, **changed):
    result = {
        **scores.report(made, clicks),
        "records": [record.to_json() for record in made],
        "clicks": list(clicks),
        "placement": "paper",
        "seed": 1,
        **changed,
    }
    report.write_report(result, folder)
    return folder / "report.json"


def compare(*arguments):
    return main(["compare", *map(str, arguments)])


def refusal(capsys, *arguments):
    assert compare(*arguments) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert shown.err.count("\n") == 1
    return shown.err.removeprefix("segmodel: ").strip()


def test_the_difference_is_paired_and_has_an_interval_over_patients(tmp_path):
    a, b = save(tmp_path / "a", records()), save(tmp_path / "b", records(gain=0.03))
    assert compare(a, b, "--out", tmp_path / "difference.json") == 0
    result = json.loads((tmp_path / "difference.json").read_text())
    disk = result["structures"]["disk"]
    assert (disk["count"], disk["patients"]) == (6, 3)
    assert disk["dice"]["1"] == pytest.approx((0.03 + 0.06 + 0.03) / 3)
    # patients differ by far less than they would unpaired; the worst and best draws are all p and all q
    assert disk["interval"]["dice"]["1"] == pytest.approx([0.03, 0.06])
    assert result["mean"]["dice"]["5"] == pytest.approx(0.04)
    pairs = list(zip(records(), records(gain=0.03), strict=True))[:6]
    assert disk["noc"]["80"] == pytest.approx(np.mean([y.clicks_to(0.8) - x.clicks_to(0.8) for x, y in pairs]))
    assert disk["noc"]["80"] < 0


def test_a_report_does_not_differ_from_itself(tmp_path, capsys):
    a = save(tmp_path / "a", records())
    assert compare(a, a) == 0
    assert "| disk | 6 | 3 | +0.000 [+0.000, +0.000] |" in capsys.readouterr().out


def test_the_table_is_printed_and_kept_and_bold_where_the_interval_leaves_out_zero(tmp_path, capsys):
    a, b = save(tmp_path / "a", records()), save(tmp_path / "b", records(gain=0.03))
    assert compare(a, b, "--out", tmp_path / "difference.md") == 0
    shown = capsys.readouterr().out
    assert (tmp_path / "difference.md").read_text() == shown
    lines = shown.splitlines()
    assert lines[0] == "| structure | slices | patients | ΔDice@1 | ΔDice@5 | ΔNoC@80 | ΔNoC@85 | ΔNoC@90 |"
    assert lines[2].startswith("| disk | 6 | 3 | **+0.040** [+0.030, +0.060] | ")
    assert lines[-1].startswith("| **mean** | | | **+0.040** [")
    assert len({line.count("|") for line in lines}) == 1


def test_only_slices_and_clicks_that_both_have_are_compared(tmp_path):
    a = save(tmp_path / "a", records(cases=("p", "q"), zs=(0, 1)), clicks=(1, 3, 5))
    b = save(tmp_path / "b", records(gain=0.03, structures=("disk",), cases=("q", "r"), zs=(1, 2)), clicks=(5, 10))
    result = report.comparison(report.read(a), report.read(b))
    assert list(result["structures"]) == ["disk"]
    assert result["structures"]["disk"]["count"] == 1
    assert result["structures"]["disk"]["dice"] == {"5": pytest.approx(0.06)}
    assert result["structures"]["disk"]["interval"]["dice"]["5"] is None


def test_real_reports_can_be_compared(evaluated, tmp_path, capsys):
    report.write_report(evaluated.result, tmp_path)
    assert compare(tmp_path / "report.json", tmp_path / "report.json") == 0
    assert "| disk | 6 | 3 | +0.000" in capsys.readouterr().out


def test_reports_of_other_patients_are_refused(tmp_path, capsys):
    a, b = save(tmp_path / "a", records(cases=("p",))), save(tmp_path / "b", records(cases=("q",)))
    assert refusal(capsys, a, b) == "The reports share no slice of any patient."


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"placement": "centre"}, "The reports differ in their placement: paper and centre."),
        ({"seed": 2}, "The reports differ in their seed: 1 and 2."),
        ({"clicks": [2]}, "The reports have no number of clicks in common."),
    ],
    ids=["placement", "seed", "clicks"],
)
def test_reports_of_other_clicks_are_refused(tmp_path, capsys, changed, sentence):
    a, b = save(tmp_path / "a", records()), save(tmp_path / "b", records(), **changed)
    assert refusal(capsys, a, b, "--out", tmp_path / "difference.md") == sentence
    assert not (tmp_path / "difference.md").exists()


def test_the_same_slices_after_the_same_clicks_may_be_asked_for(tmp_path):
    a, b = save(tmp_path / "a", records()), save(tmp_path / "b", records(gain=0.03))
    assert compare(a, b, "--same", "--out", tmp_path / "difference.json") == 0
    result = json.loads((tmp_path / "difference.json").read_text())
    for figures in (*result["structures"].values(), result["mean"]):
        assert figures["dice"].keys() == figures["interval"]["dice"].keys() == {"1", "5"}
    assert result["mean"]["interval"]["dice"]["1"] == pytest.approx([0.03, 0.06])


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"clicks": (1, 3)}, "The reports differ in their clicks: 1, 5 and 1, 3."),
        ({"cases": ("p", "q")}, "The reports are of different data: disk on slice 0 of r is in one of them alone."),
        ({"zs": (0, 1, 2)}, "The reports are of different data: disk on slice 2 of p is in one of them alone."),
        (
            {"structures": ("disk",)},
            "The reports are of different data: square on slice 0 of p is in one of them alone.",
        ),
    ],
    ids=["clicks", "cases", "slices", "structures"],
)
def test_reports_that_are_not_of_the_same_are_refused_where_they_must_be(tmp_path, capsys, other, sentence):
    made = records(**{name: value for name, value in other.items() if name != "clicks"})
    a, b = save(tmp_path / "a", records()), save(tmp_path / "b", made, clicks=other.get("clicks", CLICKS))
    assert refusal(capsys, a, b, "--same", "--out", tmp_path / "difference.json") == sentence
    assert not (tmp_path / "difference.json").exists()


def test_what_is_no_report_is_refused(tmp_path, capsys):
    a = save(tmp_path / "a", records())
    assert refusal(capsys, a, tmp_path / "none.json") == f"There is no report {tmp_path / 'none.json'}."
    (tmp_path / "text").write_text("hello")
    assert refusal(capsys, tmp_path / "text", a) == f"{tmp_path / 'text'} is not JSON."


def test_a_place_that_cannot_be_written_is_told(tmp_path, capsys):
    a = save(tmp_path / "a", records())
    (tmp_path / "file").touch()
    said = refusal(capsys, a, a, "--out", tmp_path / "file" / "difference.md")
    assert said == f"{tmp_path / 'file'}: File exists."
