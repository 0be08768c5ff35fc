"""How things look as JSON, and what may be sent of them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from rest_framework import serializers

from annotator.annotation import access, cases, people
from annotator.annotation.models import (
    Agreement,
    Assignment,
    Comment,
    Comparison,
    Invitation,
    Label,
    Membership,
    Project,
    Task,
)
from annotator.api.case import progress_json
from annotator.events.models import Event
from annotator.studies.models import Series, Upload

MOST_AT_ONCE = 1000


def name_of_person(**options: Any) -> serializers.SlugRelatedField:
    """A person is their username."""
    return serializers.SlugRelatedField("username", read_only=True, **options)


# ------------------------------------------------------------------------------------------------ oneself


class Me(serializers.ModelSerializer):
    """Whoever asks."""

    email = serializers.CharField(allow_blank=True)
    scopes = serializers.ListField(child=serializers.CharField(), help_text="of the token; all for a session")

    class Meta:
        model = User
        fields = ["id", "username", "first_name", "last_name", "email", "is_staff", "scopes"]
        read_only_fields = fields


class Health(serializers.Serializer):
    """Whether clicks can be served."""

    status = serializers.ChoiceField(["ok", "starting"])
    web = serializers.ChoiceField(["ok"])
    database = serializers.ChoiceField(["ok", "away"])
    inference = serializers.ChoiceField(["ok", "away"])


# ------------------------------------------------------------------------------------------------ projects


class WindowPreset(serializers.Serializer):
    name = serializers.CharField(max_length=40)
    level = serializers.FloatField(min_value=-32768, max_value=32767)
    width = serializers.FloatField(min_value=1, max_value=65536)


class ProjectFields(serializers.ModelSerializer):
    window_presets = WindowPreset(many=True, required=False)

    class Meta:
        model = Project
        fields = [
            "id",
            "name",
            "guidelines",
            "overlap",
            "reviews_own",
            "double_share",
            "review_share",
            "order",
            "gold_feedback",
            "window_presets",
            "archived_at",
            "created_at",
        ]
        read_only_fields = ["archived_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "name": {"validators": []}
        }  # whether it is free is asked when it is written


class LabelFields(serializers.ModelSerializer):
    value = serializers.IntegerField(min_value=1, max_value=32767, help_text="of its voxels in exported files")
    position = serializers.IntegerField(min_value=0, max_value=32767, required=False)

    class Meta:
        model = Label
        fields = ["id", "name", "value", "colour", "position", "hotkey", "snomed", "locked"]


class ProjectFilters(serializers.Serializer):
    name = serializers.CharField(required=False, help_text="exactly this one")
    archived = serializers.BooleanField(required=False, allow_null=True, default=None)


# ------------------------------------------------------------------------------------------------ people


class MemberFields(serializers.ModelSerializer):
    id = serializers.IntegerField(source="person_id", read_only=True, help_text="of the person")
    username = serializers.CharField(source="person.username", read_only=True)
    full_name = serializers.CharField(source="person.get_full_name", read_only=True)
    active = serializers.BooleanField(source="person.is_active", read_only=True)
    skills = serializers.ListField(
        child=serializers.CharField(max_length=people.SKILL_LENGTH), max_length=people.SKILLS, required=False
    )
    open_cases = serializers.IntegerField(read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "username", "full_name", "active", "role", "skills", "open_cases"]


class Leaving(serializers.Serializer):
    heir = serializers.CharField(required=False, help_text="who gets the open cases; without one they wait for anybody")
    keep_work = serializers.BooleanField(default=True, help_text="with the work so far, or blank")


class InvitationFields(serializers.ModelSerializer):
    invited_by = name_of_person()

    class Meta:
        model = Invitation
        fields = ["id", "role", "email", "invited_by", "created_at", "expires_at"]
        read_only_fields = ["expires_at"]


class InvitationSent(InvitationFields):
    """With the link, where it has to be handed over; it is told this once."""

    link = serializers.CharField(allow_blank=True, help_text="empty where it was mailed")

    class Meta(InvitationFields.Meta):
        fields = [*InvitationFields.Meta.fields, "link"]


# ------------------------------------------------------------------------------------------------ images


class SeriesFields(serializers.ModelSerializer):
    shape = serializers.ListField(child=serializers.IntegerField(), help_text="[z, y, x]")
    spacing = serializers.ListField(child=serializers.FloatField(), help_text="[z, y, x] in mm")
    warnings = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Series
        fields = ["id", "uid", "description", "modality", "shape", "spacing", "synthetic", "warnings", "imported_at"]


class ReportLine(serializers.Serializer):
    name = serializers.CharField()
    series = serializers.UUIDField(allow_null=True)
    outcome = serializers.ChoiceField(["imported", "known", "refused"])
    sentences = serializers.ListField(child=serializers.CharField())


class UploadFields(serializers.ModelSerializer):
    project = serializers.IntegerField(source="project_id")
    person, assignee = name_of_person(), name_of_person(allow_null=True)
    report = ReportLine(many=True, help_text="what became of each series and file")

    class Meta:
        model = Upload
        fields = ["id", "project", "person", "assignee", "state", "progress", "report", "created_at"]


class NewUpload(serializers.Serializer):
    """A multipart form."""

    files = serializers.ListField(
        child=serializers.FileField(), allow_empty=False, help_text="DICOM or NIfTI files, or zips of them"
    )
    paths = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="of each file inside what was packed"
    )
    assignee = serializers.CharField(required=False, allow_blank=True, help_text="a member who gets the cases")


# ------------------------------------------------------------------------------------------------ tasks


class TaskFields(serializers.ModelSerializer):
    readings = serializers.IntegerField(min_value=1, max_value=cases.MOST_READINGS, required=False)
    priority = serializers.IntegerField(min_value=-cases.MOST_PRIORITY, max_value=cases.MOST_PRIORITY, required=False)
    skill = serializers.CharField(max_length=people.SKILL_LENGTH, allow_blank=True, required=False)

    class Meta:
        model = Task
        fields = ["id", "project", "series", "readings", "priority", "due_on", "skill", "created_at"]
        read_only_fields = ["project", "series"]

    def validate_due_on(self, day: Any) -> Any:
        if day and day < timezone.localdate():
            raise serializers.ValidationError(_("This day is over."))
        return day


class NewTask(TaskFields):
    series = serializers.UUIDField(source="series_id", help_text="of a project that you manage")

    class Meta(TaskFields.Meta):
        read_only_fields = ["project"]


class TaskFilters(serializers.Serializer):
    series = serializers.UUIDField(required=False)
    person = serializers.CharField(required=False, help_text="who has it")
    state = serializers.ChoiceField(Assignment.State.choices, required=False, help_text="of an assignment of it")
    waiting = serializers.BooleanField(required=False, default=False, help_text="more people are to have it")
    due_before = serializers.DateField(required=False)


class Named(serializers.Serializer):
    person = serializers.CharField(help_text="a member's username")


class Spread(serializers.Serializer):
    people = serializers.ListField(child=serializers.CharField(), allow_empty=False, max_length=MOST_AT_ONCE)
    tasks = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=MOST_AT_ONCE,
        help_text="without them, those that wait, the most urgent ones first, at most a thousand",
    )


# ------------------------------------------------------------------------------------------------ assignments


class AssignmentFields(serializers.ModelSerializer):
    person = name_of_person()
    project = serializers.IntegerField(source="task.project_id")
    series = serializers.UUIDField(source="task.series_id")
    kind = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = ["id", "project", "task", "series", "person", "kind", "reading", "state", "created_at"]

    def get_kind(self, row: Assignment) -> str:
        """A check is told from a reading by managers only."""
        if row.kind == Assignment.Kind.CHECK and row.task.project_id not in self._managed:
            return Assignment.Kind.READING.value
        return row.kind

    @cached_property
    def _managed(self) -> set[int]:
        return set(access.projects_managed_by(self.context["person"]).values_list("pk", flat=True))


class AssignmentFilters(serializers.Serializer):
    project = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    task = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    person = serializers.CharField(required=False)
    state = serializers.ChoiceField(Assignment.State.choices, required=False)


class Reason(serializers.Serializer):
    text = serializers.CharField()
    person = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(Assignment.State.choices)


class Progress(serializers.Serializer):
    """Where the case stands and what the person can do about it."""

    state = serializers.ChoiceField(Assignment.State.choices)
    refusal = serializers.CharField(allow_null=True, help_text="why the person cannot change its masks now")
    revisable = serializers.BooleanField(help_text="whether the person may edit a copy of it")
    moves = serializers.ListField(child=serializers.CharField())
    reason = Reason(allow_null=True, help_text="why it came here, where somebody said so")


class AssignmentDetail(AssignmentFields):
    progress = serializers.SerializerMethodField()

    class Meta(AssignmentFields.Meta):
        fields = [*AssignmentFields.Meta.fields, "progress"]

    def get_progress(self, row: Assignment) -> Progress:
        return progress_json(self.context["person"], row)  # type: ignore[return-value]


class NewMove(serializers.Serializer):
    move = serializers.CharField(help_text="submit, take_back, skip, hand_back, accept, return, withdraw or reopen")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)


class Reassign(Named):
    keep_work = serializers.BooleanField(default=True, help_text="with the work so far, or blank")


class Measure(serializers.Serializer):
    """Of one slice, counted from 1, or of all: `slice` is null then."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field called so
    slice = serializers.IntegerField(allow_null=True)
    area_mm2 = serializers.FloatField(allow_null=True)
    volume_ml = serializers.FloatField()
    mean_hu = serializers.FloatField()
    sd_hu = serializers.FloatField()
    longest_diameter_mm = serializers.FloatField()


class CommentFields(serializers.ModelSerializer):
    person, resolved_by = name_of_person(), name_of_person(allow_null=True)
    text = serializers.CharField(max_length=10_000)
    z = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="the slice, counted from 0")
    y = serializers.IntegerField(min_value=0, max_value=2**31 - 1, allow_null=True, required=False)
    x = serializers.IntegerField(min_value=0, max_value=2**31 - 1, allow_null=True, required=False)
    label = serializers.IntegerField(  # type: ignore[assignment]  # a field called so
        source="label_id", min_value=1, max_value=2**63 - 1, allow_null=True, required=False
    )

    class Meta:
        model = Comment
        fields = [
            "id",
            "assignment",
            "person",
            "text",
            "z",
            "y",
            "x",
            "label",
            "created_at",
            "resolved_at",
            "resolved_by",
        ]
        read_only_fields = ["assignment", "created_at", "resolved_at"]


class CommentChange(serializers.Serializer):
    resolved = serializers.BooleanField()


# ------------------------------------------------------------------------------------------------ figures, record


class AgreementFields(serializers.ModelSerializer):
    label = serializers.CharField(source="label.name")  # type: ignore[assignment]  # a field called so

    class Meta:
        model = Agreement
        fields = ["label", "z", "dice", "surface_dice", "hd95", "first_ml", "second_ml"]


class ComparisonFields(serializers.ModelSerializer):
    task = serializers.IntegerField(source="first.task_id")

    class Meta:
        model = Comparison
        fields = ["id", "task", "first", "second", "state", "progress", "error", "created_at", "done_at"]


class AgreementFilters(serializers.Serializer):
    volumes = serializers.BooleanField(required=False, default=False, help_text="whole volumes only, no slices")


class EventFields(serializers.ModelSerializer):
    project = serializers.IntegerField(source="project_id", allow_null=True)
    details = serializers.DictField()

    class Meta:
        model = Event
        fields = ["id", "at", "person", "verb", "kind", "thing_id", "thing", "project", "details"]


class EventFilters(serializers.Serializer):
    project = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    person = serializers.CharField(required=False)
    verb = serializers.CharField(required=False)
    kind = serializers.CharField(required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
