"""The demo project, loaded once and never where others can reach the site."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from annotator import engine
from annotator.annotation import access
from annotator.annotation.models import Assignment, Project
from annotator.studies import store
from segmodel import phantom

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


@pytest.fixture
def debug(settings, monkeypatch: pytest.MonkeyPatch, tmp_path, small_ct) -> None:
    settings.DEBUG, settings.DATA = True, tmp_path
    monkeypatch.setattr(engine, "make_phantom", lambda seed: small_ct[0])


def test_it_is_refused_outside_debug_mode() -> None:
    with pytest.raises(CommandError, match="set ANNOTATOR_DEBUG=1"):
        call_command("load_demo")
    assert not Project.objects.exists()


def test_everybody_can_log_in_and_the_annotator_has_a_case(debug, small_ct) -> None:
    call_command("load_demo")
    annotator, manager, admin = (authenticate(username=n, password="demo") for n in ("annotator", "manager", "admin"))
    assert annotator and manager and admin and admin.is_superuser
    (case,) = access.assignments_of(annotator)
    assert case.task.series.synthetic
    assert access.works_on(annotator, case)
    assert access.assignment_for(manager, case.pk) == case
    assert (store.read_slice(case.task.series, 5) == small_ct[0].voxels[5]).all()


def test_the_labels_are_the_phantom_s(debug) -> None:
    call_command("load_demo")
    labels = Project.objects.get().labels
    assert dict(labels.values_list("value", "name")) == phantom.LABELS
    assert labels.values("colour").distinct().count() == len(phantom.LABELS)


def test_a_second_time_changes_nothing(debug, capsys) -> None:
    call_command("load_demo")
    call_command("load_demo")
    assert capsys.readouterr().out.count("Loaded") == 1
    assert Assignment.objects.count() == 1


def test_the_folder_is_marked(debug, settings) -> None:
    call_command("load_demo")
    assert (settings.DATA / "demo").exists()
