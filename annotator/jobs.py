"""What happens by the clock: `celery … worker --beat` starts it, and each job may be started twice without harm."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from annotator.annotation import news
from annotator.events import digest


@shared_task(name="annotator.every_morning")
def every_morning() -> None:
    """Say what will be due, then mail what nobody has looked at."""
    news.due_soon(timezone.localdate())
    digest.send()
