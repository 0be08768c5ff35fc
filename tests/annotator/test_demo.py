"""The demo project, loaded once and never where others can reach the site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from annotator import engine
from annotator.annotation import access, agreement, cases, gold, progress, work
from annotator.annotation.models import Assignment, Comparison, Interaction, Project, Task, Transition
from annotator.demo import people
from annotator.demo.project import PROJECT
from annotator.events.models import Event, Notice
from annotator.projects import rooms
from annotator.studies import store
from segmodel import phantom
from segmodel.volumes import Volume

pytestmark = pytest.mark.django_db
S = Assignment.State


def coarse(seed: int, days: tuple[int, ...]) -> list[tuple[Volume, np.ndarray]]:
    """Phantoms of so few voxels that a test can wait for them."""
    volume, labels, _ = phantom.make(seed, shape=(6, 48, 64), spacing=(30.0, 8.0, 6.4))
    return [phantom.scanned_again(volume, labels, day) for day in days]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def loaded(folder: Path, small_ct, django_db_setup, django_db_blocker) -> Iterator[Project]:
    """The demo's project, loaded once for all tests of this file and rolled back after them."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder / "storage"}}
    changed = {
        "DEBUG": True,
        "DATA": folder,
        "STORAGES": {**settings.STORAGES, "default": files},
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    }
    with django_db_blocker.unblock(), override_settings(**changed), transaction.atomic():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "make_phantom", lambda seed: small_ct[0])
            patch.setattr(engine, "make_small_phantoms", coarse)
            call_command("load_demo")
        yield Project.objects.get(name=PROJECT)
        transaction.set_rollback(True)


def test_it_is_refused_outside_debug_mode(settings) -> None:
    settings.DEBUG = False
    before = Project.objects.count()
    with pytest.raises(CommandError, match="set ANNOTATOR_DEBUG=1"):
        call_command("load_demo")
    assert Project.objects.count() == before


def test_everybody_can_log_in_and_the_annotator_s_first_case_is_untouched(loaded: Project, small_ct) -> None:
    everybody = {name: authenticate(username=name, password="demo") for name in (*people.ROLES, "admin")}
    assert all(everybody.values())
    annotator, admin = everybody["annotator"], everybody["admin"]
    assert annotator and admin and admin.is_superuser
    first = work.own_cases(annotator, progress.EDITABLE)[0]
    assert first.pk == access.assignments_of(annotator).order_by("pk")[0].pk
    assert first.task.series.synthetic
    assert (first.state, first.interactions.count()) == (S.ASSIGNED, 0)
    assert access.works_on(annotator, first)
    assert (store.read_slice(first.task.series, 5) == small_ct[0].voxels[5]).all()


def test_the_labels_are_the_phantom_s(loaded: Project) -> None:
    assert dict(loaded.labels.values_list("value", "name")) == phantom.LABELS
    assert loaded.labels.values("colour").distinct().count() == len(phantom.LABELS)


def test_cases_are_in_every_state(loaded: Project) -> None:
    standing = Counter(task.standing for task in cases.tasks(loaded))
    assert standing == {
        "waiting": 2, "assigned": 1, "in_progress": 1, "submitted": 2, "returned": 1, "accepted": 5, "skipped": 1,
    }  # fmt: skip
    assert set(Assignment.objects.values_list("state", flat=True)) == set(S) - {S.HANDED_BACK}
    assert set(Assignment.objects.values_list("kind", flat=True)) == set(Assignment.Kind) - {Assignment.Kind.REVISION}


def test_a_returned_case_says_why_and_where(loaded: Project) -> None:
    case = Assignment.objects.get(state=S.RETURNED)
    comment = case.comments.get()
    assert comment.label and comment.label.name == "liver"
    assert comment.y is not None
    assert Notice.objects.filter(person=case.person, kind=Notice.Kind.RETURNED, url__contains=f"/{case.pk}/").exists()


def test_two_cases_are_read_twice_and_one_of_them_waits_for_a_decision(loaded: Project) -> None:
    done, waiting = Task.objects.filter(readings=2).order_by("pk")
    assert done.assignments.get(kind=Assignment.Kind.ADJUDICATION).state == S.ACCEPTED
    assert [reading.state for reading in agreement.readings_of(waiting)] == [S.SUBMITTED, S.SUBMITTED]
    comparisons = Comparison.objects.filter(first__task__in=(done, waiting))
    assert [one.state for one in comparisons] == ["done", "done"]
    assert all(one.agreements.filter(z=None).exists() for one in comparisons)


def test_checks_on_gold_cases_show_who_drifts(loaded: Project) -> None:
    annotator, bob = gold.people(loaded)
    assert len(annotator.checks) == len(bob.checks) == 2
    assert annotator.trend and bob.trend and annotator.trend > 0 > bob.trend


def test_work_was_done_in_the_last_weeks_and_in_order(loaded: Project) -> None:
    now = timezone.now()
    for case in Assignment.objects.all():
        times = [case.created_at, *case.transitions.order_by("pk").values_list("at", flat=True)]
        assert times == sorted(times)
        assert times[-1] <= now
    days = {at.date() for at in Interaction.objects.values_list("created_at", flat=True)}
    assert len(days) > 10
    assert (now - Transition.objects.earliest("at").at).days >= 26


def test_every_page_of_the_project_opens_for_its_manager(loaded: Project) -> None:
    client = Client()
    client.force_login(User.objects.get(username="manager"))
    addresses = [reverse(tab.name, args=[loaded.pk]) for tab in rooms.TABS]
    addresses += [
        f"/cases/{pk}/"
        for pk in access.assignments_of(User.objects.get(username="manager")).values_list("pk", flat=True)
    ]
    addresses += [f"/projects/{loaded.pk}/agreement/{task.pk}/" for task in loaded.tasks.filter(readings=2)]
    addresses += [f"/projects/{loaded.pk}/figures/{page}/" for page in ("people", "effort")]
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)


def test_a_second_time_changes_nothing(loaded: Project, capsys) -> None:
    before = Event.objects.count(), Interaction.objects.count(), Assignment.objects.count()
    call_command("load_demo")
    assert "Loaded" not in capsys.readouterr().out
    assert (Event.objects.count(), Interaction.objects.count(), Assignment.objects.count()) == before


def test_the_folder_is_marked(loaded: Project, folder: Path) -> None:
    assert (folder / "demo").exists()
