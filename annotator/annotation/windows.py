"""All windows that are open on an assignment, and what they are told to look at again."""

from __future__ import annotations

from typing import Literal

from annotator.events.layer import send_on_commit


def group(assignment_id: int) -> str:
    """The channel group of all windows on the assignment."""
    return f"assignment-{assignment_id}"


def tell(assignment_id: int, what: Literal["progress", "comments"]) -> None:
    """Once it is committed, tell every window that this part of the case has changed."""
    send_on_commit(group(assignment_id), {"type": "case.news", "what": what})
