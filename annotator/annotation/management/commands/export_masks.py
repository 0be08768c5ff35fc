"""`python manage.py export_masks ASSIGNMENT --out FILE.nii.gz`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator.annotation import export
from annotator.annotation.models import Assignment


class Command(BaseCommand):
    help = "Write an assignment's masks as one label volume in the source's geometry, with a JSON beside it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("assignment", type=int, help="the number in the case's address")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.nii.gz")

    def handle(self, *args: Any, assignment: int, out: Path, **options: Any) -> None:
        found = Assignment.objects.filter(pk=assignment).first()
        if found is None:
            raise CommandError(f"There is no assignment {assignment}.")
        try:
            beside = export.write(found, out)
        except (export.ExportError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{out}\n{beside}")
