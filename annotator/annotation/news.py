"""What people are told about their cases without asking: what was given to them, and what will be due."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.urls import reverse

from annotator.annotation.models import Assignment, Project
from annotator.events import notices
from annotator.events.models import Notice

S = Assignment.State
OPEN = (S.ASSIGNED, S.IN_PROGRESS, S.RETURNED)
SOON = timedelta(days=2)


def given(person: User, project: Project) -> Notice:
    """Tell the person that somebody gave them cases of the project: one notice, however many there are by now."""
    new = Assignment.objects.filter(task__project=project, person=person, state=S.ASSIGNED).count()
    return notices.tell_anew(person, Notice.Kind.ASSIGNED, _work_on(project.pk), n=new, project=str(project))


def due_soon(today: date) -> int:
    """Tell people what they have that is due from today to the day after tomorrow; the number of notices.

    Once for each person, project and day, however often it is asked.
    """
    return sum(_tell_due(*about, n) for about, n in _due(today).items())


def _due(today: date) -> Counter[tuple[int, int, str, date]]:
    """How many open cases: by person, project (its number and name) and day."""
    near = Assignment.objects.filter(state__in=OPEN, task__due_on__range=(today, today + SOON), person__is_active=True)
    rows = near.values_list("person", "task__project", "task__project__name", "task__due_on")
    return Counter((person, project, name, day) for person, project, name, day in rows if day)


def _tell_due(person_id: int, project_id: int, project: str, day: date, n: int) -> bool:
    url = f"{_work_on(project_id)}#due-{day}"
    if Notice.objects.filter(person=person_id, kind=Notice.Kind.DUE, url=url).exists():
        return False
    notices.tell(User.objects.get(pk=person_id), Notice.Kind.DUE, url, n=n, project=project, day=day.isoformat())
    return True


def _work_on(project_id: int) -> str:
    return f"{reverse('my_work')}?project={project_id}"
