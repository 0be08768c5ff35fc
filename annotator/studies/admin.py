"""Studies, series and uploads in the admin. Voxels and geometry come from import alone, so they are shown, not edited."""

from django.contrib import admin
from django.http import HttpRequest

from annotator.studies.models import Series, Study, Upload


@admin.register(Study)
class StudyAdmin(admin.ModelAdmin):
    list_display = ["uid", "patient", "description", "date"]
    search_fields = ["uid", "patient", "description"]
    date_hierarchy = "date"


@admin.register(Series)
class SeriesAdmin(admin.ModelAdmin):
    list_display = ["__str__", "study", "modality", "depth", "height", "width", "synthetic", "imported_at"]
    list_filter = ["synthetic", "modality"]
    list_select_related = ["study"]
    search_fields = ["uid", "description", "study__uid", "study__patient"]
    readonly_fields = (
        "id", "study", "uid", "modality", "depth", "height", "width", "spacing", "geometry", "warnings", "synthetic",
        "sha256", "imported_by", "imported_at",
    )  # fmt: skip
    fields = ("description", *readonly_fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin):
    list_display = ["id", "person", "project_id", "state", "progress", "created_at"]
    list_filter = ["state"]
    readonly_fields = [
        "id",
        "person",
        "assignee",
        "project_id",
        "state",
        "progress",
        "report",
        "heartbeat_at",
        "created_at",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
