"""What is sent to people by e-mail."""

from __future__ import annotations

from typing import NamedTuple

from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from annotator.annotation.models import Invitation


class Delivery(NamedTuple):
    """Whom a mail went to; or the link that has to be handed over, and why where a mail was wanted."""

    sent_to: str
    link: str
    error: str


def invite(request: HttpRequest, invitation: Invitation, secret: str) -> Delivery:
    """Mail an invitation's link where there is an address."""
    link = request.build_absolute_uri(reverse("invitation", args=[secret]))
    if not invitation.email:
        return Delivery("", link, "")
    subject = _("Invitation to %(project)s") % {"project": invitation.project}
    text = render_to_string("accounts/invitation_mail.txt", {"invitation": invitation, "link": link})
    try:
        send_mail(" ".join(subject.split()), text, None, [invitation.email])
    except OSError:  # smtplib's errors are among them
        return Delivery("", link, _("The mail could not be sent; hand the link over yourself."))
    return Delivery(invitation.email, "", "")
