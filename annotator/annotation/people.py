"""Who belongs to a project: roles and skills, the ways in by invitation and out again.

A project always keeps an active manager. Whoever leaves holds no open case any more: each is withdrawn or handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator import onetime
from annotator.annotation import access, assign, gold, progress
from annotator.annotation.models import Assignment, Invitation, Membership, Project
from annotator.events import audit

Role = Membership.Role
OPEN = progress.MOVES["withdraw"].before
"""States of a case that still has something to come from its person."""
DAYS = 14
"""An invitation is good for so long."""
SKILLS, SKILL_LENGTH = 20, 32


class PeopleRefused(ValueError):
    """One sentence why somebody does not come, go or change."""


# ------------------------------------------------------------------------------------------------ members


def members(project: Project) -> QuerySet[Membership]:
    """By name, each with the number of open cases (`open_cases`) that they have here."""
    open_ones = _open().filter(task__project=project, person=OuterRef("person")).order_by()
    number = Subquery(open_ones.values("person").annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    counted = project.memberships.annotate(open_cases=Coalesce(number, 0))
    return counted.select_related("person", "project").order_by("person__username")


def open_cases(person: User) -> QuerySet[Assignment]:
    """What the person still has to do, in any project."""
    cases = _open().filter(person=person)
    return cases.select_related("task__series", "task__project").order_by("task__project", "pk")


def change(membership: Membership, by: User, role: str | None = None, skills: list[str] | None = None) -> None:
    """Give a member another role or other skills; what is None stays. Raises PeopleRefused."""
    with _roll_call(membership):
        if role is not None:
            _check_role(role)
            if role != Role.MANAGER:
                _check_not_last(membership)
            membership.role = role
        if skills is not None:
            membership.skills = _checked_skills(skills)
        membership.save(update_fields=["role", "skills"])
        audit.note(by, "changed", membership, membership.project_id, role=membership.role, skills=membership.skills)


def remove(membership: Membership, by: User, heir: User | None = None, keep_work: bool = True) -> int:
    """Take somebody out of the project; the number of open cases that they had.

    Each reading goes to `heir`, with the work so far or blank, or back into the queue where there is none. Checks measure
    nobody else, and revisions and adjudications are one reviewer's own, so these are withdrawn: what they were about waits for
    a reviewer again. All of it or nothing.

    Raises:
        PeopleRefused, assign.AssignRefused, progress.MoveRefused.
    """
    if heir == membership.person:
        raise PeopleRefused(_("Whoever leaves cannot take over the cases."))
    with _roll_call(membership):
        _check_not_last(membership)
        cases = list(open_cases(membership.person).filter(task__project=membership.project_id))
        for case in cases:
            _pass_on(case, heir, by, keep_work)
        gold.call_off(membership)
        audit.note(by, "removed", membership, membership.project_id, cases=len(cases), to=str(heir or ""))
        membership.delete()
    return len(cases)


def skills_from(text: str) -> list[str]:
    """Words separated by commas, as a form has them."""
    return [word for part in text.split(",") if (word := part.strip())]


@contextmanager
def _roll_call(membership: Membership) -> Iterator[None]:
    """One change of a project's people at a time, so that two managers cannot remove each other."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=membership.project_id)
        try:
            membership.refresh_from_db(fields=["role", "skills"])
        except Membership.DoesNotExist as gone:
            name = membership.person.get_username()
            raise PeopleRefused(_("%(name)s is no member any more.") % {"name": name}) from gone
        yield


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise PeopleRefused(_("A role is one of %(roles)s.") % {"roles": ", ".join(Role.values)})


def _check_not_last(membership: Membership) -> None:
    managers = Membership.objects.filter(project=membership.project_id, role=Role.MANAGER, person__is_active=True)
    if membership.role == Role.MANAGER and not managers.exclude(pk=membership.pk).exists():
        sentence = _("%(name)s is the last manager of %(project)s; make somebody else one first.")
        raise PeopleRefused(sentence % {"name": membership.person.get_username(), "project": membership.project})


def _open() -> QuerySet[Assignment]:
    """Cases that still have something to come; a check that waits for its turn is nobody's yet."""
    return Assignment.objects.filter(access.IN_HAND, state__in=OPEN)


def _pass_on(case: Assignment, heir: User | None, by: User, keep_work: bool) -> None:
    if heir is None or case.kind != Assignment.Kind.READING:
        progress.make("withdraw", by, case)
        return
    if heir.assignments.filter(task=case.task_id).exclude(state=Assignment.State.HANDED_BACK).exists():
        sentence = _("%(name)s has %(series)s already, so it goes to somebody else.")
        raise PeopleRefused(sentence % {"name": heir.get_username(), "series": case.task.series})
    assign.reassign(case, heir, by, keep_work)


def _checked_skills(skills: list[str]) -> list[str]:
    words = list(dict.fromkeys(word.strip() for word in skills if word.strip()))
    if len(words) > SKILLS or any(len(word) > SKILL_LENGTH for word in words):
        sentence = _("A member has at most %(most)d skills, each a word of at most %(length)d characters.")
        raise PeopleRefused(sentence % {"most": SKILLS, "length": SKILL_LENGTH})
    if any(re.search(r"[,\x00-\x1f]", word) for word in words):
        raise PeopleRefused(_("A skill is a word without commas."))
    return words


# ------------------------------------------------------------------------------------------------ invitations


def invite(project: Project, role: str, by: User, email: str = "") -> tuple[Invitation, str]:
    """An invitation and its secret, which is told this once. Raises PeopleRefused."""
    _check_role(role)
    if email and project.memberships.filter(person__email__iexact=email, person__is_active=True).exists():
        raise PeopleRefused(_("Somebody with the address %(email)s is a member already.") % {"email": email})
    secret = onetime.secret()
    with transaction.atomic():
        invitation = Invitation.objects.create(
            project=project, role=role, email=email, digest=onetime.digest(secret), invited_by=by, expires_at=_expiry()
        )
        audit.note(by, "invited", invitation, project.pk, role=role)
    return invitation, secret


def renew(invitation: Invitation, by: User) -> str:
    """A new secret for another fortnight; the old link ends. Raises PeopleRefused."""
    secret = onetime.secret()
    waiting = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
    with transaction.atomic():
        if not waiting.update(digest=onetime.digest(secret), expires_at=_expiry()):
            raise PeopleRefused(_ended(invitation))
        audit.note(by, "renewed", invitation, invitation.project_id)
    invitation.refresh_from_db()
    return secret


def withdraw(invitation: Invitation, by: User) -> None:
    """The link ends. Raises PeopleRefused where it has been used or withdrawn."""
    waiting = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
    with transaction.atomic():
        if not waiting.update(withdrawn_at=timezone.now()):
            raise PeopleRefused(_ended(invitation))
        audit.note(by, "withdrew", invitation, invitation.project_id)


def invitations(project: Project) -> QuerySet[Invitation]:
    """Those that nobody has used and nobody has withdrawn, expired ones too, the newest first."""
    return project.invitations.filter(accepted_at=None, withdrawn_at=None).select_related("invited_by")


def find(secret: str) -> Invitation | None:
    """The invitation of a link, whatever became of it; None where there never was one."""
    known = Invitation.objects.select_related("project", "invited_by")
    return known.filter(digest=onetime.digest(secret)).first()


def why_ended(invitation: Invitation) -> str | None:
    """Why the link opens nothing any more, in one sentence; None while it does."""
    if invitation.accepted_at:
        return _("This invitation has been used; ask for another one.")
    if invitation.withdrawn_at:
        return _("This invitation was withdrawn; ask whoever sent it.")
    if invitation.project.archived_at:
        return _("The project %(name)s is archived and takes nobody in.") % {"name": invitation.project}
    if invitation.expires_at <= timezone.now():
        sentence = _("This invitation was good for %(days)d days and has expired; ask for another one.")
        return sentence % {"days": DAYS}
    return None


def join(invitation: Invitation, person: User) -> Membership:
    """Make the person a member; whoever is one already stays as they are and the link stays good. Raises PeopleRefused."""
    if held := Membership.objects.filter(project=invitation.project_id, person=person).first():
        return held
    with transaction.atomic():
        open_ones = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
        if why_ended(invitation) or not open_ones.filter(pk=invitation.pk).update(
            accepted_at=timezone.now(), accepted_by=person
        ):
            raise PeopleRefused(_ended(invitation))
        joined = Membership.objects.create(project=invitation.project, person=person, role=invitation.role)
        audit.note(person, "joined", joined, invitation.project_id, role=invitation.role)
    return joined


def _ended(invitation: Invitation) -> str:
    invitation.refresh_from_db()
    return why_ended(invitation) or _("This invitation has changed meanwhile; open its link again.")


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=DAYS)
