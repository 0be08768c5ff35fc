"""A command of `segmodel` as a process of its own: behind everything else on the machine, followed, and gone when asked.

It runs behind everything else, so that whoever clicks goes first; it ends when its job does, however that ends; what it says of
its progress is passed on, and what it says at the end, where it fails, is the reason.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from annotator import engine

POLL = 0.2  # seconds
PATIENCE = 3.0  # seconds that a process has to save and go
SAYS = "segmodel: "  # before the one sentence of a command that fails
OUTPUT = "output.txt"  # what the command prints, in the folder that it is run in
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

Follow = Callable[[dict[str, Any]], None]


class ChildFailed(RuntimeError):
    """One sentence: what the command said at its end."""


def run(arguments: Sequence[str], folder: Path, follow: Follow, processes: int = 1) -> None:
    """Run `python -m segmodel …` to its end; whatever `follow` raises ends it at once.

    `follow` gets the content of the command's progress file, or {}, several times a second. Raises ChildFailed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress, errors, output = (folder / name for name in ("progress.json", "errors.txt", OUTPUT))
    progress.unlink(missing_ok=True)
    command = engine.command([*arguments, "--progress", str(progress)], processes)
    with errors.open("wb") as errs, output.open("wb") as out, _started(command, processes, out, errs) as process:
        while process.poll() is None:
            follow(_read(progress))
            time.sleep(POLL)
    follow(_read(progress))
    if process.returncode:
        raise ChildFailed(_last_words(errors, process.returncode))


@contextmanager
def _started(
    command: list[str], processes: int, output: IO[bytes], errors: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, which does not outlive the block."""
    environment = {"OMP_NUM_THREADS": str(threads(processes)), **os.environ, "PYTHONUNBUFFERED": "1"}
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": errors, "env": environment}
    process = subprocess.Popen(command, process_group=0, preexec_fn=_humble, **options)  # noqa: PLW1509 (two system calls)
    try:
        yield process
    finally:
        if process.poll() is None:
            _end(process)


def threads(processes: int = 1) -> int:
    """Cores for each of so many processes, one core being left to clicks; the environment may say otherwise."""
    return max(1, (len(os.sched_getaffinity(0)) - 1) // processes)


def _humble() -> None:
    """In the child, before it becomes the command: last in the queue, and told when its parent dies."""
    os.nice(settings.LEARNING_NICE)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read(progress: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(progress.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def _last_words(errors: Path, code: int) -> str:
    """What the command says of its failure, or else the last that was written."""
    lines = [line.rsplit("\r", 1)[-1].strip() for line in errors.read_text(errors="replace").split("\n")]
    said = [line for line in lines if line]
    sentences = [line.removeprefix(SAYS) for line in said if line.startswith(SAYS)]
    if code < 0 and not sentences:
        sentence = _("The process was ended by the system (signal %(signal)d); was there too little memory?")
        return sentence % {"signal": -code}
    return (sentences or said or [_("The process ended with code %(code)d and said nothing.") % {"code": code}])[-1]
