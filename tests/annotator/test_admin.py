"""The admin and people's work: what it hangs on is not deleted, and the refusal says how much work that is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db.models import ProtectedError
from django.test import Client

from annotator.annotation import history
from annotator.annotation.models import Interaction, Label, SliceMask
from annotator.protocol import AddClick
from tests.annotator.factories import Cast


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def work(cast: Cast) -> Cast:
    """Two clicks of alice on the liver."""
    for sequence in (1, 2):
        history.record(cast.alices.pk, cast.alice.pk, AddClick(sequence, cast.liver.pk, 1, 2, sequence, True))
    return cast


def test_a_label_that_nobody_has_used_is_deleted(admin: Client, cast: Cast) -> None:
    assert admin.post(f"/admin/annotation/label/{cast.liver.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Label.objects.filter(pk=cast.liver.pk).exists()


def page_of(cast: Cast, kind: str) -> str:
    found = {
        "label": cast.liver,
        "project": cast.alices.task.project,
        "task": cast.alices.task,
        "assignment": cast.alices,
    }[kind]
    return f"/admin/annotation/{kind}/{found.pk}/"


@pytest.mark.parametrize("kind", ["label", "project", "task", "assignment"])
def test_what_has_work_is_kept_and_the_work_is_counted(admin: Client, work: Cast, kind: str) -> None:
    for how in ({}, {"post": "yes"}):
        page = admin.post(f"{page_of(work, kind)}delete/", how).content.decode()
        assert "2 interactions and 0 masks by alice" in page
    assert Interaction.objects.count() == 2 and Label.objects.filter(pk=work.liver.pk).exists()


def test_the_list_of_labels_deletes_no_work_either(admin: Client, work: Cast) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [work.liver.pk], "post": "yes"}
    assert "2 interactions and 0 masks by alice" in admin.post("/admin/annotation/label/", chosen).content.decode()
    assert Label.objects.filter(pk=work.liver.pk).exists()


@pytest.mark.parametrize("kind", ["project", "task"])
def test_no_page_deletes_work_by_a_tick_beside_a_row(admin: Client, work: Cast, kind: str) -> None:
    page = admin.get(page_of(work, kind)).content.decode()
    for rows in ("labels", "assignments"):
        assert f"{rows}-0-DELETE" not in page


def test_no_code_deletes_work_by_what_it_hangs_on(work: Cast) -> None:
    for row in (work.liver, work.alices, work.alices.task, work.alices.task.project):
        with pytest.raises(ProtectedError):
            row.delete()
    assert Interaction.objects.count() == 2 and not SliceMask.objects.exists()
