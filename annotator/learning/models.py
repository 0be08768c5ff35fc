"""What the model learns from, how good it is, and which version answers clicks and why."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotator import claims
from annotator.annotation.models import ModelVersion, Task
from annotator.events.models import Once

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class Part(models.TextChoices):
    """The sides of the split: the network learns from one, is watched on another, and judged on the third."""

    TRAINING = "training", _("training")
    VALIDATION = "validation", _("validation")
    GOLD = "gold", _("gold")


class Patient(Once):
    """A line of the split ledger: on which side a patient is, for ever (`annotator.learning.split`)."""

    key = models.CharField(max_length=80, unique=True, help_text="PatientID, or the study where there is none")
    part = models.CharField(max_length=16, choices=Part)
    given = models.BooleanField(default=False, help_text="somebody said so at the import; otherwise it was drawn")
    entered_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.key}: {self.part}"


class Manifest(Once):
    """A frozen set of accepted masks; the file in the default storage holds all of it (`annotator.learning.freeze`)."""

    sha256 = models.CharField(max_length=64, unique=True, help_text="of the file")
    path = models.CharField(max_length=255, help_text="in the default storage")
    parts = models.JSONField(help_text="the sides of the split that it has")
    labels = models.JSONField(help_text="[name] in the order of their values in the training material")
    counts = models.JSONField(help_text="{masks, cases, people, patients: {part: n}, labels: {name: {part: n}}}")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.counts['masks']} masks · {self.sha256[:8]}"


class Run(models.Model):
    """One attempt at long work: a row with a state, a heartbeat and its progress, owned as `annotator.claims` says."""

    class State(models.TextChoices):
        WAITING = claims.WAITING, _("waiting")
        RUNNING = claims.RUNNING, _("running")
        DONE = claims.DONE, _("done")
        FAILED = claims.FAILED, _("failed")
        CANCELLED = "cancelled", _("cancelled")

    state = models.CharField(max_length=16, choices=State, default=State.WAITING, db_index=True)
    stage = models.CharField(max_length=32, blank=True, help_text="what it does now")
    progress = models.FloatField(default=0.0, help_text="0 to 1, of the stage")
    eta_s = models.FloatField(null=True, help_text="seconds that the stage will take yet")
    error = models.TextField(blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


class EvaluationRun(Run):
    """A model version under simulated clicks on a frozen set; its report lies in the default storage."""

    class Placement(models.TextChoices):
        PAPER = "paper", _("at random, as the paper does")
        CENTRE = "centre", _("innermost")

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="evaluations")
    part = models.CharField(max_length=16, choices=Part, default=Part.GOLD)
    placement = models.CharField(max_length=16, choices=Placement, default=Placement.PAPER)
    seed = models.PositiveIntegerField(default=4242)
    figures = models.JSONField(default=dict, help_text="segmodel's report without its records")
    path = models.CharField(max_length=255, blank=True, help_text="of the whole report, in the default storage")

    class Meta(Run.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["version", "manifest", "part", "placement", "seed"],
                condition=~models.Q(state__in=["failed", "cancelled"]),
                name="a_version_is_evaluated_once_on_a_set",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} · {self.manifest}"


class TrainingRun(Run):
    """One retraining, from the freezing of its data to the verdict on its candidate."""

    begins_with = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    projects = models.JSONField(default=list, help_text="numbers of the projects whose masks it takes; empty: all")
    labels = models.JSONField(default=list, help_text="names of the labels that it takes; empty: all")
    recipe = models.CharField(max_length=100, default="finetune", help_text="one of segmodel's recipes")
    settings = models.JSONField(default=dict, help_text="what differs from the recipe")
    steps = models.PositiveIntegerField(default=400)
    minutes = models.FloatField(null=True, blank=True, help_text="at most; empty: until the steps are done")
    replay = models.FloatField(default=0.5, validators=SHARE, help_text="share of old data among what it learns from")
    promotes = models.BooleanField(default=False, help_text="a candidate that passes answers clicks at once")
    manifest = models.ForeignKey(Manifest, null=True, on_delete=models.PROTECT, related_name="training_runs")
    candidate = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveIntegerField(default=0)
    curve = models.JSONField(default=list, help_text="[{step, loss}, {step, dice: {k: …}, structures: …}] in order")
    notes = models.JSONField(default=list, help_text="sentences that it had to say, e.g. of memory that ran out")
    preview = models.CharField(max_length=255, blank=True, help_text="a validation slice, in the default storage")
    is_only = models.BooleanField(null=True, default=True, help_text="true while it is open, else null")

    class Meta(Run.Meta):
        constraints = [models.UniqueConstraint(fields=["is_only"], name="one_training_run_is_open")]

    def __str__(self) -> str:
        return f"training run {self.pk}"


class Trigger(models.Model):
    """Somebody or something that wanted a training run; it was made for the first, the others joined it."""

    class Reason(models.TextChoices):
        BUTTON = "button", _("the button")
        SCHEDULE = "schedule", _("the schedule")
        ACCEPTED = "accepted", _("newly accepted masks")

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="triggers")
    reason = models.CharField(max_length=16, choices=Reason)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.run} by {self.reason}"


class Lineage(models.Model):
    """Where a model version comes from, and what people say of it."""

    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="lineage")
    parent = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="children")
    run = models.OneToOneField(TrainingRun, null=True, on_delete=models.PROTECT, related_name="lineage")
    manifest = models.ForeignKey(Manifest, null=True, on_delete=models.PROTECT, related_name="+")
    recipe = models.JSONField(default=dict, help_text="all settings of the training")
    code = models.CharField(max_length=64, blank=True, help_text="version of the program that trained it")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    notes = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.version} from {self.parent or 'nothing'}"


class Verdict(Once):
    """The gate's judgement of a candidate beside the version in use, both on the same frozen gold set."""

    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="verdicts")
    in_use = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    manifest = models.ForeignKey(Manifest, null=True, on_delete=models.PROTECT, related_name="+")
    passed = models.BooleanField()
    rule = models.JSONField(help_text="{clicks, least_gain, tolerance} that it was judged by")
    figures = models.JSONField(default=dict, help_text="segmodel's comparison: differences with their intervals")
    sentences = models.JSONField(default=list, help_text="why")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.candidate}: {'passed' if self.passed else 'failed'}"


class Promotion(Once):
    """From this moment on, `version` answers new clicks. The newest row is the one that counts."""

    class Kind(models.TextChoices):
        PROMOTED = "promoted", _("promoted")
        ROLLED_BACK = "rolled_back", _("rolled back")

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    replaced = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.PROMOTED)
    verdict = models.ForeignKey(Verdict, null=True, on_delete=models.PROTECT, related_name="promotions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.version} {self.kind}"


class Policy(models.Model):
    """The site's one row of rules: when it retrains by itself, and what the gate asks for."""

    class Schedule(models.TextChoices):
        NEVER = "", _("never")
        NIGHTLY = "nightly", _("every night")
        WEEKLY = "weekly", _("every Sunday night")

    schedule = models.CharField(max_length=16, choices=Schedule, default=Schedule.NEVER, blank=True)
    after_masks = models.PositiveIntegerField(default=0, help_text="newly accepted masks that start one; 0: none do")
    steps = models.PositiveIntegerField(default=400)
    replay = models.FloatField(default=0.5, validators=SHARE)
    promotes = models.BooleanField(default=False)
    gate_clicks = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1), MaxValueValidator(20)])
    gate_gain = models.FloatField(default=0.0, help_text="by which the mean Dice must rise at least")
    gate_tolerance = models.FloatField(default=0.005, validators=SHARE, help_text="of a label's Dice")

    def __str__(self) -> str:
        return "the site's rules for learning"


class Benefit(models.Model):
    """How much a model would gain from a case, as it guesses itself: what the queue may be ordered by."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="benefit_row")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    quality = models.FloatField(help_text="the model's own estimate of the Dice of its first guesses, their mean")
    disagreement = models.FloatField(help_text="1 − Dice between first guesses on neighbouring slices, their mean")
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.task}: {self.quality:.2f}"
