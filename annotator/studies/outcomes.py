"""What became of each thing that was to be imported, in words for the person who brought it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotator import engine
from annotator.annotation.assign import AssignRefused
from annotator.studies.archives import ArchiveRefused
from annotator.studies.models import Series

logger = logging.getLogger(__name__)

NO_SPACE = gettext_noop("There is no space left on the server's disk, so nothing of this was imported.")
NO_MEMORY = gettext_noop("The volume is too large for the memory of the server.")
UNEXPECTED = gettext_noop(
    "This could not be imported because of an error in the program; the server's log has the details."
)
_LEFT_OUT_SHOWN = 20


class ImportRefused(ValueError):
    """Something that is not imported; the message is one sentence for the person who brought it."""


class Result(models.TextChoices):
    IMPORTED = "imported"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one series or file, and what has to be said about it."""

    name: str
    series: Series | None
    outcome: Result
    sentences: tuple[str, ...] = ()


def refused(name: str, sentence: str) -> Outcome:
    return Outcome(name, None, Result.REFUSED, (sentence,))


def reason(error: Exception) -> str:
    """One sentence; errors that nobody foresaw go to the log with all that is known about them."""
    if isinstance(error, engine.VolumeRefused | ArchiveRefused | AssignRefused | ImportRefused):
        return str(error)
    if isinstance(error, MemoryError):
        return _(NO_MEMORY)
    if is_full(error):
        return _(NO_SPACE)
    logger.error("An import failed.", exc_info=error)
    if isinstance(error, OSError) and error.strerror:
        return _("The server could not read or store this: %(error)s.") % {"error": error.strerror}
    return _(UNEXPECTED)


def is_full(error: Exception) -> bool:
    """Whether a disk is the reason, that of the files or that of the database."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, OperationalError) and "disk is full" in str(error)


def left_out(files: Sequence[tuple[str, str]]) -> list[Outcome]:
    """(name, sentence) of each file that is no slice, and one line for all the rest where a folder is full of them."""
    shown = [refused(name, sentence) for name, sentence in files[:_LEFT_OUT_SHOWN]]
    more = len(files) - len(shown)
    if more:
        shown.append(refused(_("%(n)d more") % {"n": more}, _("These hold no CT slices either.")))
    return shown


def to_report(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Plain values, as `Upload.report` keeps them."""
    return [
        {
            "name": outcome.name,
            "series": str(outcome.series.pk) if outcome.series else None,
            "outcome": outcome.outcome.value,
            "sentences": list(outcome.sentences),
        }
        for outcome in outcomes
    ]
