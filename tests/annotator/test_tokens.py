"""Tokens: made and shown once on the account page, good within their scopes until they expire or are revoked."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotator import onetime
from annotator.api import tokens
from annotator.api.models import ApiToken
from tests.annotator.factories import Cast
from tests.annotator.test_api import logged_in


def ask(secret: str, address: str = "/api/v1/me/", method: str = "get", **body: Any) -> Any:
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return getattr(client, method)(address, body, content_type="application/json")


def test_made_on_the_account_page_and_shown_once(cast: Cast) -> None:
    client = logged_in(cast.alice)
    page = client.post("/account/tokens/", {"name": "script", "scopes": ["read", "work"], "days": 7}).content.decode()
    shown = re.search(r'value="(ann_[\w-]{43})"', page)
    assert shown
    token = ApiToken.objects.get()
    assert token.digest == onetime.digest(shown[1]) and token.last_used_at is None
    assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)
    assert "ann_" not in client.get("/account/").content.decode()
    assert ask(shown[1]).json() == {
        "id": cast.alice.pk, "username": "alice", "first_name": "", "last_name": "", "email": "", "is_staff": False,
        "scopes": ["read", "work"],
    }  # fmt: skip
    token.refresh_from_db()
    assert token.last_used_at
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    refused = ask(shown[1])
    assert (refused.status_code, refused.json()) == (401, {"error": "This token was revoked."})
    assert refused["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("change", [{"days": 0}, {"days": 366}, {"scopes": []}, {"scopes": ["rule"]}, {"name": " "}])
def test_a_token_that_is_not_made(cast: Cast, change: dict[str, Any]) -> None:
    fields = {"name": "script", "scopes": ["read"], "days": 7, **change}
    assert logged_in(cast.alice).post("/account/tokens/", fields).status_code == 400
    with pytest.raises(tokens.TokenRefused):
        tokens.make(cast.alice, fields["name"], fields["scopes"], fields["days"])
    assert not ApiToken.objects.exists()


def test_nobody_revokes_another_s(cast: Cast) -> None:
    token, secret = tokens.make(cast.alice, "script", ["read"], 7)
    assert logged_in(cast.maria).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert ask(secret).status_code == 200


def test_an_expired_one(cast: Cast) -> None:
    _, secret = tokens.make(cast.alice, "script", ["read"], 7)
    ApiToken.objects.update(expires_at=timezone.now())
    refused = ask(secret)
    assert refused.status_code == 401 and refused.json()["error"].startswith("This token expired on 20")


def test_of_a_deactivated_person(cast: Cast) -> None:
    _, secret = tokens.make(cast.alice, "script", ["read"], 7)
    cast.alice.is_active = False
    cast.alice.save()
    refused = ask(secret)
    assert (refused.status_code, refused.json()) == (401, {"error": "The person of this token is deactivated."})


@pytest.mark.parametrize("header", ["Bearer", "Bearer ann_nothing", "Bearer \xff\x00", "Basic YTpi", ""])
def test_what_is_no_token(cast: Cast, header: str) -> None:
    refused = Client(headers={"Authorization": header}).get("/api/v1/me/")
    assert refused.status_code == 401 and refused.json()["error"]


@pytest.mark.parametrize(
    ("scope", "gets", "works", "manages"), [("read", 200, 403, 403), ("work", 200, 200, 403), ("manage", 200, 403, 201)]
)
def test_scopes(cast: Cast, scope: str, gets: int, works: int, manages: int) -> None:
    cast.alices.person = cast.maria
    cast.alices.save()
    _, secret = tokens.make(cast.maria, "script", [scope], 7)
    label = {"name": "kidney", "value": 3, "colour": "#00ff00"}
    assert ask(secret, f"/api/v1/assignments/{cast.alices.pk}/").status_code == gets
    assert ask(secret, f"/api/v1/assignments/{cast.alices.pk}/moves/", "post", move="submit").status_code == works
    assert ask(secret, f"/api/v1/projects/{cast.project.pk}/labels/", "post", **label).status_code == manages


def test_to_withdraw_a_case_is_to_manage(cast: Cast) -> None:
    _, secret = tokens.make(cast.maria, "script", ["work"], 7)
    refused = ask(secret, f"/api/v1/assignments/{cast.alices.pk}/moves/", "post", move="withdraw")
    assert (refused.status_code, refused.json()) == (403, {"error": "This token lacks the scope “manage”."})


def test_a_token_opens_no_page(cast: Cast) -> None:
    _, secret = tokens.make(cast.alice, "script", list(ApiToken.Scope.values), 7)
    assert ask(secret, "/account/").status_code == 302
