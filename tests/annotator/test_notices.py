"""News for people: told once, shown until it is seen, mailed once a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from annotator import jobs
from annotator.annotation import assign, news, progress
from annotator.annotation.models import Task
from annotator.events import digest, language, notices
from annotator.events.models import Notice
from tests.annotator.factories import Cast, make_series
from tests.annotator.test_api import logged_in

KIND = Notice.Kind.RETURNED


def texts(person) -> list[str]:
    return [notice.sentence for notice in notices.unseen(person).order_by("pk")]


def tell(person, reason: str, url: str = "/") -> Notice:
    return notices.tell(person, KIND, url, series="Abdomen", reason=reason)


def make_task(cast: Cast, **fields) -> Task:
    return Task.objects.create(project=cast.project, series=make_series(), **fields)


def test_news_is_listed_followed_and_then_seen(cast: Cast) -> None:
    told = tell(cast.alice, "The dome.", f"/cases/{cast.alices.pk}/")
    tell(cast.alice, "Another one.", "/")
    client = logged_in(cast.alice)
    page = client.get("/notices/").content.decode()
    assert "The dome." in page and "data-unseen>2<" in page
    answer = client.get(f"/notices/{told.pk}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/cases/{cast.alices.pk}/")
    assert texts(cast.alice) == ["Abdomen came back: Another one."]
    client.post("/notices/seen/")
    assert texts(cast.alice) == []
    assert "data-unseen hidden>0<" in client.get("/").content.decode()


def test_an_empty_list_says_what_will_be_there(cast: Cast) -> None:
    assert "You are told here when a case is given to you" in logged_in(cast.alice).get("/notices/").content.decode()


def test_nobody_follows_somebody_else_s(cast: Cast) -> None:
    told = tell(cast.alice, "For Alice.", "/")
    client = logged_in(cast.staff)
    assert client.get(f"/notices/{told.pk}/").status_code == 404
    client.post("/notices/seen/")
    assert texts(cast.alice) == ["Abdomen came back: For Alice."]


def test_no_notice_leads_off_the_site(cast: Cast) -> None:
    told = tell(cast.alice, "Odd.", "//elsewhere.example/")
    assert logged_in(cast.alice).get(f"/notices/{told.pk}/")["Location"] == "/notices/"


def test_cases_that_somebody_gives_are_one_notice(cast: Cast) -> None:
    cast.alices.delete()
    assign.give(make_task(cast), cast.alice, cast.maria)
    assert texts(cast.alice) == ["You have 1 new case of Abdomen."]
    assign.spread([make_task(cast) for _ in range(3)], [cast.alice], cast.maria)
    assert texts(cast.alice) == ["You have 4 new cases of Abdomen."]


def test_who_takes_a_case_is_told_nothing(cast: Cast) -> None:
    assign.give(make_task(cast), cast.alice, cast.alice)
    assert texts(cast.alice) == []


def test_what_is_due_soon_is_told_once(cast: Cast) -> None:
    today = timezone.localdate()
    for days, person in ((0, cast.alice), (2, cast.alice), (2, cast.alice), (3, cast.alice), (-1, cast.bob)):
        assign.give(make_task(cast, due_on=today + timedelta(days=days)), person, person)
    assert (news.due_soon(today), news.due_soon(today)) == (2, 0)
    assert texts(cast.alice) == [
        f"1 case of Abdomen is due on {today}.",
        f"2 cases of Abdomen are due on {today + timedelta(days=2)}.",
    ]
    assert texts(cast.bob) == []


def test_what_is_done_is_not_due(cast: Cast) -> None:
    today = timezone.localdate()
    case = assign.give(make_task(cast, due_on=today), cast.alice, cast.alice)
    progress.make("submit", cast.alice, case)
    assert news.due_soon(today) == 0


def test_a_notice_is_read_in_its_reader_s_language_whoever_caused_it(cast: Cast) -> None:
    tell(cast.alice, "Die Kuppel")
    Notice.objects.create(person=cast.alice, kind=KIND, text="As it was written once.", url="/")
    client = logged_in(cast.alice)
    assert "Abdomen came back: Die Kuppel" in client.get("/notices/").content.decode()
    client.post("/account/language/", {"language": "de"})
    page = client.get("/notices/").content.decode()
    assert "Abdomen kam zurück: Die Kuppel" in page and "As it was written once." in page


def test_a_mail_is_in_the_language_last_chosen_or_that_of_the_last_log_in(cast: Cast, mails: list) -> None:
    logged_in(cast.alice).post("/account/language/", {"language": "de"})
    tell(cast.alice, "Die Kuppel")
    digest.send()
    Client().post("/login/", {"username": "alice", "password": "secret"}, headers={"accept-language": "en"})
    tell(cast.alice, "Another one.")
    digest.send()
    assert [sent.subject for sent in mails] == [
        "Annotator: 1 Mitteilung für Sie",
        "Annotator: 1 notice for you",
    ]
    assert "kam zurück" in mails[0].body and "came back" in mails[1].body


def test_no_language_that_there_is_not(cast: Cast) -> None:
    logged_in(cast.alice).post("/account/language/", {"language": "tlh"})
    assert language.of(cast.alice.pk) == language.of(cast.bob.pk) == "en-gb"


@pytest.fixture
def mails(cast: Cast, settings) -> list:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SITE_URL = "https://ct.example.org"
    cast.alice.email = "alice@example.org"
    cast.alice.save()
    return mail.outbox


def test_the_digest_has_what_was_not_seen_once(cast: Cast, mails: list, capsys) -> None:
    seen = tell(cast.alice, "Old.", "/")
    notices.see(cast.alice, seen)
    tell(cast.alice, "The dome.", "/cases/1/")
    tell(cast.alice, "Another one.", "/")
    tell(cast.bob, "He has no address.", "/")
    call_command("send_digest")
    assert capsys.readouterr().out == "1 mail sent.\n"
    [sent] = mails
    assert (sent.to, sent.subject) == (["alice@example.org"], "Annotator: 2 notices for you")
    assert (
        "* Abdomen came back: The dome.\n  https://ct.example.org/cases/1/\n* Abdomen came back: Another one."
        in sent.body
    )
    assert "Old." not in sent.body
    assert digest.send() == 0
    assert len(texts(cast.alice)) == 2  # still to be seen in the app


def test_who_may_not_log_in_gets_no_mail(cast: Cast, mails: list) -> None:
    tell(cast.alice, "The dome.", "/")
    cast.alice.is_active = False
    cast.alice.save()
    assert digest.send() == 0 == len(mails)


def test_a_mail_that_fails_is_sent_the_next_time(cast: Cast, mails: list, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(cast.alice, "The dome.", "/")

    def refuse(*args: object) -> None:
        raise ConnectionRefusedError("no mail server")

    with monkeypatch.context() as patch:
        patch.setattr(digest, "send_mail", refuse)
        assert digest.send() == 0
    assert digest.send() == 1


def test_every_morning_both_are_done(cast: Cast, mails: list) -> None:
    today = timezone.localdate()
    assign.give(make_task(cast, due_on=today), cast.alice, cast.alice)
    for _ in range(2):
        jobs.every_morning()
    assert [sent.subject for sent in mails] == ["Annotator: 1 notice for you"]
