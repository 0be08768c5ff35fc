"""Promotion: the gate's word, one row, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from annotator.annotation import versions
from annotator.annotation.models import ModelVersion
from annotator.learning import promotion, registry
from annotator.learning.models import Lineage, Manifest, Promotion, Verdict
from annotator.learning.promotion import PromotionRefused
from annotator.learning.registry import RegistryRefused
from segmodel import checkpoint
from tests.annotator import factories
from tests.annotator.factories import Cast
from tests.segmodel import toys

pytestmark = pytest.mark.usefixtures("storage")


@pytest.fixture
def candidate(db: None, storage: Path, tmp_path: Path) -> ModelVersion:
    """A version with a file of its own."""
    versions.active()
    toys.checkpoint().save(tmp_path / "toy.safetensors")
    return versions.register(tmp_path / "toy.safetensors", "candidate")


def judge(candidate: ModelVersion, passed: bool, frozen: bool = True, sentences: tuple[str, ...] = ()) -> Verdict:
    counts = {"masks": 1, "cases": 1, "people": ["alice"], "patients": {}, "labels": {}}
    manifest = Manifest.objects.create(sha256="a" * 64, path="x", parts=["gold"], labels=["liver"], counts=counts)
    return Verdict.objects.create(
        candidate=candidate, in_use=versions.active(), manifest=manifest if frozen else None, passed=passed,
        rule={"clicks": 3, "least_gain": 0.0, "tolerance": 0.005}, sentences=list(sentences),
    )  # fmt: skip


def test_a_candidate_that_passed_answers_clicks_and_one_press_goes_back(cast: Cast, candidate: ModelVersion) -> None:
    before = versions.active()
    verdict = judge(candidate, passed=True)
    made = promotion.promote(candidate, cast.staff)
    assert versions.active() == candidate
    assert (made.replaced, made.verdict, made.person) == (before, verdict, cast.staff)
    assert promotion.previous() == before
    back = promotion.roll_back(cast.staff)
    assert versions.active() == before
    assert (back.kind, back.replaced) == (Promotion.Kind.ROLLED_BACK, candidate)


def test_what_served_before_needs_no_verdict(cast: Cast, candidate: ModelVersion) -> None:
    before = versions.active()
    judge(candidate, passed=True)
    promotion.promote(candidate, cast.staff)
    promotion.promote(before, cast.staff)
    assert versions.active() == before


@pytest.mark.parametrize(
    ("judged", "sentence"),
    [
        (None, "The gate has not judged candidate yet."),
        ({"passed": False, "sentences": ("The liver lost 0.03.",)}, "candidate has not passed the gate: The liver lost 0.03."),
        ({"passed": False, "frozen": False}, "There was nothing to judge it by. Say why it is to answer clicks all the same."),
    ],
)  # fmt: skip
def test_what_has_not_passed_is_not_promoted(cast: Cast, candidate: ModelVersion, judged, sentence: str) -> None:
    if judged:
        judge(candidate, **judged)
    with pytest.raises(PromotionRefused) as refused:
        promotion.promote(candidate, cast.staff)
    assert str(refused.value) == sentence
    assert versions.active() != candidate and not Promotion.objects.exists()


def test_where_nothing_can_be_judged_a_person_says_why(cast: Cast, candidate: ModelVersion) -> None:
    judge(candidate, passed=False, frozen=False)
    made = promotion.promote(candidate, cast.staff, reason="Tried by hand on ten cases.")
    assert versions.active() == candidate and made.reason == "Tried by hand on ten cases."


def test_a_checkpoint_that_is_gone_is_not_promoted(cast: Cast, candidate: ModelVersion, storage) -> None:
    judge(candidate, passed=True)
    (storage / candidate.path).unlink()
    with pytest.raises(PromotionRefused, match="checkpoint of candidate is gone"):
        promotion.promote(candidate, cast.staff)


def test_without_a_version_before_nothing_is_rolled_back(cast: Cast) -> None:
    with pytest.raises(PromotionRefused, match="no version before this one"):
        promotion.roll_back(cast.staff)


def test_rows_of_decisions_are_written_once(cast: Cast, candidate: ModelVersion) -> None:
    judge(candidate, passed=True)
    made = promotion.promote(candidate, cast.staff)
    for attempt in (made.save, made.delete, Promotion.objects.all().delete):
        with pytest.raises(TypeError, match="written once"):
            attempt()


# ------------------------------------------------------------------------------------------ the registry


def test_an_uploaded_checkpoint_is_a_version_and_comes_back_as_it_went(cast: Cast, tmp_path) -> None:
    toys.checkpoint().save(tmp_path / "mine.safetensors")
    client = Client()
    client.force_login(cast.staff)
    with (tmp_path / "mine.safetensors").open("rb") as file:
        client.post("/models/upload/", {"file": file, "name": "mine"})
    version = ModelVersion.objects.get(name="mine")
    back = b"".join(client.get(f"/models/{version.pk}/file/"))
    assert back == (tmp_path / "mine.safetensors").read_bytes()
    assert registry.lineage(version).person == cast.staff and not version.active


def test_a_foreign_file_is_refused_with_a_reason(cast: Cast, tmp_path) -> None:
    (tmp_path / "foreign.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(RegistryRefused) as refused:
        registry.upload(tmp_path / "foreign.safetensors", "foreign", cast.staff)
    assert str(refused.value).endswith(".") and not ModelVersion.objects.filter(name="foreign").exists()


def test_a_version_that_nothing_refers_to_is_deleted_with_its_file(
    cast: Cast, candidate: ModelVersion, storage, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        registry.delete(candidate, cast.staff)
    assert not (storage / candidate.path).exists() and not ModelVersion.objects.filter(name="candidate").exists()


def test_a_version_that_others_refer_to_stays(cast: Cast, candidate: ModelVersion) -> None:
    child = factories.make_version("child")
    Lineage.objects.create(version=child, parent=candidate)
    with pytest.raises(RegistryRefused, match="candidate cannot be deleted; it is referred to by 1 lineage"):
        registry.delete(candidate, cast.staff)
    assert list(registry.ancestors(child)) == [candidate]


def test_whatever_may_refer_to_a_version_has_a_name() -> None:
    assert {relation.related_model for relation in ModelVersion._meta.related_objects} == set(registry.REFERENCES)


def test_what_answers_clicks_and_what_comes_with_the_program_stay(cast: Cast, candidate: ModelVersion) -> None:
    shipped = versions.active()
    versions.activate(candidate)
    for version, sentence in ((candidate, "answers clicks"), (shipped, "comes with the program")):
        with pytest.raises(RegistryRefused, match=sentence):
            registry.delete(version, cast.staff)
    assert checkpoint.DEFAULT.exists()
