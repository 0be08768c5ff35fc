"""Projects, their people and their work in the admin. The log and the masks are shown, never touched."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from annotator.annotation import kept
from annotator.annotation.models import (
    Assignment,
    Interaction,
    Label,
    Membership,
    ModelVersion,
    Project,
    SliceMask,
    Task,
    Transition,
    Trial,
)
from annotator.events.admin import ReadOnly


class KeepsWork(admin.ModelAdmin):
    """What people's work hangs on is never deleted. The refusal counts the work rather than listing thousands of rows."""

    of_work: ClassVar[str]  # the field lookup from an interaction or a mask

    def get_deleted_objects(self, objs: Iterable[Model], request: HttpRequest) -> Any:
        """Also asked for several at once, by the list's own "delete selected"."""
        mine = {f"{self.of_work}__in": [obj.pk for obj in objs]}
        work = kept.work(**mine)
        return ([], {}, set(), [work]) if work else super().get_deleted_objects(list(objs), request)


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["person"]


class LabelInline(admin.TabularInline):
    model = Label
    extra = 0
    can_delete = False  # on its own page, where it is said what that would touch
    show_change_link = True


class AssignmentInline(admin.TabularInline):
    model = Assignment
    extra = 0
    can_delete = False  # on its own page, where it is said what that would touch
    show_change_link = True
    autocomplete_fields = ["person"]
    readonly_fields = ["state"]


class TransitionInline(admin.TabularInline):
    model = Transition
    extra = 0
    can_delete = False
    readonly_fields = ["before", "after", "person", "reason", "at"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Project)
class ProjectAdmin(KeepsWork):
    of_work = "assignment__task__project"
    list_display = ["name", "overlap", "created_at"]
    search_fields = ["name"]
    inlines = [MembershipInline, LabelInline]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["person", "project", "role"]
    list_filter = ["role", "project"]
    autocomplete_fields = ["person", "project"]


@admin.register(Label)
class LabelAdmin(KeepsWork):
    of_work = "label"
    list_display = ["name", "value", "colour", "project"]
    list_filter = ["project"]
    search_fields = ["name"]


@admin.register(Task)
class TaskAdmin(KeepsWork):
    of_work = "assignment__task"
    list_display = ["id", "project", "series", "priority", "due_on", "readings", "created_at"]
    list_editable = ["priority", "due_on"]
    list_filter = ["project"]
    list_select_related = ["project", "series"]
    search_fields = ["series__uid", "series__description"]
    autocomplete_fields = ["project", "series"]
    inlines = [AssignmentInline]


@admin.register(Assignment)
class AssignmentAdmin(KeepsWork):
    of_work = "assignment"
    list_display = ["id", "task", "reading", "person", "state", "created_at"]
    list_filter = ["state", "task__project", "person"]
    readonly_fields = ["state"]  # it moves on the case's page, where it is kept who moved it
    inlines = [TransitionInline]
    list_select_related = ["task__project", "task__series", "person"]
    search_fields = ["task__series__uid", "task__series__description", "person__username"]
    autocomplete_fields = ["task", "person"]


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly):
    list_display = ["name", "active", "path", "sha256", "created_at"]
    list_filter = ["active"]


@admin.register(Trial)
class TrialAdmin(ReadOnly):
    list_display = ["version", "share", "begun_by", "begun_at", "ended_at"]
    list_select_related = ["version", "begun_by"]


@admin.register(Interaction)
class InteractionAdmin(ReadOnly):
    list_display = ["assignment_id", "sequence", "kind", "label", "z", "payload", "person", "created_at"]
    list_filter = ["kind", "label__project"]
    list_select_related = ["label", "person"]
    search_fields = ["=assignment__id"]
    show_full_result_count = False


@admin.register(SliceMask)
class SliceMaskAdmin(ReadOnly):
    list_display = ["assignment_id", "label", "z", "sequence", "quality", "model_version", "person", "saved_at"]
    list_filter = ["label__project", "model_version"]
    list_select_related = ["label", "model_version", "person"]
    search_fields = ["=assignment__id"]
    fields = [
        "assignment",
        "label",
        "z",
        "sequence",
        "since",
        "pixels",
        "clicks",
        "quality",
        "model_version",
        "person",
        "saved_at",
    ]
    show_full_result_count = False
