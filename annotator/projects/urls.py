"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import pages

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("<int:project_id>/", pages.project, name="project"),
]
