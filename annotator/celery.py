"""The Celery app: `celery -A annotator worker --pool solo` runs the jobs (import, later training).

The pool is solo because CUDA does not survive a fork.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")

app = Celery("annotator")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")
