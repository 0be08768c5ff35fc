"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import agreement, audit, cases, dashboard, export, gold, labels, pages, people, review

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("new/", pages.create, name="new_project"),
    path("<int:project_id>/", pages.project, name="project"),
    path("<int:project_id>/figures/", dashboard.progress, name="project_dashboard"),
    path("<int:project_id>/figures/people/", dashboard.people, name="project_dashboard_people"),
    path("<int:project_id>/figures/effort/", dashboard.effort, name="project_dashboard_effort"),
    path("<int:project_id>/figures/<slug:name>.csv", dashboard.figure, name="project_figure"),
    path("<int:project_id>/record/", audit.project_audit, name="project_audit"),
    path("<int:project_id>/record.csv", audit.project_audit_csv, name="project_audit_csv"),
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
    path("<int:project_id>/review/", review.queue, name="project_review"),
    path("<int:project_id>/review/next/", review.next_case, name="project_review_next"),
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
    path("<int:project_id>/export/", export.export, name="project_export"),
    path("<int:project_id>/people/", people.project_people, name="project_people"),
    path("<int:project_id>/people/<int:person_id>/", people.change_member, name="change_member"),
    path("<int:project_id>/people/<int:person_id>/remove/", people.remove_member, name="remove_member"),
    path("<int:project_id>/invitations/", people.invite, name="invite"),
    path("<int:project_id>/invitations/<int:invitation_id>/renew/", people.renew_invitation, name="renew_invitation"),
    path(
        "<int:project_id>/invitations/<int:invitation_id>/withdraw/",
        people.withdraw_invitation,
        name="withdraw_invitation",
    ),
]
