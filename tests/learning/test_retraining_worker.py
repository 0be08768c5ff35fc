"""A real Celery worker trains: killed at any stage, another one goes on with the run; cancelled, it stops within seconds."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.learning.trainable import QUICK
from tests.site import ROOT, Site

STAGES = ["freeze", "material", "train", "calibrate", "register", "evaluate", "gate"]
STEPS = 60
AT_MOST = 5.0  # seconds from a cancellation to the end of the training process

MAKE = """
from pathlib import Path
from tests.learning import trainable
trainable.make_site(Path({folder!r}))
"""
WANT = """
from annotator.learning import retraining
run, made = retraining.want("button", steps={steps}, settings={settings!r})
print(run.pk)
"""
CANCEL = """
from django.contrib.auth.models import User
from annotator.learning import retraining
from annotator.learning.models import TrainingRun
retraining.cancel(TrainingRun.objects.get(is_only=True), User.objects.get(username="rita"))
"""
DIE = """
import os, signal
from annotator.learning import stages
begin = stages._Job.begin
def begin_and_die(job, stage):
    begin(job, stage)
    if stage == {stage!r}:
        os.kill(os.getpid(), signal.SIGKILL)
stages._Job.begin = begin_and_die
stages.run({run_id})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retraining")
    with Site(folder / "site", OMP_NUM_THREADS="1", ANNOTATOR_TRAINING_NICE="0") as site:
        site.manage("migrate")
        shell(site, MAKE.format(folder=str(folder / "made")))
        yield site


def shell(site, script):
    return site.manage("shell", "--no-imports", "-c", script)


def want(site, steps=STEPS):
    return int(shell(site, WANT.format(steps=steps, settings=QUICK)).split()[-1])


def ask(site, question, *arguments):
    with sqlite3.connect(site.folder / "data" / "annotator.sqlite3", timeout=20) as database:
        rows = database.execute(question, arguments).fetchall()
        return rows[0] if rows else None


def row(site, run_id, *names):
    found = ask(site, f"SELECT {', '.join(names)} FROM learning_trainingrun WHERE id = ?", run_id)
    return found if len(names) > 1 else found[0]


def log_of(site, run_id):
    return site.folder / "data" / "jobs" / "learning" / f"run-{run_id}" / "train" / "log.jsonl"


def a_minute_passes(site):
    ask(site, "UPDATE learning_trainingrun SET heartbeat_at = datetime(heartbeat_at, '-61 seconds') WHERE is_only")


def is_over(site, run_id):
    return row(site, run_id, "state") not in ("waiting", "running")


def children(site):
    """The commands of segmodel that work in the site's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if "segmodel" in words and str(site.folder) in words:
            found.append(int(process.name))
    return found


def test_a_cancelled_run_stops_within_seconds(site):
    site.start_jobs()
    run_id = want(site, steps=100_000)
    site.wait(lambda: row(site, run_id, "step") >= 1, "jobs", 240)
    assert children(site)
    shell(site, CANCEL)
    done_at = datetime.fromisoformat(row(site, run_id, "done_at")).replace(tzinfo=UTC).timestamp()
    while children(site):
        assert time.time() - done_at < AT_MOST
        time.sleep(0.02)
    assert row(site, run_id, "state", "error", "is_only", "candidate_id") == ("cancelled", "", None, None)
    folder = log_of(site, run_id).parents[1]
    site.wait(lambda: {file.name for file in folder.iterdir()} <= {"log.jsonl", "preview.png"}, "jobs")
    site.stop("jobs")


def test_a_killed_worker_leaves_a_run_of_two_processes_that_another_finishes(site, monkeypatch):
    monkeypatch.setitem(site.environment, "ANNOTATOR_TRAINING_PROCESSES", "2")
    run_id = want(site)
    site.start_jobs()
    site.wait(lambda: row(site, run_id, "step") >= 3, "jobs", 240)
    site.stop("jobs", signal.SIGKILL)
    deadline = time.monotonic() + 60
    while children(site):  # it saves, for its worker is gone
        assert time.monotonic() < deadline
        time.sleep(0.05)
    log = log_of(site, run_id)
    before = log.read_text().splitlines()
    assert log.with_name("state.pt").exists() and 3 <= len(before) < STEPS
    assert row(site, run_id, "state", "candidate_id", "is_only") == ("running", None, 1)
    assert ask(site, "SELECT count(*) FROM annotation_modelversion") == (1,)

    a_minute_passes(site)
    site.start_jobs()
    site.wait(lambda: is_over(site, run_id), "jobs", 240)
    assert row(site, run_id, "state", "error", "step", "is_only") == ("done", "", STEPS, None)
    after = log.parents[1].joinpath("log.jsonl").read_text().splitlines()
    assert after[:3] == before[:3], "it began anew"
    assert [json.loads(line)["step"] for line in after][-1] == STEPS
    assert ask(site, "SELECT count(*) FROM learning_lineage WHERE run_id = ?", run_id) == (1,)
    assert ask(site, "SELECT count(*) FROM annotation_modelversion") == (2,)
    assert ask(site, "SELECT count(*) FROM learning_verdict") == (1,)
    states = ask(site, "SELECT group_concat(state) FROM learning_evaluationrun")
    assert states == ("done,done",)
    site.stop("jobs")


def test_killed_at_every_stage_in_turn_it_registers_one_version_in_the_end(site):
    (versions,) = ask(site, "SELECT count(*) FROM annotation_modelversion")
    run_id = want(site, steps=4)
    for stage in STAGES:
        die = [
            sys.executable,
            ROOT / "manage.py",
            "shell",
            "--no-imports",
            "-c",
            DIE.format(stage=stage, run_id=run_id),
        ]
        died = subprocess.run(die, env=site.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
        assert row(site, run_id, "state", "stage", "is_only") == ("running", stage, 1)
        assert (row(site, run_id, "candidate_id") is not None) == (stage in ("evaluate", "gate"))
        a_minute_passes(site)
    site.start_jobs()
    site.wait(lambda: is_over(site, run_id), "jobs", 240)
    assert row(site, run_id, "state", "error", "step", "is_only") == ("done", "", 4, None)
    assert ask(site, "SELECT count(*) FROM annotation_modelversion") == (versions + 1,)
    candidate = row(site, run_id, "candidate_id")
    assert ask(site, "SELECT count(*) FROM learning_lineage WHERE run_id = ?", run_id) == (1,)
    assert ask(site, "SELECT count(*) FROM learning_verdict WHERE candidate_id = ?", candidate) == (1,)
    assert ask(site, "SELECT group_concat(state) FROM learning_evaluationrun WHERE version_id = ?", candidate) == (
        "done",
    )
