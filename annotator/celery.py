"""The Celery app: `celery -A annotator worker --pool solo` runs the jobs (import, later training); one worker of the site
has `--beat` as well, and starts what happens by the clock.

What takes hours, training and evaluation, has a queue of its own, so that nobody's import waits behind it; the worker that
serves it is started with `-Q learning`. The pool is solo because CUDA does not survive a fork.
"""

from __future__ import annotations

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")
if os.environ.get("ANNOTATOR_DEBUG") == "1":  # a demo in a container runs as root, and that is all right
    warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("annotator")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")
app.conf.beat_schedule = {
    "every morning": {"task": "annotator.every_morning", "schedule": crontab(hour="6", minute="0")},
    "every night": {"task": "annotator.every_night", "schedule": crontab(hour="1", minute="0")},
    "every ten minutes": {"task": "annotator.rank", "schedule": crontab(minute="*/10"), "options": {"expires": 600}},
    "every minute": {"task": "annotator.every_minute", "schedule": crontab(), "options": {"expires": 60}},
}
