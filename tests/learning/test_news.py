"""Whoever asked for a training or an evaluation is told when it is over."""

from __future__ import annotations

import pytest

from annotator.annotation import versions
from annotator.events import language, notices
from annotator.learning import evaluation, evaluation_jobs, freeze, gate, news, retraining, rules, stages
from annotator.learning.models import EvaluationRun, TrainingRun, Trigger
from tests.annotator.factories import make_person, make_version
from tests.learning import frozen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


@pytest.fixture
def admin():
    return make_person("admin", is_staff=True)


def sentences(person):
    return [notice.sentence for notice in notices.unseen(person).order_by("pk")]


def make_run(*people, reason=Trigger.Reason.BUTTON):
    run = TrainingRun.objects.create(begins_with=versions.active())
    for person in people:
        run.triggers.create(person=person, reason=reason)
    return run


def judge(run):
    return gate.undecided(make_version("candidate"), run.begins_with, rules.current(), gate.NO_GOLD)


def test_everybody_who_asked_for_a_training_hears_of_its_verdict(admin):
    other = make_person("other", is_staff=True)
    run = make_run(admin, admin, other)
    news.trained(run, judge(run))
    told = [f"candidate has been trained and did not pass the gate: {gate.NO_GOLD}"]
    assert sentences(admin) == sentences(other) == told
    assert notices.unseen(admin).get().url == f"/models/training/{run.pk}/"


def test_a_training_by_the_rules_is_told_to_all_admins(admin):
    annotator = make_person("annotator")
    run = make_run(None, reason=Trigger.Reason.SCHEDULE)
    news.trained(run, judge(run))
    assert len(sentences(admin)) == 1 and not sentences(annotator)


def test_who_is_no_admin_any_more_hears_nothing(admin):
    run = make_run(admin)
    admin.is_staff = False
    admin.save()
    news.trained(run, judge(run))
    assert not sentences(admin)


def test_a_training_that_failed_says_why(admin, monkeypatch):
    def fail(job):
        raise retraining.TrainingRefused("There is nothing to learn from.")

    monkeypatch.setattr(stages._Job, "work", fail)
    run = make_run(admin)
    stages.run(run.pk)
    assert sentences(admin) == [f"training run {run.pk} failed: There is nothing to learn from."]


def test_a_run_says_what_it_has_to_in_the_language_of_whoever_asked(admin):
    language.remember(admin, "de")
    run = make_run(admin)
    TrainingRun.objects.filter(pk=run.pk).update(person=admin)
    stages.run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "Es gibt keine angenommenen Masken, aus denen gelernt werden könnte.")


def test_a_verdict_is_told_to_everybody_in_their_language(admin):
    language.remember(admin, "de")
    other = make_person("other", is_staff=True)
    run = make_run(admin, other)
    news.trained(run, judge(run))
    assert gate.NO_GOLD in sentences(other)[0] and gate.NO_GOLD not in sentences(admin)[0]
    assert "Es gibt keine angenommenen Masken von Goldpatienten" in sentences(admin)[0]


@pytest.fixture
def wanted(admin, tmp_path):
    project = frozen.make_project()
    frozen.make_gold(project)
    return evaluation.want(frozen.make_version(tmp_path), freeze.for_evaluation([project]), person=admin)


def test_an_evaluation_is_told_once(wanted, admin):
    EvaluationRun.objects.filter(pk=wanted.pk).update(state="done")
    evaluation_jobs.evaluate(wanted.pk)
    notices.see(admin)
    evaluation_jobs.evaluate(wanted.pk)
    assert [notice.sentence for notice in admin.notices.all()] == [f"The evaluation of {wanted.version} is done."]


def test_an_evaluation_that_failed_says_why(wanted, admin):
    EvaluationRun.objects.filter(pk=wanted.pk).update(state="failed", error="The checkpoint is gone.")
    evaluation_jobs.evaluate(wanted.pk)
    assert sentences(admin) == [f"{wanted} failed: The checkpoint is gone."]


def test_a_cancelled_evaluation_is_no_news(wanted, admin):
    evaluation.cancel(wanted)
    evaluation_jobs.evaluate(wanted.pk)
    assert not sentences(admin)
