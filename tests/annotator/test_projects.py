"""Projects in the browser: made, set up, archived, restored, deleted; and who may do none of that."""

from __future__ import annotations

import re

import pytest

from annotator import masks
from annotator.annotation import assign, cases, guidelines, history, progress, projects, versions
from annotator.annotation.cases import Standing
from annotator.annotation.models import Assignment, Membership, ModelVersion, Project, SliceMask
from annotator.annotation.projects import ProjectRefused
from annotator.events.models import Event
from annotator.protocol import AddClick
from annotator.studies import imports, outcomes, uploads
from tests.annotator.factories import SHAPE, Cast, make_project
from tests.annotator.test_api import logged_in

SETTINGS = {
    "name": "Abdomen",
    "guidelines": "",
    "overlap": "newest",
    "double_share": "0",
    "review_share": "100",
    "order": "given",
    "model_version": "",
    "presets-TOTAL_FORMS": "2",
    "presets-INITIAL_FORMS": "0",
}


def click(cast: Cast) -> None:
    """Alice works on her case."""
    history.record(cast.alices.pk, cast.alice.pk, AddClick(1, cast.liver.pk, 1, 2, 3, True))
    mask = masks.empty(*SHAPE[1:])
    SliceMask.objects.create(
        assignment=cast.alices, label=cast.liver, z=1, sequence=1, since=1, mask=mask, pixels=1, person=cast.alice
    )


# ---------------------------------------------------------------------------------------------------- made


def test_a_manager_makes_a_project_and_manages_it(cast: Cast) -> None:
    client = logged_in(cast.maria)
    assert "New project" in client.get("/projects/").content.decode()
    response = client.post("/projects/new/", {"name": " Liver ", "guidelines": "# Liver"}, follow=True)
    project = Project.objects.get(name="Liver")
    assert response.redirect_chain == [(f"/projects/{project.pk}/labels/", 302)]
    assert Membership.objects.get(project=project).role == "manager"
    event = Event.objects.get(kind="project")
    assert (event.verb, event.person, event.project_id) == ("created", "maria", project.pk)


def test_who_manages_nothing_makes_none(cast: Cast) -> None:
    assert "New project" not in logged_in(cast.alice).get("/projects/").content.decode()
    assert logged_in(cast.alice).post("/projects/new/", {"name": "Mine"}).status_code == 404
    with pytest.raises(ProjectRefused, match="made by administrators and by those who manage one"):
        projects.create(cast.rob, name="Mine")
    cast.maria.is_active = False
    cast.maria.save()
    with pytest.raises(ProjectRefused):
        projects.create(cast.maria, name="Mine")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "This field is required"),
        ("aBDOMEN", "There is a project called aBDOMEN already."),
        ("x" * 101, "at most 100"),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(cast: Cast, name: str, sentence: str) -> None:
    response = logged_in(cast.maria).post("/projects/new/", {"name": name})
    assert response.status_code == 400 and sentence in response.content.decode()
    assert Project.objects.count() == 2


def test_the_list_says_role_and_progress(cast: Cast) -> None:
    Assignment.objects.filter(pk=cast.alices.pk).update(state="accepted")
    projects.archive(make_project("Old", {cast.alice: "annotator"}), cast.staff)
    page = logged_in(cast.alice).get("/projects/").content.decode()
    assert '<span class="tag">Annotator</span>' in page and "1 of 2 cases accepted" in page
    assert "1 archived project" in page and "Elsewhere" not in page
    assert '<span class="tag">administrator</span>' in logged_in(cast.staff).get("/projects/").content.decode()


# ---------------------------------------------------------------------------------------------------- its front page


def test_the_front_page_tells_a_manager_what_comes_next(cast: Cast) -> None:
    client = logged_in(cast.maria)
    client.post("/projects/new/", {"name": "Empty"})
    page = client.get(f"/projects/{Project.objects.get(name='Empty').pk}/").content.decode()
    for sentence in ("There are no labels yet.", "There are no cases yet.", "You are alone in the project."):
        assert sentence in page
    progress.make("submit", cast.alice, cast.alices)
    page = client.get(f"/projects/{cast.project.pk}/").content.decode()
    assert "1 case is to be reviewed." in page and "2 cases" in page


def test_an_annotator_sees_the_guidelines_and_the_queue(cast: Cast) -> None:
    Assignment.objects.filter(pk=cast.bobs.pk).update(state="handed_back")
    page = logged_in(cast.alice).get(f"/projects/{cast.project.pk}/").content.decode()
    assert "<p>Outline the organs.</p>" in page and "Next case" in page
    assert "2 cases" not in page and "Settings" not in page


def test_guidelines_are_markdown_and_no_html() -> None:
    shown = guidelines.html(
        "# Liver\n\n[atlas](https://example.org) <script>alert(1)</script> ![x](http://spy/)\n\n|a|\n|-|\n|b|"
    )
    assert "<h3>Liver</h3>" in shown and "<td>b</td>" in shown
    assert re.search(r'<a href="https://example.org" rel="noopener noreferrer" target="_blank">atlas</a>', shown)
    assert "<script>" not in shown and "<img" not in shown
    assert "href" not in guidelines.html("[x](javascript:alert(1))")


# ---------------------------------------------------------------------------------------------------- settings


def test_a_manager_changes_the_settings(cast: Cast) -> None:
    version = ModelVersion.objects.create(name="better", sha256="f" * 64, path="models/better.safetensors")
    sent = SETTINGS | {
        "name": "Belly", "guidelines": "Outline.", "overlap": "allowed", "double_share": "25", "review_share": "50",
        "reviews_own": "on", "gold_feedback": "on", "model_version": str(version.pk),
        "presets-0-name": "Fat", "presets-0-level": "-100", "presets-0-width": "200", "presets-1-name": "",
    }  # fmt: skip
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/settings/"
    assert client.post(address, sent).status_code == 302
    project = Project.objects.get(pk=cast.project.pk)
    assert (project.name, project.overlap, project.double_share, project.review_share) == (
        "Belly",
        "allowed",
        0.25,
        0.5,
    )
    assert (project.reviews_own, project.gold_feedback, project.model_version) == (True, True, version)
    assert project.window_presets == [{"name": "Fat", "level": -100, "width": 200}]
    assert Event.objects.get(verb="changed").details["double_share"] == 0.25
    page = client.get(address).content.decode()
    assert 'value="25' in page and 'value="Fat"' in page
    assert versions.answering(project.pk, cast.alice.pk) == version


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": "elsewhere"}, "There is a project called elsewhere already."),
        ({"double_share": "120"}, "less than or equal to 100"),
        ({"overlap": "somehow"}, "Select a valid choice"),
        ({"presets-0-name": "Fat"}, "A window preset has a name, a level and a width"),
        ({"presets-0-name": "Fat", "presets-0-level": "0", "presets-0-width": "0"}, "1 to 8000 Hounsfield units wide"),
        ({"presets-0-name": "Fat", "presets-0-level": "9999", "presets-0-width": "9"}, "lies between -2048 and 6000"),
        ({"presets-0-name": "Fat", "presets-0-level": "x", "presets-0-width": "9"}, "Enter a whole number"),
        ({"presets-0-name": "a", "presets-0-level": "0", "presets-0-width": "9",
          "presets-1-name": "A", "presets-1-level": "0", "presets-1-width": "9"}, "Two window presets are called a."),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(cast: Cast, changed: dict[str, str], sentence: str) -> None:
    response = logged_in(cast.maria).post(f"/projects/{cast.project.pk}/settings/", SETTINGS | changed)
    assert response.status_code == 400 and sentence in response.content.decode()
    project = Project.objects.get(pk=cast.project.pk)
    assert (project.name, project.window_presets) == ("Abdomen", [])


def test_nobody_sets_what_a_project_does_not_have(cast: Cast) -> None:
    with pytest.raises(ProjectRefused, match="no setting 'archived_at'"):
        projects.change(cast.project, cast.maria, archived_at=None)


# ---------------------------------------------------------------------------------------------------- archived


def test_an_archived_project_rests_and_can_be_restored(cast: Cast, tmp_path) -> None:
    Assignment.objects.filter(pk=cast.bobs.pk).update(state="handed_back")
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/settings/archive/"
    client.post(address)
    cast.project.refresh_from_db()
    assert cast.project.archived_at
    sentence = "The project Abdomen is archived, so its work rests until a manager restores it."
    assert progress.refusal(cast.alice, cast.alices) == sentence
    assert progress.moves(cast.alice, cast.alices) == progress.moves(cast.maria, cast.alices) == []
    assert assign.next_case(cast.project, cast.alice) is None
    assert not assign.waiting(cast.project).exists()
    with pytest.raises(progress.MoveRefused, match=sentence):
        progress.make("submit", cast.alice, cast.alices)
    with pytest.raises(assign.AssignRefused, match=sentence):
        assign.give(cast.bobs.task, cast.alice, cast.maria)
    with pytest.raises(outcomes.ImportRefused, match=sentence):
        imports.import_paths([tmp_path], cast.project)
    with pytest.raises(uploads.UploadRefused, match=sentence):
        uploads.receive(cast.project, cast.maria, "", [], [])
    assert "Upload series" not in client.get(f"/projects/{cast.project.pk}/cases/").content.decode()

    client.post(address, {"restore": "1"})
    assert progress.refusal(cast.alice, cast.alices) is None
    assert [event.verb for event in Event.objects.filter(kind="project")] == ["restored", "archived"]


def test_of_two_who_archive_one_did_it(cast: Cast) -> None:
    projects.archive(cast.project, cast.maria)
    projects.archive(cast.project, cast.staff)
    assert Event.objects.filter(verb="archived").count() == 1


# ---------------------------------------------------------------------------------------------------- deleted


def test_a_project_without_work_is_deleted_by_its_name(cast: Cast) -> None:
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/settings/delete/"
    response = client.post(address, {"name": "abdomen"}, follow=True)
    assert "To delete the project, type its name: Abdomen" in response.content.decode()
    assert client.post(address, {"name": "Abdomen"})["Location"] == "/projects/"
    assert not Project.objects.filter(pk=cast.project.pk).exists()
    assert Event.objects.get(verb="deleted").thing == "Abdomen"


def test_work_is_never_deleted_with_its_project(cast: Cast) -> None:
    click(cast)
    with pytest.raises(ProjectRefused, match="holds 1 interaction and 1 mask by alice, so it cannot be deleted"):
        projects.delete(cast.project, cast.maria, "Abdomen")
    assert Project.objects.filter(pk=cast.project.pk).exists() and not Event.objects.filter(verb="deleted").exists()


def test_nor_is_what_was_decided_without_a_mask(cast: Cast) -> None:
    progress.make("submit", cast.alice, cast.alices)
    with pytest.raises(ProjectRefused, match="People have decided on 1 of its cases"):
        projects.delete(cast.project, cast.maria, "Abdomen")


def test_where_cases_stand_is_counted(cast: Cast) -> None:
    Assignment.objects.filter(pk=cast.alices.pk).update(state="handed_back")
    counts = cases.counts([cast.project, cast.elsewhere])
    assert {name: number for name, number in counts[cast.project.pk].items() if number} == {
        Standing.WAITING: 1,
        Standing.ASSIGNED: 1,
    }
    assert counts[cast.elsewhere.pk][Standing.ASSIGNED] == 1
