"""A report's folder: all figures as JSON, CSV and Markdown with its plots, whole or not there."""

import csv
import json
import math
import re
import shutil

import pytest

from segmodel import evaluation, report, scores
from segmodel.distances import Distances


@pytest.fixture
def described(evaluated):
    return {**evaluated.result, "model": "toy", "split": "validation", "command": "python -m segmodel evaluate"}


@pytest.fixture(scope="session")
def written(evaluated, tmp_path_factory):
    """Return the folder of the toy evaluation."""
    out = tmp_path_factory.mktemp("report") / "out"
    described = {"model": "toy", "split": "validation", "command": "python -m segmodel evaluate"}
    with report.folder(out) as partial:
        report.write({**evaluated.result, **described}, evaluated.examples, partial)
    return out


def refuse_constants(name):
    raise AssertionError(f"{name} is not JSON")


def test_the_folder_holds_figures_rows_text_and_plots_and_nothing_else(written):
    files = {str(file.relative_to(written)) for file in written.rglob("*") if file.is_file()}
    plots = {f"plots/{name}.png" for name in ("dice", "boxes", "quality", "slices-1", "slices-2")}
    assert files == {"report.json", "records.csv", "report.md"} | plots
    assert {file.name for file in written.iterdir()} == {"report.json", "records.csv", "report.md", "plots"}


def test_the_json_is_strict_and_reads_back_as_it_was(written, described):
    text = (written / "report.json").read_text()
    assert json.loads(text, parse_constant=refuse_constants) == described
    assert report.read(written / "report.json") == described
    assert sum(line.startswith('  {"structure"') for line in text.splitlines()) == len(described["records"])


def test_an_infinite_distance_is_null_in_the_json_and_inf_in_the_csv(described, tmp_path):
    far = scores.Record("disk", "p", 0, (0.0,) * 20, (math.nan,) * 20, {1: Distances(*[math.inf] * 3)})
    result = {**described, **scores.report([far], [1]), "records": [far.to_json()], "clicks": [1]}
    report.write_report(result, tmp_path)
    row = json.loads((tmp_path / "report.json").read_text(), parse_constant=refuse_constants)["records"][0]
    assert row["distances"] == {"1": [None] * 3}
    report.write(result, [], tmp_path)
    [line] = csv.DictReader((tmp_path / "records.csv").open())
    assert (line["hd_1"], line["quality_1"], line["noc_85"]) == ("inf", "nan", "20")
    assert not (tmp_path / "plots" / "quality.png").exists()
    assert "quality.png" not in (tmp_path / "report.md").read_text()
    assert "| disk | 100.0 % |" in (tmp_path / "report.md").read_text()


def test_the_csv_has_a_row_for_each_structure_of_each_slice(written, evaluated):
    rows = list(csv.DictReader((written / "records.csv").open()))
    records = report.read_records(evaluated.result)
    assert [(row["structure"], row["case"], int(row["z"])) for row in rows] == [record.key for record in records]
    kinds = ("dice", "iou", "quality", "hd", "hd95", "masd")
    assert list(rows[0])[3:] == [f"{kind}_{k}" for kind in kinds for k in (1, 2, 5)] + ["noc_80", "noc_85", "noc_90"]
    for row, record in zip(rows, records, strict=True):
        assert float(row["dice_2"]) == pytest.approx(record.dice[1], rel=1e-5)
        assert float(row["iou_2"]) == pytest.approx(record.dice[1] / (2 - record.dice[1]), rel=1e-5)
        assert float(row["masd_5"]) == pytest.approx(record.distances[5].masd, rel=1e-5)
        assert float(row["quality_1"]) == pytest.approx(record.quality[0], rel=1e-5)
        assert int(row["noc_80"]) == record.clicks_to(0.8)


def test_the_text_shows_the_figures_and_links_every_plot(written, evaluated):
    text = (written / "report.md").read_text()
    disk = evaluated.result["structures"]["disk"]
    low, high = disk["interval"]["dice"]["1"]
    assert f"| disk | {disk['dice']['1']:.3f} [{low:.3f}, {high:.3f}] |" in text
    assert f"| {disk['masd']['1']:.1f} [" in text
    assert f"| disk | ct_00 | 2 | {disk['per_patient']['ct_00']['dice']['1']:.3f} ± " in text
    assert "`python -m segmodel evaluate`" in text
    links = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert sorted(links) == sorted(f"plots/{file.name}" for file in (written / "plots").iterdir())
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_a_report_without_distances_says_nothing_of_them(evaluated, tmp_path):
    bare = evaluation.evaluate(evaluated.parts, evaluated.predictor, clicks=(1,), distances="none")
    report.write(bare, [], tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "MASD" not in text
    assert "No 3-D distances" in text
    assert "masd_1" not in (tmp_path / "records.csv").read_text()


def test_a_bar_in_a_name_does_not_break_a_table(evaluated):
    odd = {"a|b": evaluated.result["structures"]["disk"]}
    assert report.table({**evaluated.result, "structures": odd}).splitlines()[2].startswith(r"| a\|b | 6 | 3 |")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_is_interrupted_leaves_nothing(tmp_path, error):
    with pytest.raises(error), report.folder(tmp_path / "new") as partial:
        (partial / "report.json").write_text("{")
        raise error
    assert not list(tmp_path.iterdir())


def test_what_is_interrupted_leaves_an_older_report_as_it_was(written, tmp_path):
    shutil.copytree(written, tmp_path / "old")
    before = {file: file.read_bytes() for file in (tmp_path / "old").rglob("*") if file.is_file()}
    with pytest.raises(KeyboardInterrupt), report.folder(tmp_path / "old") as partial:
        (partial / "report.json").write_text("{")
        raise KeyboardInterrupt
    assert {file: file.read_bytes() for file in (tmp_path / "old").rglob("*") if file.is_file()} == before


def test_an_older_report_is_replaced_and_other_files_stay(described, tmp_path):
    (tmp_path / "report.json").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    report.write_report(described, tmp_path)
    assert report.read(tmp_path / "report.json") == described
    assert {file.name for file in tmp_path.iterdir()} == {"report.json", "notes.txt"}


def test_a_folder_that_cannot_be_is_refused_before_anything_is_done(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError), report.folder(out):
            raise AssertionError("not reached")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON."),
        ("[1]", "is not a report of an evaluation."),
        ('{"structures": {}}', "is not a report of an evaluation."),
        (
            '{"structures": {}, "mean": {}, "placement": "paper", "seed": 1}',
            "has no records of single slices; evaluate again.",
        ),
        (
            '{"structures": {}, "mean": {}, "placement": "paper", "seed": 1, "clicks": [1], "records": [{"dice": 1}]}',
            "has records that cannot be read.",
        ),
    ],
    ids=["broken", "list", "other", "old", "spoilt"],
)
def test_a_file_that_is_not_a_report_is_refused(tmp_path, content, sentence):
    file = tmp_path / "report.json"
    file.write_text(content)
    with pytest.raises(report.ReportError) as refused:
        report.read(file)
    assert str(refused.value) == f"{file} {sentence}"


def test_a_report_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(report.ReportError, match=r"^There is no report .*none\.json\.$"):
        report.read(tmp_path / "none.json")
    with pytest.raises(report.ReportError, match=r"is not JSON\.$"):
        report.read(tmp_path)
