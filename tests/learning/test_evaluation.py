"""A model version is evaluated on a frozen set: by a job that goes on where one before it was killed, or says why not."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotator.annotation.models import ModelVersion
from annotator.learning import evaluation, evaluation_jobs, freeze
from annotator.learning.evaluation import EvaluationRefused
from annotator.learning.models import EvaluationRun, Part
from annotator.studies import store
from annotator.studies.models import Series
from tests.learning import frozen

pytestmark = pytest.mark.django_db


@pytest.fixture
def gold(storage):
    """The frozen masks of two gold patients, two slices of each with both labels."""
    project = frozen.make_project()
    frozen.make_gold(project)
    return freeze.for_evaluation([project])


@pytest.fixture
def version(storage, tmp_path):
    return frozen.make_version(tmp_path)


@pytest.fixture
def wanted(gold, version):
    return evaluation.want(version, gold)


def test_two_versions_are_evaluated_on_one_set_and_compared_patient_by_patient(
    wanted, gold, version, tmp_path, working_folder
):
    other = evaluation.want(frozen.make_version(tmp_path, seed=1), gold)
    said = []
    a = evaluation.run(wanted.pk, said.append)
    assert [folder.name for folder in working_folder.iterdir()] == [f"manifest-{gold.sha256[:8]}"]  # the other needs it
    b = evaluation.run(other.pk)
    assert not list(working_folder.iterdir())

    assert (a.state, a.error, a.progress) == ("done", "", 1.0)
    assert {"material", "evaluate"} <= {one.get("stage") for one in said}
    check_figures(a.figures)
    check_worst(a.figures)
    report = json.loads(evaluation.report(a).read_text())
    assert len(report["records"]) == 8 and report["split"] == "test"
    assert len(evaluation.records_file(a).read_text().splitlines()) == 9
    assert "records" not in a.figures and str(working_folder) not in json.dumps(a.figures)

    found = evaluation.compare(a, b)["structures"]["disk"]
    expected = b.figures["structures"]["disk"]["dice"]["3"] - a.figures["structures"]["disk"]["dice"]["3"]
    low, high = found["interval"]["dice"]["3"]
    assert found["dice"]["3"] == pytest.approx(expected) and low <= found["dice"]["3"] <= high
    assert evaluation.compare(b, a)["structures"]["disk"]["dice"]["3"] == pytest.approx(-expected)


def check_figures(figures):
    assert set(figures["structures"]) == {"disk", "square"}
    disk = figures["structures"]["disk"]
    assert (disk["count"], disk["patients"]) == (4, 2)
    assert list(disk["dice"]) == ["1", "2", "3", "5", "10", "15"]
    assert set(disk["noc"]) == {"80", "85", "90"} and disk["interval"]["dice"]["3"]
    assert {"hd95", "masd"} <= disk.keys() and len(disk["per_patient"]) == 2


def check_worst(figures):
    """Their clicks, masks and ways back to the viewer."""
    dice = [row["dice"] for row in figures["worst"]]
    assert len(dice) == 8 and dice == sorted(dice)
    row = figures["worst"][0]
    assert len(row["clicks"]) == 5 and row["clicks"][0][2] is True
    assert sum(end - first for first, end in row["truth"]) > 50
    assert figures["cases"][row["case"]]["z0"] == 1


def test_the_same_evaluation_is_wanted_once(wanted, gold, version):
    assert evaluation.want(version, gold) == wanted
    assert evaluation.want(version, gold, placement="centre") != wanted
    evaluation.cancel(wanted)
    again = evaluation.want(version, gold)
    assert again != wanted
    EvaluationRun.objects.filter(pk=again.pk).update(state="failed")
    assert evaluation.want(version, gold) not in (wanted, again)


def test_a_job_that_comes_twice_does_it_once(wanted, monkeypatch):
    runs = []

    def again(*arguments):
        runs.append(evaluation.run(wanted.pk).state)
        raise EvaluationRefused("Enough.")

    monkeypatch.setattr(evaluation, "_evaluate", again)
    evaluation_jobs.evaluate(wanted.pk)
    evaluation_jobs.evaluate(wanted.pk)
    assert runs == ["running"]


# ------------------------------------------------------------------------------------------ refusals


def refused(wanted) -> str:
    run = evaluation.run(wanted.pk)
    assert run.state == "failed"
    return run.error


def test_a_side_that_the_set_lacks_is_refused(gold, version):
    with pytest.raises(EvaluationRefused, match=r"^This frozen set has no validation patients\.$"):
        evaluation.want(version, gold, Part.VALIDATION)


def test_a_frozen_set_that_was_changed_is_refused(wanted, gold):
    default_storage.delete(gold.path)
    default_storage.save(gold.path, ContentFile(b"other"))
    assert refused(wanted) == "The file of this frozen set is gone or damaged."


def test_an_image_that_was_changed_is_refused(wanted):
    series = Series.objects.first()
    voxels = [store.read_slice(series, z).copy() for z in range(series.depth)]
    voxels[0][0, 0] += 1
    store.delete(series.prefix)
    store.write(series.prefix, iter(voxels), series.shape)
    assert refused(wanted).endswith("have been changed since this set was frozen.")


def test_a_checkpoint_that_is_gone_or_another_is_refused(wanted, version, gold):
    with default_storage.open(version.path, "ab") as file:
        file.write(b"more")
    assert refused(wanted) == "The checkpoint of toy 0 is no longer the file that was registered."
    default_storage.delete(version.path)
    assert refused(evaluation.want(version, gold)) == "The checkpoint of toy 0 is gone."


def test_what_segmodel_says_at_its_end_is_the_reason(wanted, gold, version):
    """Here a checkpoint that was registered by a program which knew another network."""
    path = default_storage.save("models/other.safetensors", ContentFile(b"other"))
    ModelVersion.objects.filter(pk=version.pk).update(path=path, sha256=hashlib.sha256(b"other").hexdigest())
    assert refused(wanted) == "other.safetensors is not a safetensors file, or it is damaged."


def test_reports_of_different_clicks_are_not_compared(gold, version):
    a, b = evaluation.want(version, gold), evaluation.want(version, gold, placement="centre")
    with pytest.raises(EvaluationRefused, match="not of the same clicks on the same masks"):
        evaluation.compare(a, b)


def test_there_is_no_report_before_its_end(wanted):
    with pytest.raises(EvaluationRefused, match="is not there"):
        evaluation.report(wanted)


# ------------------------------------------------------------------------------------------ the end before the end


def test_what_waits_is_cancelled_and_never_runs(wanted, django_user_model):
    evaluation.cancel(wanted, django_user_model.objects.get(username="rita"))
    run = evaluation.run(wanted.pk)
    assert (run.state, run.error, run.figures) == ("cancelled", "Cancelled by rita.", {})
    with pytest.raises(EvaluationRefused, match="has ended already"):
        evaluation.cancel(run)


def test_what_runs_is_cancelled_within_five_seconds(wanted, working_folder):
    asked = []

    def follow(said):
        if said.get("stage") == "evaluate" and not asked:
            asked.append(time.monotonic())
            evaluation.cancel(wanted)

    run = evaluation.run(wanted.pk, follow)
    assert run.state == "cancelled" and time.monotonic() - asked[0] < 5
    assert not list(working_folder.iterdir())


def test_what_its_follower_raises_ends_it(wanted):
    def follow(said):
        raise KeyError("enough")

    with pytest.raises(KeyError):
        evaluation.run(wanted.pk, follow)
    wanted.refresh_from_db()
    assert (wanted.state, wanted.error) == ("cancelled", "What needed this evaluation has ended.")
