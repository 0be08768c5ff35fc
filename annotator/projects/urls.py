"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import pages, review

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("<int:project_id>/", pages.project, name="project"),
    path("<int:project_id>/review/", review.queue, name="project_review"),
    path("<int:project_id>/review/next/", review.next_case, name="project_review_next"),
]
