"""Addresses of a person's notices."""

from django.urls import path

from annotator.events import pages

urlpatterns = [
    path("notices/", pages.index, name="notices"),
    path("notices/seen/", pages.see_all, name="notices_seen"),
    path("notices/<int:notice_id>/", pages.follow, name="notice"),
]
