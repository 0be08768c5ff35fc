"""Addresses of the admins' pages about models."""

from django.urls import path

from annotator.learning.pages import evaluations, patients, policy, training, versions

urlpatterns = [
    path("", versions.models, name="models"),
    path("upload/", versions.upload, name="upload_model"),
    path("back/", versions.roll_back, name="roll_back"),
    path("<int:version_id>/", versions.model, name="model"),
    path("<int:version_id>/file/", versions.download, name="download_model"),
    path("<int:version_id>/notes/", versions.notes, name="model_notes"),
    path("<int:version_id>/promote/", versions.promote, name="promote"),
    path("<int:version_id>/trial/", versions.trial, name="trial"),
    path("<int:version_id>/delete/", versions.delete, name="delete_model"),
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path("evaluations/compare/", evaluations.compare, name="compare_evaluations"),
    path("evaluations/<int:evaluation_id>/", evaluations.evaluation_run, name="evaluation"),
    path("evaluations/<int:evaluation_id>/cancel/", evaluations.cancel, name="cancel_evaluation"),
    path("evaluations/<int:evaluation_id>/records.csv", evaluations.records, name="evaluation_records"),
    path("evaluations/<int:evaluation_id>/slices/<int:place>.png", evaluations.picture, name="evaluation_picture"),
    path("evaluations/<int:evaluation_id>/slices/<int:place>.json", evaluations.for_viewer, name="evaluation_slice"),
    path("patients/", patients.patients, name="patients"),
    path("training/", training.runs, name="training_runs"),
    path("training/<int:run_id>/", training.run, name="training_run"),
    path("training/<int:run_id>/cancel/", training.cancel, name="cancel_training"),
    path("training/<int:run_id>/preview.png", training.preview, name="training_preview"),
    path("rules/", policy.policy, name="learning_rules"),
]
