"""Settings that cannot work are refused at start-up with what to set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(tmp_path: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A manage.py command over an empty environment and data folder."""
    environment = {"PATH": os.environ["PATH"], "ANNOTATOR_DATA": str(tmp_path / "data"), **variables}
    arguments = [sys.executable, "manage.py", *(command or ("check",))]
    return subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ANNOTATOR_INFERENCE": "2"}, "Set REDIS_URL"),
        ({"ANNOTATOR_INFERENCE": "many"}, "ANNOTATOR_INFERENCE is 'many'"),
        ({"ANNOTATOR_DEBUG": "perhaps"}, "ANNOTATOR_DEBUG is 'perhaps'"),
        ({"IMPORT_MAX_FILES": "-1"}, "IMPORT_MAX_FILES is '-1'"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is not a database's URL"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'LOUD'"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    result = start(tmp_path, **variables)
    assert result.returncode != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_an_empty_environment_works(tmp_path: Path) -> None:
    result = start(tmp_path, "check", "--fail-level", "ERROR")
    assert result.returncode == 0, result.stderr


def test_separate_workers_with_redis_work(tmp_path: Path) -> None:
    result = start(tmp_path, ANNOTATOR_INFERENCE="2", REDIS_URL="redis://localhost:6379/0")
    assert result.returncode == 0, result.stderr


def test_demo_accounts_do_not_serve_without_debug(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo").touch()
    assert "demo accounts" in start(tmp_path).stderr
    assert start(tmp_path, ANNOTATOR_DEBUG="1").returncode == 0


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    command = ("shell", "--no-imports", "-c", "from django.conf import settings; print(settings.SECRET_KEY)")
    first, second = (start(tmp_path, *command).stdout for _ in range(2))
    assert first == second
    assert len(first.strip()) >= 50
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0


async def lifespan_answers(monkeypatch: pytest.MonkeyPatch, embedded: SimpleNamespace) -> list[dict[str, str]]:
    """What the application says to a server that starts it and stops it again."""
    from annotator import asgi, inference

    monkeypatch.setattr(inference, "embedded", embedded, raising=False)
    monkeypatch.setitem(sys.modules, "annotator.inference.embedded", embedded)
    sent: list[dict[str, str]] = []
    events = iter(["startup", "shutdown"])

    async def receive() -> dict[str, str]:
        return {"type": f"lifespan.{next(events)}"}

    async def send(message: dict[str, str]) -> None:
        sent.append(message)

    await asgi.application({"type": "lifespan"}, receive, send)
    return sent


async def test_inference_starts_and_stops_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = SimpleNamespace(start=AsyncMock(), stop=AsyncMock())
    sent = await lifespan_answers(monkeypatch, embedded)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    embedded.start.assert_awaited_once()
    embedded.stop.assert_awaited_once()


async def test_the_server_does_not_start_without_its_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = SimpleNamespace(start=AsyncMock(side_effect=ValueError("There is no model file.")))
    (sent,) = await lifespan_answers(monkeypatch, embedded)
    assert sent["type"] == "lifespan.startup.failed"
    assert "There is no model file." in sent["message"]


async def test_the_server_does_not_start_with_what_cannot_work(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    settings.INFERENCE_EMBEDDED = False
    (sent,) = await lifespan_answers(monkeypatch, SimpleNamespace())
    assert sent["type"] == "lifespan.startup.failed"
    assert "Set REDIS_URL" in sent["message"]
