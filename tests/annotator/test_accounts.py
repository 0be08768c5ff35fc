"""Accounts: one's own, a new password by mail, and the admins' list of people."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotator.api import tokens
from annotator.events.models import Event
from tests.annotator.factories import Cast
from tests.annotator.test_api import logged_in


def test_name_and_address(cast: Cast) -> None:
    client = logged_in(cast.alice)
    fields = {"first_name": "Alice", "last_name": "A.", "email": "alice@example.org"}
    assert client.post("/account/", fields)["Location"] == "/account/"
    page = client.get("/account/").content.decode()
    assert 'value="alice@example.org"' in page and "Abdomen" in page
    assert client.post("/account/", {"email": "nowhere"}).status_code == 400
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@example.org"


def test_the_language_is_kept(cast: Cast) -> None:
    client = logged_in(cast.alice)
    client.post("/account/language/", {"language": "de", "next": "/account/"})
    assert '<html lang="de"' in client.get("/account/").content.decode()


def test_the_password_is_changed_and_the_session_goes_on(cast: Cast) -> None:
    client = logged_in(cast.alice)
    fields = {"old_password": "secret", "new_password1": "sieben-zwerge", "new_password2": "sieben-zwerge"}
    assert client.post("/account/password/", {**fields, "old_password": "wrong"}).status_code == 200
    assert client.post("/account/password/", fields)["Location"] == "/account/password/done/"
    assert client.get("/account/password/done/").status_code == 200
    assert Client().login(username="alice", password="sieben-zwerge")


def test_a_new_password_by_mail(cast: Cast, mailoutbox) -> None:
    User.objects.filter(username="alice").update(email="alice@example.org")
    client = Client()
    assert client.get("/password/").status_code == 200
    assert client.post("/password/", {"email": "alice@example.org"})["Location"] == "/password/sent/"
    assert client.post("/password/", {"email": "nobody@example.org"})["Location"] == "/password/sent/"
    (mail,) = mailoutbox
    link = re.search(r"http://testserver(/password/\S+)", mail.body)
    assert link and "alice" in mail.body
    form = client.get(link[1])["Location"]
    assert "Choose a new password" in client.get(form).content.decode()
    fields = {"new_password1": "sieben-zwerge", "new_password2": "sieben-zwerge"}
    assert "sieben" not in client.post(form, fields, follow=True).content.decode()
    assert Client().login(username="alice", password="sieben-zwerge")
    assert "used already or is too old" in Client().get(link[1]).content.decode()


def test_admins_find_people(cast: Cast) -> None:
    User.objects.filter(username="bob").update(last_name="Builder")
    client = logged_in(cast.staff)
    assert client.get("/people/").content.decode().count('<td><a href="/people/') == 6
    assert re.findall(r'<a href="/people/(\d+)/"', client.get("/people/?q=build").content.decode()) == [
        str(cast.bob.pk)
    ]
    assert "Nobody has this name" in client.get("/people/?q=%00zzz").content.decode()


@pytest.mark.parametrize("name", ["alice", "maria"])
def test_nobody_else_does(cast: Cast, name: str) -> None:
    client = logged_in(getattr(cast, name))
    assert client.get("/people/").status_code == client.get(f"/people/{cast.bob.pk}/").status_code == 404
    assert client.post(f"/people/{cast.bob.pk}/deactivate/").status_code == 404


def test_deactivated_at_once_and_back_again(cast: Cast) -> None:
    hers, admin = logged_in(cast.alice), logged_in(cast.staff)
    token, _ = tokens.make(cast.alice, "script", ["read"], 1)
    page = admin.get(f"/people/{cast.alice.pk}/").content.decode()
    assert f"/cases/{cast.alices.pk}/" in page and "Deactivate" in page
    assert admin.post(f"/people/{cast.alice.pk}/deactivate/").status_code == 302
    assert hers.get("/").status_code == 302
    token.refresh_from_db()
    assert token.revoked_at
    assert "Deactivate" not in admin.get(f"/people/{cast.alice.pk}/").content.decode()
    admin.post(f"/people/{cast.alice.pk}/reactivate/")
    assert hers.get("/").status_code == 302  # the session is gone for good
    assert logged_in(User.objects.get(username="alice")).get(f"/cases/{cast.alices.pk}/").status_code == 200
    assert set(Event.objects.values_list("verb", flat=True)) >= {"deactivated", "reactivated"}


def test_admins_are_made_and_unmade(cast: Cast) -> None:
    admin = logged_in(cast.staff)
    admin.post(f"/people/{cast.alice.pk}/make_admin/")
    alice = logged_in(User.objects.get(username="alice"))
    assert alice.get("/people/").status_code == alice.get("/admin/").status_code == 200
    admin.post(f"/people/{cast.alice.pk}/end_admin/")
    assert alice.get("/people/").status_code == 404


@pytest.mark.parametrize("deed", ["deactivate", "end_admin"])
def test_nobody_shuts_themselves_out(cast: Cast, deed: str) -> None:
    response = logged_in(cast.staff).post(f"/people/{cast.staff.pk}/{deed}/")
    assert response.status_code == 409 and "another admin can" in response.content.decode()
    cast.staff.refresh_from_db()
    assert cast.staff.is_active and cast.staff.is_staff


def test_what_an_admin_cannot_do(cast: Cast) -> None:
    assert logged_in(cast.staff).post(f"/people/{cast.alice.pk}/praise/").status_code == 404
    cast.alice.is_active = False
    cast.alice.save()
    assert logged_in(cast.staff).post(f"/people/{cast.alice.pk}/make_admin/").status_code == 409
