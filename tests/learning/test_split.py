"""The split ledger: a patient's side is decided once, and nothing that people do brings gold patients into training."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from annotator.annotation import progress
from annotator.annotation.models import Assignment
from annotator.learning import freeze, split
from annotator.learning.freeze import FreezeRefused
from annotator.learning.models import Part, Patient
from annotator.learning.split import SplitRefused
from annotator.studies.models import Study
from tests.annotator import factories
from tests.learning import frozen

pytestmark = pytest.mark.django_db


def test_a_patient_is_entered_with_their_first_study():
    study = Study.objects.create(uid="1.2", patient=" P1 ")
    line = Patient.objects.get(key="P1")
    assert (split.part_of(study), line.given) == (split.side("P1"), False)


def test_a_study_without_a_patient_stands_for_itself():
    one, other = (Study.objects.create(uid=uid, patient="") for uid in ("1.2", "1.3"))
    assert split.key_of(one) != split.key_of(other)
    assert Patient.objects.filter(key__startswith="study ").count() == 2


def test_the_shares_are_about_those_that_are_set(settings):
    settings.SPLIT_GOLD, settings.SPLIT_VALIDATION = 0.2, 0.3
    sides = [split.side(f"patient {n}") for n in range(4000)]
    assert sides.count(Part.GOLD) / 4000 == pytest.approx(0.2, abs=0.03)
    assert sides.count(Part.VALIDATION) / 4000 == pytest.approx(0.3, abs=0.03)


def test_the_side_follows_from_the_site_s_secret(settings):
    before = [split.drawn(f"patient {n}") for n in range(20)]
    settings.SECRET_KEY = "another site's secret, which is long enough to be one"
    assert [split.drawn(f"patient {n}") for n in range(20)] != before


def test_a_named_side_is_kept_and_another_refused():
    assert split.enter("P1", Part.GOLD).given
    assert split.enter("P1", Part.GOLD) == split.enter("P1")
    with pytest.raises(
        SplitRefused, match=r"^The patient P1 is on the side “gold” for good and cannot come to “training”\.$"
    ):
        split.enter("P1", Part.TRAINING)
    assert Patient.objects.get().part == Part.GOLD


def test_a_line_is_neither_changed_nor_removed():
    line = split.enter("P1", Part.GOLD)
    line.part = Part.TRAINING
    for deed in (
        line.save,
        line.delete,
        lambda: Patient.objects.update(part=Part.TRAINING),
        Patient.objects.all().delete,
        lambda: Patient.objects.bulk_update([line], ["part"]),
        lambda: Patient.objects.bulk_create(
            [line], update_conflicts=True, update_fields=["part"], unique_fields=["key"]
        ),
        lambda: Patient.objects.update_or_create(key="P1", defaults={"part": Part.TRAINING}),
    ):
        with pytest.raises(TypeError, match="is written once"), transaction.atomic():
            deed()
    assert Patient.objects.get().part == Part.GOLD


# ------------------------------------------------------------------------------------------ whatever happens in which order

KEYS = ("ann", "ben", "cleo")
DEEDS = st.one_of(
    st.tuples(st.just("import"), st.sampled_from(KEYS), st.sampled_from([None, *Part])),
    st.tuples(st.just("set shares"), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.4])),
    st.tuples(st.just("label"), st.sampled_from(KEYS), st.integers(0, 1)),
    st.tuples(st.just("reopen"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("name"), st.sampled_from(KEYS), st.sampled_from(list(Part))),
    st.tuples(st.just("spell"), st.sampled_from(KEYS), st.sampled_from(["  {} ", "{} "])),
    st.tuples(st.just("freeze"), st.none(), st.none()),
)


class Team:
    """Does deeds, and looks after each whether a patient has moved, or a gold one is among those to learn from."""

    def __init__(self, settings) -> None:
        self.settings, self.sides = settings, {}
        self.boss = factories.make_person("boss", is_staff=True, is_superuser=True)
        self.projects = [frozen.make_project(f"Project {n}") for n in (0, 1)]

    def do(self, deed: str, first, second) -> None:
        if deed == "import":
            self.name(first, second)
            Study.objects.create(uid=f"1.5.{Study.objects.count()}", patient=first)
        elif deed == "set shares":
            self.settings.SPLIT_GOLD, self.settings.SPLIT_VALIDATION = first, min(second, 1 - first)
        elif deed == "label":
            case = make_case(self.projects[second], first)
            frozen.accept(case)
        elif deed == "reopen":
            for case in Assignment.objects.filter(state="accepted", task__series__study__patient__contains=first)[:1]:
                progress.make("reopen", self.boss, case, "Once more.")
                frozen.accept(case)
        elif deed == "name":
            self.name(first, second)
        elif deed == "spell":
            Study.objects.create(uid=f"1.5.{Study.objects.count()}", patient=second.format(first))
        self.look()

    def name(self, key: str, part: Part | None) -> None:
        try:
            split.enter(key, part)
        except SplitRefused:
            assert self.sides[key] != part

    def look(self) -> None:
        now = dict(Patient.objects.values_list("key", "part"))
        assert {key: now[key] for key in self.sides} == self.sides
        self.sides = now
        try:
            manifest = freeze.for_training(self.projects)
        except FreezeRefused:
            return
        aliases = {freeze.alias(key) for key, part in now.items() if part == Part.GOLD}
        lines = list(freeze.read(manifest))
        assert lines and not aliases & {line["patient"] for line in lines}
        assert {line["part"] for line in lines} <= {Part.TRAINING, Part.VALIDATION}


def make_case(project, patient: str) -> Assignment:
    """A case of the patient with a mask of one pixel of each label on four slices."""
    series = factories.make_series()
    study = Study.objects.create(uid=f"1.6.{Study.objects.count()}", patient=patient)
    type(series).objects.filter(pk=series.pk).update(study=study)
    case = factories.assign(project, frozen.Person.objects.get(username="tim"), type(series).objects.get(pk=series.pk))
    for label in project.labels.all():
        factories.outline(case, label, factories.box((0, 4), (0, 1), (label.value, label.value + 1)))
    return case


@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(deeds=st.lists(DEEDS, min_size=3, max_size=14))
def test_no_patient_moves_and_no_gold_patient_is_learnt_from(deeds, db, settings, monkeypatch):
    monkeypatch.setattr(freeze, "LEAST_SLICES", 1)
    with transaction.atomic():
        team = Team(settings)
        for deed in deeds:
            team.do(*deed)
        transaction.set_rollback(True)
