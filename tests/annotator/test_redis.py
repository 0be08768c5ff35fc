"""The Redis channel layer as the settings configure it, against a real server."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from channels_redis.core import RedisChannelLayer

from tests.annotator.test_checks import start


@pytest.fixture
def redis_url(tmp_path) -> Iterator[str]:
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait()


@pytest.mark.slow
async def test_an_idle_receiver_is_not_dropped(tmp_path, redis_url: str) -> None:
    """redis-py 8 gives up on a socket that is silent for 5 s, which is how long the layer waits for a message."""
    script = "import json; from django.conf import settings; print(json.dumps(settings.CHANNEL_LAYERS['default']))"
    command = ("shell", "--no-imports", "-c", script)
    answer = await asyncio.to_thread(start, tmp_path, *command, REDIS_URL=redis_url)
    layer = RedisChannelLayer(**json.loads(answer.stdout)["CONFIG"])
    receiver = asyncio.create_task(layer.receive("slot"))
    await asyncio.sleep(6.5)
    await layer.send("slot", {"type": "late"})
    assert await asyncio.wait_for(receiver, 5) == {"type": "late"}
    await layer.flush()
