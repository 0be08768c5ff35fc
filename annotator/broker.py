"""Jobs are put into the queue of Celery's broker; where it is away, their rows wait for whoever looks at these next."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
AWAY = (OperationalError, OSError)
"""What a broker that does not answer raises."""


def put(job: Task, *arguments: Any, waits: str, **options: Any) -> None:
    """Have a job done, with Celery's `options`; where no broker takes it, the log says what `waits`."""
    try:
        job.apply_async(arguments, **options)
    except AWAY as error:
        logger.warning("The queue of jobs does not answer; %s waits: %s", waits, error)
