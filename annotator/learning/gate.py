"""The gate: may a candidate answer clicks instead of the version in use?

Both are judged by the same simulated clicks on the same frozen gold patients. No label may lose more than chance explains,
unless it is so little that nobody minds: where the interval of its paired difference over patients lies wholly below 0, and it
fell by more than the rules tolerate, it got worse. Few patients make narrow intervals, hence the tolerance. And the mean over
labels has to rise by more than the rules ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from annotator.annotation.models import ModelVersion
from annotator.learning import evaluation
from annotator.learning.models import EvaluationRun, Manifest, Policy, Verdict

NO_GOLD = gettext_noop("There are no accepted masks of gold patients, so nothing can be judged.")
THE_SAME = gettext_noop("This version answers clicks already, so there is nothing to compare it with.")

Figures = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """How a label's Dice, or the mean, has changed after so many clicks; no interval where there is one patient only."""

    name: str
    by: float
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, name: str, figures: Figures, clicks: int) -> Change:
        interval = figures["interval"]["dice"][str(clicks)]
        return cls(name, figures["dice"][str(clicks)], tuple(interval) if interval else None)

    def is_worse(self, tolerance: float) -> bool:
        """By more than is tolerated and more than chance explains; of chance one patient says nothing."""
        return self.by < -tolerance and (self.interval is None or self.interval[1] < 0)

    def __str__(self) -> str:
        """How far it fell or rose: 0.030 (0.010 to 0.050)."""
        if self.interval is None:
            return f"{abs(self.by):.3f}"
        low, high = sorted(end if self.by >= 0 else -end for end in self.interval)
        interval = _("%(low)s to %(high)s") % {"low": f"{low:.3f}", "high": f"{high:.3f}"}
        return f"{abs(self.by):.3f} ({interval})"


def judge(candidate: EvaluationRun, in_use: EvaluationRun, policy: Policy) -> Verdict:
    """The verdict on the version of one evaluation beside that of another, written down; a second call finds it again.

    Raises EvaluationRefused where they are not of the same clicks on the same masks.
    """
    figures = evaluation.compare(in_use, candidate)
    clicks = max(k for k in map(int, figures["mean"]["dice"]) if k <= policy.gate_clicks)
    with translation.override(settings.LANGUAGE_CODE):  # the row is everybody's, see `why`
        passed, sentences = decide(figures, clicks, policy.gate_gain, policy.gate_tolerance)
    return _write(
        candidate.version, in_use.version, candidate.manifest, passed, _rule(policy, clicks), figures, sentences
    )


def undecided(candidate: ModelVersion, in_use: ModelVersion, policy: Policy, why: str) -> Verdict:
    """The verdict where nothing can be compared: not passed."""
    return _write(candidate, in_use, None, False, _rule(policy, policy.gate_clicks), {}, [why])


def why(verdict: Verdict) -> list[str]:
    """The verdict's sentences in the language that is active; its row has them in the site's own."""
    if not verdict.figures:
        return [_(sentence) for sentence in verdict.sentences]
    rule = verdict.rule
    tolerance = rule.get("tolerance", 0.0)  # judged before there was one
    return decide(verdict.figures, rule["clicks"], rule["least_gain"], tolerance)[1]


def with_why(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Give each verdict `why`."""
    found = list(verdicts)
    for verdict in found:
        vars(verdict)["why"] = why(verdict)
    return found


def decide(figures: Figures, clicks: int, least_gain: float, tolerance: float) -> tuple[bool, list[str]]:
    """Whether differences, as segmodel's comparison gives them, pass; and why, in sentences."""
    changes = [Change.of(name, found, clicks) for name, found in figures["structures"].items()]
    mean = Change.of("mean", figures["mean"], clicks)
    worse = [change for change in changes if change.is_worse(tolerance)]
    after = ngettext("%(n)d click", "%(n)d clicks", clicks) % {"n": clicks}
    lost = _("The %(label)s lost %(change)s at %(clicks)s.")
    sentences = [lost % {"label": change.name, "change": change, "clicks": after} for change in worse]
    if not worse and tolerance:
        sentence = _("No label lost more than %(tolerance)s and more than chance explains.")
        sentences.append(sentence % {"tolerance": f"{tolerance:.3f}"})
    elif not worse:
        sentences.append(_("No label lost more than chance explains."))
    gains = mean.by > least_gain
    if mean.by >= 0:
        enough = _("The mean Dice rose by %(change)s at %(clicks)s.")
        too_little = _("The mean Dice rose by %(change)s at %(clicks)s; it has to rise by more than %(least)s.")
    else:
        enough = _("The mean Dice fell by %(change)s at %(clicks)s.")
        too_little = _("The mean Dice fell by %(change)s at %(clicks)s; it has to rise by more than %(least)s.")
    sentence = enough if gains else too_little
    sentences.append(sentence % {"change": mean, "clicks": after, "least": f"{least_gain:.3f}"})
    return gains and not worse, sentences


def _rule(policy: Policy, clicks: int) -> dict[str, Any]:
    return {"clicks": clicks, "least_gain": policy.gate_gain, "tolerance": policy.gate_tolerance}


def _write(
    candidate: ModelVersion,
    in_use: ModelVersion,
    manifest: Manifest | None,
    passed: bool,
    rule: dict[str, Any],
    figures: Figures,
    sentences: list[str],
) -> Verdict:
    same = {"candidate": candidate, "in_use": in_use, "manifest": manifest, "passed": passed, "rule": rule}
    known = Verdict.objects.filter(**same, sentences=sentences).first()
    return known or Verdict.objects.create(**same, figures=figures, sentences=sentences)
