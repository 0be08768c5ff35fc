"""The fixed cast of people for the web application's tests."""

import pytest

from annotator.annotation import jobs
from tests.annotator.factories import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def storage(settings, tmp_path):
    """An empty default storage of the test's own."""
    options = {"location": tmp_path / "storage"}
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    return tmp_path / "storage"


@pytest.fixture
def at_once(monkeypatch, django_capture_on_commit_callbacks):
    """`with at_once(): …`: jobs that are queued inside run when the block ends, as after a commit."""
    monkeypatch.setattr(jobs.compare, "apply_async", lambda arguments: jobs.compare(*arguments))
    return lambda: django_capture_on_commit_callbacks(execute=True)
