"""Addresses of the admins' pages about models."""

from django.urls import path

from annotator.learning.pages import evaluations, patients

urlpatterns = [
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path("evaluations/compare/", evaluations.compare, name="compare_evaluations"),
    path("evaluations/<int:evaluation_id>/", evaluations.evaluation_run, name="evaluation"),
    path("evaluations/<int:evaluation_id>/cancel/", evaluations.cancel, name="cancel_evaluation"),
    path("evaluations/<int:evaluation_id>/records.csv", evaluations.records, name="evaluation_records"),
    path("evaluations/<int:evaluation_id>/slices/<int:place>.png", evaluations.picture, name="evaluation_picture"),
    path("patients/", patients.patients, name="patients"),
]
