"""The gate: what passes, what does not, and the sentence that says why."""

from __future__ import annotations

import pytest

from annotator.learning import gate, rules
from annotator.learning.models import Verdict
from tests.annotator.factories import make_version


def figures(**labels):
    """As segmodel's comparison says them: {label: (difference of Dice@3, its interval or None)}."""

    def said(by, interval):
        return {"dice": {"1": 0.0, "3": by}, "interval": {"dice": {"1": None, "3": interval}}}

    mean = labels.pop("mean")
    return {"structures": {name: said(*found) for name, found in labels.items()}, "mean": said(*mean)}


def test_better_on_average_and_nowhere_worse():
    found = figures(liver=(0.02, [0.01, 0.03]), spleen=(-0.001, [-0.004, 0.002]), mean=(0.009, [0.004, 0.014]))
    assert gate.decide(found, 3, 0.0, 0.0) == (
        True,
        ["No label lost more than chance explains.", "The mean Dice rose by 0.009 (0.004 to 0.014) at 3 clicks."],
    )


def test_a_label_that_got_worse():
    found = figures(liver=(-0.03, [-0.05, -0.01]), spleen=(0.2, [0.1, 0.3]), mean=(0.085, [0.05, 0.1]))
    passed, sentences = gate.decide(found, 3, 0.0, 0.0)
    assert not passed
    assert sentences[0] == "The liver lost 0.030 (0.010 to 0.050) at 3 clicks."


def test_a_fall_that_chance_explains_passes():
    assert gate.decide(figures(liver=(-0.03, [-0.07, 0.01]), mean=(0.01, [0.0, 0.02])), 3, 0.0, 0.0)[0]


def test_a_fall_that_is_tolerated_passes():
    found = figures(liver=(-0.004, [-0.005, -0.003]), mean=(0.01, [0.0, 0.02]))
    passed, sentences = gate.decide(found, 3, 0.0, 0.005)
    assert passed and sentences[0] == "No label lost more than 0.005 and more than chance explains."
    assert not gate.decide(found, 3, 0.0, 0.003)[0]


def test_too_small_a_gain():
    found = figures(liver=(0.004, [0.001, 0.008]), mean=(0.004, [0.001, 0.008]))
    expected = "The mean Dice rose by 0.004 (0.001 to 0.008) at 3 clicks; it has to rise by more than 0.010."
    assert gate.decide(found, 3, 0.01, 0.0) == (False, ["No label lost more than chance explains.", expected])


def test_no_gain_at_all():
    found = figures(liver=(0.0, [-0.01, 0.01]), mean=(0.0, [-0.01, 0.01]))
    assert not gate.decide(found, 3, 0.0, 0.0)[0]


@pytest.mark.parametrize(("by", "passes"), [(-0.001, False), (0.001, True)])
def test_of_one_patient_any_fall_counts(by, passes):
    passed, sentences = gate.decide(figures(liver=(by, None), mean=(0.1, None)), 3, 0.0, 0.0)
    assert passed == passes
    assert ("The liver lost 0.001 at 3 clicks." in sentences) != passes


def test_the_clicks_are_those_of_the_rule():
    found = figures(liver=(-0.03, [-0.05, -0.01]), mean=(-0.03, [-0.05, -0.01]))
    found["mean"]["dice"]["1"] = 0.02
    passed, sentences = gate.decide(found, 1, 0.0, 0.0)
    assert passed and sentences[-1] == "The mean Dice rose by 0.020 at 1 click."


@pytest.mark.django_db
def test_a_verdict_is_written_once():
    candidate, in_use = make_version("candidate"), make_version("in use")
    first = gate.undecided(candidate, in_use, rules.current(), gate.NO_GOLD)
    assert not first.passed and first.sentences == [gate.NO_GOLD]
    assert gate.undecided(candidate, in_use, rules.current(), gate.NO_GOLD) == first
    assert Verdict.objects.count() == 1
