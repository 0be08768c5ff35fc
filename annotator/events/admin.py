"""The audit record and the notices in the admin: shown, never touched."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from annotator.events.models import Event, Notice


class ReadOnly(admin.ModelAdmin):
    """Rows that only the program writes. What they hang on cannot be deleted from here either."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["at", "person", "verb", "kind", "thing", "project_id"]
    list_filter = ["verb", "kind"]
    search_fields = ["person", "thing"]
    date_hierarchy = "at"
    show_full_result_count = False


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    list_display = ["at", "person", "kind", "__str__", "seen_at", "mailed_at"]
    list_filter = ["kind"]
    list_select_related = ["person"]
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """They go with their person, so they must not keep a person from being deleted."""
        return True
