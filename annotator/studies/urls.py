"""Addresses of the upload page."""

from django.urls import path

from annotator.studies import pages

urlpatterns = [
    path("upload/", pages.choose, name="upload"),
    path("projects/<int:project_id>/upload", pages.upload, name="upload"),
    path("projects/<int:project_id>/uploads/", pages.receive, name="uploads"),
    path("uploads/<uuid:upload_id>/", pages.follow, name="import"),
]
