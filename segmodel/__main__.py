"""The click model on the command line: bad input gets one sentence and exit code 2."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .commands import COMMANDS


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m segmodel", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in COMMANDS:
        module.add(commands).set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    options.command = shlex.join(["python", "-m", "segmodel", *arguments])
    try:
        with _ending_when_told():
            options.run(options)
    except ValueError as error:  # every refusal of this package is a ValueError with a sentence for people
        print(f"segmodel: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""  # a write to a full disk knows no name
        print(f"segmodel: {place}{error.strerror}.", file=sys.stderr)
        return 2
    return 0


@contextmanager
def _ending_when_told() -> Iterator[None]:
    """SIGTERM ends the command with exit code 143, and what it has half written is cleared away as after Ctrl-C."""

    def end(number: int, frame: object) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # where no handler may be set
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
