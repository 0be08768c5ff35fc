"""The inference loop inside the web process: started and stopped with it."""

from __future__ import annotations

import asyncio
import contextlib

from asgiref.sync import sync_to_async
from django.conf import settings

from annotator.annotation import versions
from annotator.engine import ClickEngine, use_threads
from annotator.inference.worker import Worker

_task: asyncio.Task[None] | None = None


async def start() -> None:
    """Loads the active checkpoint, then begins to answer. Raises ValueError with one sentence."""
    global _task
    use_threads(settings.INFERENCE_THREADS)
    worker = Worker(0, ClickEngine(settings.INFERENCE_DEVICE, settings.INFERENCE_CACHE_BYTES))
    version = await sync_to_async(versions.active)()
    await worker.warm_up(version.path)
    _task = asyncio.create_task(worker.run())


async def stop() -> None:
    global _task
    if _task:
        _task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await _task
        _task = None


def running() -> bool:
    return _task is not None and not _task.done()
