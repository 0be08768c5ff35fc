"""The ASGI application: HTTP by Django, `/ws/` by Channels, start and stop of the embedded inference.

Serve it with a server that sends lifespan events (uvicorn does, Daphne does not).
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core import checks
from django.core.asgi import get_asgi_application
from django.urls import path

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

django_application = get_asgi_application()  # before anything that needs the models

from annotator.checks import TAG
from annotator.live.consumers import AssignmentConsumer
from annotator.live.learning import TrainingConsumer
from annotator.live.notices import NoticeConsumer

log = logging.getLogger(__name__)
# WhiteNoise's files are small and are read at once; the warning is meant for endless streams.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Refuses to start with settings that cannot work; runs inference inside this process where it is embedded."""
    await receive()
    if problems := start_up_errors():
        await send({"type": "lifespan.startup.failed", "message": "\n".join(problems)})
        return
    try:
        await _start_inference()
    except Exception as error:
        log.exception("Inference did not start.")
        await send({"type": "lifespan.startup.failed", "message": f"Inference did not start: {error}"})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _stop_inference()
    await send({"type": "lifespan.shutdown.complete"})


def start_up_errors() -> list[str]:
    """The errors of Annotator's own system checks, which no server runs by itself."""
    return [str(message) for message in checks.run_checks(tags=[TAG]) if message.is_serious()]


async def _start_inference() -> None:
    if settings.INFERENCE_EMBEDDED:
        from annotator.inference import embedded

        await embedded.start()


async def _stop_inference() -> None:
    if settings.INFERENCE_EMBEDDED:
        from annotator.inference import embedded

        await embedded.stop()


socket = URLRouter(
    [
        path("ws/assignments/<int:assignment_id>/", AssignmentConsumer.as_asgi()),
        path("ws/notices/", NoticeConsumer.as_asgi()),
        path("ws/learning/training/<int:run_id>/", TrainingConsumer.as_asgi()),
    ]
)
application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(socket)),
        "lifespan": lifespan,
    }
)
