"""The daily mail: what a person has not seen in the app, once."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from annotator.events import language
from annotator.events.models import Notice

log = logging.getLogger(__name__)


def send() -> int:
    """Mail everybody with an e-mail address what they have neither seen nor been mailed; the number of mails.

    A mail that cannot be sent is tried again the next time. Of two runs at once, one sends each notice.
    """
    waiting = User.objects.filter(notices__seen_at=None, notices__mailed_at=None, notices__isnull=False, is_active=True)
    return sum(_send_to(person) for person in waiting.exclude(email="").distinct())


def _send_to(person: User) -> bool:
    now = timezone.now()
    claimed = Notice.objects.filter(person=person, seen_at=None, mailed_at=None).update(mailed_at=now)
    mine = Notice.objects.filter(person=person, mailed_at=now)
    if not claimed:
        return False
    try:
        with language.reading(person.pk):
            send_mail(_subject(claimed), _body(list(mine.order_by("pk"))), None, [person.email])
    except (OSError, SMTPException) as error:
        mine.update(mailed_at=None)
        log.warning("The digest for %s was not sent: %s", person.get_username(), error)
        return False
    return True


def _subject(count: int) -> str:
    words = ngettext("Annotator: %(count)d notice for you", "Annotator: %(count)d notices for you", count)
    return words % {"count": count}


def _body(news: list[Notice]) -> str:
    lines = [f"* {notice.sentence}\n  {settings.SITE_URL}{notice.url}" for notice in news]
    end = gettext("You get this mail once a day while there is something that you have not seen in Annotator.")
    return "\n".join([*lines, "", end, ""])
