"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import audit, pages

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("<int:project_id>/", pages.project, name="project"),
    path("<int:project_id>/record/", audit.project_audit, name="project_audit"),
    path("<int:project_id>/record.csv", audit.project_audit_csv, name="project_audit_csv"),
]
