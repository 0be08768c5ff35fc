"""What the tests of learning share: an empty storage and working folder of the test's own."""

from __future__ import annotations

import pytest

from tests.annotator.conftest import at_once, cast, storage  # noqa: F401 (fixtures)


@pytest.fixture(autouse=True)
def as_important_as_the_test(settings):
    """Processes of segmodel do not wait for all others, as they do where people click."""
    settings.LEARNING_NICE = 0


@pytest.fixture(autouse=True)
def working_folder(settings, tmp_path, storage):  # noqa: F811
    """Where jobs work: below the test's own folder."""
    settings.LEARNING = tmp_path / "learning"
    return settings.LEARNING
