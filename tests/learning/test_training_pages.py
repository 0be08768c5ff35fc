"""The admins' pages of trainings: what waits to be learnt from, a run while it goes on, its verdict, and the rules."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotator.annotation import versions
from annotator.events.models import Event
from annotator.learning import gate, jobs, rules
from annotator.learning.models import Policy, TrainingRun, Verdict
from tests.annotator.factories import make_person, make_version
from tests.learning import trainable

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, monkeypatch):
    monkeypatch.setattr(jobs, "queue", lambda run_id: None)
    person = make_person("admin", is_staff=True)
    client.force_login(person)
    return person


@pytest.fixture
def project(storage, tmp_path):
    return trainable.make_site(tmp_path / "made")


@pytest.fixture
def run(admin, storage):
    return TrainingRun.objects.create(begins_with=make_version("start"))


def test_the_list_says_what_waits_and_starts_a_run(client, admin, project):
    page = client.get("/models/training/").content.decode()
    assert "28 new masks from 1 person wait to be learnt from." in page
    answer = client.post("/models/training/", {"recipe": "finetune", "labels": ["disk"], "steps": "30"})
    run = TrainingRun.objects.get()
    assert answer["Location"] == f"/models/training/{run.pk}/"
    assert (run.labels, run.steps, run.person, run.promotes) == (["disk"], 30, admin, False)
    assert Event.objects.filter(verb="asked for").exists()


def test_whoever_comes_second_joins(client, admin, project):
    for _ in range(2):
        answer = client.post("/models/training/", {"recipe": "finetune"}, follow=True)
    assert "A training is open already; you have joined it." in answer.content.decode()
    assert TrainingRun.objects.get().triggers.count() == 2


def test_a_refusal_stands_on_the_form(client, admin, storage):
    answer = client.post("/models/training/", {"recipe": "finetune"})
    assert answer.status_code == 400 and not TrainingRun.objects.exists()
    assert "There are no accepted masks to learn from." in answer.content.decode()


def test_an_open_run_can_be_followed_and_cancelled(client, admin, run):
    page = client.get(f"/models/training/{run.pk}/").content.decode()
    assert f'data-training="{run.pk}" data-open' in page and "queue “learning”" in page
    answer = client.post(f"/models/training/{run.pk}/cancel/", follow=True)
    run.refresh_from_db()
    assert run.state == "cancelled" and "data-open" not in answer.content.decode()
    answer = client.post(f"/models/training/{run.pk}/cancel/", follow=True)
    assert "This run is over already." in answer.content.decode()


def test_the_page_of_a_run_has_its_curves_and_its_picture(client, admin, run):
    path = default_storage.save("previews/1-2.png", ContentFile(b"a picture"))
    curve = [{"step": 0, "dice": {"1": 0.5, "5": 0.75}}, {"step": 1, "loss": 0.25}]
    TrainingRun.objects.filter(pk=run.pk).update(curve=curve, preview=path, notes=["Out of memory: smaller bites."])
    page = client.get(f"/models/training/{run.pk}/").content.decode()
    for text in ('<td class="number">0.25</td>', '<td class="number">0.75</td>', "Out of memory: smaller bites."):
        assert text in page
    assert f"/models/training/{run.pk}/preview.png?of=1-2" in page
    assert b"".join(client.get(f"/models/training/{run.pk}/preview.png").streaming_content) == b"a picture"


def test_a_verdict_has_its_figures(client, admin, run):
    candidate, sentences = make_version("candidate"), ["The liver lost 0.030 (0.010 to 0.050) at 3 clicks."]
    TrainingRun.objects.filter(pk=run.pk).update(candidate=candidate, state="done", is_only=None)
    said = {"dice": {"3": -0.03}, "interval": {"dice": {"3": [-0.05, -0.01]}}}
    fields = {"passed": False, "rule": {"clicks": 3, "least_gain": 0.0, "tolerance": 0.005}, "sentences": sentences}
    found = {"structures": {"liver": said}, "mean": said}
    Verdict.objects.create(candidate=candidate, in_use=versions.active(), figures=found, **fields)
    page = client.get(f"/models/training/{run.pk}/").content.decode()
    assert "not passed" in page and sentences[0] in page
    german = client.get(f"/models/training/{run.pk}/", headers={"accept-language": "de"}).content.decode()
    assert "nicht bestanden" in german and "liver verlor 0.030 (0.010 bis 0.050) bei 3 Klicks." in german
    assert '<td class="number">-0.030</td><td class="number">-0.050</td><td class="number">-0.010</td>' in page


def test_nothing_to_judge_by_is_said(client, admin, run):
    candidate = make_version("candidate")
    TrainingRun.objects.filter(pk=run.pk).update(candidate=candidate, state="done", is_only=None)
    gate.undecided(candidate, versions.active(), rules.current(), gate.NO_GOLD)
    assert gate.NO_GOLD in client.get(f"/models/training/{run.pk}/").content.decode()
    german = client.get(f"/models/training/{run.pk}/", headers={"accept-language": "de"}).content.decode()
    assert "Es gibt keine angenommenen Masken von Goldpatienten, daher lässt sich nichts beurteilen." in german


RULES = {
    "schedule": "weekly",
    "after_masks": "50",
    "steps": "800",
    "replay": "25",
    "gate_clicks": "5",
    "gate_gain": "0.01",
    "gate_tolerance": "0.002",
}


def test_the_rules_can_be_changed(client, admin):
    client.get("/models/rules/")
    assert client.post("/models/rules/", RULES)["Location"] == "/models/rules/"
    policy = Policy.objects.get()
    assert (policy.schedule, policy.after_masks, policy.replay, policy.gate_clicks) == ("weekly", 50, 0.25, 5)
    assert policy.gate_tolerance == 0.002
    assert Event.objects.get(verb="changed").details["gate_gain"] == 0.01


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("steps", "0", "A training has at least one step."),
        ("replay", "100", "Something new has to be among what it learns from."),
        ("gate_tolerance", "-0.1", "Ensure this value is greater than or equal to 0."),
        ("gate_clicks", "4", "Select a valid choice. 4 is not one of the available choices."),
    ],
)
def test_rules_that_make_no_sense(client, admin, field, value, sentence):
    answer = client.post("/models/rules/", {**RULES, field: value})
    assert answer.status_code == 400 and sentence in answer.content.decode()
    assert rules.current().schedule == ""
