"""The OpenAPI description against the real thing: whatever it allows is answered as it says, and nothing breaks."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from rest_framework.throttling import UserRateThrottle
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from annotator.annotation import people
from annotator.annotation.models import Agreement, Comment, Comparison
from annotator.api import tokens
from annotator.api.models import ApiToken
from annotator.events import audit
from annotator.studies import store
from annotator.studies.models import Upload
from tests.annotator import factories
from tests.annotator.factories import SHAPE, Cast

pytestmark = pytest.mark.usefixtures("storage")
EXAMPLES = 4  # of each call
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}, "generation": {"mode": "all"}})
schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application(), config=CONFIG)


@pytest.fixture(autouse=True)
def one_connection():
    """Requests use the test's own connection, as those of Django's test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def maria_s(cast: Cast, monkeypatch) -> dict[str, str]:
    """The header of a token of Maria's, who may ask as often as she likes and whose jobs stay queued."""
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None})
    monkeypatch.setattr("annotator.health.inference_state", lambda: "ok")
    monkeypatch.setattr("annotator.studies.jobs.import_upload.delay", lambda upload_id: None)
    _, secret = tokens.make(cast.maria, "tests", list(ApiToken.Scope.values), 1)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def known(cast: Cast) -> dict[str, object]:
    """Numbers of things that exist, of each kind that an address speaks of."""
    series, case = cast.alices.task.series, cast.alices
    store.write(series.prefix, iter(factories.volume()), SHAPE)
    audit.note(cast.maria, "saw", case, cast.project.pk)
    comparison = Comparison.objects.create(first=case, second=cast.bobs)
    Agreement.objects.create(comparison=comparison, label=cast.liver, dice=0.5, first_ml=1, second_ml=2)
    return {
        "project_id": cast.project.pk, "assignment_id": case.pk, "task_id": case.task_id, "series_id": series.pk,
        "label_id": cast.spleen.pk, "person_id": cast.alice.pk, "comparison_id": comparison.pk,
        "comment_id": Comment.objects.create(assignment=case, person=cast.rob, text="Here.", z=0, y=1, x=2).pk,
        "invitation_id": people.invite(cast.project, "annotator", cast.maria)[0].pk,
        "upload_id": Upload.objects.create(project_id=cast.project.pk, person=cast.maria).pk,
    }  # fmt: skip


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
def test_calls_answer_as_they_are_described(case: schemathesis.Case, maria_s: dict[str, str], known) -> None:
    case.call_and_validate(headers=maria_s, checks=CHECKS)
    if case.path_parameters:
        case.path_parameters.update({name: known[name] for name in case.path_parameters})
        case.call_and_validate(headers=maria_s, checks=CHECKS)
