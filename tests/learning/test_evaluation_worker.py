"""A Celery worker is killed in the middle of an evaluation, or its broker goes away; the report is that of an unbroken run.

Redis carries the jobs and PostgreSQL has the rows, as on a site of several machines.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.postgres import Postgres, program
from tests.site import Site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program("initdb") is None, reason="PostgreSQL is not installed"),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed"),
]
PATIENCE = 400  # seconds: behind everything else on the machine, it may take its time
TIMES = ("ms_per_click", "encode_ms", "model", "command")

SET_UP = """
from pathlib import Path
from annotator.learning import evaluation, freeze
from tests.learning import frozen
project = frozen.make_project()
frozen.make_gold(project, patients=3, slices=3)
run = evaluation.want(frozen.make_version(Path({folder!r})), freeze.for_evaluation([project]))
evaluation.queue(run)
"""
WANT = """
from annotator.learning import evaluation
from annotator.learning.models import EvaluationRun
first = EvaluationRun.objects.get()
evaluation.queue(evaluation.want(first.version, first.manifest, placement="centre"))
"""
MINUTE = """
from annotator.learning import jobs
jobs.every_minute.delay()
"""
ANEW = """
from annotator.learning import evaluation
from annotator.learning.models import EvaluationRun
first = EvaluationRun.objects.get()
EvaluationRun.objects.filter(pk=first.pk).update(state="cancelled")
evaluation.run(evaluation.want(first.version, first.manifest).pk)
"""


@pytest.fixture
def site(tmp_path):
    with Postgres() as server, Site(tmp_path, DATABASE_URL=server.url, ANNOTATOR_TRAINING_NICE="0") as site:
        site.start_redis()
        site.environment["CELERY_BROKER_URL"] = site.environment["REDIS_URL"]
        site.manage("migrate", "--verbosity", "0")
        site.manage("shell", "--no-imports", "-c", SET_UP.format(folder=str(tmp_path)))
        yield site


def ask(site: Site, query: str):
    with psycopg.connect(site.environment["DATABASE_URL"]) as database:
        done = database.execute(query)
        return done.fetchone() if done.description else None


def kept(site: Site) -> list[Path]:
    return sorted((site.folder / "data" / "jobs" / "learning" / "evaluation-1" / "kept").glob("*.json"))


def report(site: Site, number: int):
    file = site.folder / "data" / "storage" / "evaluations" / str(number) / "report.json"
    return {name: value for name, value in json.loads(file.read_text()).items() if name not in TIMES}


def test_what_a_killed_worker_has_left_is_finished_by_the_next(site):
    site.start_jobs()
    site.wait(lambda: bool(kept(site)), "jobs", PATIENCE)
    site.stop("jobs", signal.SIGKILL)
    assert ask(site, "select state from learning_evaluationrun") == ("running",)
    finished = {file: file.stat().st_mtime for file in kept(site)}
    assert len(finished) < 3
    ask(site, "update learning_evaluationrun set heartbeat_at = heartbeat_at - interval '2 minutes'")  # time goes by

    site.start_jobs()
    again: dict[Path, float] = {}

    def is_done() -> bool:
        again.update({file: file.stat().st_mtime for file in kept(site) if file in finished})
        state, error = ask(site, "select state, error from learning_evaluationrun")
        assert state in ("running", "done"), error
        return state == "done"

    site.wait(is_done, "jobs", PATIENCE)
    assert again == finished  # not done a second time
    site.stop("jobs")
    site.manage("shell", "--no-imports", "-c", ANEW)
    assert report(site, 1) == report(site, 2)
    assert not list((site.folder / "data" / "jobs" / "learning").iterdir())


def test_a_broker_that_is_away_for_half_a_minute_costs_nothing(site):
    site.start_jobs()
    site.wait(lambda: bool(kept(site)), "jobs", PATIENCE)
    site.stop("redis")
    site.manage("shell", "--no-imports", "-c", WANT)  # answered at once; its row waits
    away_until = time.monotonic() + 30
    states = "select array_agg(state order by id) from learning_evaluationrun"
    site.wait(lambda: time.monotonic() > away_until and ask(site, states) == (["done", "waiting"],), "jobs", PATIENCE)
    site.start_redis(urlsplit(site.environment["REDIS_URL"]).port)
    site.manage("shell", "--no-imports", "-c", MINUTE)  # the clock's call
    site.wait(lambda: ask(site, states) == (["done", "done"],), "jobs", PATIENCE)
