"""Projects, their labels and people, the tasks, and everything that a person did on one."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotator.studies.models import Series

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class Project(models.Model):
    """A data set being labelled: its series, its label set, its members and their roles."""

    class Overlap(models.TextChoices):
        NEWEST = "newest", _("the newest mask has the voxel")
        BACKGROUND = "background", _("a mask takes only voxels that no other has")
        ALLOWED = "allowed", _("masks may overlap")

    class Order(models.TextChoices):
        GIVEN = "given", _("as they came")
        QUALITY = "quality", _("those first whose own first guesses the model trusts least")
        DISAGREEMENT = "disagreement", _("those first whose neighbouring slices it answers most differently")
        RANDOM = "random", _("at random")

    name = models.CharField(max_length=100, unique=True)
    guidelines = models.TextField(blank=True)
    overlap = models.CharField(max_length=16, choices=Overlap, default=Overlap.NEWEST)
    reviews_own = models.BooleanField(default=False, help_text="reviewers may review their own work")
    model_version = models.ForeignKey(
        "ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="projects",
        help_text="answers clicks here; empty: the site's active one",
    )  # fmt: skip
    double_share = models.FloatField(default=0.0, validators=SHARE, help_text="of new cases, read by two people")
    review_share = models.FloatField(default=1.0, validators=SHARE, help_text="of submitted cases, seen by a reviewer")
    window_presets = models.JSONField(default=list, blank=True, help_text="[{name, level, width}] in Hounsfield units")
    order = models.CharField(
        max_length=16, choices=Order, default=Order.GIVEN, help_text="of waiting cases that are equally urgent"
    )
    gold_feedback = models.BooleanField(default=False, help_text="people see at once how they did on a gold case")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a project. Whoever has none sees nothing of it."""

    class Role(models.TextChoices):
        ANNOTATOR = "annotator", _("Annotator")
        REVIEWER = "reviewer", _("Reviewer")
        MANAGER = "manager", _("Manager")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.ANNOTATOR)
    skills = models.JSONField(default=list, blank=True, help_text="words; a task that asks for one goes to who has it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "person"], name="one_role_per_person")]

    def __str__(self) -> str:
        return f"{self.person} · {self.role} of {self.project}"


class Invitation(models.Model):
    """A link that makes whoever opens it a member; good once, until it expires or is withdrawn."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Membership.Role, default=Membership.Role.ANNOTATOR)
    email = models.EmailField(blank=True, help_text="where the link was sent; blank where it was handed over")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the link's secret, which is not kept")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.email or 'a link'} · {self.role} of {self.project}"


class Label(models.Model):
    """A structure to outline; `value` is its voxel value in exported files."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=64)
    value = models.PositiveSmallIntegerField()
    colour = models.CharField(max_length=7, validators=[RegexValidator(r"^#[0-9a-f]{6}$")])
    position = models.PositiveSmallIntegerField(default=0, help_text="in lists; equal ones go by value")
    hotkey = models.CharField(max_length=1, blank=True, help_text="chooses the label on the canvas")
    snomed = models.CharField(max_length=18, blank=True, help_text="SNOMED CT concept, e.g. 10200004 for a liver")
    locked = models.BooleanField(default=False, help_text="locked when a case begins")

    class Meta:
        ordering = ["position", "value"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="label_names_are_unique"),
            models.UniqueConstraint(fields=["project", "value"], name="label_values_are_unique"),
            models.CheckConstraint(condition=models.Q(value__gte=1), name="label_value_0_is_background"),
        ]

    def __str__(self) -> str:
        return self.name


class Task(models.Model):
    """One series to be labelled in one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tasks")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="tasks")
    readings = models.PositiveSmallIntegerField(default=1, help_text="people who outline it, each blind to the others")
    priority = models.SmallIntegerField(default=0, help_text="higher is handed out earlier")
    due_on = models.DateField(null=True, blank=True)
    skill = models.CharField(max_length=32, blank=True, help_text="whom it may go to: a word among a member's skills")
    benefit = models.FloatField(
        null=True, help_text="what the project's order expects of it; higher is handed out earlier"
    )
    gold = models.BooleanField(default=False, help_text="its ground truth measures people who are given it unawares")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["project", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "series"], name="a_series_is_one_task_of_a_project")]

    def __str__(self) -> str:
        return f"{self.project} · {self.series}"


class Assignment(models.Model):
    """A task given to one person. Its state changes in `annotator.annotation.progress` only.

    A reading is the usual kind. A check looks the same to its person, but measures them against a gold case's ground truth. A
    revision is a reviewer's edited copy of a reading, an adjudication what somebody made of two readings: either, once
    accepted, is the task's ground truth instead of the readings.
    """

    class Kind(models.TextChoices):
        READING = "reading", _("Reading")
        CHECK = "check", _("Check")
        REVISION = "revision", _("Revision")
        ADJUDICATION = "adjudication", _("Adjudication")

    class State(models.TextChoices):
        ASSIGNED = "assigned", _("new")
        IN_PROGRESS = "in_progress", _("in progress")
        SUBMITTED = "submitted", _("submitted")
        RETURNED = "returned", _("returned")
        ACCEPTED = "accepted", _("accepted")
        SKIPPED = "skipped", _("skipped")
        HANDED_BACK = "handed_back", _("handed back")

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="assignments")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.READING)
    reading = models.PositiveSmallIntegerField(default=1, help_text="which of the task's readings it is")
    revises = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="revisions")
    state = models.CharField(max_length=16, choices=State, default=State.ASSIGNED, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["task", "person", "kind"], name="a_task_is_given_to_a_person_once"),
            models.UniqueConstraint(
                fields=["task", "reading"],
                condition=models.Q(kind="reading") & ~models.Q(state="handed_back"),
                name="a_reading_belongs_to_one_person",
                violation_error_message="Somebody has this reading of the task already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} → {self.person}"


class Transition(models.Model):
    """A change of an assignment's state: append-only. An empty `before` is the assignment's beginning.

    `person` is null where a rule of the project moved it: no review was asked for, or the adjudication decided.
    """

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="transitions")
    before = models.CharField(max_length=16, choices=Assignment.State, blank=True)
    after = models.CharField(max_length=16, choices=Assignment.State)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["assignment", "id"]

    def __str__(self) -> str:
        return f"{self.before or 'nobody'} → {self.after}"


class Lease(models.Model):
    """Who has an assignment open for work. Gone when the window goes; what was stored stays.

    Two clocks: `alive_at` ticks while the window's connection lives, `acted_at` when its person does something.
    """

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="lease")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    window = models.CharField(max_length=36, help_text="made by the browser window that holds it")
    model_version = models.ForeignKey(
        "ModelVersion", null=True, on_delete=models.SET_NULL, related_name="+",
        help_text="answers the window's clicks until the case is opened anew",
    )  # fmt: skip
    since = models.DateTimeField(default=timezone.now)
    alive_at = models.DateTimeField(default=timezone.now)
    acted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.assignment} open by {self.person}"


class ReviewTurn(models.Model):
    """Who was handed a submitted case for review last, and when: for a while nobody else is."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="turn")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.assignment} with {self.person}"


class Comment(models.Model):
    """What somebody says about a slice, or a point of it. Resolved ones stay."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="comments")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    z = models.PositiveIntegerField()
    y = models.PositiveIntegerField(null=True, help_text="null: about the whole slice")
    x = models.PositiveIntegerField(null=True)
    label = models.ForeignKey("Label", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["assignment", "id"]

    def __str__(self) -> str:
        return self.text[:60]


class Comparison(models.Model):
    """How far two assignments of one task agree: a job's row, with its figures in `Agreement`."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    first = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    error = models.TextField(blank=True)
    heartbeat_at = models.DateTimeField(null=True, help_text="last sign of life of the job that runs it")
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="a_pair_is_compared_once")]

    def __str__(self) -> str:
        return f"{self.first} ~ {self.second}"


class Agreement(models.Model):
    """The figures of a comparison for one label: of one slice, or of the volume where `z` is null."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="agreements")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="+")
    z = models.PositiveIntegerField(null=True)
    dice = models.FloatField(null=True, help_text="null where neither has the label")
    surface_dice = models.FloatField(null=True, help_text="of surfaces at most 2 mm apart")
    hd95 = models.FloatField(null=True, help_text="mm; null where one has no surface")
    first_ml = models.FloatField(help_text="volume in ml")
    second_ml = models.FloatField(help_text="volume in ml")

    class Meta:
        ordering = ["comparison", "label", "z"]
        constraints = [
            models.UniqueConstraint(fields=["comparison", "label", "z"], name="one_agreement_per_label_and_slice"),
            models.UniqueConstraint(
                fields=["comparison", "label"], condition=models.Q(z=None), name="one_agreement_per_label_and_volume"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {'volume' if self.z is None else f'z{self.z}'}: {self.dice}"


class Effort(models.Model):
    """What a label of an assignment cost, by the server's clock; counted when the case is submitted."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="efforts")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="+")
    model_version = models.ForeignKey("ModelVersion", null=True, on_delete=models.SET_NULL, related_name="+")
    slices = models.PositiveIntegerField(help_text="with a mask")
    clicks = models.PositiveIntegerField()
    strokes = models.PositiveIntegerField()
    seconds = models.FloatField(help_text="between interactions; a pause counts up to 60 s")

    class Meta:
        ordering = ["assignment", "label"]
        constraints = [models.UniqueConstraint(fields=["assignment", "label"], name="one_effort_per_label")]

    def __str__(self) -> str:
        return f"{self.label}: {self.clicks} clicks, {self.seconds:.0f} s"


class LabelLock(models.Model):
    """A label of an assignment that nothing may change, nor take a voxel from."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="locks")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "label"], name="a_label_is_locked_once")]

    def __str__(self) -> str:
        return f"{self.label} locked on {self.assignment}"


class ModelVersion(models.Model):
    """A registered checkpoint. Masks keep the version that made them, so rows are never deleted under one."""

    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True, help_text="of the checkpoint file")
    path = models.CharField(max_length=255, help_text="'default' (shipped), or a path in the default storage")
    header = models.JSONField(default=dict, help_text="the checkpoint's own header: architecture, provenance, scores")
    active = models.BooleanField(default=False, help_text="answers in cases that are opened from now on")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["active"], condition=models.Q(active=True), name="one_active_model_version")
        ]

    def __str__(self) -> str:
        return self.name


class Trial(models.Model):
    """A second model version that answers a share of the people beside the active one. At most one trial runs."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="trials")
    share = models.FloatField(validators=SHARE, help_text="of all people, 0 to 1")
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                IsNull(models.F("ended_at"), True), condition=models.Q(ended_at=None), name="one_trial_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} for {self.percent} % of the people"

    @property
    def percent(self) -> int:
        return round(100 * self.share)


class Interaction(models.Model):
    """One stored user action. Append-only: rows are never changed or deleted; undo is a row of its own.

    `kind` and the payload's fields are those of the protocol message (`annotator.protocol.STORED_KINDS`); `label` and
    `z` say where it acted, for undo and redo too.
    """

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="interactions")
    sequence = models.PositiveIntegerField(help_text="counted by the browser: 1, 2, 3 … of the assignment")
    kind = models.CharField(max_length=32)
    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="+")
    z = models.PositiveIntegerField()
    payload = models.JSONField(default=dict, help_text="the message's other fields, e.g. {y, x, positive}")
    mask = models.BinaryField(null=True, help_text="what a `paint` left of the slice (annotator.masks)")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["assignment", "sequence"]
        constraints = [models.UniqueConstraint(fields=["assignment", "sequence"], name="a_sequence_is_stored_once")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind} z{self.z}"


class SliceMask(models.Model):
    """The mask of one label on one slice, with what made it. Replaced only by the answer to a later interaction."""

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="masks")
    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="masks")
    z = models.PositiveIntegerField()
    sequence = models.PositiveIntegerField(help_text="the newest interaction that it answers")
    since = models.PositiveIntegerField(help_text="the interaction that it comes from: after an undo an earlier one")
    mask = models.BinaryField(help_text="annotator.masks")
    pixels = models.PositiveIntegerField(help_text="of the foreground")
    quality = models.FloatField(null=True, help_text="the model's own estimate of Dice; null where a person made it")
    clicks = models.JSONField(default=list, help_text="[{id, y, x, positive}] that it answers")
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["assignment", "label", "z"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "label", "z"], name="one_mask_per_label_and_slice")
        ]

    def __str__(self) -> str:
        return f"{self.label} z{self.z}"
