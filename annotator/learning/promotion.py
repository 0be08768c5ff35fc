"""Which version answers clicks, and by whose decision: one row for every change, and the way back.

A candidate is promoted once the gate has let it pass. Where the gate has nothing to judge by, a person may decide, and says
why.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotator.annotation import versions
from annotator.annotation.models import ModelVersion
from annotator.learning import gate
from annotator.learning.models import Promotion, Verdict

Kind = Promotion.Kind


class PromotionRefused(ValueError):
    """One sentence why a version does not come to answer clicks."""


def last_verdict(version: ModelVersion) -> Verdict | None:
    return Verdict.objects.filter(candidate=version).first()


def check(version: ModelVersion, reason: str = "") -> Verdict | None:
    """The verdict by which the version may be promoted, or None where it has served before. Raises PromotionRefused."""
    if version == versions.active():
        raise PromotionRefused(_("%(version)s answers clicks already.") % {"version": version})
    if not versions.has_file(version):
        raise PromotionRefused(_("The checkpoint of %(version)s is gone.") % {"version": version})
    verdict = last_verdict(version)
    if verdict and verdict.passed:
        return verdict
    if Promotion.objects.filter(version=version).exists() or Promotion.objects.filter(replaced=version).exists():
        return None
    if verdict is None:
        raise PromotionRefused(_("The gate has not judged %(version)s yet.") % {"version": version})
    if verdict.manifest_id:
        sentence = _("%(version)s has not passed the gate: %(why)s")
        raise PromotionRefused(sentence % {"version": version, "why": " ".join(gate.why(verdict))})
    if not reason.strip():
        raise PromotionRefused(_("There was nothing to judge it by. Say why it is to answer clicks all the same."))
    return verdict


@transaction.atomic
def promote(version: ModelVersion, person: User | None, verdict: Verdict | None = None, reason: str = "") -> Promotion:
    """Let `version` answer in cases that are opened from now on. `person` is None for the program.

    Raises PromotionRefused.
    """
    found = check(version, reason)
    return _change(version, Kind.PROMOTED, person, verdict or found, reason)


@transaction.atomic
def roll_back(person: User | None, reason: str = "") -> Promotion:
    """Let the version answer again that the one in use has replaced. Raises PromotionRefused."""
    before = previous()
    if before is None:
        raise PromotionRefused(_("There is no version before this one."))
    if not versions.has_file(before):
        raise PromotionRefused(_("The checkpoint of %(version)s is gone.") % {"version": before})
    return _change(before, Kind.ROLLED_BACK, person, None, reason)


def previous() -> ModelVersion | None:
    """The version that a press on “roll back” brings back."""
    for promotion in Promotion.objects.filter(version=versions.active(), kind=Kind.PROMOTED):
        if promotion.replaced:
            return promotion.replaced
    return None


def _change(version: ModelVersion, kind: Kind, person: User | None, verdict: Verdict | None, reason: str) -> Promotion:
    made = Promotion.objects.create(
        version=version, replaced=versions.active(), kind=kind, verdict=verdict, person=person, reason=reason.strip()
    )
    versions.activate(version, person)
    return made
