"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import audit, dashboard, pages

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("<int:project_id>/", pages.project, name="project"),
    path("<int:project_id>/figures/", dashboard.progress, name="project_dashboard"),
    path("<int:project_id>/figures/people/", dashboard.people, name="project_dashboard_people"),
    path("<int:project_id>/figures/effort/", dashboard.effort, name="project_dashboard_effort"),
    path("<int:project_id>/figures/<slug:name>.csv", dashboard.figure, name="project_figure"),
    path("<int:project_id>/record/", audit.project_audit, name="project_audit"),
    path("<int:project_id>/record.csv", audit.project_audit_csv, name="project_audit_csv"),
]
