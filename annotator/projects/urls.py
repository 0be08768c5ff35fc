"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import cases, labels, pages

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("new/", pages.create, name="new_project"),
    path("<int:project_id>/", pages.project, name="project"),
    path("<int:project_id>/settings/", pages.settings, name="project_settings"),
    path("<int:project_id>/settings/archive/", pages.archive, name="project_archive"),
    path("<int:project_id>/settings/delete/", pages.delete, name="project_delete"),
    path("<int:project_id>/labels/", labels.labels, name="project_labels"),
    path("<int:project_id>/labels/<int:label_id>/", labels.label, name="project_label"),
    path("<int:project_id>/labels/<int:label_id>/move/", labels.move, name="project_label_move"),
    path("<int:project_id>/labels/<int:label_id>/delete/", labels.delete, name="project_label_delete"),
    path("<int:project_id>/labels/take/", labels.take, name="project_labels_take"),
    path("<int:project_id>/labels/export.<str:kind>", labels.export, name="project_labels_export"),
    path("<int:project_id>/cases/", cases.table, name="project_cases"),
    path("<int:project_id>/cases/add/", cases.add, name="project_add_cases"),
]
