"""The admins' pages about evaluations: one is started, followed, read, compared and cancelled there."""

from __future__ import annotations

import base64
import csv
import io
import re

import pytest
from django.test import Client

from annotator import masks as codec
from annotator.annotation.models import Label, SliceMask
from annotator.learning import evaluation, evaluation_jobs, freeze
from annotator.learning.models import EvaluationRun, Manifest
from tests.annotator import factories
from tests.learning import frozen

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    person = factories.make_person("ada", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def project(storage):
    project = frozen.make_project()
    frozen.make_gold(project)
    return project


@pytest.fixture
def version(storage, tmp_path):
    return frozen.make_version(tmp_path)


@pytest.fixture
def queued(monkeypatch, django_capture_on_commit_callbacks):
    """`with queued() as jobs: …` gives the numbers of the evaluations that are queued inside."""
    jobs: list[int] = []
    monkeypatch.setattr(evaluation_jobs, "queue", jobs.append)

    class Queued:
        def __enter__(self):
            self.block = django_capture_on_commit_callbacks(execute=True)
            self.block.__enter__()
            return jobs

        def __exit__(self, *error):
            self.block.__exit__(*error)

    return Queued


def text(answer, status=200) -> str:
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def begin(admin, which, **fields):
    asked = {"version": which.pk, "set": "now:gold", "placement": "paper"}
    return admin.post("/models/evaluations/", {**asked, **fields})


def test_before_the_first_the_page_says_what_to_do(admin):
    page = text(admin.get("/models/evaluations/"))
    assert "Nothing has been evaluated yet." in page and "No mask that the model made has been accepted yet." in page


def test_gold_patients_are_frozen_and_the_job_is_queued(admin, project, version, queued):
    with queued() as jobs:
        answer = begin(admin, version)
    run = EvaluationRun.objects.get()
    assert answer["Location"] == f"/models/evaluations/{run.pk}/" and jobs == [run.pk]
    assert (run.person.get_username(), run.manifest.parts, run.manifest.counts["masks"]) == ("ada", ["gold"], 8)
    with queued():
        begin(admin, version, set=f"{run.manifest.pk}:gold")
    assert EvaluationRun.objects.get() == run  # the same one
    assert "8 masks" in text(admin.get("/models/evaluations/"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"set": "now:validation"}, "There are no accepted masks of validation patients."),
        ({"set": "99:gold"}, "This frozen set is not there."),
        ({"set": "now:training"}, "Choose a model version, what it is evaluated on, and how the clicks are placed."),
        ({"placement": "everywhere"}, "Choose a model version"),
        ({"version": "x"}, "Choose a model version"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(admin, project, version, fields, sentence):
    assert sentence in text(begin(admin, version, **fields), 400)
    assert not EvaluationRun.objects.exists()


def test_an_open_one_is_followed_and_cancelled(admin, project, version):
    run = evaluation.want(version, freeze.for_evaluation([project]))
    address = f"/models/evaluations/{run.pk}/"
    assert "It waits for a worker." in text(admin.get(address))
    EvaluationRun.objects.filter(pk=run.pk).update(state="running", stage="evaluate", progress=0.25, eta_s=300.0)
    page = text(admin.get(address))
    assert 'value="0.25"' in page and "About 5 minutes left." in page and 'hx-trigger="every 2s"' in page
    assert admin.post(f"{address}cancel/")["Location"] == address
    page = text(admin.get(address))
    assert "Cancelled by ada." in page and "hx-trigger" not in page
    assert admin.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "has ended already" in text(admin.post(f"{address}cancel/", follow=True))


def test_a_failed_one_says_why(admin, project, version):
    run = evaluation.want(version, freeze.for_evaluation([project]))
    EvaluationRun.objects.filter(pk=run.pk).update(state="failed", error="The checkpoint of toy 0 is gone.")
    assert "The checkpoint of toy 0 is gone." in text(admin.get(f"/models/evaluations/{run.pk}/"))


def test_what_it_found_is_shown_and_two_are_compared(admin, project, version, tmp_path):
    gold = freeze.for_evaluation([project])
    a = evaluation.run(evaluation.want(version, gold).pk)
    b = evaluation.run(evaluation.want(frozen.make_version(tmp_path, seed=1), gold).pk)
    address = f"/models/evaluations/{a.pk}/"
    page = text(admin.get(address, {"k": "5"}))
    disk = a.figures["structures"]["disk"]
    low, high = disk["interval"]["dice"]["5"]
    assert f'data-value="{disk["dice"]["5"]}" data-low="{low}" data-high="{high}"' in page
    assert f"{disk['noc']['85']:.1f}" in page and f"{disk['masd']['5']:.2f}" in page
    assert "gold 0" in page and "gold 1" in page  # patients by their names
    check_worst(admin, a, page)
    check_csv(admin, a)
    compared = f"/models/evaluations/compare/?a={a.pk}&b={b.pk}"
    assert f"?a={b.pk}&amp;b={a.pk}" in page
    difference = evaluation.compare(a, b)["structures"]["disk"]["dice"]["3"]
    assert f'data-value="{difference}"' in text(admin.get(compared))


def check_worst(admin, run, page):
    """Eight slices, each with five clicks, its picture, and a link to the place in the viewer."""
    assert page.count('<g class="click') == 8 * 5
    row = run.figures["worst"][0]
    case = run.figures["cases"][row["case"]]
    assert f"/cases/{case['assignment']}/#evaluation={run.pk}&amp;place=0" in page
    shown = admin.get(f"/models/evaluations/{run.pk}/slices/0.json").json()
    label = Label.objects.get(name__iexact=row["structure"])
    assert (shown["z"], shown["label"]) == (row["z"] + case["z0"], label.pk)
    mask, inside, outside = (codec.decode(base64.b64decode(one["mask"])) for one in shown["guides"])
    assert mask.sum() == sum(end - first for first, end in row["mask"])
    for y, x, positive in row["clicks"]:
        assert inside[y, x] if positive else outside[y, x]
    masks = SliceMask.objects.filter(
        assignment=case["assignment"], z=row["z"] + case["z0"], label__name__iexact=row["structure"]
    )
    assert sum(end - first for first, end in row["truth"]) == masks.get().pixels
    for picture in re.findall(r'href="(\S+\.png)"', page):
        assert admin.get(picture).content.startswith(b"\x89PNG")
    assert admin.get(f"/models/evaluations/{run.pk}/slices/8.png").status_code == 404


def check_csv(admin, run):
    answer = admin.get(f"/models/evaluations/{run.pk}/records.csv")
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert len(rows) == 8 and {row["slice"] for row in rows} == {"2", "3"}
    assert {int(row["case"]) for row in rows} == set(SliceMask.objects.values_list("assignment", flat=True))
    assert {"dice_3", "hd95_3", "masd_3", "noc_85"} <= rows[0].keys()


def test_different_sets_are_not_compared(admin, project, version):
    gold = freeze.for_evaluation([project])
    frozen.make_truth(project, "gold 0", seed=7)
    runs = [evaluation.want(version, one) for one in (gold, freeze.for_evaluation([project]))]
    EvaluationRun.objects.update(state="done")
    page = text(admin.get(f"/models/evaluations/compare/?a={runs[0].pk}&b={runs[1].pk}"), 400)
    assert "not of the same clicks on the same masks" in page
    assert Manifest.objects.count() == 2


def test_nothing_can_be_compared_before_the_first_is_done(admin):
    assert "No evaluation is done yet." in text(admin.get("/models/evaluations/compare/?a=1&b=x"))


def test_the_csv_of_one_that_is_not_done_is_not_there(admin, project, version):
    run = evaluation.want(version, freeze.for_evaluation([project]))
    assert admin.get(f"/models/evaluations/{run.pk}/records.csv").status_code == 404


def test_what_people_needed_stands_below(admin, project, version):
    SliceMask.objects.update(model_version=version)
    page = text(admin.get("/models/evaluations/"))
    assert "Clicks that people placed until they were content" in page and "tim" in page
