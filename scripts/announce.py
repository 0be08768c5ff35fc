"""Says where the demo is once it can be used, then waits to be stopped with the rest."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request

URL = os.environ.get("ANNOTATOR_URL", "http://127.0.0.1:8000")
BANNER = f"""
  Annotator is ready:  {URL}
  Log in as annotator or bob, reviewer, manager or admin, each with the password demo.
  Ctrl-C stops everything.
"""


def is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"{URL}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    while not is_ready():
        time.sleep(0.3)
    print(BANNER, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
