"""make bench-team: how long the pages of a large team take: 10 000 cases, 200 people, on SQLite and on PostgreSQL.

Prints for each page the median and the 95th percentile in milliseconds and the number of queries, as its slowest viewer gets
it. Nothing here is a test: the figures are the machine's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PAGES = (
    ("My work of an annotator", "my_work", False, "person7"),
    ("My work of a manager", "my_work", False, "manager"),
    ("Projects", "projects", False, "manager"),
    ("Overview of a project", "project", True, "manager"),
    ("Cases", "project_cases", True, "manager"),
    ("Review queue", "project_review", True, "manager"),
    ("People", "project_people", True, "manager"),
    ("Figures: progress", "project_dashboard", True, "manager"),
    ("Figures: people", "project_dashboard_people", True, "manager"),
    ("Figures: effort", "project_dashboard_effort", True, "manager"),
    ("Agreement", "project_agreement", True, "manager"),
    ("Gold cases", "project_gold", True, "manager"),
    ("Record of a project", "project_audit", True, "manager"),
    ("Record of the site", "site_audit", False, "admin"),
    ("People of the site", "site_people", False, "admin"),
    ("Notices", "notices", False, "person7"),
)
WAYS = (
    (0.55, ("assigned", "in_progress", "submitted", "accepted")),
    (0.08, ("assigned", "in_progress", "submitted", "returned", "in_progress", "submitted", "accepted")),
    (0.10, ("assigned", "in_progress", "submitted")),
    (0.04, ("assigned", "in_progress", "submitted", "returned")),
    (0.08, ("assigned", "in_progress")),
    (0.13, ("assigned",)),
    (0.02, ("assigned", "skipped")),
)
DAYS = 90
SLICES = 6  # with a mask, of each case that was begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--page", default="", help="those whose title has this in it")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(measure(options)))
        return
    for database in ("sqlite", "postgres"):
        if options.only in (None, database):
            print(table(database, options, run(database)), flush=True)


def run(database: str) -> dict[str, Any]:
    """The figures on one kind of database, from a process of its own with a data folder of its own."""
    from tests.postgres import Postgres

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="annotator-team-"))
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment = {**kept, "ANNOTATOR_DATA": folder, "LOG_LEVEL": "ERROR"}
        if database == "postgres":
            environment["DATABASE_URL"] = stack.enter_context(Postgres()).url
        command = [sys.executable, __file__, *sys.argv[1:], "--inside"]
        done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])


def table(database: str, options: argparse.Namespace, figures: dict[str, Any]) -> str:
    lines = [
        f"\n{database}: {options.cases} cases, {options.people} people",
        f"{'page':28}{'median':>8}{'p95':>8}{'queries':>9}",
    ]
    for page, (median, p95, queries) in figures.items():
        lines.append(f"{page:28}{median:8.0f}{p95:8.0f}{queries:9d}")
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------- the measuring


def measure(options: argparse.Namespace) -> dict[str, tuple[float, float, int]]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "annotator.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    from django.urls import NoReverseMatch, reverse

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    project = seed(options)
    figures = {}
    for title, name, of_project, who in (page for page in PAGES if options.page.lower() in page[0].lower()):
        with contextlib.suppress(NoReverseMatch):
            address = reverse(name, args=[project] if of_project else [])
            client = Client()
            client.force_login(User.objects.get(username=who))
            figures[title] = timed(client, address, options.runs)
    return figures


def timed(client: Any, address: str, runs: int) -> tuple[float, float, int]:
    """(median ms, 95th percentile in ms, queries) of a page that was asked for once before."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    assert client.get(address).status_code == 200, address
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    count, times = len(queries), []  # the next request empties the log
    for _ in range(runs):
        began = time.perf_counter()
        client.get(address)
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    return statistics.median(times), times[int(0.95 * (len(times) - 1))], count


# ---------------------------------------------------------------------------------------------------- the team


def seed(options: argparse.Namespace) -> int:
    """A project in its third month, and its number."""
    from django.contrib.auth.models import User
    from django.db import connection

    from annotator.annotation.models import Label, Membership, Project
    from annotator.events.models import Event, Notice

    dice = random.Random(1)
    User.objects.create(username="admin", is_staff=True, is_superuser=True)
    User.objects.create(username="manager")
    people = User.objects.bulk_create(User(username=f"person{n}") for n in range(options.people))
    project = Project.objects.create(name="Abdomen", double_share=0.1)
    Membership.objects.create(project=project, person=User.objects.get(username="manager"), role="manager")
    Membership.objects.bulk_create(Membership(project=project, person=person) for person in people)
    labels = [
        Label.objects.create(project=project, name=name, value=value, colour=f"#{value:02x}8040")
        for value, name in enumerate(("liver", "spleen", "left kidney", "right kidney"), 1)
    ]
    cases = seed_cases(options.cases, project, people, dice)
    seed_work(cases, labels, dice)
    seed_agreement(cases, labels, dice)
    Event.objects.bulk_create(
        (
            Event(at=past(dice), person_id=person.pk, person=person.username, verb=dice.choice(("saw", "submitted")),
                  kind="assignment", thing_id=str(n), thing=f"Abdomen · {n}", project_id=project.pk)
            for n in range(options.events) for person in [dice.choice(people)]
        ),
        batch_size=2000,
    )  # fmt: skip
    Notice.objects.bulk_create(
        (
            Notice(person=person, kind="returned", about={"series": f"Abdomen {n}", "reason": "The dome."}, url="/")
            for person in people for n in range(100)
        ),
        2000,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return project.pk


def seed_cases(count: int, project: Any, people: list[Any], dice: random.Random) -> list[Any]:
    """Tasks, a tenth of them read twice, each with the way that it has gone so far."""
    from django.utils import timezone

    from annotator.annotation.models import Assignment, Task, Transition
    from annotator.studies.models import Series, Study

    study = Study.objects.create(uid="1.2.3")
    geometry = {"affine": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}
    series = Series.objects.bulk_create(
        (
            Series(study=study, uid=f"1.2.3.{n}", description=f"Abdomen {n}", depth=100, height=512, width=512,
                   spacing=[3, 0.8, 0.8], geometry=geometry, sha256="0" * 64)
            for n in range(count)
        ),
        batch_size=1000,
    )  # fmt: skip
    today = timezone.localdate()
    due = [None, *(today + timedelta(days=days) for days in range(-30, 60, 3))]
    tasks = Task.objects.bulk_create(
        (
            Task(project=project, series=one, readings=1 + (n % 10 == 0), due_on=dice.choice(due))
            for n, one in enumerate(series)
        ),
        batch_size=1000,
    )
    ways, weights = [way for _, way in WAYS], [share for share, _ in WAYS]
    wanted = []
    for task in tasks:
        for reading, person in enumerate(dice.sample(people, task.readings), 1):
            [way] = dice.choices(ways, weights)
            wanted.append((Assignment(task=task, person=person, reading=reading, state=way[-1]), way))
    cases = Assignment.objects.bulk_create([case for case, _ in wanted], batch_size=1000)
    Transition._meta.get_field("at").auto_now_add = False  # they lie in the past
    moves = []
    for case, (_, way) in zip(cases, wanted, strict=True):
        at, before = past(dice), ""
        for after in way:
            moves.append(Transition(assignment=case, before=before, after=after, person=case.person, at=at))
            before, at = after, min(at + timedelta(hours=dice.expovariate(1 / 48)), timezone.now())
    Transition.objects.bulk_create(moves, batch_size=1000)
    return cases


def seed_work(cases: list[Any], labels: list[Any], dice: random.Random) -> None:
    """Masks, some of the log, and efforts, of what was begun."""
    import numpy as np

    from annotator import masks
    from annotator.annotation.models import Effort, Interaction, SliceMask

    disk = np.hypot(*np.ogrid[-256:256, -256:256]) < 80
    mask, begun = masks.encode(disk), [case for case in cases if case.state not in ("assigned", "skipped")]
    SliceMask.objects.bulk_create(
        (
            SliceMask(assignment=case, label=labels[z % 4], z=z, sequence=z + 1, since=z + 1, mask=mask, pixels=20_000,
                      person=case.person)
            for case in begun for z in range(SLICES)
        ),
        batch_size=1000,
    )  # fmt: skip
    Interaction.objects.bulk_create(
        (
            Interaction(assignment=case, sequence=z + 1, kind="add_click", label=labels[z % 4], z=z, person=case.person,
                        payload={"y": 256, "x": 256, "positive": True})
            for case in begun for z in range(SLICES)
        ),
        batch_size=1000,
    )  # fmt: skip
    Effort.objects.bulk_create(
        (
            Effort(assignment=case, label=label, slices=40, clicks=dice.randint(10, 80), strokes=dice.randint(0, 20),
                   seconds=dice.uniform(60, 900))
            for case in begun if case.state in ("submitted", "accepted", "returned") for label in labels
        ),
        batch_size=2000,
    )  # fmt: skip


def seed_agreement(cases: list[Any], labels: list[Any], dice: random.Random) -> None:
    """Comparisons of the tasks that were read twice, with figures of volumes and of 20 slices."""
    from annotator.annotation.models import Agreement, Comparison

    by_task: dict[int, list[Any]] = {}
    for case in cases:
        by_task.setdefault(case.task_id, []).append(case)
    pairs = Comparison.objects.bulk_create(
        Comparison(first=pair[0], second=pair[1], state="done", done_at=past(dice))
        for pair in by_task.values() if len(pair) == 2
    )  # fmt: skip
    Agreement.objects.bulk_create(
        (
            Agreement(comparison=pair, label=label, z=z, dice=dice.uniform(0.7, 0.99), surface_dice=0.9, hd95=4.0,
                      first_ml=100.0, second_ml=98.0)
            for pair in pairs for label in labels for z in (None, *range(20))
        ),
        batch_size=2000,
    )  # fmt: skip


def past(dice: random.Random) -> Any:
    """A moment of the last three months."""
    from django.utils import timezone

    return timezone.now() - timedelta(days=dice.uniform(0, DAYS))


if __name__ == "__main__":
    main()
