"""`/healthz`: whether this process can serve a click."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse

from annotator.annotation.models import ModelVersion


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 once database and inference are ready, else 503; the body says which is not."""
    state = parts()
    return JsonResponse(state, status=200 if state["status"] == "ok" else 503)


def parts() -> dict[str, str]:
    """What each part says, and as `status` what they come to: `ok` or `starting`."""
    found = {"web": "ok", "database": database_state(), "inference": inference_state()}
    return {"status": "ok" if set(found.values()) == {"ok"} else "starting", **found}


def database_state() -> str:
    """`ok`, or `away` while it cannot be reached or has not been migrated."""
    try:
        ModelVersion.objects.exists()
    except DatabaseError:
        return "away"
    return "ok"


def inference_state() -> str:
    """`ok`, or `away` while no worker answers."""
    from annotator.inference.status import ready

    return "ok" if ready() else "away"
