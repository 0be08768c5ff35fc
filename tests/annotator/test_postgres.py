"""Whatever several do at once ends on PostgreSQL as it does on SQLite: the tests that are marked `races`, once more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.postgres import Postgres, program
from tests.site import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program("initdb") is None, reason="PostgreSQL is not installed"),
    pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the tests run on another database already"),
]


def test_races_end_the_same_way_on_postgresql():
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    words = ["-m", "pytest", "-q", "-m", "races", "-p", "no:cacheprovider", "tests/annotator", "tests/learning"]
    with Postgres() as server:
        environment = {**inherited, "DATABASE_URL": server.url}
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout[-8000:]
    assert "skipped" not in done.stdout.splitlines()[-1] and "passed" in done.stdout.splitlines()[-1]
