"""Files that are made while they are sent, so that they may be of any length."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from annotator import downloads


class Stream(StreamingHttpResponse):
    """Takes one piece after the other in a thread. Django itself would gather all of them before it sends the first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
            yield piece


def download(pieces: Iterable[bytes], name: str, content_type: str) -> Stream:
    """The pieces as a file of this name to save."""
    return Stream(pieces, content_type=content_type, headers=downloads.headers(name))
