"""Which checkpoint answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotator import engine
from annotator.annotation import versions
from annotator.annotation.models import ModelVersion
from tests.annotator import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch):
    """Lets a test say which checkpoint comes with the code."""

    def ship(sha256: str) -> None:
        checkpoint = (Path("default.safetensors"), sha256, {"architecture": {"name": "unet"}})
        monkeypatch.setattr(engine, "default_checkpoint", lambda: checkpoint)

    ship("a" * 64)
    return ship


def test_the_shipped_checkpoint_answers_where_none_does(shipped) -> None:
    version = versions.active()
    assert (version.sha256, version.path, version.active) == ("a" * 64, "default", True)
    assert version.header == {"architecture": {"name": "unet"}}
    assert versions.active() == version
    assert ModelVersion.objects.count() == 1


def test_an_upgrade_s_checkpoint_takes_over_from_the_one_it_replaced(shipped) -> None:
    old = versions.active()
    shipped("b" * 64)
    new = versions.active()
    old.refresh_from_db()
    assert (new.sha256, new.active, old.active) == ("b" * 64, True, False)


def test_a_version_of_one_s_own_stays(shipped) -> None:
    own = ModelVersion.objects.create(name="own", sha256="c" * 64, path="models/own.safetensors", active=True)
    assert versions.active() == own


def test_only_one_is_active(shipped) -> None:
    first, second = versions.active(), factories.make_version()
    versions.activate(second)
    versions.activate(first)
    assert list(ModelVersion.objects.filter(active=True)) == [first]


def test_a_checkpoint_of_one_s_own_is_registered_and_activated(storage) -> None:
    shipped = engine.default_checkpoint()[0]
    call_command("register_model", str(shipped), "--name", "mine", "--activate")
    version = versions.active()
    assert version.name == "mine" and (storage / version.path).read_bytes() == shipped.read_bytes()
    call_command("register_model", str(shipped))
    assert ModelVersion.objects.count() == 1


@pytest.mark.parametrize("content", [b"", b"not a model", None], ids=["empty", "text", "missing"])
def test_a_file_that_is_no_checkpoint_is_refused_in_one_sentence(content, storage, tmp_path) -> None:
    file = tmp_path / "model.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=r"model\.safetensors.*\.$"):
        call_command("register_model", str(file))
    assert not ModelVersion.objects.exists() and not storage.exists()
