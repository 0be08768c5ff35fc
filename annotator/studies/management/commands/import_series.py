"""`python manage.py import_series PATH… --project NAME`"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotator.annotation.assign import AssignRefused
from annotator.annotation.models import Label, Membership, Project
from annotator.demo.project import LABELS
from annotator.learning import split
from annotator.learning.models import Part
from annotator.studies import imports
from annotator.studies.outcomes import ImportRefused, Outcome, Result

WORDS = {Result.IMPORTED: "imported", Result.KNOWN: "already here", Result.REFUSED: "refused"}


class Command(BaseCommand):
    help = "Import the CT series in DICOM files, NIfTI files, folders and zip archives into a project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--project", required=True, metavar="NAME")
        parser.add_argument("--assign", metavar="USER", help="give every case to this member of the project")
        parser.add_argument(
            "--create-project", action="store_true", help="where there is none, with labels of abdominal organs"
        )
        parser.add_argument("--patient", default="", metavar="KEY", help="whose they are, where the files name nobody")
        parser.add_argument(
            "--side", choices=Part.values, help="of the split, for patients who are new; by default it is drawn"
        )

    def handle(
        self,
        *args: Any,
        paths: list[Path],
        project: str,
        assign: str | None,
        create_project: bool,
        patient: str,
        side: str | None,
        **options: Any,
    ) -> None:
        assignee = _person(assign) if assign else None
        into = _project(project, assignee, create_project)
        try:
            with split.given(Part(side) if side else None):
                outcomes = imports.import_paths(
                    paths, into, assignee=assignee, progress=self.show_progress, patient=patient
                )
        except AssignRefused as error:
            raise CommandError(f"{error} Its members are: {_names(_members(into))}.") from error
        except ImportRefused as error:
            raise CommandError(str(error)) from error
        self.clear_line()
        for outcome in outcomes:
            self.stdout.write(_line(outcome))
        if any(outcome.outcome is Result.REFUSED for outcome in outcomes):
            sys.exit(1)

    def show_progress(self, share: float, name: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r\033[K{share:4.0%} {name[:70]}", ending="")
            self.stderr.flush()

    def clear_line(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\033[K", ending="")


def _line(outcome: Outcome) -> str:
    return " ".join([f"{WORDS[outcome.outcome]}: {outcome.name}.", *outcome.sentences])


def _person(name: str) -> User:
    person = User.objects.filter(username=name).first()
    if person is None:
        known = User.objects.order_by("username").values_list("username", flat=True)
        raise CommandError(f"There is no user {name}; the users are: {_names(known)}.")
    return person


def _project(name: str, assignee: User | None, create: bool) -> Project:
    project = Project.objects.filter(name=name).first()
    if project:
        return project
    if not create:
        known = Project.objects.values_list("name", flat=True)
        raise CommandError(
            f"There is no project “{name}” (--create-project makes it); the projects are: {_names(known)}."
        )
    return _create_project(name, assignee)


@transaction.atomic
def _create_project(name: str, assignee: User | None) -> Project:
    """A project that one can start with; whoever gets its cases is a member."""
    project = Project.objects.create(name=name)
    for value, (label, (colour, snomed)) in enumerate(LABELS.items(), start=1):
        Label.objects.create(project=project, name=label, value=value, colour=colour, snomed=snomed)
    if assignee:
        Membership.objects.create(project=project, person=assignee, role=Membership.Role.ANNOTATOR)
    return project


def _members(project: Project) -> list[str]:
    return list(project.memberships.order_by("person__username").values_list("person__username", flat=True))


def _names(names: Any) -> str:
    return ", ".join(names) or "none yet"
