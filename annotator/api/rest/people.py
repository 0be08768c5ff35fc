"""Calls about members and invitations."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts import letters
from annotator.annotation import access, people
from annotator.annotation.models import Invitation, Project
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call
from annotator.api.rest.errors import Conflict


def named(project: Project, usernames: Iterable[str]) -> list[User]:
    """Members by their names, each once. Raises Conflict, which does not tell who else is on the site."""
    members = {one.person.get_username(): one.person for one in people.members(project)}
    names = list(dict.fromkeys(usernames))
    for name in names:
        if name not in members:
            sentence = _("%(name)s is no member of the project %(project)s.")
            raise Conflict(sentence % {"name": name, "project": project})
    return [members[name] for name in names]


class Members(Call):
    """Who belongs to a project; its reviewers and managers see that."""

    @extend_schema(responses=show.MemberFields(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = self.find(access.projects_overseen_by(self.person), pk=project_id)
        return self.pages(show.MemberFields, people.members(project))


class OneMember(Call):
    """One member of a project, by the person's number."""

    @extend_schema(responses=show.MemberFields)
    def get(self, request: Request, project_id: int, person_id: int) -> Response:
        project = self.find(access.projects_overseen_by(self.person), pk=project_id)
        return self.show(show.MemberFields, self.find(people.members(project), person_id=person_id))

    @extend_schema(request=show.MemberFields, responses=show.MemberFields)
    def patch(self, request: Request, project_id: int, person_id: int) -> Response:
        """Another role, other skills."""
        project = self.managed(project_id)
        membership = self.find(people.members(project), person_id=person_id)
        fields = self.body(show.MemberFields, membership)
        people.change(membership, self.person, fields.get("role"), fields.get("skills"))
        return self.show(show.MemberFields, self.find(people.members(project), person_id=person_id))

    @extend_schema(parameters=[show.Leaving], responses={204: OpenApiResponse(description="They are out.")})
    def delete(self, request: Request, project_id: int, person_id: int) -> Response:
        """Take somebody out of the project."""
        project = self.managed(project_id)
        membership = self.find(people.members(project), person_id=person_id)
        asked = self.query(show.Leaving)
        heir = named(project, [asked["heir"]])[0] if "heir" in asked else None
        people.remove(membership, self.person, heir, asked["keep_work"])
        return Response(status=204)


class Invitations(Call):
    """A project's open invitations."""

    @extend_schema(responses=show.InvitationFields(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        return self.pages(show.InvitationFields, people.invitations(self.managed(project_id)))

    @extend_schema(request=show.InvitationFields, responses={201: show.InvitationSent})
    def post(self, request: Request, project_id: int) -> Response:
        """Invite somebody, by e-mail where there is an address, else by the link that is answered."""
        project, fields = self.managed(project_id), self.body(show.InvitationFields)
        role = fields.get("role", people.Role.ANNOTATOR)
        made, secret = people.invite(project, role, self.person, fields.get("email", ""))
        return self._sent(made, secret, 201)

    def _sent(self, made: Invitation, secret: str, status: int) -> Response:
        made.link = letters.invite(self.request, made, secret).link  # type: ignore[attr-defined]
        return self.show(show.InvitationSent, made, status)


class OneInvitation(Call):
    """One open invitation."""

    @extend_schema(responses={204: OpenApiResponse(description="Its link has ended.")})
    def delete(self, request: Request, project_id: int, invitation_id: int) -> Response:
        """Withdraw it."""
        people.withdraw(self.find(self.managed(project_id).invitations.all(), pk=invitation_id), self.person)
        return Response(status=204)


class InvitationAgain(Invitations):
    """A new link instead of the old one."""

    http_method_names = ("post", "options")

    @extend_schema(request=None, responses=show.InvitationSent)
    def post(self, request: Request, project_id: int, invitation_id: int) -> Response:  # type: ignore[override]
        """Good for another fortnight, and mailed again where there is an address."""
        found = self.find(self.managed(project_id).invitations.select_related("invited_by"), pk=invitation_id)
        return self._sent(found, people.renew(found, self.person), 200)
