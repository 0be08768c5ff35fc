"""Addresses of the admins' pages about models."""

from django.urls import path

from annotator.learning.pages import patients, policy, training

urlpatterns = [
    path("patients/", patients.patients, name="patients"),
    path("training/", training.runs, name="training_runs"),
    path("training/<int:run_id>/", training.run, name="training_run"),
    path("training/<int:run_id>/cancel/", training.cancel, name="cancel_training"),
    path("training/<int:run_id>/preview.png", training.preview, name="training_preview"),
    path("rules/", policy.policy, name="learning_rules"),
]
