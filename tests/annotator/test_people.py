"""People of a project: invited, joined, changed, and out again with their cases looked after."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotator import onetime
from annotator.annotation import adjudication, assign, people, progress, review
from annotator.annotation.models import Assignment, Invitation, Membership
from annotator.annotation.people import PeopleRefused
from annotator.events.models import Event
from tests.annotator.factories import Cast, make_cast, make_double, make_person, make_series
from tests.annotator.test_api import logged_in
from tests.annotator.together import at_once

S = Assignment.State
CHECK = Assignment.Kind.CHECK
NEW = {
    "username": "nora", "first_name": "Nora", "last_name": "New", "email": "nora@example.org",
    "password1": "sieben-zwerge", "password2": "sieben-zwerge",
}  # fmt: skip


def membership(cast: Cast, person: User) -> Membership:
    return Membership.objects.get(project=cast.project, person=person)


def invite(cast: Cast, email: str = "") -> tuple[Any, str]:
    """The page that answers, and the invitation's link where it shows one."""
    page = logged_in(cast.maria).post(f"/projects/{cast.project.pk}/invitations/", {"role": "reviewer", "email": email})
    link = re.search(r"http://testserver(/invitations/[\w-]+/)", page.content.decode())
    return page, link[1] if link else ""


def test_by_a_link_somebody_new_signs_up_and_belongs(cast: Cast) -> None:
    _, link = invite(cast)
    assert Invitation.objects.get().digest == onetime.digest(link.split("/")[2])
    client = Client()
    page = client.get(link).content.decode()
    assert "maria invites you to take part as Reviewer" in page and "I have an account" in page
    response = client.post(link, NEW)
    assert (response.status_code, response["Location"]) == (302, f"/projects/{cast.project.pk}/")
    assert client.get(f"/projects/{cast.project.pk}/").status_code == 200
    nora = User.objects.get(username="nora")
    assert membership(cast, nora).role == "reviewer"
    assert Event.objects.filter(verb="joined", person="nora", project_id=cast.project.pk).exists()
    page = Client().get(link).content.decode()
    assert "This invitation has been used" in page and "<form" not in page


def test_who_is_logged_in_joins_with_one_press(cast: Cast) -> None:
    _, link = invite(cast)
    assert "Join as eve" in logged_in(cast.eve).get(link).content.decode()
    assert logged_in(cast.eve).post(link).status_code == 302
    assert membership(cast, cast.eve).role == "reviewer"


def test_by_mail(cast: Cast, mailoutbox) -> None:
    page, link = invite(cast, "nora@example.org")
    assert not link and "on its way to nora@example.org" in page.content.decode()
    (mail,) = mailoutbox
    assert mail.to == ["nora@example.org"] and mail.subject == "Invitation to Abdomen"
    found = re.search(r"http://testserver(/invitations/\S+)", mail.body)
    assert found and 'value="nora@example.org"' in Client().get(found[1]).content.decode()


def test_a_mail_that_cannot_be_sent_leaves_the_link(cast: Cast, monkeypatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("annotator.accounts.letters.send_mail", broken)
    page, link = invite(cast, "nora@example.org")
    assert link and "could not be sent" in page.content.decode()


def test_sent_again_the_old_link_ends(cast: Cast, mailoutbox) -> None:
    invite(cast, "nora@example.org")
    made = Invitation.objects.get()
    Invitation.objects.update(expires_at=timezone.now())
    logged_in(cast.maria).post(f"/projects/{cast.project.pk}/invitations/{made.pk}/renew/")
    old, new = (re.search(r"/invitations/\S+", mail.body) for mail in mailoutbox)
    assert old and new
    assert Client().get(old[0]).status_code == 404
    assert "Sign up and join" in Client().get(new[0]).content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "was good for 14 days and has expired"),
        ({"withdrawn_at": timezone.now()}, "This invitation was withdrawn"),
        ({"accepted_at": timezone.now()}, "This invitation has been used"),
    ],
)
def test_a_link_that_ended_says_why(cast: Cast, fields: dict[str, Any], sentence: str) -> None:
    _, link = invite(cast)
    Invitation.objects.update(**fields)
    assert sentence in Client().get(link).content.decode()
    assert sentence in logged_in(cast.eve).post(link).content.decode()
    assert sentence in Client().post(link, NEW).content.decode()
    assert not User.objects.filter(username="nora").exists()
    assert not Membership.objects.filter(project=cast.project, person=cast.eve).exists()


def test_a_member_stays_what_they_are_and_the_link_good(cast: Cast) -> None:
    _, link = invite(cast)
    logged_in(cast.alice).post(link)
    assert membership(cast, cast.alice).role == "annotator"
    assert people.why_ended(Invitation.objects.get()) is None


@pytest.mark.parametrize("change", [{"username": "ALICE"}, {"password1": "short", "password2": "short"}, {"email": ""}])
def test_a_sign_up_that_is_refused_leaves_nothing(cast: Cast, change: dict[str, str]) -> None:
    _, link = invite(cast)
    response = Client().post(link, {**NEW, **change})
    assert response.status_code == 400 and "errorlist" in response.content.decode()
    assert not User.objects.filter(email=NEW["email"]).exists()


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_a_link_at_once_one_comes_in() -> None:
    cast = make_cast()
    made, _ = people.invite(cast.project, "annotator", cast.maria)
    strangers = [make_person("nora"), make_person("otto")]
    outcomes = at_once(2, lambda i: people.join(Invitation.objects.get(pk=made.pk), strangers[i]))
    assert sorted(type(one).__name__ for one in outcomes) == ["Membership", "PeopleRefused"]


def test_role_and_skills_are_changed_in_place(cast: Cast) -> None:
    address = f"/projects/{cast.project.pk}/people/{cast.alice.pk}/"
    page = logged_in(cast.maria).post(address, {"role": "reviewer", "skills": " liver, spleen,liver, "})
    assert page.status_code == 200 and "saved" in page.content.decode()
    changed = membership(cast, cast.alice)
    assert (changed.role, changed.skills) == ("reviewer", ["liver", "spleen"])


@pytest.mark.parametrize("fields", [{"role": "king"}, {"skills": "x" * 33}, {"skills": ",".join(map(str, range(21)))}])
def test_no_other_role_and_no_endless_skills(cast: Cast, fields: dict[str, str]) -> None:
    address = f"/projects/{cast.project.pk}/people/{cast.alice.pk}/"
    assert logged_in(cast.maria).post(address, {"role": "reviewer", **fields}).status_code == 409
    assert membership(cast, cast.alice).role == "annotator"


def test_the_last_manager_stays_one(cast: Cast) -> None:
    sentence = "maria is the last manager of Abdomen"
    with pytest.raises(PeopleRefused, match=sentence):
        people.change(membership(cast, cast.maria), cast.maria, "annotator")
    with pytest.raises(PeopleRefused, match=sentence):
        people.remove(membership(cast, cast.maria), cast.staff)
    cast.rob.is_active = False
    cast.rob.save()
    Membership.objects.filter(person=cast.rob).update(role="manager")
    with pytest.raises(PeopleRefused, match=sentence):
        people.change(membership(cast, cast.maria), cast.maria, "annotator")
    people.change(membership(cast, cast.alice), cast.maria, "manager")
    people.change(membership(cast, cast.maria), cast.maria, "annotator")


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_managers_cannot_remove_each_other() -> None:
    cast = make_cast()
    people.change(membership(cast, cast.rob), cast.maria, "manager")
    two = [membership(cast, cast.rob), membership(cast, cast.maria)]
    at_once(2, lambda i: people.remove(two[i], two[1 - i].person))
    assert Membership.objects.filter(project=cast.project, role="manager").count() == 1


def test_who_leaves_hands_open_cases_on(cast: Cast) -> None:
    done = assign.give(cast.project.tasks.create(series=make_series()), cast.alice, cast.maria)
    Assignment.objects.filter(pk=done.pk).update(state=S.SUBMITTED)
    address = f"/projects/{cast.project.pk}/people/{cast.alice.pk}/remove/"
    assert "One open case" in logged_in(cast.maria).get(address).content.decode()
    response = logged_in(cast.maria).post(address, {"heir": membership(cast, cast.rob).pk, "keep_work": "on"})
    assert (response.status_code, response["Location"]) == (302, f"/projects/{cast.project.pk}/people/")
    assert not Membership.objects.filter(project=cast.project, person=cast.alice).exists()
    states = Assignment.objects.filter(person=cast.alice).values_list("pk", "state")
    assert set(states) == {(cast.alices.pk, S.HANDED_BACK), (done.pk, S.SUBMITTED)}
    assert Assignment.objects.get(task=cast.alices.task, person=cast.rob).state == S.ASSIGNED


def test_without_an_heir_they_wait_for_anybody(cast: Cast) -> None:
    logged_in(cast.maria).post(f"/projects/{cast.project.pk}/people/{cast.alice.pk}/remove/", {"heir": ""})
    assert cast.alices.task in assign.waiting(cast.project)


@pytest.mark.parametrize("has_heir", [True, False])
def test_what_nobody_else_can_go_on_with_is_withdrawn(cast: Cast, has_heir: bool) -> None:
    Membership.objects.filter(person=cast.alice).update(role="reviewer")
    progress.make("submit", cast.bob, cast.bobs)
    revision = review.revise(cast.bobs, cast.alice)
    pair = make_double(cast.project, cast.bob, cast.rob)
    Assignment.objects.filter(pk__in=[one.pk for one in pair]).update(state=S.SUBMITTED)
    adjudicated = adjudication.begin(pair[0].task, cast.alice)
    finished = Assignment.objects.create(
        task=make_double(cast.project, cast.rob)[0].task, person=cast.alice, kind=CHECK
    )
    check = Assignment.objects.create(task=make_double(cast.project, cast.rob)[0].task, person=cast.alice, kind=CHECK)
    for one, state in ((check, S.IN_PROGRESS), (finished, S.SUBMITTED)):
        progress.begin(one, cast.maria)
        Assignment.objects.filter(pk=one.pk).update(state=state)
    Assignment.objects.create(
        task=make_double(cast.project, cast.rob)[0].task, person=cast.alice, kind=CHECK
    )  # planned
    cast.project.tasks.filter(assignments__kind=CHECK).update(gold=True)
    leaver: Any = people.members(cast.project).get(person=cast.alice)
    assert leaver.open_cases == people.remove(leaver, cast.maria, cast.bob if has_heir else None) == 4
    withdrawn = {cast.alices.pk, revision.pk, adjudicated.pk, check.pk}
    states = Assignment.objects.filter(person=cast.alice).values_list("pk", "state")
    assert dict(states) == {**dict.fromkeys(withdrawn, S.HANDED_BACK), finished.pk: S.SUBMITTED}
    assert cast.bob.assignments.filter(task__in=[check.task, adjudicated.task]).get() == pair[0]
    assert review.next_case(cast.rob, cast.project) == cast.bobs
    assert adjudication.begin(pair[0].task, cast.maria).person == cast.maria


def test_all_or_nothing(cast: Cast) -> None:
    task = cast.project.tasks.create(series=make_series(), readings=2)
    assign.give(task, cast.alice, cast.maria)
    assign.give(task, cast.bob, cast.maria)
    with pytest.raises(PeopleRefused, match="bob has Abdomen already"):
        people.remove(membership(cast, cast.alice), cast.maria, cast.bob)
    cast.alices.refresh_from_db()
    assert cast.alices.state == S.ASSIGNED and membership(cast, cast.alice)


def test_removed_twice_is_refused(cast: Cast) -> None:
    first, second = membership(cast, cast.alice), membership(cast, cast.alice)
    people.remove(first, cast.maria)
    with pytest.raises(PeopleRefused, match="alice is no member any more"):
        people.remove(second, cast.maria)


def test_only_managers_reach_the_page(cast: Cast) -> None:
    for who in (cast.alice, cast.rob, cast.eve):
        assert logged_in(who).get(f"/projects/{cast.project.pk}/people/").status_code == 404
    assert logged_in(cast.maria).get(f"/projects/{cast.project.pk}/people/{cast.eve.pk}/remove/").status_code == 404
