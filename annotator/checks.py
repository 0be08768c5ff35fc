"""Start-up errors for settings that cannot work together. Each says what to set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from annotator import environment

TAG = "annotator"


@checks.register(TAG)
def environment_is_readable(**kwargs: Any) -> list[checks.CheckMessage]:
    """Variables whose values could not be read."""
    return [checks.Error(problem, id="annotator.E001") for problem in environment.problems]


@checks.register(TAG)
def workers_can_be_reached(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    """The in-memory channel layer ends at the process's border; separate workers are other processes."""
    if not settings.INFERENCE_EMBEDDED and not settings.REDIS_URL:
        yield checks.Error(
            "ANNOTATOR_INFERENCE asks for separate inference workers, which cannot be reached without Redis.",
            hint="Set REDIS_URL, e.g. redis://localhost:6379/0, or ANNOTATOR_INFERENCE=embedded.",
            id="annotator.E002",
        )


@checks.register(TAG)
def demo_stays_a_demo(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    """The demo accounts' passwords are printed in the README."""
    if not settings.DEBUG and (settings.DATA / "demo").exists():
        yield checks.Error(
            f"{settings.DATA} holds the demo accounts, whose password everybody knows.",
            hint="Set ANNOTATOR_DATA to another folder, or ANNOTATOR_DEBUG=1 for a demo on this machine only.",
            id="annotator.E003",
        )


@checks.register(TAG)
def debug_stays_at_home(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    """Debug pages show settings and data to whoever provokes an error."""
    if settings.DEBUG and (settings.DATABASE_URL or not _is_local(settings.ALLOWED_HOSTS)):
        yield checks.Warning(
            "ANNOTATOR_DEBUG is on although the site has a database server or other host names than localhost.",
            hint="Set ANNOTATOR_DEBUG=0 wherever others can reach the site.",
            id="annotator.W004",
        )


def _is_local(hosts: list[str]) -> bool:
    return set(hosts) <= {"localhost", "127.0.0.1", "[::1]"}
