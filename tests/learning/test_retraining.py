"""The model is trained on: somebody asks for it, a run is made and done in stages, and a verdict stands at its end."""

from __future__ import annotations

import pytest

from annotator.annotation import versions
from annotator.learning import retraining, stages
from annotator.learning.models import Trigger, Verdict
from tests.learning import trainable

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(storage, tmp_path):
    return trainable.make_site(tmp_path / "made")


def want(**choices):
    choices = {"steps": trainable.STEPS, "settings": trainable.QUICK, **choices}
    return retraining.want(Trigger.Reason.BUTTON, **choices)[0]


def test_a_run_goes_from_accepted_masks_to_a_verdict(project, working_folder):
    start = versions.active()
    run = want()
    stages.run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error, run.step, run.is_only) == ("done", "", trainable.STEPS, None)
    assert run.manifest.counts["patients"] == {"training": 2, "validation": 1}
    assert [point["step"] for point in run.curve if "loss" in point] == list(range(1, trainable.STEPS + 1))
    assert {"1", "5"} <= run.curve[0]["dice"].keys()
    lineage = run.candidate.lineage
    assert (lineage.parent, lineage.manifest, lineage.run) == (start, run.manifest, run)
    assert lineage.recipe["steps"] == trainable.STEPS and lineage.recipe["architecture"]["name"] == "encode_once"
    verdict = Verdict.objects.get(candidate=run.candidate)
    assert verdict.in_use == start and verdict.sentences
    assert versions.active() == start
    assert sorted(file.name for file in stages.folder_of(run.pk).iterdir()) == ["log.jsonl", "preview.png"]
