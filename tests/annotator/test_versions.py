"""Which checkpoint answers whom: the project's, else a trial's, else the active one."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotator import engine
from annotator.annotation import sample, versions
from annotator.annotation.models import ModelVersion, Project, Trial
from annotator.annotation.versions import TrialRefused
from annotator.events.models import Event
from annotator.inference import requests
from tests.annotator import factories
from tests.annotator.factories import Cast

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


# ------------------------------------------------------------------------------------------ activation


@pytest.fixture
def new(db) -> ModelVersion:
    return ModelVersion.objects.create(name="new", sha256="d" * 64, path="models/new.safetensors")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, requests.Message]]:
    """What the workers were sent, and on which channel."""
    sent = []

    async def send(channel: str, message: requests.Message) -> None:
        sent.append((channel, message))

    monkeypatch.setattr(requests, "send", send)
    return sent


def test_what_is_activated_is_loaded_by_every_worker(
    shipped, new, told, settings, django_capture_on_commit_callbacks
) -> None:
    settings.INFERENCE_SLOTS = 2
    with django_capture_on_commit_callbacks(execute=True):
        versions.activate(new)
    load = requests.Load("models/new.safetensors")
    assert told == [("inference-slot-0", load), ("inference-slot-1", load)]


def test_a_version_is_active_though_no_worker_could_be_told(
    shipped, new, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    async def send(channel: str, message: requests.Message) -> None:
        raise ConnectionError("Redis is away.")

    monkeypatch.setattr(requests, "send", send)
    with django_capture_on_commit_callbacks(execute=True):
        versions.activate(new)
    assert versions.active() == new


def test_the_record_says_who_activated_what(cast: Cast, shipped, new) -> None:
    old = versions.active()
    versions.activate(new, cast.staff)
    versions.activate(new, cast.staff)
    versions.activate(old, cast.staff)
    lines = Event.objects.filter(person="staff").order_by("pk").values_list("verb", "thing", "details__before")
    assert list(lines) == [("activated", "new", old.name), ("activated", old.name, "new")]


# ------------------------------------------------------------------------------------------ trials

NO_PROJECT, PEOPLE = 0, range(1, 201)


def tried() -> set[int]:
    """Of 200 people those whom the trial's version answers."""
    return {person for person in PEOPLE if versions.answering(NO_PROJECT, person).name == "new"}


def test_a_trial_answers_its_share_of_the_people_always_the_same(cast: Cast, shipped, new) -> None:
    active = versions.active()
    assert tried() == set()
    versions.begin_trial(new, 0.3, cast.staff)
    first = tried()
    assert 30 <= len(first) <= 90  # 60 expected: less than one in 100 000 lies outside
    assert tried() == first and versions.active() == active
    versions.end_trial(cast.staff)
    assert tried() == set()
    versions.begin_trial(new, 0.5, cast.staff)
    assert first < tried()


def test_another_version_is_tried_by_others(cast: Cast, shipped, new) -> None:
    versions.begin_trial(new, 0.5, cast.staff)
    first = tried()
    versions.end_trial(cast.staff)
    other = ModelVersion.objects.create(name="new", sha256="e" * 64, path="models/other.safetensors")
    versions.begin_trial(other, 0.5, cast.staff)
    assert tried() != first


def test_a_project_s_own_version_goes_before_a_trial(cast: Cast, shipped, new, monkeypatch) -> None:
    monkeypatch.setattr(sample, "drawn", lambda about, salt: 0.0)
    own = ModelVersion.objects.create(name="own", sha256="c" * 64, path="models/own.safetensors")
    Project.objects.filter(pk=cast.project.pk).update(model_version=own)
    versions.begin_trial(new, 0.5, cast.staff)
    assert versions.answering(cast.project.pk, cast.alice.pk) == own
    assert versions.answering(cast.elsewhere.pk, cast.alice.pk) == new


def test_a_version_on_trial_that_is_activated_answers_all_and_its_trial_ends(cast: Cast, shipped, new) -> None:
    versions.begin_trial(new, 0.5, cast.staff)
    versions.activate(new, cast.staff)
    assert tried() == set(PEOPLE) and Trial.objects.get().ended_at
    lines = Event.objects.filter(person="staff").order_by("pk").values_list("verb", "thing")
    assert list(lines) == [("began trial", "new"), ("activated", "new"), ("ended trial", "new")]


def test_a_trial_s_version_is_loaded_by_every_worker(
    cast: Cast, shipped, new, told, django_capture_on_commit_callbacks
) -> None:
    versions.active()
    with django_capture_on_commit_callbacks(execute=True):
        versions.begin_trial(new, 0.5, cast.staff)
    assert told == [("inference-slot-0", requests.Load("models/new.safetensors"))]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_trial_is_neither_for_nobody_nor_for_all(cast: Cast, shipped, new, share: float) -> None:
    with pytest.raises(TrialRefused, match="more than none and less than all"):
        versions.begin_trial(new, share, cast.staff)
    assert not Trial.objects.exists()


def test_the_active_version_is_not_tried(cast: Cast, shipped, new) -> None:
    versions.activate(new)
    with pytest.raises(TrialRefused, match="new answers everybody already"):
        versions.begin_trial(new, 0.5, cast.staff)


def test_a_checkpoint_that_is_gone_is_not_tried(cast: Cast, shipped, new) -> None:
    old = versions.active()
    shipped("b" * 64)
    with pytest.raises(TrialRefused, match="is gone"):
        versions.begin_trial(old, 0.5, cast.staff)


def test_one_trial_runs_at_a_time(cast: Cast, shipped, new) -> None:
    versions.begin_trial(new, 0.5, cast.staff)
    other = ModelVersion.objects.create(name="other", sha256="e" * 64, path="models/other.safetensors")
    with pytest.raises(TrialRefused, match="A trial is running"):
        versions.begin_trial(other, 0.5, cast.staff)
    assert Trial.objects.get().version == new
    assert Event.objects.filter(verb="began trial").count() == 1


def test_where_no_trial_runs_none_ends(cast: Cast, shipped, new) -> None:
    with pytest.raises(TrialRefused, match="No trial is running"):
        versions.end_trial(cast.staff)
    versions.begin_trial(new, 0.5, cast.staff)
    versions.end_trial(cast.staff)
    with pytest.raises(TrialRefused, match="No trial is running"):
        versions.end_trial(cast.staff)
