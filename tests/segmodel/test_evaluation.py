"""The report counts as one would by hand: over the slices of a patient, then over patients, then over structures."""

import json

import numpy as np
import pytest

from segmodel.dataset import DatasetError
from segmodel.distances import surface_distances
from segmodel.evaluation import NOC_CAP, Record, User, choose, evaluate, examples, read_slices, report
from segmodel.layouts import read_decathlon
from segmodel.predictor import Prediction
from segmodel.report import table, write_report
from tests.segmodel.toys import decathlon, rectangle

SHAPE = (16, 24)
TRUTH = rectangle(SHAPE, (3, 13), (4, 20))  # 10 rows


class Stub:
    """Finds `image[0, 0]` rows of TRUTH more with every click, and keeps the clicks that it was given."""

    def __init__(self):
        self.clicks = []

    def encode(self, hu, spacing):
        return int(hu[0, 0])

    def predict(self, speed, clicks):
        self.clicks.append(list(clicks))
        return Prediction(TRUTH & rectangle(SHAPE, (0, 3 + speed * len(clicks)), (0, 24)), 0.5)


def dice_of(rows):
    return 2 * rows / (10 + rows)


def volume(*speeds):
    images = np.zeros((len(speeds), *SHAPE), np.int16)
    images[:, 0, 0] = speeds
    return images, np.repeat(TRUTH[None], len(speeds), 0).astype(np.uint8)


@pytest.fixture
def parts(tmp_path):
    """Two patients: one with a slow, a quicker and a hopeless slice, one with a slice that is found at once."""
    dataset = read_decathlon(decathlon(tmp_path / "data", {"ct_1": volume(1, 2, 0), "ct_2": volume(10)}))
    return [(dataset, dataset.cases)]


def test_dice_is_a_mean_over_slices_then_over_patients(parts):
    disk = evaluate(parts, Stub(), clicks=(1, 3))["structures"]["disk"]
    assert disk["count"] == 4
    assert disk["patients"] == 2
    for k in (1, 3):
        slow = (dice_of(k) + dice_of(2 * k) + 0) / 3
        assert disk["dice"][str(k)] == pytest.approx((slow + 1) / 2)


def test_clicks_to_a_target_are_counted_and_capped(parts):
    disk = evaluate(parts, Stub())["structures"]["disk"]
    # 7, 8 and 9 of 10 rows reach Dice 0.80, 0.85 and 0.90; the third slice never does
    assert disk["noc"]["80"] == pytest.approx(((7 + 4 + 20) / 3 + 1) / 2)
    assert disk["noc"]["85"] == pytest.approx(((8 + 4 + 20) / 3 + 1) / 2)
    assert disk["noc"]["90"] == pytest.approx(((9 + 5 + 20) / 3 + 1) / 2)


def test_the_share_that_never_arrives_is_reported(parts):
    never = evaluate(parts, Stub())["structures"]["disk"]["never"]
    assert never == {"80": pytest.approx(1 / 6), "85": pytest.approx(1 / 6), "90": pytest.approx(1 / 6)}


def test_a_target_reached_after_the_cap_counts_as_the_cap():
    late = Record("disk", "ct_1", 0, (0.1,) * 22 + (0.99, 0.99))
    assert late.clicks_to(0.9) == NOC_CAP == 20
    assert report([late], [1])["structures"]["disk"]["never"]["90"] == 1


def test_the_first_click_that_reaches_the_target_counts():
    wavering = Record("disk", "ct_1", 0, (0.5, 0.85, 0.7, 0.95) + (0.95,) * 16)
    assert [wavering.clicks_to(target) for target in (0.5, 0.85, 0.86, 0.96)] == [1, 2, 4, 20]


def test_structures_count_alike_in_the_mean_however_many_slices_they_have():
    records = [Record("a", "p", z, (0.9,) * 20) for z in range(9)] + [Record("b", "p", 0, (0.5,) * 20)]
    result = report(records, [1, 5])
    assert result["mean"]["dice"] == {"1": pytest.approx(0.7), "5": pytest.approx(0.7)}
    assert result["mean"]["noc"]["85"] == pytest.approx((1 + 20) / 2)
    assert {name: figures["count"] for name, figures in result["structures"].items()} == {"a": 9, "b": 1}


def test_more_clicks_than_the_cap_can_be_asked_for(parts):
    assert evaluate(parts, Stub(), clicks=(25,))["structures"]["disk"]["dice"].keys() == {"25"}


def test_every_slice_starts_with_one_click_and_gets_one_at_a_time(parts):
    stub = Stub()
    evaluate(parts, stub)
    assert [len(clicks) for clicks in stub.clicks[:8]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert all(clicks[0].positive for clicks in stub.clicks)


def clicks_of(parts, **options):
    stub = Stub()
    evaluate(parts, stub, **options)
    return stub.clicks


def test_the_same_seed_gives_the_same_clicks(parts):
    assert clicks_of(parts, seed=1) == clicks_of(parts, seed=1)
    assert clicks_of(parts, seed=1) != clicks_of(parts, seed=2)


def test_central_clicks_need_no_seed(parts):
    assert clicks_of(parts, placement="centre", seed=1) == clicks_of(parts, placement="centre", seed=2)


def test_more_patients_change_nobody_elses_clicks(parts):
    [(dataset, cases)] = parts
    together = clicks_of(parts)
    assert clicks_of([(dataset, cases[1:])]) == together[-NOC_CAP:]


def test_one_slice_in_so_many_can_be_taken(parts):
    assert evaluate(parts, Stub(), every=2)["structures"]["disk"]["count"] == 2 + 1


def test_structures_that_a_slice_does_not_show_are_not_counted(parts):
    assert list(evaluate(parts, Stub())["structures"]) == ["disk"]


def test_distances_are_those_of_the_missing_rows_and_an_empty_mask_has_none(parts):
    disk = evaluate(parts, Stub(), clicks=(1, 3))["structures"]["disk"]
    # after one click 9, 8 and all rows of 1 mm are missing in the first patient; nothing is in the second
    assert disk["hd"]["1"] == pytest.approx(((9 + 8) / 2 + 0) / 2)
    assert disk["hd"]["3"] == pytest.approx(((7 + 4) / 2 + 0) / 2)
    assert disk["empty"] == {"1": pytest.approx(1 / 6), "3": pytest.approx(1 / 6)}
    mask = TRUTH & rectangle(SHAPE, (0, 4), (0, 24))
    [first, *_] = evaluate(parts, Stub(), clicks=(1,))["records"]
    assert first["distances"]["1"] == list(surface_distances(mask, TRUTH, (1, 1)))


def test_a_volume_is_all_slices_of_a_case_together(parts):
    figures = evaluate(parts, Stub(), clicks=(1,))["structures"]["disk"]["volume"]
    assert figures["count"] == 2
    assert figures["per_patient"]["ct_1"]["dice"]["1"] == pytest.approx(2 * (1 + 2 + 0) / (1 + 2 + 0 + 30))
    assert figures["dice"]["1"] == pytest.approx((2 * 3 / 33 + 1) / 2)


def test_distances_in_the_volume_are_3d_and_in_its_spacing(parts):
    figures = evaluate(parts, Stub(), clicks=(1,))["structures"]["disk"]["volume"]
    mask = np.stack([TRUTH & rectangle(SHAPE, (0, 3 + rows), (0, 24)) for rows in (1, 2, 0)])
    wanted = surface_distances(mask, np.repeat(TRUTH[None], 3, 0), (3, 1, 1))
    assert [figures["per_patient"]["ct_1"][kind]["1"] for kind in ("hd", "hd95", "masd")] == pytest.approx(wanted)
    assert figures["masd"]["1"] == pytest.approx(wanted.masd / 2)


def gapped(tmp_path):
    images, labels = volume(1, 2, 3)
    labels[1] = 0
    dataset = read_decathlon(decathlon(tmp_path / "gap", {"ct_1": (images, labels)}))
    return [(dataset, dataset.cases)]


@pytest.mark.parametrize("every", [1, 2])
def test_slices_that_are_not_neighbours_have_no_3d_distances(parts, tmp_path, every):
    figures = evaluate(gapped(tmp_path) if every == 1 else parts, Stub(), every=every)["structures"]["disk"]
    of_case = figures["volume"]["per_patient"]["ct_1"]
    assert "hd" not in of_case
    assert of_case["dice"]["1"] > 0
    assert figures["hd"]["1"] > 0


def test_a_structure_may_pause_on_a_slice_that_shows_another(tmp_path):
    images, labels = volume(1, 2, 3)
    labels[1] = 2
    labels[1, 0, :] = 0
    dataset = read_decathlon(decathlon(tmp_path, {"ct_1": (images, labels)}))
    disk = evaluate([(dataset, dataset.cases)], Stub(), clicks=(1,))["structures"]["disk"]["volume"]["per_patient"][
        "ct_1"
    ]
    truth = np.stack([TRUTH, np.zeros_like(TRUTH), TRUTH])
    mask = np.stack([TRUTH & rectangle(SHAPE, (0, 3 + rows), (0, 24)) for rows in (1, 0, 3)])
    mask[1] = False
    assert disk["hd"]["1"] == pytest.approx(surface_distances(mask, truth, (3, 1, 1)).hd)


@pytest.mark.parametrize(
    ("distances", "in_slice", "in_volume"),
    [("none", False, False), ("slice", True, False), ("volume", False, True), ("both", True, True)],
)
def test_distances_are_measured_where_they_are_asked_for(parts, distances, in_slice, in_volume):
    result = evaluate(parts, Stub(), clicks=(1,), distances=distances)
    for figures in (result["structures"]["disk"], result["mean"]):
        assert ("masd" in figures, "masd" in figures["volume"]) == (in_slice, in_volume)


def test_the_models_estimate_is_kept_and_compared(parts):
    result = evaluate(parts, Stub(), clicks=(1,))
    errors = [abs(0.5 - dice_of(rows)) for rows in (1, 2, 0, 10)]
    assert result["quality"]["mae"]["1"] == pytest.approx(np.mean(errors))
    assert result["quality"]["r"]["1"] is None  # it always says 0.5


class Remembering(Stub):
    """Keeps the previous masks that it was given."""

    def __init__(self):
        super().__init__()
        self.previous = []

    def predict(self, speed, clicks, previous=None):
        self.previous.append(previous)
        return super().predict(speed, clicks)


def test_the_previous_mask_is_given_where_it_is_asked_for(parts):
    model = Remembering()
    evaluate(parts, model, previous=True)
    assert model.previous[0] is None is model.previous[NOC_CAP]
    assert [mask.sum() // 16 for mask in model.previous[1:6]] == [1, 2, 3, 4, 5]
    model = Remembering()
    evaluate(parts, model)
    assert set(model.previous) == {None}


def test_examples_are_the_median_and_the_worst_slice_as_they_were(parts):
    result = evaluate(parts, Stub())
    chosen = examples(parts, Stub(), result)
    # rows found after five clicks: 5 and 10 of slices 0 and 1, 0 of slice 2, 10 in the other patient
    assert [(e.why, e.record.case, e.record.z) for e in chosen] == [("median", "ct_1", 1), ("worst", "ct_1", 2)]
    assert [e.image[0, 0] for e in chosen] == [2, 0]
    assert np.array_equal(chosen[0].truth, TRUTH)
    assert [len(answer.clicks) for answer in chosen[0].answers] == [1, 2, 3, 4, 5]
    stub = Stub()
    evaluate(parts, stub)
    assert [list(answer.clicks) for answer in chosen[0].answers] == stub.clicks[NOC_CAP : NOC_CAP + 5]


def test_of_slices_alike_the_first_is_chosen_and_a_single_one_once():
    alike = [Record("a", case, z, (0.5,) * 20) for case in ("q", "p") for z in (2, 1)]
    assert list(choose(alike, 5)) == [("a", "q", 1), ("a", "p", 1)]
    assert [why for why, _ in choose(alike[:1], 5).values()] == ["median"]


def test_fewer_rounds_are_the_beginning_of_more(parts):
    [(_, cases)] = parts
    [item, *_] = read_slices(cases[0]).items
    few, many = (User(Stub(), "paper", 1).outline(1, item, "disk", TRUTH, rounds) for rounds in (3, 9))
    assert [answer.clicks for answer in few] == [answer.clicks for answer in many[:3]]


def test_there_is_one_progress_bar(parts, capsys):
    evaluate(parts, Stub())
    shown = capsys.readouterr().err.replace("\r", "\n").split("\n")
    assert {line.split(":")[0] for line in shown if line} == {"evaluate toys"}
    assert "100%" in shown[-2]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"clicks": (0, 1)}, "Clicks are counted from 1."),
        ({"clicks": ()}, "Clicks are counted from 1."),
        ({"every": 0}, "One slice in 0 cannot be taken."),
        ({"placement": "corner"}, "There is no click placement 'corner'; there are paper, centre."),
        ({"distances": "here"}, "Distances are measured in both, slice, volume, none, not in 'here'."),
    ],
    ids=str,
)
def test_arguments_without_sense_are_refused(parts, options, sentence):
    with pytest.raises(DatasetError) as refused:
        evaluate(parts, Stub(), **options)
    assert str(refused.value) == sentence


def test_two_patients_of_one_name_are_refused(parts):
    with pytest.raises(DatasetError, match=r"^Two cases are called ct_1\.$"):
        evaluate(parts * 2, Stub())


def test_cases_without_their_structures_are_refused(tmp_path):
    images, labels = volume(1)
    dataset = read_decathlon(decathlon(tmp_path, {"ct_1": (images, 0 * labels)}))
    with pytest.raises(DatasetError, match=r"^The cases show none of their structures\.$"):
        evaluate([(dataset, dataset.cases)], Stub())


def test_the_report_is_json_with_these_fields(parts, tmp_path):
    result = evaluate(parts, Stub(), clicks=(1, 2))
    write_report({**result, "model": "default", "command": "python -m segmodel evaluate"}, tmp_path / "report")
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    assert written["structures"]["disk"]["dice"].keys() == {"1", "2"}
    assert written["structures"]["disk"]["noc"].keys() == written["mean"]["noc"].keys() == {"80", "85", "90"}
    assert written["structures"]["disk"]["count"] == 4
    assert written["mean"]["dice"].keys() == {"1", "2"}
    assert written["ms_per_click"] >= 0 <= written["encode_ms"]
    assert (written["placement"], written["seed"]) == ("paper", 4242)
    assert (written["model"], written["command"]) == ("default", "python -m segmodel evaluate")
    assert list((tmp_path / "report").iterdir()) == [tmp_path / "report" / "report.json"]


def test_the_table_has_a_row_for_every_structure_and_the_mean(parts):
    lines = table(evaluate(parts, Stub(), clicks=(1, 5))).splitlines()
    assert lines[0] == "| structure | slices | patients | Dice@1 | Dice@5 | NoC@85 |"
    assert lines[2].startswith("| disk | 4 | 2 | 0.586 | ")
    assert lines[3].startswith("| **mean** | | | 0.586 | ")
    assert len({line.count("|") for line in lines}) == 1
