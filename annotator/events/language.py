"""The language that a person reads where no page of theirs says so: in mails and on sockets.

It is the one of the page on which they last logged in or chose another.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import translation

from annotator.events.models import Reader


def remember(person: User, code: str) -> None:
    """From now on the person reads this one of `settings.LANGUAGES`; another code changes nothing."""
    if code in dict(settings.LANGUAGES):
        Reader.objects.update_or_create(person=person, defaults={"language": code})


def of(person_id: int | None) -> str:
    """The site's own language for whoever has never said, and for nobody."""
    known = Reader.objects.filter(person=person_id).values_list("language", flat=True)
    return known.first() or settings.LANGUAGE_CODE


def reading(person_id: int | None) -> AbstractContextManager[None]:
    """`with reading(person.pk): …`: texts are in the person's language."""
    return translation.override(of(person_id))
