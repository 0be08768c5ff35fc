"""Addresses of the project pages."""

from django.urls import path

from annotator.projects import pages, people

urlpatterns = [
    path("", pages.projects, name="projects"),
    path("<int:project_id>/", pages.project, name="project"),
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
