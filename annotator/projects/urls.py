"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import agreement, gold, pages

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("<int:project_id>/", pages.project, name="project"),
    path("<int:project_id>/agreement/", agreement.agreement_of_project, name="project_agreement"),
    path("<int:project_id>/agreement.csv", agreement.agreement_csv, name="project_agreement_csv"),
    path("<int:project_id>/agreement/<int:task_id>/", agreement.agreement_of_task, name="project_agreement_task"),
    path(
        "<int:project_id>/agreement/<int:task_id>.csv", agreement.agreement_task_csv, name="project_agreement_task_csv"
    ),
    path("<int:project_id>/agreement/<int:task_id>/again/", agreement.compare_again, name="compare_again"),
    path("<int:project_id>/agreement/<int:task_id>/adjudicate/", agreement.adjudicate, name="adjudicate"),
    path("<int:project_id>/gold/", gold.gold_of_project, name="project_gold"),
    path("<int:project_id>/gold/checks/", gold.give_checks, name="give_checks"),
    path("<int:project_id>/gold/again/", gold.measure_again, name="measure_again"),
    path("<int:project_id>/gold/<int:task_id>/", gold.mark, name="mark_gold"),
]
