"""The model is trained on: somebody asks for it, a run is made and done in stages, and a verdict stands at its end."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from annotator import engine
from annotator.annotation import versions
from annotator.annotation.models import Assignment, ModelVersion, SliceMask
from annotator.learning import child, jobs, retraining, rules, stages
from annotator.learning.models import Lineage, Manifest, Policy, TrainingRun, Trigger, Verdict
from annotator.learning.retraining import TrainingRefused
from tests.annotator.factories import make_person
from tests.learning import frozen, trainable
from tests.segmodel import toys

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(storage, tmp_path):
    return trainable.make_site(tmp_path / "made")


@pytest.fixture
def admin(db):
    return make_person("admin", is_staff=True)


def want(reason=Trigger.Reason.BUTTON, person=None, **choices):
    choices = {"steps": trainable.STEPS, "settings": trainable.QUICK, **choices}
    return retraining.want(reason, person, **choices)[0]


def done(run):
    stages.run(run.pk)
    run.refresh_from_db()
    return run


def test_a_run_goes_from_accepted_masks_to_a_verdict(project, working_folder):
    start = versions.active()
    run = done(want())
    assert (run.state, run.error, run.step, run.is_only) == ("done", "", trainable.STEPS, None)
    assert run.manifest.counts["patients"] == {"training": 2, "validation": 1}
    assert [point["step"] for point in run.curve if "loss" in point] == list(range(1, trainable.STEPS + 1))
    assert {"1", "5"} <= run.curve[0]["dice"].keys()
    lineage = run.candidate.lineage
    assert (lineage.parent, lineage.manifest, lineage.run) == (start, run.manifest, run)
    assert lineage.recipe["steps"] == trainable.STEPS and lineage.recipe["architecture"]["name"] == "encode_once"
    verdict = Verdict.objects.get(candidate=run.candidate)
    assert verdict.in_use == start and verdict.sentences
    assert run.notes == [retraining.NOTHING_OLD] and run.replay == 0
    assert versions.active() == start  # nobody asked for a promotion
    assert default_storage.exists(run.preview)
    assert sorted(file.name for file in stages.folder_of(run.pk).iterdir()) == ["log.jsonl", "preview.png"]


# ------------------------------------------------------------------------------------------ one run at a time


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_ten_who_want_one_at_once_get_the_same(project, monkeypatch):
    monkeypatch.setattr(jobs, "queue", lambda run_id: None)

    def ask(number):
        try:
            return retraining.want(Trigger.Reason.BUTTON, steps=number + 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, range(10)))
    assert len({run.pk for run, _ in answers}) == 1 and sum(made for _, made in answers) == 1
    assert TrainingRun.objects.get().triggers.count() == 10


def test_after_its_end_there_may_be_another(project, admin):
    first = want()
    retraining.cancel(first, admin)
    assert want() != first
    with pytest.raises(TrainingRefused, match=r"^This run is over already\.$"):
        retraining.cancel(first, admin)


# ------------------------------------------------------------------------------------------ what cannot work


def refusal(**choices):
    with pytest.raises(TrainingRefused) as refused:
        want(**choices)
    assert not TrainingRun.objects.exists()
    return str(refused.value)


def test_no_accepted_masks(project):
    Assignment.objects.update(state=Assignment.State.IN_PROGRESS)
    assert refusal() == "There are no accepted masks to learn from."


def test_one_patient(project):
    kept = Assignment.objects.filter(task__series__study__patient="training 0")
    Assignment.objects.exclude(pk__in=kept).update(state=Assignment.State.IN_PROGRESS)
    assert refusal() == "All accepted masks are of one patient; nothing can be learnt from one."


def test_a_label_on_three_slices(project):
    few = SliceMask.objects.filter(label__name="Square").values_list("pk", flat=True)
    SliceMask.objects.filter(pk__in=list(few)[3:]).delete()
    assert refusal().startswith(
        "The label square has accepted masks on 3 slices of training patients; 10 are the least"
    )
    assert want(labels=["Disk"]).labels == ["disk"]


def test_old_data_where_there_are_none(project):
    assert refusal(replay=0.5) == "There are no earlier data to replay: set the share of old data to 0."


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"steps": 0}, "A training has at least one step."),
        ({"minutes": 0}, "A training needs more than 0 minutes; leave them out to let it take all its steps."),
        ({"recipe": "perfect"}, "There is no recipe perfect."),
        ({"settings": {"speed": 9}}, "A recipe has no setting 'speed'."),
        ({"settings": {"spacing": 2.0}}, "The recipe's spacing is that of the model to begin with."),
    ],
)
def test_impossible_choices(project, choices, sentence):
    assert refusal(**choices) == sentence


def test_a_model_that_does_not_say_how_it_was_made(project, tmp_path):
    version = frozen.make_version(tmp_path / "strange", seed=5)
    expected = "This model does not say how it was trained, so that nothing can go on from it."
    assert refusal(begins_with=version) == expected


def test_the_shipped_model_can_be_trained_on():
    header = engine.default_checkpoint()[2]
    recipe = engine.recipe("finetune", header, {"steps": 7})
    assert recipe["architecture"] == header["provenance"]["recipe"]["architecture"]
    assert (recipe["spacing"], recipe["size"], recipe["steps"], recipe["bfloat16"]) == (1.6, 256, 7, False)


def test_a_checkpoint_that_is_gone(project):
    default_storage.delete(versions.active().path)
    assert refusal() == "The checkpoint of start 0, which this run begins with, is gone."


# ------------------------------------------------------------------------------------------ what goes wrong under way


@pytest.fixture
def quick(monkeypatch):
    """The commands do nothing but leave what they would: some other network."""
    ran = []

    def run(arguments, folder, follow, processes=1):
        ran.append(arguments)
        follow({"stage": arguments[0], "done": 0.5})
        if arguments[0] == "train":
            folder.mkdir(parents=True, exist_ok=True)
            toys.checkpoint(seed=9).save(folder / "model.safetensors")
            (folder / "log.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
            (folder / child.OUTPUT).write_text("Out of memory: going on with 1 slice at a time.\n")

    monkeypatch.setattr(child, "run", run)
    return ran


def test_memory_that_ran_out_is_said(project, quick):
    assert "Out of memory: going on with 1 slice at a time." in done(want()).notes


def test_a_checkpoint_deleted_under_a_run(project, quick):
    run = want()
    default_storage.delete(versions.active().path)
    assert (done(run).state, run.error, run.is_only) == ("failed", "The checkpoint of start 0 is gone.", None)


def test_a_frozen_set_changed_under_a_run(project, quick, monkeypatch):
    run = want()
    frozen_now = stages.freeze.for_training

    def freeze_and_spoil(*arguments):
        manifest = frozen_now(*arguments)
        default_storage.delete(manifest.path)
        return manifest

    monkeypatch.setattr(stages.freeze, "for_training", freeze_and_spoil)
    assert (done(run).state, run.error) == ("failed", "The file of this frozen set is gone or damaged.")


def test_a_full_disk(project, monkeypatch):
    def write(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stages.material, "write", write)
    run = done(want())
    assert (run.state, run.error) == ("failed", stages.DISK_FULL)
    assert not ModelVersion.objects.filter(name__startswith="retraining").exists() and not Lineage.objects.exists()


def test_a_command_that_fails_says_why(project, monkeypatch):
    def run(*arguments):
        raise child.ChildFailed("Memory on cpu does not suffice for a single slice of this recipe.")

    monkeypatch.setattr(child, "run", run)
    assert done(want()).error == "Memory on cpu does not suffice for a single slice of this recipe."


@pytest.mark.parametrize("stage", ["freeze", "material", "train", "calibrate", "register", "evaluate"])
def test_a_cancelled_run_ends_at_any_stage(project, admin, quick, monkeypatch, stage):
    begin = stages._Job.begin

    def begin_then_cancel(job, name):
        begin(job, name)
        if name == stage:
            retraining.cancel(job.run, admin)
            job.claim._last = 0.0  # as if half a second had passed

    monkeypatch.setattr(stages._Job, "begin", begin_then_cancel)
    run = done(want())
    assert (run.state, run.error, run.is_only) == ("cancelled", "", None)
    assert not Verdict.objects.exists()
    registered = ModelVersion.objects.filter(name__startswith="retraining").count()
    assert registered == Lineage.objects.count()
    kept = {file.name for file in stages.folder_of(run.pk).iterdir()}
    assert kept <= {"log.jsonl", "preview.png"}


def test_without_gold_patients_nothing_is_judged(project, quick):
    Assignment.objects.filter(task__series__study__patient__startswith="gold").update(state="in_progress")
    trainable.make_start(stages.settings.LEARNING / "other", seed=1)  # in use by now
    run = done(want(begins_with=ModelVersion.objects.get(name="start 0"), promotes=True))
    verdict = Verdict.objects.get()
    assert (run.state, verdict.passed) == ("done", False)
    assert verdict.sentences == ["There are no accepted masks of gold patients, so nothing can be judged."]
    assert versions.active().name == "start 1"


def test_what_the_ancestors_learnt_from_is_replayed(project, quick):
    start = versions.active()
    earlier = stages.freeze.for_training([project], ["Disk"])
    Lineage.objects.create(version=start, manifest=earlier)
    run = done(want())
    train = next(arguments for arguments in quick if arguments[0] == "train")
    assert run.replay == Policy().replay and f"replay={run.replay}" in train
    assert train[train.index("--replay") + 1].endswith(f"replay-{earlier.pk}")


def test_a_run_that_somebody_has_is_left_alone(project, quick):
    run = want()
    TrainingRun.objects.filter(pk=run.pk).update(state="running", heartbeat_at=timezone.now())
    assert done(run).stage == "" and retraining.left_behind() == []
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert retraining.left_behind() == [run.pk]


# ------------------------------------------------------------------------------------------ the site's rules


def set_rules(**fields):
    Policy.objects.filter(pk=rules.current().pk).update(**fields)


def test_new_masks_start_a_run_once_there_are_enough(project):
    assert retraining.new_masks().masks == 28 and retraining.new_masks().people == ("tim",)
    assert retraining.after_acceptance() is None  # the rules do not say so
    set_rules(after_masks=29)
    assert retraining.after_acceptance() is None
    set_rules(after_masks=28)
    run = retraining.after_acceptance()
    assert run.triggers.get().reason == "accepted"
    assert retraining.after_acceptance() is None  # one is open


def test_what_a_run_has_frozen_is_not_new(project, admin):
    run = want()
    TrainingRun.objects.filter(pk=run.pk).update(manifest=stages.freeze.for_training([project]))
    retraining.cancel(run, admin)
    assert retraining.new_masks().masks == 0
    trainable.split.enter("training 9", "training")
    frozen.make_truth(project, "training 9", 3)
    assert retraining.new_masks().masks == 6
    assert Manifest.objects.count() == 1


def test_an_acceptance_is_counted_where_the_rules_ask_for_it(project, monkeypatch, django_capture_on_commit_callbacks):
    counted = []
    monkeypatch.setattr(jobs.count_masks, "apply_async", lambda given: counted.append(1))
    trainable.split.enter("training 9", "training")
    for enough in (0, 5):
        set_rules(after_masks=enough)
        with django_capture_on_commit_callbacks(execute=True):
            frozen.make_truth(project, "training 9", 2, seed=enough)
        assert len(counted) == (1 if enough else 0)


SATURDAY = datetime(2026, 11, 28, 1)


def test_the_clock_follows_the_schedule(project):
    sunday = SATURDAY + timedelta(days=1)
    assert retraining.by_the_clock(sunday) is None
    set_rules(schedule="weekly")
    assert retraining.by_the_clock(SATURDAY) is None
    run = retraining.by_the_clock(sunday)
    assert run.triggers.get().reason == "schedule"
    set_rules(schedule="nightly")
    assert retraining.by_the_clock(SATURDAY) == run  # it joins


def test_the_clock_finds_nothing_new(project):
    set_rules(schedule="nightly")
    Assignment.objects.update(state=Assignment.State.IN_PROGRESS)
    assert retraining.by_the_clock(SATURDAY) is None
