"""A whole site for one test: its own data folder and free loopback ports, real processes, stopped at the end.

with Site(tmp_path) as site:
    site.manage("migrate")
    site.start_web()
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120  # seconds for a process to be ready on a machine that does other things as well


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """Processes by name; each writes `<folder>/<name>.log`. `environment` adds to the variables that they get."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ANNOTATOR_", "DJANGO_", "REDIS_"))}
        self.environment = {**inherited, "ANNOTATOR_DATA": str(folder / "data"), "ANNOTATOR_DEBUG": "1", **environment}

    def __enter__(self) -> Site:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self.processes)):
            self.stop(name)

    def manage(self, *arguments: str) -> str:
        """Runs a management command to its end and returns what it printed."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def people(self, *names: str, project: str = "Tests", role: str = "annotator") -> None:
        """Log-ins with the password "demo", members of a project with the labels liver and spleen."""
        self.manage(
            "shell",
            "--no-imports",
            "-c",
            "from django.contrib.auth.models import User\n"
            "from annotator.annotation.models import Label, Membership, Project\n"
            f"project, _ = Project.objects.get_or_create(name={project!r})\n"
            "for value, (name, colour) in enumerate([('liver', '#f0a020'), ('spleen', '#a371f7')], 1):\n"
            "    Label.objects.get_or_create(project=project, name=name, value=value, colour=colour)\n"
            f"for name in {names!r}:\n"
            "    person = User.objects.create_user(name, password='demo')\n"
            f"    Membership.objects.create(project=project, person=person, role={role!r})\n",
        )

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=self.environment, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.processes.pop(name)
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    # ------------------------------------------------------------------------------------------ the site's processes

    def start_web(self) -> None:
        """uvicorn as the Procfile starts it; returns once /healthz says that web and inference are ready."""
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--lifespan", "on", "--log-level", "warning"]
        options += ["--ws-per-message-deflate", "false", "--ws-max-size", "1048576", "--timeout-graceful-shutdown", "3"]
        self.start("web", sys.executable, "-m", "uvicorn", "annotator.asgi:application", *options)
        self.wait(self.is_healthy, "web")

    def start_jobs(self) -> None:
        options = [
            "-Q",
            "celery,learning",
            "--pool",
            "solo",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
        self.start(
            "jobs", sys.executable, "-m", "celery", "-A", "annotator", "worker", *options, "--loglevel", "warning"
        )

    def start_redis(self, port: int | None = None) -> None:
        """A Redis of this site's own, nothing kept on disk; at the same `port` again once it was stopped."""
        port = port or free_port()
        self.start(
            "redis", "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"
        )
        self.environment["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        self.wait(lambda: _listens(port), "redis")

    def start_worker(self, slot: int = 0) -> None:
        """A separate inference worker; the environment must say ANNOTATOR_INFERENCE=<slots>."""
        name = f"worker{slot}"
        (self.folder / f"{name}.log").unlink(missing_ok=True)
        self.start(name, sys.executable, str(ROOT / "manage.py"), "inference_worker", "--slot", str(slot))
        self.wait(lambda: "is ready" in self.log(name), name)

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait(self, condition: Callable[[], bool], name: str, patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            assert self.processes[name].poll() is None, f"{name} ended:\n{self.log(name)}"
            assert time.monotonic() < deadline, f"{name} was not ready in {patience} s:\n{self.log(name)}"
            time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
