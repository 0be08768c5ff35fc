"""Addresses of the JSON API and of the slices."""

from django.urls import include, path

from annotator.api import views

urlpatterns = [
    path("v1/", include("annotator.api.rest.urls")),
    path("assignments/<int:assignment_id>/", views.assignment, name="api_assignment"),
    path("assignments/<int:assignment_id>/masks/", views.masks, name="api_masks"),
    path("assignments/<int:assignment_id>/moves/", views.moves, name="api_moves"),
    path("assignments/<int:assignment_id>/comments/", views.comment_list, name="api_comments"),
    path("assignments/<int:assignment_id>/comments/<int:comment_id>/", views.comment, name="api_comment"),
    path("assignments/<int:assignment_id>/revision/", views.revision, name="api_revision"),
    path("assignments/<int:assignment_id>/readings/", views.readings, name="api_readings"),
    path("assignments/<int:assignment_id>/steps/", views.steps, name="api_steps"),
    path("series/<uuid:series_id>/slices/<int:z>", views.slice_pixels, name="api_slice"),
    path("series/<uuid:series_id>/thumbnail.png", views.thumbnail_png, name="api_thumbnail"),
]
