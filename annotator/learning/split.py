"""The split ledger: on which side every patient is, decided once, when their first study arrives.

A patient is drawn by a keyed hash of who they are, so the side follows from the patient and the site's secret alone, whatever
comes in which order; somebody who knows better may name the side at the import. A line of the ledger is never changed: the
shares may be set anew for those who come later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.signals import post_save
from django.utils.translation import gettext as _

from annotator.annotation import sample
from annotator.learning.models import Part, Patient
from annotator.studies.models import Study
from annotator.studies.outcomes import ImportRefused

SALT = "annotator.split"
_said: ContextVar[Part | None] = ContextVar("_said", default=None)


class SplitRefused(ValueError):
    """One sentence why a patient does not come onto a side of the split."""


def key_of(study: Study) -> str:
    """Who the study is of: the PatientID, or the study itself where the files name nobody."""
    return study.patient.strip() or f"study {study.uid}"


def drawn(key: str) -> float:
    """The patient's number in [0, 1)."""
    return sample.drawn(key, SALT)


def side(key: str) -> Part:
    """The side that a patient who comes now is drawn for."""
    number = drawn(key)
    if number < settings.SPLIT_GOLD:
        return Part.GOLD
    return Part.VALIDATION if number < settings.SPLIT_GOLD + settings.SPLIT_VALIDATION else Part.TRAINING


def enter(key: str, part: Part | None = None) -> Patient:
    """The patient's line, written now where there is none; `part` names the side of somebody new.

    Raises SplitRefused where they are on another side already.
    """
    line = Patient.objects.filter(key=key).first() or _write(key, part)
    if part and line.part != part:
        sentence = _("The patient %(patient)s is on the side “%(is_on)s” for good and cannot come to “%(part)s”.")
        raise SplitRefused(sentence % {"patient": key, "is_on": Part(line.part).label, "part": part.label})
    return line


def part_of(study: Study) -> Part:
    """The side of a study's patient."""
    return Part(enter(key_of(study)).part)


@contextmanager
def given(part: Part | None) -> Iterator[None]:
    """Inside, patients who are new come to this side; a study of one who is on another is not stored (ImportRefused)."""
    before = _said.set(part)
    try:
        yield
    finally:
        _said.reset(before)


def counts() -> dict[Part, int]:
    """Patients on each side."""
    found = Counter(Patient.objects.values_list("part", flat=True))
    return {part: found[part] for part in Part}


def follow_imports() -> None:
    """Every study that is stored has its patient entered, in the same transaction."""
    post_save.connect(_enter_study, Study, dispatch_uid=SALT)


def _enter_study(instance: Study, raw: bool = False, **_: object) -> None:
    if not raw:
        try:
            enter(key_of(instance), _said.get())
        except SplitRefused as refused:
            raise ImportRefused(str(refused)) from None


def _write(key: str, part: Part | None) -> Patient:
    try:
        with transaction.atomic():
            return Patient.objects.create(key=key, part=part or side(key), given=part is not None)
    except IntegrityError:  # another import was faster
        return Patient.objects.get(key=key)
